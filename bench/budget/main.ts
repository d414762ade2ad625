/**
 * Runs the limiter in simulated time and prints a table of what upstream saw. Options after `npm run bench:budget --`:
 * `--short`: a hundredth of the runs; `--scenario X`: one scenario; `--seed N`: one run, with a trace of its last
 * arrivals; `--seeds N`, `--calls N`: number of runs, and of calls per run.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { measureCost } from './cost.ts';
import { createFigures } from './figures.ts';
import { printReport } from './report.ts';
import { isScenarioName, type Result, runScenario, type ScenarioName, SCENARIOS } from './scenario.ts';
import { printTrace } from './trace.ts';

interface Job {
  readonly scenario: ScenarioName;
  readonly seed: number;
  readonly calls: number;
}

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    calls: { type: 'string' },
    scenario: { type: 'string' },
    seed: { type: 'string' },
    short: { type: 'boolean', default: false },
  },
});

function jobsOf(names: readonly ScenarioName[]): Job[] {
  return names.flatMap((scenario) => {
    const { seeds: fullSeeds, calls: fullCalls } = SCENARIOS[scenario];
    const seeds = Number(values.seeds ?? (values.short ? Math.ceil(fullSeeds / 10) : fullSeeds));
    // With fewer windows than a full measurement the result would depend on how the first window starts.
    const calls = Number(values.calls ?? (values.short && fullCalls > 200 ? Math.ceil(fullCalls / 10) : fullCalls));
    return Array.from({ length: seeds }, (_, index) => ({ scenario, seed: index + 1, calls }));
  });
}

/** Distributes the jobs over one worker per core. Each worker gets its next job when it has finished the last. */
async function runJobs(jobs: readonly Job[], onResult: (result: Result, job: Job) => void): Promise<void> {
  const waiting = [...jobs];
  const work = () =>
    new Promise<void>((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), { resourceLimits: { maxYoungGenerationSizeMb: 128 } });
      let job: Job | undefined;
      const next = () => {
        job = waiting.shift();
        if (job) worker.postMessage(job, []);
        else void worker.terminate().then(() => resolve());
      };
      worker.on('message', (result: Result) => {
        if (job) onResult(result, job);
        next();
      });
      worker.on('error', (error) => reject(new Error(`${JSON.stringify(job)} failed`, { cause: error })));
      next();
    });
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), jobs.length) }, work));
}

async function main(): Promise<void> {
  const { scenario } = values;
  if (scenario !== undefined && !isScenarioName(scenario)) {
    console.error(`No scenario "${scenario}". There are: ${Object.keys(SCENARIOS).join(', ')}.`);
    process.exitCode = 2;
    return;
  }
  if (scenario !== undefined && values.seed !== undefined) {
    const { result, run } = await runScenario(
      scenario,
      Number(values.seed),
      values.calls === undefined ? undefined : Number(values.calls),
    );
    printTrace(result, run);
    if (result.broken.length > 0) process.exitCode = 1;
    return;
  }
  const names = scenario === undefined ? (Object.keys(SCENARIOS) as ScenarioName[]) : [scenario];
  const figures = createFigures();
  const failures: string[] = [];
  const startMs = performance.now();
  await runJobs(jobsOf(names), ({ figures: record, broken, scenario, seed }, { calls }) => {
    figures.merge(record);
    for (const [name, count] of broken) {
      const replay = `npm run bench:budget -- --scenario ${scenario} --seed ${seed} --calls ${calls}`;
      failures.push(`${scenario}: ${name}: ${Number(count.toFixed(2))}\n  ${replay}`);
    }
  });
  const tookMs = performance.now() - startMs;
  // Measure after the workers have ended, so that they do not distort the result.
  const cost = scenario === undefined ? await measureCost() : undefined;
  printReport({ figures, failures, tookMs, ...(cost && { cost }) });
  if (failures.length > 0) process.exitCode = 1;
}

// Millions of refusals are created, and nobody reads their stacks.
if (!isMainThread) Error.stackTraceLimit = 0;

if (isMainThread) {
  await main();
} else {
  parentPort?.on('message', ({ scenario, seed, calls }: Job) => {
    void runScenario(scenario, seed, calls).then(({ result }) => parentPort?.postMessage(result, []));
  });
}

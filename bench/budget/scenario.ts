import type { FigureRecord } from './figures.ts';
import * as measures from './measures.ts';
import * as traffic from './traffic.ts';
import type { Run } from './traffic.ts';
import * as use from './use.ts';

/** A kind of run; the seed decides everything else. */
export interface Scenario {
  readonly run: (seed: number, calls: number) => Promise<Run>;
  /** For the full figures: how many seeds, and how many calls each (or windows, where the use of a window is measured). Those with 0 decide by themselves how long they last. */
  readonly seeds: number;
  readonly calls: number;
}

/** Every scenario, by the name that `--scenario` takes. */
export const SCENARIOS = {
  alone: { run: traffic.runAlone, seeds: 1_000, calls: 9_000 },
  faults: { run: traffic.runFaults, seeds: 120, calls: 3_000 },
  'crash-wait': { run: traffic.runCrashesWaiting, seeds: 120, calls: 3_000 },
  'crash-probe': { run: traffic.runCrashesProbing, seeds: 120, calls: 3_000 },
  foreign: { run: traffic.runForeign, seeds: 120, calls: 3_000 },
  limits: { run: traffic.runLimits, seeds: 120, calls: 10_000 },
  keys: { run: traffic.runKeys, seeds: 20, calls: 20_000 },
  'use-general': { run: use.runUseOfGeneral, seeds: 126, calls: 200 },
  'use-burst': { run: use.runUseOfBurst, seeds: 126, calls: 200 },
  'large-account': { run: use.runLargeAccount, seeds: 20, calls: 0 },
  lookups: { run: measures.runLookups, seeds: 80, calls: 0 },
  'lookup-stream': { run: measures.runLookupStream, seeds: 10, calls: 0 },
  promises: { run: measures.runPromises, seeds: 30, calls: 0 },
  pauses: { run: measures.runPauses, seeds: 170, calls: 0 },
  outage: { run: measures.runOutage, seeds: 20, calls: 0 },
} as const satisfies Record<string, Scenario>;

/** Name of a scenario. */
export type ScenarioName = keyof typeof SCENARIOS;

/** Tells whether there is a scenario of this name. */
export function isScenarioName(name: string): name is ScenarioName {
  return Object.hasOwn(SCENARIOS, name);
}

/** What one run came to. */
export interface Result {
  readonly scenario: ScenarioName;
  readonly seed: number;
  /** Every figure's name begins with the scenario's. */
  readonly figures: FigureRecord;
  /** What must not happen and did. */
  readonly broken: readonly (readonly [string, number])[];
  readonly digest: string;
  readonly events: number;
}

/** Runs one scenario with one seed. The same two give the same result. */
export async function runScenario(
  scenario: ScenarioName,
  seed: number,
  calls: number = SCENARIOS[scenario].calls,
): Promise<{ readonly result: Result; readonly run: Run }> {
  const run = await SCENARIOS[scenario].run(seed, calls);
  const prefixed = (entries: readonly (readonly [string, number])[]) =>
    entries.map(([name, value]) => [`${scenario}/${name}`, value] as const);
  const { sums, highest, lowest, nevers } = run.figures.toRecord();
  const result: Result = {
    scenario,
    seed,
    figures: {
      sums: prefixed([...sums, ['seeds', 1]]),
      highest: prefixed(highest),
      lowest: prefixed(lowest),
      nevers: prefixed(nevers),
    },
    broken: run.figures.broken(),
    digest: run.world.judge.digest,
    events: run.world.timeline.events,
  };
  return { result, run };
}

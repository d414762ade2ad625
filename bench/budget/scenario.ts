import type { FigureRecord } from './figures.ts';
import * as measures from './measures.ts';
import * as traffic from './traffic.ts';
import type { Run } from './traffic.ts';
import * as use from './use.ts';

/** A kind of run. The seed decides everything else. */
export interface Scenario {
  readonly run: (seed: number, calls: number) => Promise<Run>;
  /**
   * For the full figures: number of seeds, and of calls per seed (of windows, if the use of a window is measured).
   * 0: the scenario decides how long it lasts.
   */
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

/** Whether there is a scenario with this name. */
export function isScenarioName(name: string): name is ScenarioName {
  return Object.hasOwn(SCENARIOS, name);
}

/** Result of one run. */
export interface Result {
  readonly scenario: ScenarioName;
  readonly seed: number;
  /** Names begin with the name of the scenario. */
  readonly figures: FigureRecord;
  /** Counts of what must not happen. */
  readonly broken: readonly (readonly [string, number])[];
  readonly digest: string;
  readonly events: number;
}

/** Runs one scenario with one seed. Equal inputs give the same result. */
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

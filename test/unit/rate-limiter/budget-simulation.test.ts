import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFigures } from '../../../bench/budget/figures.ts';
import { LATENCIES } from '../../../bench/budget/latency.ts';
import { toUseName, USER_NAMES } from '../../../bench/budget/use.ts';
import { runScenario, type ScenarioName } from '../../../bench/budget/scenario.ts';

/** Runs a scenario with several seeds, and lists every violation with its seed. */
async function runSeeds(scenario: ScenarioName, seeds: number, calls: number) {
  const figures = createFigures();
  const broken: string[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const { result } = await runScenario(scenario, seed, calls);
    figures.merge(result.figures);
    broken.push(...result.broken.map(([name, count]) => `${name}: ${count}, seed ${seed}`));
  }
  return { broken, get: (name: string) => figures.get(`${scenario}/${name}`) };
}

describe('upstream, in simulated time', () => {
  // Thousands of calls are refused; creating their stack traces would take most of the time.
  const { stackTraceLimit } = Error;
  beforeAll(() => {
    Error.stackTraceLimit = 0;
  });
  afterAll(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  it.each<[ScenarioName, number, number]>([
    ['alone', 60, 70],
    ['faults', 12, 150],
    ['crash-wait', 12, 200],
    ['foreign', 12, 150],
    ['keys', 2, 600],
    ['pauses', 17, 0],
    ['large-account', 2, 0],
    ['lookups', 2, 0],
    ['lookup-stream', 1, 0],
    ['outage', 4, 0],
  ])('finds nothing wrong with the calls of the scenario %s', async (scenario, seeds, calls) => {
    const { broken, get } = await runSeeds(scenario, seeds, calls);
    expect(broken).toEqual([]);
    expect(get('calls')).toBeGreaterThan(seeds * Math.max(60, calls * 0.9));
  });

  it('refuses only calls in flight when a limit is lowered, and a few calls after a restart of the process', async () => {
    const limits = await runSeeds('limits', 1, 6_000);
    expect(limits.broken).toEqual([]);
    expect(limits.get('lowerings')).toBeGreaterThan(0);
    const crashes = await runSeeds('crash-probe', 12, 500);
    expect(crashes.get('restarts')).toBeGreaterThan(10);
    expect(crashes.get('429') / crashes.get('restarts')).toBeLessThan(3);
  });

  it.each<[ScenarioName, number]>([
    ['use-general', 60_000],
    ['use-burst', 10_000],
  ])('sees the whole budget used by greedy clients of the scenario %s', async (scenario, windowMs) => {
    // One seed for each latency model of the first kind of users.
    const { get } = await runSeeds(scenario, LATENCIES.length - 1, 40);
    const users = USER_NAMES[0] ?? 'clients, 5 reserved';
    const shares = LATENCIES.slice(1).map((latency) => ({ latency, share: get(toUseName(windowMs, users, latency)) }));
    expect(shares.filter(({ share }) => share < 0.98)).toEqual([]);
  });

  it('sees the same calls at the same moments when a seed is run again, and others with another seed', async () => {
    const [first, again, other] = [
      await runScenario('alone', 5, 300),
      await runScenario('alone', 5, 300),
      await runScenario('alone', 6, 300),
    ];
    expect(again.run.world.judge.trace).toEqual(first.run.world.judge.trace);
    expect(again.result).toEqual(first.result);
    expect(other.result.digest).not.toBe(first.result.digest);
  });
});

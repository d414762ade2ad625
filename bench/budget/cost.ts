import { createBareBudget } from './limiter.ts';

/** The numbers of waiting calls at which the cost of one more is measured. */
export const WAITING = [10, 100, 1_000, 10_000] as const;

const ROUNDS = 7;
const CALLS_PER_ROUND = 200;

/** Creates a key with a constant number of waiting calls: each round completes some and adds as many. */
function createLoad(waiting: number) {
  let nowMs = 0;
  const clock = { nowMs: () => nowMs, epochMs: () => nowMs, schedule: () => () => undefined };
  const budget = createBareBudget(clock);
  const sent: (() => void)[] = [];
  const enter = () => {
    const { admitted, settle } = budget.enter();
    void admitted.then(() => sent.push(settle));
  };
  const settled = () => new Promise<void>((resolve) => void setImmediate(resolve));
  return {
    async fill() {
      for (let count = 0; count < waiting + 10; count++) enter();
      await settled();
    },
    /** @returns Microseconds of real time for one call, from its request for a slot until its response is counted. */
    async measureRound() {
      let tookMs = 0;
      for (let count = 0; count < CALLS_PER_ROUND; count++) {
        nowMs += 1;
        const startMs = performance.now();
        sent.shift()?.();
        enter();
        tookMs += performance.now() - startMs;
        await settled();
      }
      return (tookMs * 1_000) / CALLS_PER_ROUND;
    },
  };
}

/**
 * Measures what the budget costs per call, in real time, with few and with many calls waiting on one key.
 *
 * @returns Microseconds by number of waiting calls. Medians of interleaved rounds, so that a busy moment of the machine
 *   affects all of them alike.
 */
export async function measureCost(): Promise<ReadonlyMap<number, number>> {
  const loads = WAITING.map((waiting) => ({ waiting, load: createLoad(waiting), rounds: [] as number[] }));
  for (const { load } of loads) await load.fill();
  for (let round = 0; round < ROUNDS; round++) {
    for (const { load, rounds } of loads) rounds.push(await load.measureRound());
  }
  return new Map(
    loads.map(({ waiting, rounds }) => [waiting, rounds.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? Number.NaN]),
  );
}

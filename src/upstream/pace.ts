import { setImmediate } from 'node:timers/promises';
import PQueue from 'p-queue';
import type { Clock } from './clock.ts';

/** When an operation makes the calls that it asks for; whether they may be sent then is the budget's to say. */
export interface Pace {
  /** Makes a call when it is its turn. */
  run<Answer>(call: () => Promise<Answer>): Promise<Answer>;
  /** A call that was run has been sent. */
  sent(): void;
}

// A list of lists, one of those, and what its first row is read by.
const FIRST_CALLS = 3;
// Longer than calls take, as a rule.
const PATIENCE_MS = 1_000;
// Answers go through promises, resolvers and planners before the next calls are asked for.
const ROUNDS = 4;

/**
 * Has the way to the first row of a streamed answer walked first: the first three calls go one at a time, and of those asked for the ones that the last answer led to.
 * All at once, a list of lists would spend what is left of a budget on lists, and show no row before the next window.
 *
 * A call that has been out for a second ends it: whatever it is that hangs, it is not to hold up what else there is.
 */
export function createFirstRowPace(clock: Clock): Pace {
  const queue = new PQueue({ concurrency: 1 });
  let answered = 0;
  let cancelPatience = () => {};
  const open = () => {
    cancelPatience();
    queue.concurrency = Number.POSITIVE_INFINITY;
  };

  return {
    run: (call) =>
      new Promise((resolve, reject) => {
        const task = async () => {
          await call()
            .finally(() => {
              answered++;
              cancelPatience();
            })
            .then(resolve, reject);
          if (queue.concurrency !== 1) return;
          for (let round = 0; round < ROUNDS; round++) await setImmediate();
          if (answered === FIRST_CALLS) open();
        };
        void queue.add(task, { priority: answered });
      }),
    sent() {
      if (queue.concurrency !== 1) return;
      cancelPatience();
      cancelPatience = clock.schedule(clock.nowMs() + PATIENCE_MS, open);
    },
  };
}

import PQueue from 'p-queue';
import type { Clock } from '../../clock.ts';
import type { IdleTasks } from './idle-tasks.ts';

/** Decides when a streamed operation makes its calls. The budget then decides when they are sent. */
export interface FirstRowScheduler {
  /** Makes the call as soon as the order of calls allows it. Settles as the call does. */
  run<Value>(call: () => Promise<Value>): Promise<Value>;
  /** To be called when a call of the operation has been sent. */
  sent(): void;
}

// A list of lists, one of those lists, and the read that its first row needs.
const FIRST_CALLS = 3;
// Calls rarely take longer.
const MAX_BLOCK_MS = 1_000;

/**
 * Sends the calls that lead to the first streamed row first. The first three run one at a time, and calls triggered by
 * the latest response have priority. Without this, a list of lists would spend the rest of the budget on lists, and
 * show no row before the next window.
 *
 * If one of them takes longer than a second after it was sent, all others are released, so that a hanging call cannot
 * block the stream.
 */
export function createFirstRowScheduler(clock: Clock, idleTasks: IdleTasks): FirstRowScheduler {
  const queue = new PQueue({ concurrency: 1 });
  let finishedCalls = 0;
  let cancelTimer = () => {};
  const releaseAll = () => {
    cancelTimer();
    queue.concurrency = Number.POSITIVE_INFINITY;
  };

  return {
    run: (call) =>
      new Promise((resolve, reject) => {
        const task = async () => {
          await call()
            .finally(() => {
              finishedCalls++;
              cancelTimer();
            })
            .then(resolve, reject);
          if (queue.concurrency !== 1) return;
          // The calls that this response triggers must be in the queue before the next one is chosen.
          await new Promise<void>((onIdle) => idleTasks.add('call', onIdle));
          if (finishedCalls === FIRST_CALLS) releaseAll();
        };
        void queue.add(task, { priority: finishedCalls });
      }),
    sent() {
      if (queue.concurrency !== 1) return;
      cancelTimer();
      cancelTimer = clock.schedule(clock.nowMs() + MAX_BLOCK_MS, releaseAll);
    },
  };
}

import PQueue from 'p-queue';
import type { Clock } from '../../clock.ts';
import type { IdleTasks } from './idle-tasks.ts';

/** Decides when a streamed operation makes the calls it asks for. The budget decides whether they may be sent then. */
export interface FirstRowScheduler {
  /** Makes a call when its time has come. */
  run<Value>(call: () => Promise<Value>): Promise<Value>;
  /** Reports that a call has been sent. */
  sent(): void;
}

// A list of lists, one of those, and the read that its first row needs.
const FIRST_CALLS = 3;
// Calls seldom take longer.
const MAX_BLOCK_MS = 1_000;

/**
 * Sends the calls that lead to the first streamed row first. The first three run one at a time, and calls that the latest answer led to go before
 * others. All at once, a list of lists would spend what is left of a budget on lists, and show no row before the next window.
 *
 * If one of them takes longer than a second after it was sent, all others are released: a call that hangs must not block the stream.
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
          // The calls that this answer leads to have to be in the queue before the next one is chosen.
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

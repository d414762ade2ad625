import { setImmediate } from 'node:timers/promises';
import PQueue from 'p-queue';

// Some milliseconds' work: to wait for a turn would take longer than it holds anybody up.
const LARGE_BYTES = 512 * 1_024;

/** Makes the line in which the large pieces of a process stand: they hold everybody else up while they last, so others have turns in between. */
export function createTaskQueue() {
  const queue = new PQueue({ concurrency: 1 });
  return {
    /**
     * Runs one piece. A large one has the event loop turn before it, and runs after those that were there before.
     *
     * @param heapBytes - How large what it is done on is.
     */
    async run<Result>(heapBytes: number, task: () => Result): Promise<Result> {
      if (heapBytes < LARGE_BYTES) return task();
      return queue.add(async () => {
        await setImmediate();
        return task();
      });
    },
  };
}

import { setImmediate } from 'node:timers/promises';
import PQueue from 'p-queue';

// Work on smaller bodies takes a few milliseconds, less than waiting in the queue would.
const LARGE_BYTES = 512 * 1_024;

/** Creates the queue for work on large bodies. Such work blocks the event loop, so other work may run in between. */
export function createTaskQueue() {
  const queue = new PQueue({ concurrency: 1 });
  return {
    /**
     * Runs one task: at once for a small body; for a large one, after the tasks queued before and a pass of the event
     * loop.
     *
     * @param heapBytes - Size of the body that the task works on.
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

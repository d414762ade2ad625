/** Loaded into the server's process with `--import`. Sends the parent, on request, the memory of the process. */
import process from 'node:process';
import { setImmediate as nextRound } from 'node:timers/promises';

/** Memory of a process after garbage collection, in bytes. */
export interface Memory {
  /** Live objects. */
  readonly heapBytes: number;
  /** The whole process, as the operating system counts it. */
  readonly residentBytes: number;
}

process.on('message', () => {
  void (async () => {
    for (let round = 0; round < 3; round++) {
      globalThis.gc?.();
      await nextRound();
    }
    const { heapUsed, rss } = process.memoryUsage();
    const memory: Memory = { heapBytes: heapUsed, residentBytes: rss };
    process.send?.(memory);
  })();
});

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes of the heap in use after garbage collection. */
export async function usedHeapBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    collectGarbage();
    // Finished work is released in the following iterations of the event loop.
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/**
 * Bytes of the heap that an object takes. Measures three objects and returns the smallest figure, since other work in
 * the process only adds.
 */
export async function takenHeapBytes(make: () => unknown): Promise<number> {
  let leastBytes = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    const beforeBytes = await usedHeapBytes();
    const made = [make()];
    leastBytes = Math.min(leastBytes, (await usedHeapBytes()) - beforeBytes);
    // Keeps it alive until the heap was measured.
    made.pop();
  }
  return leastBytes;
}

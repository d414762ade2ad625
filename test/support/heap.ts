import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes of the heap that are in use once nothing is left to collect. */
export async function usedHeapBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    collectGarbage();
    // What has just been finished is let go of in the rounds of the event loop after it.
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Bytes of the heap that something takes. It is made three times, and the least counts: whatever else goes on in the process only adds to it. */
export async function takenHeapBytes(make: () => unknown): Promise<number> {
  let leastBytes = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    const beforeBytes = await usedHeapBytes();
    const made = [make()];
    leastBytes = Math.min(leastBytes, (await usedHeapBytes()) - beforeBytes);
    // So that it is there until now.
    made.pop();
  }
  return leastBytes;
}

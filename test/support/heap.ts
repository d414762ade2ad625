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

import type { Clock } from '../clock.ts';

/** When API keys were dropped: responses to calls that were sent before are not cached. */
export interface DroppedKeys {
  add(keyHash: string): void;
  has(keyHash: string): boolean;
  /** Monotonic milliseconds; minus infinity: the API key was not dropped. */
  atMs(keyHash: string): number;
}

// Longer than any call can take.
const DROPPED_FOR_MS = 600_000;

/** Creates the list, which is empty. An API key leaves it after ten minutes. */
export function createDroppedKeys(clock: Clock): DroppedKeys {
  const droppedAtMs = new Map<string, number>();
  return {
    has: (keyHash) => droppedAtMs.has(keyHash),
    atMs: (keyHash) => droppedAtMs.get(keyHash) ?? Number.NEGATIVE_INFINITY,
    add(keyHash) {
      const nowMs = clock.nowMs();
      droppedAtMs.set(keyHash, nowMs);
      clock.schedule(nowMs + DROPPED_FOR_MS, () => {
        if (droppedAtMs.get(keyHash) === nowMs) droppedAtMs.delete(keyHash);
      });
    },
  };
}

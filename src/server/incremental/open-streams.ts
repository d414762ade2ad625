import type { Config } from '../../config/config.ts';

/** How many operations may be open at once whose answers come in parts: of all keys, and of one. */
export type StreamBounds = Pick<Config['operation'], 'maxStreams' | 'maxStreamsPerKey'>;

/** Which bound leaves no room for one more: that of its key, or that of the process. */
export type FullBound = 'key' | 'process';

/**
 * Makes the count of the operations that are open and whose answers come in parts: each can wait for minutes, and takes memory as long.
 *
 * Whoever has a share may have as many open as there are left for others, at most: one key takes half of all, two take a third each, and a key that
 * has none finds room whatever a few others do.
 */
export function createOpenStreams({ maxStreams, maxStreamsPerKey }: StreamBounds) {
  const countByKey = new Map<string, number>();
  const countByFairShare = new Map<string, number>();
  let count = 0;
  return {
    /** Opens one more. @returns What to call once when it has ended; or which bound leaves no room for it. */
    open(keyHash: string, fairShare: string): (() => void) | FullBound {
      if ((countByKey.get(keyHash) ?? 0) >= maxStreamsPerKey) return 'key';
      if ((countByFairShare.get(fairShare) ?? 0) >= maxStreams - count) return 'process';
      add(countByKey, keyHash, 1);
      add(countByFairShare, fairShare, 1);
      count++;
      return () => {
        add(countByKey, keyHash, -1);
        add(countByFairShare, fairShare, -1);
        count--;
      };
    },
  };
}

function add(counts: Map<string, number>, key: string, difference: number): void {
  const sum = (counts.get(key) ?? 0) + difference;
  if (sum > 0) counts.set(key, sum);
  else counts.delete(key);
}

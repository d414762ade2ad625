import type { Config } from '../../config/config.ts';

/** How many streams may be open at once: in the process, and per API key. */
export type StreamBounds = Pick<Config['operation'], 'maxStreams' | 'maxStreamsPerKey'>;

/** The bound that was reached: that of the API key, or that of the process. */
export type FullBound = 'key' | 'process';

/**
 * Counts open streams, which are operations delivered in parts: each can be open for minutes, and takes memory all the
 * time.
 *
 * A fair share may open a stream while it has fewer than are still free. So one key alone gets half of all streams, two
 * get a third each, and a key without one still finds a free one.
 */
export function createOpenStreams({ maxStreams, maxStreamsPerKey }: StreamBounds) {
  const countByKey = new Map<string, number>();
  const countByFairShare = new Map<string, number>();
  let count = 0;
  return {
    /** Opens a stream. @returns A function to call once, when the stream has ended; or the bound that was reached. */
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

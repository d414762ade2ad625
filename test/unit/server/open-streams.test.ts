import { describe, expect, it } from 'vitest';
import { createOpenStreams, type StreamBounds } from '../../../src/server/incremental/open-streams.ts';

/** Opens streams by key; each key has its own fair share unless another is given. */
function createSetup(bounds: StreamBounds) {
  const streams = createOpenStreams(bounds);
  const closing = new Map<string, (() => void)[]>();
  return {
    open(key: string, fairShare = key) {
      const close = streams.open(key, fairShare);
      if (typeof close === 'string') return close;
      closing.set(key, [...(closing.get(key) ?? []), close]);
      return 'open';
    },
    close: (key: string) => closing.get(key)?.pop()?.(),
  };
}

/** Opens as many streams of each key as possible, alternating between keys. */
function fill(maxStreams: number, keys: readonly string[]) {
  const { open, close } = createSetup({ maxStreams, maxStreamsPerKey: maxStreams });
  const counts = new Map(keys.map((key) => [key, 0]));
  for (let round = 0; round < maxStreams; round++) {
    for (const key of keys) if (open(key) === 'open') counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return { open, close, counts: [...counts.values()] };
}

describe('open streams', () => {
  it('are limited per key, until one of them ends', () => {
    const { open, close } = createSetup({ maxStreams: 100, maxStreamsPerKey: 2 });
    expect([open('a'), open('a'), open('a'), open('b')]).toEqual(['open', 'open', 'key', 'open']);
    close('a');
    expect([open('a'), open('a')]).toEqual(['open', 'key']);
  });

  it.each([
    [1, [50]],
    [2, [34, 33]],
    [4, [20, 20, 20, 20]],
    [9, [10, 10, 10, 10, 10, 10, 10, 10, 10]],
  ])('leave some to others if %i keys take as many as they can', (count, expected) => {
    const keys = Array.from({ length: count }, (_, index) => `greedy ${index}`);
    const { open, counts } = fill(100, keys);
    expect(counts).toEqual(expected);
    expect([open('greedy 0'), open('another')]).toEqual(['process', 'open']);
  });

  it('of keys with the same fair share are limited together', () => {
    const { open, close } = createSetup({ maxStreams: 8, maxStreamsPerKey: 8 });
    const opened = Array.from({ length: 6 }, (_, index) => open(`made up ${index}`, 'one address'));
    expect(opened).toEqual(['open', 'open', 'open', 'open', 'process', 'process']);
    expect(open('another')).toBe('open');
    close('made up 0');
    expect([open('made up 6', 'one address'), open('made up 7', 'one address')]).toEqual(['open', 'process']);
  });

  it('are limited in the whole process', () => {
    const keys = Array.from({ length: 20 }, (_, index) => `key ${index}`);
    const { open, close, counts } = fill(8, keys);
    expect(counts.reduce((sum, count) => sum + count)).toBe(8);
    expect(open('another')).toBe('process');
    close('key 0');
    expect(open('another')).toBe('open');
  });
});

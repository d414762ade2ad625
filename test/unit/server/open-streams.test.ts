import { describe, expect, it } from 'vitest';
import { createOpenStreams, type StreamBounds } from '../../../src/server/incremental/open-streams.ts';

/** Opens streams by name, each with a share of its own unless one is named. */
function createSetup(bounds: StreamBounds) {
  const streams = createOpenStreams(bounds);
  const closing = new Map<string, (() => void)[]>();
  return {
    open(tenant: string, fairShare = tenant) {
      const close = streams.open(tenant, fairShare);
      if (typeof close === 'string') return close;
      closing.set(tenant, [...(closing.get(tenant) ?? []), close]);
      return 'open';
    },
    close: (tenant: string) => closing.get(tenant)?.pop()?.(),
  };
}

/** Opens as many of each tenant, in turns, as there is room for. */
function fill(maxStreams: number, tenants: readonly string[]) {
  const { open, close } = createSetup({ maxStreams, maxStreamsPerKey: maxStreams });
  const counts = new Map(tenants.map((tenant) => [tenant, 0]));
  for (let round = 0; round < maxStreams; round++) {
    for (const tenant of tenants) if (open(tenant) === 'open') counts.set(tenant, (counts.get(tenant) ?? 0) + 1);
  }
  return { open, close, counts: [...counts.values()] };
}

describe('streams that are open', () => {
  it('of one key are as many as it may have, until one of them ends', () => {
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
  ])('of %i greedy keys leave room for others', (count, expected) => {
    const tenants = Array.from({ length: count }, (_, index) => `greedy ${index}`);
    const { open, counts } = fill(100, tenants);
    expect(counts).toEqual(expected);
    expect([open('greedy 0'), open('somebody else')]).toEqual(['process', 'open']);
  });

  it('of keys with one share are bounded together', () => {
    const { open, close } = createSetup({ maxStreams: 8, maxStreamsPerKey: 8 });
    const opened = Array.from({ length: 6 }, (_, index) => open(`made up ${index}`, 'one address'));
    expect(opened).toEqual(['open', 'open', 'open', 'open', 'process', 'process']);
    expect(open('somebody else')).toBe('open');
    close('made up 0');
    expect([open('made up 6', 'one address'), open('made up 7', 'one address')]).toEqual(['open', 'process']);
  });

  it('are never more than the process may have', () => {
    const tenants = Array.from({ length: 20 }, (_, index) => `tenant ${index}`);
    const { open, close, counts } = fill(8, tenants);
    expect(counts.reduce((sum, count) => sum + count)).toBe(8);
    expect(open('somebody else')).toBe('process');
    close('tenant 0');
    expect(open('somebody else')).toBe('open');
  });
});

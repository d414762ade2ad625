import { describe, expect, it } from 'vitest';
import { createOpenStreams } from '../../src/server/open-streams.ts';

/** Opens as many of each tenant, in turns, as there is room for. */
function fill(maxStreams: number, tenants: readonly string[]) {
  const streams = createOpenStreams({ maxStreams, maxStreamsPerKey: maxStreams });
  const counts = new Map(tenants.map((tenant) => [tenant, 0]));
  for (let round = 0; round < maxStreams; round++) {
    for (const tenant of tenants)
      if (streams.open(tenant) === undefined) counts.set(tenant, (counts.get(tenant) ?? 0) + 1);
  }
  return { streams, counts: [...counts.values()] };
}

describe('streams that are open', () => {
  it('of one key are as many as it may have, until one of them ends', () => {
    const streams = createOpenStreams({ maxStreams: 100, maxStreamsPerKey: 2 });
    expect([streams.open('a'), streams.open('a'), streams.open('a')]).toEqual([undefined, undefined, 'key']);
    expect(streams.open('b')).toBe(undefined);
    streams.close('a');
    expect([streams.open('a'), streams.open('a')]).toEqual([undefined, 'key']);
  });

  it.each([
    [1, [50]],
    [2, [34, 33]],
    [4, [20, 20, 20, 20]],
    [9, [10, 10, 10, 10, 10, 10, 10, 10, 10]],
  ])('of %i greedy keys leave room for others', (count, expected) => {
    const tenants = Array.from({ length: count }, (_, index) => `greedy ${index}`);
    const { streams, counts } = fill(100, tenants);
    expect(counts).toEqual(expected);
    expect(streams.open('greedy 0')).toBe('process');
    expect(streams.open('somebody else')).toBe(undefined);
  });

  it('are never more than the process may have', () => {
    const tenants = Array.from({ length: 20 }, (_, index) => `tenant ${index}`);
    const { streams, counts } = fill(8, tenants);
    expect(counts.reduce((sum, count) => sum + count)).toBe(8);
    expect(streams.open('somebody else')).toBe('process');
    streams.close('tenant 0');
    expect(streams.open('somebody else')).toBe(undefined);
  });
});

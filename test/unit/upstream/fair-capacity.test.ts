import { expect, it } from 'vitest';
import { createFairCapacity } from '../../../src/upstream/fair-capacity.ts';

it('an API key may use as much as stays free: the first one half, the second a quarter, and so on', () => {
  const capacity = createFairCapacity(800);
  for (const [keyHash, bytes] of [
    ['a', 400],
    ['b', 200],
    ['c', 100],
  ] as const) {
    expect([capacity.fits(keyHash, bytes), capacity.fits(keyHash, bytes + 1)]).toEqual([true, false]);
    capacity.add(keyHash, bytes / 2);
    expect([capacity.fits(keyHash, bytes / 2), capacity.fits(keyHash, bytes / 2 + 1)]).toEqual([true, false]);
    capacity.add(keyHash, bytes / 2);
    expect([capacity.usedBy(keyHash), capacity.fits(keyHash, 1)]).toEqual([bytes, false]);
  }
  capacity.add('a', -400);
  expect([capacity.usedBy('a'), capacity.fits('a', 250), capacity.fits('a', 251)]).toEqual([0, true, false]);
});

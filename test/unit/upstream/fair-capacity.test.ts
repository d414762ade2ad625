import { expect, it } from 'vitest';
import { createFairCapacity } from '../../../src/upstream/fair-capacity.ts';

it('a tenant may take what it leaves free: alone half of it, the next one a quarter, and so on', () => {
  const room = createFairCapacity(800);
  for (const [tenant, share] of [
    ['a', 400],
    ['b', 200],
    ['c', 100],
  ] as const) {
    expect([room.fits(tenant, share), room.fits(tenant, share + 1)]).toEqual([true, false]);
    room.add(tenant, share / 2);
    expect([room.fits(tenant, share / 2), room.fits(tenant, share / 2 + 1)]).toEqual([true, false]);
    room.add(tenant, share / 2);
    expect([room.usedBy(tenant), room.fits(tenant, 1)]).toEqual([share, false]);
  }
  room.add('a', -400);
  expect([room.usedBy('a'), room.fits('a', 250), room.fits('a', 251)]).toEqual([0, true, false]);
});

import { expect, it } from 'vitest';
import { createMonthlyQuota } from '../../../src/upstream/rate-limiter/monthly-quota.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

it('forgets what was announced once answers have said nothing of it for ten minutes', async () => {
  const clock = createVirtualClock();
  const month = createMonthlyQuota(clock);
  const read = (announced: { monthLimit?: number; monthRemaining?: number } = {}) =>
    month.read({ windows: [], ...announced }, clock.nowMs());
  const state = () => [month.limit, month.remaining, month.maxInFlight(10)];
  read({ monthLimit: 1_000, monthRemaining: 3 });
  await clock.advance(3_600_000);
  read();
  expect(state()).toEqual([1_000, 3, 3]);
  await clock.advance(599_999);
  read();
  expect(state()).toEqual([1_000, 3, 3]);
  await clock.advance(1);
  read();
  expect(state()).toEqual([undefined, undefined, 10]);
  read({ monthRemaining: 2 });
  expect(state()).toEqual([undefined, 2, 2]);
});

import { expect, it } from 'vitest';
import { createEventRate } from '../../../src/server/hooks/event-rate.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

it('events are handled a hundred at once, and then ten in a second', async () => {
  const clock = createVirtualClock();
  const mayHandle = createEventRate(clock);
  const handled = (events: number) => Array.from({ length: events }, () => mayHandle()).filter(Boolean).length;
  expect(handled(120)).toBe(100);
  await clock.advance(1_000);
  expect(handled(20)).toBe(10);
  await clock.advance(3_600_000);
  expect(handled(120)).toBe(100);
});

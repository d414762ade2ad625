import { describe, expect, it } from 'vitest';
import { Budget, type BudgetOptions } from '../../../src/upstream/rate-limiter/budget.ts';
import { ROUTE_CLASSES, type RouteClass } from '../../../src/upstream/postman/route-class.ts';
import { createFairShare, type FairShare } from '../../../src/upstream/rate-limiter/queue/fair-share.ts';
import { toBudgetOptions } from '../../support/budget-options.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

type Calls = Readonly<Record<RouteClass, number>>;

// The latency that a budget assumes before its first measurement.
const LATENCY_MS = 300;

/** A budget of 60 per minute and 10 per 10 s, 5 of them reserved. Each response takes 300 ms. */
function createSetup(options: Omit<Partial<BudgetOptions>, 'clock'> = {}) {
  const clock = createVirtualClock();
  const budget = new Budget({
    ...toBudgetOptions(clock),
    maxConcurrentCalls: 100,
    ...options,
  });
  let keys = 0;
  /** Makes calls of both classes alternately. Returns when the last of them has its response. */
  const make = async (calls: Calls, share: FairShare = createFairShare()) => {
    const asked: Promise<void>[] = [];
    for (let index = 0; index < Math.max(calls.general, calls.burst); index++) {
      for (const routeClass of ROUTE_CLASSES.filter((one) => index < calls[one])) {
        const place = budget.enter(routeClass, share, `key ${keys++}`, () => {});
        const answered = async () => {
          await place.admitted;
          await new Promise<void>((resolve) => void clock.schedule(clock.nowMs() + LATENCY_MS, resolve));
          place.settle();
        };
        asked.push(answered());
      }
    }
    await Promise.all(asked);
    return clock.nowMs();
  };
  return { clock, budget, make };
}

/** When all have their response, as predicted and actually, in milliseconds from now. */
async function served({ clock, budget, make }: ReturnType<typeof createSetup>, calls: Calls) {
  const startMs = clock.nowMs();
  const foretoldMs = budget.view.servedAtMs(calls) - startMs;
  const made = make(calls);
  await clock.advance(3_600_000);
  return { foretoldMs, madeMs: (await made) - startMs };
}

describe('servedAtMs', () => {
  it('is now for no calls', () => {
    const { budget, clock } = createSetup();
    expect(budget.view.servedAtMs({ general: 0, burst: 0 })).toBe(clock.nowMs());
  });

  it.each<[string, Calls, number]>([
    ['a few', { general: 3, burst: 0 }, 300],
    ['what the burst window has room for', { general: 0, burst: 5 }, 300],
    ['what one window has room for beside what it keeps for newcomers', { general: 55, burst: 0 }, 300],
    ['one more than that', { general: 56, burst: 0 }, 60_600],
    ['three windows full', { general: 160, burst: 0 }, 120_900],
    ['what the burst window decides', { general: 0, burst: 20 }, 20_900],
    ['both classes', { general: 30, burst: 12 }, 10_600],
  ])('is when the last of them is answered: %s', async (_what, calls, atMs) => {
    expect(await served(createSetup(), calls)).toEqual({ foretoldMs: atMs, madeMs: atMs });
  });

  it('counts the calls in flight and the waiting calls before them', async () => {
    const setup = createSetup({ reservedCalls: 0 });
    void setup.make({ general: 90, burst: 0 });
    await setup.clock.advance(1_000);
    // Thirty wait for the second minute, which then has thirty free slots left.
    expect(await served(setup, { general: 30, burst: 0 })).toEqual({ foretoldMs: 59_600, madeMs: 59_600 });
  });

  it('counts all waiting calls, although a small operation goes before some of them', async () => {
    const setup = createSetup({ reservedCalls: 0 });
    void setup.make({ general: 150, burst: 0 });
    await setup.clock.advance(1_000);
    expect(await served(setup, { general: 10, burst: 0 })).toEqual({ foretoldMs: 59_600 + 60_300, madeMs: 59_600 });
  });

  it('counts a pause', async () => {
    const setup = createSetup();
    setup.budget.slots.pause(setup.clock.nowMs() + 20_000);
    expect((await served(setup, { general: 3, burst: 0 })).foretoldMs).toBe(20_300);
  });
});

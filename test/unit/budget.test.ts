import { describe, expect, it } from 'vitest';
import { type Budget, type BudgetOptions, createBudget, type Place } from '../../src/upstream/budget.ts';
import type { RouteClass, Share } from '../../src/upstream/share.ts';
import type { AnnouncedRateLimit } from '../../src/upstream/rate-limit-headers.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

// What a budget takes for granted before it has measured anything: with it, turns can be foretold exactly.
const LATENCY_MS = 300;

/** A budget of 60 per minute and 10 per 10 s, 5 of them reserved, and an upstream that answers each call after 300 ms. */
function createSetup(options: Partial<BudgetOptions> = {}) {
  const clock = createVirtualClock();
  const startMs = clock.nowMs();
  const budget = createBudget({
    general: { limit: 60, windowMs: 60_000, isCap: false },
    burst: { limit: 10, windowMs: 10_000 },
    reservedCalls: 5,
    maxConcurrentCalls: 1_000,
    clock,
    ...options,
  });
  const sent: { readonly name: string; readonly atMs: number }[] = [];

  /** Queues a call and, once it is admitted, answers it. */
  const call = (
    name: string,
    routeClass: RouteClass = 'general',
    {
      share = budget.newShare(),
      announced,
      isRepeat = false,
    }: { share?: Share; announced?: AnnouncedRateLimit; isRepeat?: boolean } = {},
  ): Place => {
    const place = budget.enter(routeClass, share, isRepeat);
    const answer = async () => {
      await place.admitted;
      const sentAtMs = clock.nowMs();
      sent.push({ name, atMs: sentAtMs - startMs });
      clock.schedule(sentAtMs + LATENCY_MS, () => budget.settle(routeClass, sentAtMs, announced ?? {}));
    };
    void answer();
    return place;
  };
  return {
    clock,
    budget,
    sent,
    call,
    names: () => sent.map(({ name }) => name),
    countOf: (name: string) => sent.filter((entry) => entry.name === name).length,
    calls(count: number, name: string, routeClass: RouteClass = 'general', share = budget.newShare()) {
      return Array.from({ length: count }, () => call(name, routeClass, { share }));
    },
    newcomers(count: number, name: string, routeClass: RouteClass = 'general') {
      return Array.from({ length: count }, () => call(name, routeClass));
    },
    sinceStart: () => clock.nowMs() - startMs,
    atMs: (monotonicMs: number) => monotonicMs - startMs,
  };
}

const remaining = (budget: Budget) => budget.snapshot().remaining;

describe('order', () => {
  it('sends at once what fits the window and the rest one window after the first answers', async () => {
    const { clock, newcomers, sent } = createSetup();
    newcomers(61, 'call');
    await clock.settle();
    expect(sent).toHaveLength(60);
    await clock.advance(60_299);
    expect(sent).toHaveLength(60);
    await clock.advance(1);
    expect(sent).toHaveLength(61);
  });

  it('never lets a full burst window block a general call', async () => {
    const { clock, newcomers, names } = createSetup();
    newcomers(30, 'burst', 'burst');
    newcomers(3, 'general');
    await clock.settle();
    expect(names()).toEqual([...Array<string>(10).fill('burst'), ...Array<string>(3).fill('general')]);
  });

  it('sends burst calls when both windows have room', async () => {
    const { clock, newcomers, sent, countOf } = createSetup();
    newcomers(60, 'general');
    newcomers(1, 'burst', 'burst');
    await clock.advance(60_299);
    expect(countOf('burst')).toBe(0);
    await clock.advance(1);
    expect(sent.at(-1)).toEqual({ name: 'burst', atMs: 60_300 });
  });

  it('serves a late small look-up before the rest of a big operation', async () => {
    const { clock, calls, newcomers, names } = createSetup();
    calls(200, 'big');
    await clock.advance(30_000);
    newcomers(5, 'small');
    await clock.settle();
    newcomers(1, 'late');
    await clock.advance(30_300);
    expect(names().slice(0, 67)).toEqual([
      ...Array<string>(55).fill('big'),
      ...Array<string>(5).fill('small'),
      // What it has let pass while it left slots to them; then it shares again.
      ...Array<string>(6).fill('big'),
      'late',
    ]);
  });

  it('shares the slots between two operations that both want all', async () => {
    const { clock, calls, names } = createSetup({ reservedCalls: 0 });
    calls(60, 'first');
    await clock.settle();
    calls(60, 'second');
    calls(60, 'third');
    await clock.advance(60_300);
    expect(names().slice(60, 66)).toEqual(['second', 'third', 'second', 'third', 'second', 'third']);
  });

  it('serves a late burst look-up before the rest of a big operation, however much has passed that one by', async () => {
    const { clock, calls, newcomers, sent } = createSetup({ reservedCalls: 0 });
    calls(40, 'big', 'burst');
    await clock.settle();
    newcomers(45, 'general');
    await clock.advance(9_000);
    newcomers(1, 'late', 'burst');
    await clock.advance(2_000);
    expect(sent.find(({ name }) => name === 'late')).toEqual({ name: 'late', atMs: 10_300 });
  });

  it('lets the lines take turns where both want the last slots', async () => {
    const { clock, newcomers, names } = createSetup();
    newcomers(60, 'first');
    newcomers(60, 'general');
    newcomers(20, 'burst', 'burst');
    await clock.advance(60_300);
    expect(names().slice(60, 66)).toEqual(['burst', 'general', 'burst', 'general', 'burst', 'general']);
    expect(names().slice(60)).toHaveLength(60);
  });

  it('sends a repeated call before all others of its class', async () => {
    const { clock, budget, call, newcomers, names } = createSetup();
    budget.pause(clock.nowMs() + 1_000);
    newcomers(3, 'general');
    newcomers(3, 'burst', 'burst');
    call('again', 'burst', { isRepeat: true });
    await clock.advance(1_000);
    expect(names()).toEqual(['again', 'general', 'burst', 'general', 'burst', 'general', 'burst']);
  });

  it('has at most so many calls out at a time', async () => {
    const { clock, newcomers, sent } = createSetup({ maxConcurrentCalls: 4 });
    newcomers(10, 'call');
    await clock.advance(600);
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 0, 0, 0, 300, 300, 300, 300, 600, 600]);
  });

  it('spends nothing on a call that has left the queue', async () => {
    const { clock, budget, newcomers, names } = createSetup();
    newcomers(60, 'first');
    const [gone] = newcomers(1, 'gone');
    newcomers(1, 'next');
    expect(budget.snapshot().queuedCalls).toBe(2);
    gone?.leave();
    gone?.leave();
    expect(budget.snapshot().queuedCalls).toBe(1);
    await clock.advance(60_300);
    expect(names().slice(60)).toEqual(['next']);
  });

  it('ignores leaving after the call has been sent', async () => {
    const { clock, budget, newcomers } = createSetup();
    const [call] = newcomers(1, 'call');
    call?.leave();
    await clock.advance(1_000);
    expect([call?.turnAtMs(), remaining(budget)]).toEqual([clock.nowMs(), 59]);
  });
});

describe('reserved calls', () => {
  it('leaves slots to newcomers, who get them at once', async () => {
    const { clock, budget, calls, newcomers, countOf } = createSetup();
    calls(100, 'big');
    await clock.settle();
    expect([countOf('big'), remaining(budget)]).toEqual([55, 5]);
    await clock.advance(20_000);
    newcomers(5, 'small');
    await clock.settle();
    expect(countOf('small')).toBe(5);
  });

  it('leaves one slot of the burst window', async () => {
    const { clock, calls, newcomers, countOf } = createSetup();
    calls(30, 'big', 'burst');
    await clock.advance(5_000);
    newcomers(2, 'small', 'burst');
    await clock.settle();
    expect([countOf('big'), countOf('small')]).toEqual([9, 1]);
  });

  it('keeps nothing back when it is turned off', async () => {
    const { clock, calls, countOf } = createSetup({ reservedCalls: 0 });
    calls(30, 'lists', 'burst');
    calls(100, 'big');
    await clock.settle();
    expect([countOf('lists'), countOf('big')]).toEqual([10, 50]);
  });

  it('does not stop a big operation when a stream of small ones wants the whole budget', async () => {
    const { clock, calls, newcomers, countOf } = createSetup();
    const stream = async (seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        newcomers(1, 'small', second % 2 === 0 ? 'general' : 'burst');
        await clock.advance(1_000);
      }
    };
    await stream(120);
    calls(200, 'big');
    const before = countOf('small');
    await stream(600);
    // Its first five, then each time one after all that came before it and five that it has left slots to.
    expect(countOf('big')).toBeGreaterThanOrEqual(20);
    expect(countOf('small') - before).toBeGreaterThanOrEqual(550);
  });

  it('works with a limit of one', async () => {
    const { clock, calls, sent } = createSetup({ general: { limit: 1, windowMs: 1_000, isCap: true } });
    calls(8, 'big');
    await clock.advance(60_000);
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 1_300, 2_600, 3_900, 5_200, 6_500, 7_800, 9_100]);
  });
});

describe('turns', () => {
  it('are foretold exactly, whatever waits', async () => {
    const { clock, budget, newcomers, sent, atMs } = createSetup();
    newcomers(25, 'first');
    await clock.advance(4_000);
    newcomers(35, 'first', 'burst');
    await clock.settle();
    const places = [...newcomers(70, 'general'), ...newcomers(20, 'burst', 'burst')];
    const expected = atMs(budget.expectedTurnAtMs('burst', budget.newShare()));
    places.push(...newcomers(1, 'last', 'burst'));
    await clock.settle();
    const foretold = places.map((place) => atMs(place.turnAtMs())).filter((ms) => ms > 4_000);
    const before = sent.length;
    await clock.advance(300_000);
    const actual = sent.slice(before);
    expect(actual.find(({ name }) => name === 'last')?.atMs).toBe(expected);
    // The rest of the first burst calls waits, too.
    const ofPlaces = actual.filter(({ name }) => name !== 'first').map(({ atMs }) => atMs);
    expect(foretold.sort((a, b) => a - b)).toEqual(ofPlaces);
    expect([...new Set(foretold)]).toEqual([60_300, 64_300, 130_900, 141_200, 151_500]);
  });

  it('are foretold exactly for an operation that leaves slots to others, windows ahead', async () => {
    const { clock, calls, sent, atMs } = createSetup();
    const places = calls(200, 'big');
    await clock.settle();
    const foretold = places.map((place) => atMs(place.turnAtMs()));
    await clock.advance(300_000);
    expect(foretold).toEqual(sent.map(({ atMs }) => atMs));
    expect(new Set(foretold)).toEqual(new Set([0, 60_300, 120_600, 180_900]));
  });

  it('are told one by one to places that came at the same virtual time', async () => {
    const { clock, newcomers, atMs } = createSetup({ general: { limit: 2, windowMs: 1_000, isCap: true } });
    newcomers(2, 'first');
    await clock.settle();
    const places = newcomers(4, 'waiting');
    expect(places.map((place) => atMs(place.turnAtMs()))).toEqual([1_300, 1_300, 2_600, 2_600]);
  });

  it('of the refused lie behind everybody who waits and everybody refused before', async () => {
    const { clock, budget, newcomers, atMs } = createSetup({ maxConcurrentCalls: 1 });
    newcomers(60, 'first');
    await clock.advance(30_000);
    newcomers(3, 'waiting');
    const promised = Array.from({ length: 60 }, () => atMs(budget.promiseTurnAtMs('general', budget.newShare())));
    // The slots come back one by one, as they were taken: the fourth 60 s after the fourth answer.
    expect(promised).toEqual(
      Array.from({ length: 60 }, (_, index) => 60_000 + 300 * (index + 4) + (index >= 57 ? 42_300 : 0)),
    );
  });

  it('of the refused count each class for itself', async () => {
    const { clock, budget, newcomers, atMs } = createSetup();
    newcomers(10, 'burst', 'burst');
    await clock.settle();
    const promised = Array.from({ length: 21 }, () => atMs(budget.promiseTurnAtMs('burst', budget.newShare())));
    expect([promised[0], promised[9], promised[10], promised[20]]).toEqual([10_300, 10_300, 20_600, 30_900]);
    expect(atMs(budget.promiseTurnAtMs('general', budget.newShare()))).toBe(0);
  });

  it('that were promised are free again once they have passed', async () => {
    const { clock, budget, newcomers, sinceStart, atMs } = createSetup({
      general: { limit: 1, windowMs: 1_000, isCap: true },
    });
    newcomers(1, 'first');
    await clock.settle();
    expect([1, 2, 3].map(() => atMs(budget.promiseTurnAtMs('general', budget.newShare())))).toEqual([
      1_300, 2_600, 3_900,
    ]);
    await clock.advance(10_000);
    expect(atMs(budget.promiseTurnAtMs('general', budget.newShare()))).toBe(sinceStart());
  });

  it('are taken along by those who give up their place', async () => {
    const { clock, budget, newcomers, atMs } = createSetup({ general: { limit: 1, windowMs: 1_000, isCap: true } });
    newcomers(1, 'first');
    await clock.settle();
    const places = newcomers(3, 'waiting');
    expect(places.map((place) => atMs(place.exchange()))).toEqual([1_300, 2_600, 3_900]);
    expect(budget.snapshot().queuedCalls).toBe(0);
  });

  it('are put off by a pause, and whoever waits is told', async () => {
    const { clock, budget, newcomers, sent, atMs } = createSetup();
    const told: number[] = [];
    const stop = budget.onDelay(() => told.push(atMs(budget.expectedTurnAtMs('general', budget.newShare()))));
    budget.pause(clock.nowMs() + 7_000);
    budget.pause(clock.nowMs() + 2_000);
    newcomers(5, 'call');
    expect(budget.snapshot()).toMatchObject({ remaining: 0, restoredInMs: 7_000, queuedCalls: 5 });
    await clock.advance(6_999);
    expect(sent).toHaveLength(0);
    await clock.advance(1);
    expect(sent).toHaveLength(5);
    stop();
    budget.pause(clock.nowMs() + 1_000);
    expect(told).toEqual([7_000, 7_000]);
  });
});

describe('announced limits', () => {
  /** Makes one call of the class and has this announced with its answer. */
  const createAnnounced = async (
    announced: AnnouncedRateLimit,
    routeClass: RouteClass = 'general',
    options: Partial<BudgetOptions> = {},
  ) => {
    const setup = createSetup(options);
    const announce = async (next: AnnouncedRateLimit, ofClass: RouteClass = routeClass) => {
      setup.call('call', ofClass, { announced: next });
      await setup.clock.advance(LATENCY_MS);
    };
    await announce(announced);
    return { ...setup, announce };
  };

  it('hold what others have used until the reset', async () => {
    const { clock, budget } = await createAnnounced({ limit: 60, remaining: 20, resetInMs: 15_000, windowMs: 60_000 });
    expect(remaining(budget)).toBe(20);
    await clock.advance(14_999);
    expect(remaining(budget)).toBe(20);
    await clock.advance(1);
    expect(remaining(budget)).toBe(59);
  });

  it('cost nothing where they agree with our own count', async () => {
    const { clock, budget, announce } = await createAnnounced({ limit: 60, remaining: 59, resetInMs: 60_000 });
    await announce({ limit: 60, remaining: 58, resetInMs: 60_000 });
    expect(remaining(budget)).toBe(58);
    await clock.advance(59_700);
    expect(remaining(budget)).toBe(59);
  });

  it('do not give: a higher number left is ignored, also after a lower one', async () => {
    const { clock, budget, announce } = await createAnnounced({ remaining: 20, resetInMs: 30_000 });
    await announce({ remaining: 57, resetInMs: 60_000 });
    expect(remaining(budget)).toBe(19);
    await announce({ remaining: 1_000_000 });
    expect(remaining(budget)).toBe(18);
    await clock.advance(29_400);
    expect(remaining(budget)).toBe(57);
  });

  it('take more where others have used more', async () => {
    const { clock, budget, announce } = await createAnnounced({ remaining: 50, resetInMs: 10_000 });
    await announce({ remaining: 30, resetInMs: 20_000 });
    expect(remaining(budget)).toBe(30);
    await clock.advance(9_700);
    expect(remaining(budget)).toBe(39);
    await clock.advance(10_300);
    expect(remaining(budget)).toBe(58);
  });

  it('hold nothing for longer than the window, whatever the reset', async () => {
    const { clock, budget } = await createAnnounced({ remaining: 0, resetInMs: 30 * 24 * 3_600_000 });
    await clock.advance(60_000);
    expect(remaining(budget)).toBe(60);
  });

  it('hold for a window where no reset is named', async () => {
    const { clock, budget } = await createAnnounced({ remaining: 0 });
    await clock.advance(59_999);
    expect(remaining(budget)).toBe(0);
    await clock.advance(1);
    expect(remaining(budget)).toBe(60);
  });

  it('of nothing left for ever slow the calls down and never stop them', async () => {
    const { clock, call, sent } = createSetup({ maxConcurrentCalls: 1 });
    for (let index = 0; index < 10; index++)
      call('call', 'general', { announced: { remaining: 0, resetInMs: 60_000 } });
    await clock.advance(600_000);
    expect(sent.map(({ atMs }) => atMs)).toEqual(Array.from({ length: 10 }, (_, index) => index * 60_300));
  });

  it('that are lower hold at once, also below what is in use', async () => {
    const { clock, budget, newcomers, countOf, announce } = await createAnnounced({});
    newcomers(30, 'before');
    await clock.settle();
    await announce({ limit: 10, windowMs: 60_000 });
    newcomers(20, 'after');
    expect(budget.snapshot()).toMatchObject({ limit: 10, remaining: 0 });
    await clock.advance(59_999);
    expect(countOf('after')).toBe(0);
    await clock.advance(301);
    expect(countOf('after')).toBe(10);
  });

  it('that are higher are followed, up to the most that can be configured', async () => {
    const { clock, budget, newcomers, countOf, announce } = await createAnnounced({
      limit: 300,
      remaining: 299,
      windowMs: 60_000,
    });
    newcomers(310, 'after');
    await clock.settle();
    expect(countOf('after')).toBe(299);
    await clock.advance(120_000);
    await announce({ limit: 999_999_999_999_999 });
    expect(budget.snapshot().limit).toBe(100_000);
  });

  it('that are higher are not followed where the configured one is a cap, lower ones are', async () => {
    const { budget, announce } = await createAnnounced({ limit: 300, remaining: 299 }, 'general', {
      general: { limit: 60, windowMs: 60_000, isCap: true },
    });
    expect(budget.snapshot()).toMatchObject({ limit: 60, remaining: 59 });
    await announce({ limit: 30 });
    expect(budget.snapshot().limit).toBe(30);
    await announce({ limit: 300 });
    expect(budget.snapshot().limit).toBe(60);
  });

  it('of the burst window are told by their window, whatever the route', async () => {
    const { budget, announce } = await createAnnounced(
      { limit: 5, remaining: 2, resetInMs: 9_000, windowMs: 10_000 },
      'burst',
    );
    expect(budget.snapshot()).toMatchObject({ limit: 60, remaining: 59, burst: { limit: 5, remaining: 2 } });
    await announce({ limit: 5, remaining: 0, resetInMs: 9_000, windowMs: 10_000 }, 'general');
    expect(budget.snapshot()).toMatchObject({ limit: 60, remaining: 58, burst: { limit: 5, remaining: 0 } });
  });

  it('of the general window are told by their window, also with the answer of a burst route', async () => {
    const { budget } = await createAnnounced({ limit: 50, remaining: 30, windowMs: 60_000 }, 'burst');
    expect(budget.snapshot()).toMatchObject({ limit: 50, remaining: 30, burst: { limit: 10, remaining: 9 } });
  });

  it("without a window are the burst window's when they are as small, before and after it has been lowered", async () => {
    const { budget, announce } = await createAnnounced({ limit: 5, remaining: 1 }, 'burst');
    expect(budget.snapshot()).toMatchObject({ limit: 60, remaining: 59, burst: { limit: 5, remaining: 1 } });
    await announce({ limit: 10 });
    expect(budget.snapshot()).toMatchObject({ limit: 60, burst: { limit: 10 } });
    await announce({ limit: 300 });
    expect(budget.snapshot()).toMatchObject({ limit: 300, burst: { limit: 10 } });
  });

  it('of a burst window as long as the general one are told by their number', async () => {
    const { budget } = await createAnnounced({ limit: 10, remaining: 9, windowMs: 60_000 }, 'burst', {
      burst: { limit: 10, windowMs: 60_000 },
    });
    expect(budget.snapshot()).toMatchObject({ limit: 60, remaining: 59, burst: { limit: 10, remaining: 9 } });
  });

  it('of a window that is neither change no limit, and take away', async () => {
    const { budget } = await createAnnounced({ limit: 1_000, remaining: 12, resetInMs: 600_000, windowMs: 3_600_000 });
    expect(budget.snapshot()).toMatchObject({ limit: 60, remaining: 12, restoredInMs: 600_000 });
  });

  it('tell whoever waits only when turns are put off', async () => {
    const setup = createSetup();
    let told = 0;
    setup.budget.onDelay(() => told++);
    const counts: number[] = [];
    for (const announced of [
      { limit: 60, remaining: 40 },
      { remaining: 50 },
      { limit: 60 },
      { limit: 30 },
      { limit: 80 },
      {},
    ]) {
      setup.call('call', 'general', { announced });
      await setup.clock.advance(LATENCY_MS);
      counts.push(told);
    }
    expect(counts).toEqual([1, 1, 1, 2, 2, 2]);
  });

  it('of the month are kept as last said', async () => {
    const { budget, announce } = await createAnnounced({ monthLimit: 1_000, monthRemaining: 900 });
    await announce({ monthRemaining: 899 });
    expect(budget.snapshot()).toMatchObject({ monthLimit: 1_000, monthRemaining: 899, hasAnswer: true });
  });
});

describe('snapshot', () => {
  it('tells of an unused budget', () => {
    const { budget } = createSetup();
    expect(budget.snapshot()).toEqual({
      limit: 60,
      windowMs: 60_000,
      remaining: 60,
      restoredInMs: 0,
      burst: { limit: 10, windowMs: 10_000, remaining: 10, restoredInMs: 0 },
      queuedCalls: 0,
      hasAnswer: false,
    });
  });

  it('knows no answer while calls only fail', async () => {
    const { clock, budget } = createSetup({ burst: undefined as never });
    await budget.enter('burst', budget.newShare()).admitted;
    budget.settle('burst', clock.nowMs());
    expect(budget.snapshot()).toEqual({
      limit: 60,
      windowMs: 60_000,
      remaining: 59,
      restoredInMs: 60_000,
      queuedCalls: 0,
      hasAnswer: false,
    });
  });

  it('is idle when no call waits or is out, no pause lasts and every window has passed', async () => {
    const { clock, budget, newcomers } = createSetup({ general: { limit: 1, windowMs: 1_000, isCap: true } });
    const idle = [budget.isIdle()];
    newcomers(2, 'call');
    for (const ms of [0, 300, 1_000, 300, 999, 1, 9_000]) {
      await clock.advance(ms);
      idle.push(budget.isIdle());
    }
    budget.pause(clock.nowMs() + 1);
    idle.push(budget.isIdle());
    expect(idle).toEqual([true, false, false, false, false, false, true, true, false]);
  });
});

import { describe, expect, it } from 'vitest';
import { Budget, type BudgetOptions } from '../../../src/upstream/rate-limiter/budget.ts';
import type { QueuedCall as Place } from '../../../src/upstream/rate-limiter/queue/queued-call.ts';
import type { AnnouncedWindow } from '../../../src/upstream/http/rate-limit-headers.ts';
import type { RouteClass } from '../../../src/upstream/postman/route-class.ts';
import { createFairShare, type FairShare } from '../../../src/upstream/rate-limiter/queue/fair-share.ts';
import { toBudgetOptions } from '../../support/budget-options.ts';
import { createVirtualClock, type VirtualClock } from '../../support/virtual-clock.ts';

/** What an answer announces, of one window and of the month. */
type Told = AnnouncedWindow & { readonly monthLimit?: number; readonly monthRemaining?: number };

const toAnnounced = ({ monthLimit, monthRemaining, ...window }: Told) => ({
  windows: Object.keys(window).length > 0 ? [window] : [],
  ...(monthLimit !== undefined && { monthLimit }),
  ...(monthRemaining !== undefined && { monthRemaining }),
});

// What a budget takes for granted before it has measured anything: with it, turns can be foretold exactly.
const LATENCY_MS = 300;

/** A budget of 60 per minute and 10 per 10 s, 5 of them reserved, and an upstream that answers each call after 300 ms. */
function createSetup({
  clock = createVirtualClock(),
  ...options
}: Omit<Partial<BudgetOptions>, 'clock'> & { clock?: VirtualClock } = {}) {
  const startMs = clock.nowMs();
  const budget = new Budget({
    ...toBudgetOptions(clock),
    maxConcurrentCalls: 1_000,
    ...options,
  });
  let keys = 0;
  const newKey = () => `key ${keys++}`;
  const sent: { readonly name: string; readonly atMs: number }[] = [];

  /** Queues a call and, once it is admitted, answers it. */
  const call = (
    name: string,
    routeClass: RouteClass = 'general',
    {
      share = createFairShare(),
      announced,
      isRepeat = false,
      onDelay = () => {},
      key = newKey(),
    }: { share?: FairShare; announced?: Told; isRepeat?: boolean; onDelay?: () => void; key?: string } = {},
  ): Place => {
    const place = budget.enter(routeClass, share, key, onDelay, isRepeat);
    const answer = async () => {
      await place.admitted;
      const sentAtMs = clock.nowMs();
      sent.push({ name, atMs: sentAtMs - startMs });
      clock.schedule(sentAtMs + LATENCY_MS, () => place.settle(toAnnounced(announced ?? {})));
    };
    void answer();
    return place;
  };
  return {
    clock,
    budget,
    newKey,
    sent,
    call,
    names: () => sent.map(({ name }) => name),
    countOf: (name: string) => sent.filter((entry) => entry.name === name).length,
    calls(count: number, name: string, routeClass: RouteClass = 'general', share = createFairShare()) {
      return Array.from({ length: count }, () => call(name, routeClass, { share }));
    },
    newcomers(count: number, name: string, routeClass: RouteClass = 'general') {
      return Array.from({ length: count }, () => call(name, routeClass));
    },
    sinceStart: () => clock.nowMs() - startMs,
    atMs: (monotonicMs: number) => monotonicMs - startMs,
  };
}

const remaining = (budget: Budget) => budget.view.snapshot().remaining;

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
    budget.slots.pause(clock.nowMs() + 1_000);
    newcomers(3, 'general');
    newcomers(3, 'burst', 'burst');
    call('again', 'burst', { isRepeat: true });
    await clock.advance(1_000 + LATENCY_MS);
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
    expect(budget.view.snapshot().queuedCalls).toBe(2);
    gone?.leave();
    gone?.leave();
    expect(budget.view.snapshot().queuedCalls).toBe(1);
    await clock.advance(60_300);
    expect(names().slice(60)).toEqual(['next']);
  });

  it('ignores leaving after the call has been sent', async () => {
    const { clock, budget, newcomers } = createSetup();
    const [call] = newcomers(1, 'call');
    call?.leave();
    await clock.advance(1_000);
    expect([call?.slotAtMs(), remaining(budget)]).toEqual([clock.nowMs(), 59]);
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
    const { newKey, clock, budget, newcomers, sent, atMs } = createSetup();
    newcomers(25, 'first');
    await clock.advance(4_000);
    newcomers(35, 'first', 'burst');
    await clock.settle();
    const places = [...newcomers(70, 'general'), ...newcomers(20, 'burst', 'burst')];
    const expected = atMs(budget.expectedSlotAtMs('burst', createFairShare(), newKey()));
    places.push(...newcomers(1, 'last', 'burst'));
    await clock.settle();
    const foretold = places.map((place) => atMs(place.slotAtMs())).filter((ms) => ms > 4_000);
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
    const foretold = places.map((place) => atMs(place.slotAtMs()));
    await clock.advance(300_000);
    expect(foretold).toEqual(sent.map(({ atMs }) => atMs));
    expect(new Set(foretold)).toEqual(new Set([0, 60_300, 120_600, 180_900]));
  });

  it('are told one by one to places that came at the same virtual time', async () => {
    const { clock, newcomers, atMs } = createSetup({ general: { limit: 2, windowMs: 1_000, isCap: true } });
    newcomers(2, 'first');
    await clock.settle();
    const places = newcomers(4, 'waiting');
    expect(places.map((place) => atMs(place.slotAtMs()))).toEqual([1_300, 1_300, 2_600, 2_600]);
  });

  it('of the refused lie behind everybody who waits and everybody refused before', async () => {
    const { newKey, clock, budget, newcomers, atMs } = createSetup({ maxConcurrentCalls: 1 });
    newcomers(60, 'first');
    await clock.advance(30_000);
    newcomers(3, 'waiting');
    const promised = Array.from({ length: 60 }, () =>
      atMs(budget.reserveSlotAtMs('general', createFairShare(), newKey())),
    );
    // The slots come back one by one, as they were taken: the fourth 60 s after the fourth answer.
    expect(promised).toEqual(
      Array.from({ length: 60 }, (_, index) => 60_000 + 300 * (index + 4) + (index >= 57 ? 42_300 : 0)),
    );
  });

  it('of the refused count each class for itself', async () => {
    const { newKey, clock, budget, newcomers, atMs } = createSetup();
    newcomers(10, 'burst', 'burst');
    await clock.settle();
    const promised = Array.from({ length: 21 }, () =>
      atMs(budget.reserveSlotAtMs('burst', createFairShare(), newKey())),
    );
    expect([promised[0], promised[9], promised[10], promised[20]]).toEqual([10_300, 10_300, 20_600, 30_900]);
    expect(atMs(budget.reserveSlotAtMs('general', createFairShare(), newKey()))).toBe(0);
  });

  it('that were promised are free again once they have passed', async () => {
    const { newKey, clock, budget, newcomers, sinceStart, atMs } = createSetup({
      general: { limit: 1, windowMs: 1_000, isCap: true },
    });
    newcomers(1, 'first');
    await clock.settle();
    expect([1, 2, 3].map(() => atMs(budget.reserveSlotAtMs('general', createFairShare(), newKey())))).toEqual([
      1_300, 2_600, 3_900,
    ]);
    await clock.advance(10_000);
    expect(atMs(budget.reserveSlotAtMs('general', createFairShare(), newKey()))).toBe(sinceStart());
  });

  it('are taken along by those who give up their place', async () => {
    const { clock, budget, newcomers, atMs } = createSetup({ general: { limit: 1, windowMs: 1_000, isCap: true } });
    newcomers(1, 'first');
    await clock.settle();
    const places = newcomers(3, 'waiting');
    const told = places.map((place) => {
      const toldAtMs = place.slotAtMs();
      place.swapForReservation(toldAtMs);
      return atMs(toldAtMs);
    });
    expect(told).toEqual([1_300, 2_600, 3_900]);
    expect(budget.view.snapshot().queuedCalls).toBe(0);
  });

  it('are put off by a call that was refused, before its own slot is free for them', async () => {
    const { clock, budget, call, names } = createSetup({ maxConcurrentCalls: 1 });
    const refused = budget.enter('general', createFairShare(), 'refused', () => {});
    call('waits');
    await clock.settle();
    refused.settle({ windows: [] }, clock.nowMs() + 5_000);
    await clock.advance(4_999);
    expect(names()).toEqual([]);
    await clock.advance(1);
    expect(names()).toEqual(['waits']);
  });

  it('are put off by a pause, and whoever waits is told', async () => {
    const { clock, budget, call, sent, atMs } = createSetup();
    const told: number[] = [];
    budget.slots.pause(clock.nowMs() + 1_000);
    const place: Place = call('call', 'general', { onDelay: () => told.push(atMs(place.slotAtMs())) });
    budget.slots.pause(clock.nowMs() + 7_000);
    budget.slots.pause(clock.nowMs() + 2_000);
    expect(budget.view.snapshot()).toMatchObject({ remaining: 0, restoredInMs: 7_000, queuedCalls: 1 });
    await clock.advance(6_999);
    expect(sent).toHaveLength(0);
    await clock.advance(1);
    expect(sent).toHaveLength(1);
    budget.slots.pause(clock.nowMs() + 1_000);
    expect(told).toEqual([7_000, 7_000]);
  });
});

describe('a promised turn', () => {
  /** A window of 30 a minute, all used, whose slots come back at 60,300. */
  const createFull = (options: Parameters<typeof createSetup>[0] = {}) => {
    const setup = createSetup({ general: { limit: 30, windowMs: 60_000, isCap: true }, reservedCalls: 0, ...options });
    setup.newcomers(30, 'first');
    return setup;
  };

  it('is held for whoever comes back then, whoever else waits', async () => {
    const { clock, budget, call, newcomers, sent, atMs } = createFull();
    await clock.advance(1_000);
    const promised = ['a', 'b', 'c'].map((key) => atMs(budget.reserveSlotAtMs('general', createFairShare(), key)));
    newcomers(60, 'other');
    expect([promised, budget.view.snapshot().queuedCalls]).toEqual([[60_300, 60_300, 60_300], 60]);
    await clock.advance(60_299);
    // Told in whole seconds, it comes a second later.
    expect([budget.expectedSlotAtMs('general', createFairShare(), 'a') - clock.nowMs(), sent.length]).toEqual([0, 57]);
    call('a', 'general', { key: 'a' });
    await clock.settle();
    expect(sent.at(-1)).toEqual({ name: 'a', atMs: 61_299 });
  });

  it('is given to others two seconds later, and then goes first of all that wait', async () => {
    const { clock, budget, call, newcomers, sent, names } = createFull();
    await clock.advance(1_000);
    budget.reserveSlotAtMs('general', createFairShare(), 'a');
    newcomers(60, 'other');
    await clock.advance(61_299);
    expect(sent).toHaveLength(59);
    await clock.advance(1);
    expect(sent.slice(59)).toEqual([{ name: 'other', atMs: 62_300 }]);
    call('a', 'general', { key: 'a' });
    await clock.advance(58_300);
    expect(names()[60]).toBe('a');
  });

  it('that is asked for again too soon stays what it was', async () => {
    const { clock, budget, newcomers, atMs } = createFull();
    await clock.advance(1_000);
    newcomers(29, 'other');
    const ask = (key: string) => atMs(budget.reserveSlotAtMs('general', createFairShare(), key));
    expect([ask('a'), ask('b'), ask('a'), ask('b')]).toEqual([60_300, 120_600, 60_300, 120_600]);
  });

  it('is kept until its time where others have given up before it', async () => {
    const { clock, budget, newcomers, call, sent } = createFull();
    await clock.advance(1_000);
    const others = newcomers(30, 'other');
    budget.reserveSlotAtMs('general', createFairShare(), 'a');
    for (const other of others) other.leave();
    newcomers(40, 'late');
    await clock.advance(120_000);
    const before = sent.length;
    call('a', 'general', { key: 'a' });
    await clock.settle();
    expect([before, sent.at(-1)?.name]).toEqual([30 + 40, 'a']);
  });

  it('holds less the fewer of those who were promised one come back', async () => {
    const { clock, budget, newcomers, countOf } = createFull();
    const idle: number[] = [];
    for (let minute = 0; minute < 4; minute++) {
      await clock.advance(1_000);
      for (let index = 0; index < 30; index++) {
        budget.reserveSlotAtMs('general', createFairShare(), `${minute} ${index}`);
      }
      newcomers(30, `late ${minute}`);
      await clock.advance(59_900);
      idle.push(30 - countOf(`late ${minute}`));
      await clock.advance(60_300);
    }
    expect(idle[0]).toBe(30);
    expect(idle.at(-1)).toBeLessThanOrEqual(1);
  });

  it('of a short window is held for few only', async () => {
    const { clock, budget, newcomers, countOf } = createSetup();
    newcomers(10, 'first', 'burst');
    await clock.advance(1_000);
    for (let index = 0; index < 10; index++) budget.reserveSlotAtMs('burst', createFairShare(), `${index}`);
    newcomers(10, 'late', 'burst');
    await clock.advance(9_300);
    expect(countOf('late')).toBe(7);
  });

  it('is kept for a thousand at most', async () => {
    const { clock, budget, newcomers, atMs } = createFull();
    await clock.advance(1_000);
    newcomers(1, 'other');
    for (let index = 0; index < 1_000; index++) budget.reserveSlotAtMs('general', createFairShare(), `${index}`);
    const [first, second] = ['one', 'two'].map((key) =>
      atMs(budget.reserveSlotAtMs('general', createFairShare(), key)),
    );
    expect(second).toBe(first);
  });
});

describe('announced limits', () => {
  /** Makes one call of the class and has this announced with its answer. */
  const createAnnounced = async (
    announced: Told,
    routeClass: RouteClass = 'general',
    options: Omit<Partial<BudgetOptions>, 'clock'> = {},
  ) => {
    const setup = createSetup(options);
    const announce = async (next: Told, ofClass: RouteClass = routeClass) => {
      setup.call('call', ofClass, { announced: next });
      await setup.clock.advance(LATENCY_MS);
    };
    await announce(announced);
    return { ...setup, announce };
  };

  it('hold what others have used until the reset, and all but the first slot longer, until a window has passed', async () => {
    const { clock, budget } = await createAnnounced({ limit: 60, remaining: 20, resetInMs: 15_000, windowMs: 60_000 });
    expect(remaining(budget)).toBe(20);
    const left: number[] = [];
    for (const ms of [14_999, 1, 22_500, 22_499, 1]) {
      await clock.advance(ms);
      left.push(remaining(budget));
    }
    expect(left).toEqual([20, 21, 40, 59, 60]);
  });

  it('cost nothing where they agree with our own count', async () => {
    const { clock, budget, announce } = await createAnnounced({ limit: 60, remaining: 59, resetInMs: 60_000 });
    await announce({ limit: 60, remaining: 58, resetInMs: 60_000 });
    expect(remaining(budget)).toBe(58);
    await clock.advance(59_700);
    expect(remaining(budget)).toBe(59);
  });

  it('do not give more than they have taken', async () => {
    const { budget, announce } = await createAnnounced({ remaining: 20, resetInMs: 30_000 });
    await announce({ remaining: 30, resetInMs: 60_000 });
    expect(remaining(budget)).toBe(30);
    await announce({ remaining: 1_000_000 });
    expect(remaining(budget)).toBe(57);
  });

  it('give nothing back for calls that upstream may not have seen, or that were sent before it was taken', async () => {
    const { clock, budget, call, announce } = await createAnnounced({ remaining: 20 });
    for (const remaining of [19, 40]) call('late', 'general', { announced: { remaining } });
    await clock.settle();
    expect(remaining(budget)).toBe(18);
    await clock.advance(LATENCY_MS);
    // 40 less the other one, which may have arrived later.
    expect(remaining(budget)).toBe(39);
    const before = call('before', 'general', { announced: { remaining: 55 } });
    await clock.advance(100);
    await announce({ remaining: 10 });
    expect([before.isAdmitted(), remaining(budget)]).toEqual([true, 10]);
  });

  it('take more where others have used more', async () => {
    const { clock, budget, announce } = await createAnnounced({ remaining: 50, resetInMs: 10_000 });
    await announce({ remaining: 30, resetInMs: 20_000 });
    expect(remaining(budget)).toBe(30);
    await clock.advance(9_700);
    expect(remaining(budget)).toBe(31);
    await clock.advance(50_000);
    expect(remaining(budget)).toBe(59);
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
    expect(budget.view.snapshot()).toMatchObject({ limit: 10, remaining: 0 });
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
    expect(budget.view.snapshot().limit).toBe(100_000);
  });

  it('that are higher are not followed where the configured one is a cap, lower ones are', async () => {
    const { budget, announce } = await createAnnounced({ limit: 300, remaining: 299 }, 'general', {
      general: { limit: 60, windowMs: 60_000, isCap: true },
    });
    expect(budget.view.snapshot()).toMatchObject({ limit: 60, remaining: 59 });
    await announce({ limit: 30 });
    expect(budget.view.snapshot().limit).toBe(30);
    await announce({ limit: 300 });
    expect(budget.view.snapshot().limit).toBe(60);
  });

  it('of the burst window are told by their window, whatever the route', async () => {
    const { budget, announce } = await createAnnounced(
      { limit: 5, remaining: 2, resetInMs: 9_000, windowMs: 10_000 },
      'burst',
    );
    expect(budget.view.snapshot()).toMatchObject({ limit: 60, remaining: 59, burst: { limit: 5, remaining: 2 } });
    await announce({ limit: 5, remaining: 0, resetInMs: 9_000, windowMs: 10_000 }, 'general');
    expect(budget.view.snapshot()).toMatchObject({ limit: 60, remaining: 58, burst: { limit: 5, remaining: 0 } });
  });

  it('of the general window are told by their window, also with the answer of a burst route', async () => {
    const { budget } = await createAnnounced({ limit: 50, remaining: 30, windowMs: 60_000 }, 'burst');
    expect(budget.view.snapshot()).toMatchObject({ limit: 50, remaining: 30, burst: { limit: 10, remaining: 9 } });
  });

  it("without a window are the burst window's when they are as small, before and after it has been lowered", async () => {
    const { budget, announce } = await createAnnounced({ limit: 5, remaining: 1 }, 'burst');
    expect(budget.view.snapshot()).toMatchObject({ limit: 60, remaining: 59, burst: { limit: 5, remaining: 1 } });
    await announce({ limit: 10 });
    expect(budget.view.snapshot()).toMatchObject({ limit: 60, burst: { limit: 10 } });
    await announce({ limit: 300 });
    expect(budget.view.snapshot()).toMatchObject({ limit: 300, burst: { limit: 10 } });
  });

  it('of a burst window as long as the general one are told by their number', async () => {
    const { budget } = await createAnnounced({ limit: 10, remaining: 9, windowMs: 60_000 }, 'burst', {
      burst: { limit: 10, windowMs: 60_000 },
    });
    expect(budget.view.snapshot()).toMatchObject({ limit: 60, remaining: 59, burst: { limit: 10, remaining: 9 } });
  });

  it('of a window that is neither are kept to as well, by every call that can count', async () => {
    const { clock, budget, newcomers, countOf, announce } = await createAnnounced({
      limit: 4,
      remaining: 2,
      resetInMs: 700,
      windowMs: 1_000,
    });
    expect(budget.view.snapshot()).toMatchObject({
      limit: 60,
      remaining: 2,
      restoredInMs: 60_000,
      learned: [{ limit: 4, windowMs: 1_000, remaining: 2, restoredInMs: 1_000 }],
    });
    newcomers(3, 'general');
    newcomers(2, 'burst', 'burst');
    await clock.settle();
    expect(countOf('general') + countOf('burst')).toBe(2);
    await clock.advance(60_000);
    expect(countOf('general') + countOf('burst')).toBe(5);
    await announce({ limit: 2, windowMs: 5_000 }, 'burst');
    newcomers(1, 'late');
    newcomers(3, 'late burst', 'burst');
    await clock.settle();
    expect([countOf('late'), countOf('late burst')]).toEqual([1, 1]);
  });

  it('of more windows than anybody has are not all kept to', async () => {
    const { budget, announce } = await createAnnounced({});
    for (let seconds = 1; seconds <= 6; seconds++) await announce({ limit: 1_000, windowMs: seconds * 1_000 });
    expect(budget.view.snapshot().learned.map(({ windowMs }) => windowMs)).toEqual([1_000, 2_000, 3_000, 4_000]);
  });

  it('tell whoever waits only when turns are put off', async () => {
    const setup = createSetup({ burst: { limit: 1, windowMs: 600_000 } });
    let told = 0;
    setup.call('first', 'burst');
    await setup.clock.advance(LATENCY_MS);
    setup.call('waiting', 'burst', { onDelay: () => told++ });
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
    expect(budget.view.snapshot()).toMatchObject({ monthLimit: 1_000, monthRemaining: 899, hasResponse: true });
  });
});

describe('after a 429', () => {
  it('goes one call alone, and the others when it has been answered', async () => {
    const { clock, budget, newcomers, sent } = createSetup();
    budget.slots.pause(clock.nowMs() + 5_000);
    newcomers(4, 'call');
    await clock.advance(20_000);
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 300, 300, 300].map((ms) => 5_000 + ms));
  });

  it('an answer that was on its way before proves nothing', async () => {
    const { clock, budget, newcomers, sent } = createSetup();
    newcomers(1, 'before');
    await clock.settle();
    budget.slots.pause(clock.nowMs() + 1_000);
    newcomers(3, 'after');
    await clock.advance(20_000);
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 1_000, 1_300, 1_300]);
  });

  it('the second call waits for a second at most where the first is not answered', async () => {
    const { newKey, clock, budget } = createSetup();
    budget.slots.pause(clock.nowMs() + 1_000);
    const places = Array.from({ length: 3 }, () => budget.enter('general', createFairShare(), newKey(), () => {}));
    const admitted: boolean[][] = [];
    for (const ms of [1_000, 999, 1, 1_000]) {
      await clock.advance(ms);
      admitted.push(places.map((place) => place.isAdmitted()));
    }
    expect(admitted).toEqual([
      [true, false, false],
      [true, false, false],
      [true, true, false],
      [true, true, true],
    ]);
  });
});

describe('a cold start', () => {
  const startedAgoMs = (ms: number) => ({ processStartedAtMs: createVirtualClock().nowMs() - ms });

  it('with probe sends one call alone until answers have told what is left', async () => {
    const { clock, call, newcomers, sent } = createSetup({ coldStart: 'probe', ...startedAgoMs(0) });
    call('first', 'general', { announced: { limit: 60, remaining: 3, windowMs: 60_000, resetInMs: 20_000 } });
    newcomers(5, 'general');
    await clock.advance(20_299);
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 300, 300, 300]);
    await clock.advance(1);
    expect(sent).toHaveLength(5);
  });

  it('with probe sends burst calls one by one until their window has passed', async () => {
    const { clock, newcomers, sent } = createSetup({ coldStart: 'probe', ...startedAgoMs(9_000) });
    newcomers(6, 'burst', 'burst');
    await clock.advance(1_200);
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 300, 600, 900, 1_200, 1_200]);
  });

  it('with probe trusts an answer that speaks of the burst window', async () => {
    const { clock, call, newcomers, sent } = createSetup({ coldStart: 'probe', ...startedAgoMs(0) });
    call('first', 'burst', { announced: { limit: 10, remaining: 4, windowMs: 10_000, resetInMs: 8_000 } });
    newcomers(6, 'burst', 'burst');
    await clock.advance(400);
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 300, 300, 300, 300]);
  });

  it('with probe knows nothing of it for a key that comes later', async () => {
    const { clock, newcomers, sent } = createSetup({ coldStart: 'probe', ...startedAgoMs(60_000) });
    newcomers(5, 'general');
    newcomers(5, 'burst', 'burst');
    await clock.settle();
    expect(sent).toHaveLength(10);
  });

  it('with wait sends nothing until each window has passed', async () => {
    const { clock, newcomers, sent, budget } = createSetup({ coldStart: 'wait', ...startedAgoMs(15_000) });
    expect(budget.view.snapshot()).toMatchObject({ remaining: 0, restoredInMs: 45_000, burst: { remaining: 10 } });
    newcomers(61, 'call');
    await clock.advance(44_999);
    expect(sent).toHaveLength(0);
    await clock.advance(1);
    expect(sent).toHaveLength(60);
  });
});

describe('the month', () => {
  it('that is used up stops everything, tells whoever waits, and is looked at again after ten minutes', async () => {
    const { clock, budget, call, sent } = createSetup({ general: { limit: 1, windowMs: 1_000, isCap: true } });
    let told = 0;
    call('last', 'general', { announced: { monthLimit: 1_000, monthRemaining: 0 } });
    const waiting = call('waiting', 'general', { onDelay: () => told++ });
    await clock.advance(LATENCY_MS);
    expect([budget.slots.view.isMonthlyQuotaExhausted(), told, budget.view.snapshot().remaining]).toEqual([true, 1, 0]);
    waiting.leave();
    await clock.advance(599_999);
    expect([budget.slots.view.isMonthlyQuotaExhausted(), budget.view.isIdle()]).toEqual([true, false]);
    await clock.advance(1);
    expect([budget.slots.view.isMonthlyQuotaExhausted(), budget.view.isIdle()]).toEqual([false, true]);
    call('probe', 'general', { announced: { monthRemaining: 0 } });
    await clock.advance(LATENCY_MS);
    expect(budget.slots.view.isMonthlyQuotaExhausted()).toBe(true);
    await clock.advance(600_000);
    call('probe', 'general', { announced: { monthRemaining: 500 } });
    await clock.advance(LATENCY_MS);
    expect([budget.slots.view.isMonthlyQuotaExhausted(), budget.view.snapshot().monthRemaining, sent.length]).toEqual([
      false,
      500,
      3,
    ]);
  });

  it('is not spent any longer where answers stop speaking of it', async () => {
    const { clock, budget, call } = createSetup();
    budget.slots.exhaustMonthlyQuota();
    await clock.advance(600_000);
    call('probe');
    await clock.advance(LATENCY_MS);
    const { monthRemaining } = budget.view.snapshot();
    expect([budget.slots.view.isMonthlyQuotaExhausted(), monthRemaining]).toEqual([false, undefined]);
  });

  it('with little left lets no more calls out at a time than that', async () => {
    const { clock, call, newcomers, sent } = createSetup();
    call('first', 'general', { announced: { monthRemaining: 2 } });
    await clock.advance(LATENCY_MS);
    newcomers(5, 'call');
    await clock.settle();
    expect(sent).toHaveLength(3);
  });
});

describe('two budgets of one user', () => {
  it('become one: what is in use counts there, and what waits goes there', async () => {
    const clock = createVirtualClock();
    const [heir, other] = [createSetup({ clock }), createSetup({ clock })];
    heir.newcomers(20, 'own');
    other.newcomers(30, 'other');
    await clock.advance(1_000);
    // Out, and waiting, at the moment at which it becomes known.
    const out = other.newcomers(5, 'out', 'burst');
    other.budget.slots.pause(clock.nowMs() + 2_000);
    const delays: string[] = [];
    const waiting = other.call('waiting', 'general', { onDelay: () => delays.push('told') });
    const gone = other.call('gone');
    other.budget.moveTo(heir.budget);
    expect(heir.budget.view.snapshot()).toMatchObject({ remaining: 0, burst: { limit: 10 }, queuedCalls: 2 });
    expect(other.budget.view.snapshot().queuedCalls).toBe(0);
    gone.leave();
    expect([heir.budget.view.snapshot().queuedCalls, waiting.isAdmitted()]).toEqual([1, false]);
    expect(waiting.slotAtMs() - clock.nowMs()).toBe(2_000);
    heir.budget.slots.pause(clock.nowMs() + 2_500);
    expect(delays).toEqual(['told']);
    await clock.advance(2_500);
    expect([waiting.isAdmitted(), out.every((place) => place.isAdmitted()), other.countOf('waiting')]).toEqual([
      true,
      true,
      1,
    ]);
    await clock.advance(LATENCY_MS);
    expect(heir.budget.view.snapshot()).toMatchObject({ remaining: 60 - 20 - 30 - 5 - 1, burst: { remaining: 5 } });
    await clock.advance(60_000);
    expect([heir.budget.view.snapshot().remaining, heir.budget.view.isIdle(), other.budget.view.isIdle()]).toEqual([
      60,
      true,
      true,
    ]);
  });

  it('share the slots equally between operations of both keys that waited before', async () => {
    const clock = createVirtualClock();
    const [heir, other] = [createSetup({ clock, reservedCalls: 0 }), createSetup({ clock, reservedCalls: 0 })];
    for (const { budget } of [heir, other]) budget.slots.pause(clock.nowMs() + 1_000);
    heir.calls(60, 'of the first key');
    other.calls(60, 'of the second key');
    other.calls(60, 'another of the second key');
    other.budget.moveTo(heir.budget);
    await clock.advance(2_000);
    expect([
      heir.countOf('of the first key'),
      other.countOf('of the second key'),
      other.countOf('another of the second key'),
    ]).toEqual([20, 20, 20]);
  });

  it('count a call that moves once among the first calls of its operation', async () => {
    const clock = createVirtualClock();
    const [heir, other] = [createSetup({ clock, reservedCalls: 2 }), createSetup({ clock, reservedCalls: 2 })];
    for (const { budget } of [heir, other]) budget.slots.pause(clock.nowMs() + 1_000);
    const share = createFairShare();
    other.calls(2, 'moved', 'general', share);
    other.budget.moveTo(heir.budget);
    expect(share.requestedCalls).toBe(2);
  });

  it('have no more calls out together than one may have', async () => {
    const clock = createVirtualClock();
    const options = { clock, reservedCalls: 0, maxConcurrentCalls: 4 };
    const [heir, other] = [createSetup(options), createSetup(options)];
    heir.newcomers(6, 'own');
    other.newcomers(6, 'other');
    await clock.settle();
    other.budget.moveTo(heir.budget);
    await clock.advance(LATENCY_MS);
    // Eight were out; four of them may be.
    expect([heir.sent.length, other.sent.length, heir.budget.slots.view.callsInFlight()]).toEqual([6, 6, 4]);
  });

  it('keep those who give up a place there told when its turn would have been', async () => {
    const clock = createVirtualClock();
    const [heir, other] = [createSetup({ clock }), createSetup({ clock })];
    heir.newcomers(60, 'own');
    other.budget.slots.pause(clock.nowMs() + 1_000);
    const waiting = other.call('waiting');
    await clock.settle();
    other.budget.moveTo(heir.budget);
    const toldAtMs = waiting.slotAtMs();
    waiting.swapForReservation(toldAtMs);
    expect([heir.atMs(toldAtMs), heir.budget.view.snapshot().queuedCalls]).toEqual([60_300, 0]);
  });
});

describe('a queue', () => {
  it('is full at 20,000 calls', () => {
    const { newKey, clock, budget } = createSetup();
    budget.slots.pause(clock.nowMs() + 1_000);
    const share = createFairShare();
    const isFull: boolean[] = [];
    for (let count = 1; count <= 20_000; count++) {
      budget.enter('general', share, newKey(), () => {});
      if (count >= 19_999) isFull.push(budget.view.isFull());
    }
    expect(isFull).toEqual([false, true]);
  });
});

describe('snapshot', () => {
  it('tells of an unused budget', () => {
    const { budget } = createSetup();
    expect(budget.view.snapshot()).toEqual({
      limit: 60,
      windowMs: 60_000,
      remaining: 60,
      restoredInMs: 0,
      burst: { limit: 10, windowMs: 10_000, remaining: 10, restoredInMs: 0 },
      learned: [],
      queuedCalls: 0,
      hasResponse: false,
    });
  });

  it('knows no answer while calls only fail', async () => {
    const { newKey, budget } = createSetup({ burst: undefined as never });
    const place = budget.enter('burst', createFairShare(), newKey(), () => {});
    await place.admitted;
    place.settle();
    expect(budget.view.snapshot()).toEqual({
      limit: 60,
      windowMs: 60_000,
      remaining: 59,
      restoredInMs: 60_000,
      learned: [],
      queuedCalls: 0,
      hasResponse: false,
    });
  });

  it('is idle when no call waits or is out, no pause lasts and every window has passed', async () => {
    const { clock, budget, newcomers } = createSetup({ general: { limit: 1, windowMs: 1_000, isCap: true } });
    const idle = [budget.view.isIdle()];
    newcomers(2, 'call');
    for (const ms of [0, 300, 1_000, 300, 999, 1, 9_000]) {
      await clock.advance(ms);
      idle.push(budget.view.isIdle());
    }
    budget.slots.pause(clock.nowMs() + 1);
    idle.push(budget.view.isIdle());
    expect(idle).toEqual([true, false, false, false, false, false, true, true, false]);
  });
});

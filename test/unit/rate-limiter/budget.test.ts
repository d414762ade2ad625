import { describe, expect, it } from 'vitest';
import { Budget, type BudgetOptions } from '../../../src/upstream/rate-limiter/budget.ts';
import type { QueuedCall as Place } from '../../../src/upstream/rate-limiter/queue/queued-call.ts';
import type { AnnouncedWindow } from '../../../src/upstream/http/rate-limit-headers.ts';
import type { RouteClass } from '../../../src/upstream/postman/route-class.ts';
import { createFairShare, type FairShare } from '../../../src/upstream/rate-limiter/queue/fair-share.ts';
import { toBudgetOptions } from '../../support/budget-options.ts';
import { createVirtualClock, type VirtualClock } from '../../support/virtual-clock.ts';

/** The announcement of a response: one window, and the monthly quota. */
type Told = AnnouncedWindow & { readonly monthLimit?: number; readonly monthRemaining?: number };

const toAnnounced = ({ monthLimit, monthRemaining, ...window }: Told) => ({
  windows: Object.keys(window).length > 0 ? [window] : [],
  ...(monthLimit !== undefined && { monthLimit }),
  ...(monthRemaining !== undefined && { monthRemaining }),
});

// The latency that a budget assumes before its first measurement: with it, slot times can be predicted exactly.
const LATENCY_MS = 300;

/** A budget of 60 per minute and 10 per 10 s, 5 of them reserved. Each response takes 300 ms. */
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

  /** Queues a call and, once it is admitted, settles it after the latency. */
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
    const queuedCall = budget.enter(routeClass, share, key, onDelay, isRepeat);
    const answer = async () => {
      await queuedCall.admitted;
      const sentAtMs = clock.nowMs();
      sent.push({ name, atMs: sentAtMs - startMs });
      clock.schedule(sentAtMs + LATENCY_MS, () => queuedCall.settle(toAnnounced(announced ?? {})));
    };
    void answer();
    return queuedCall;
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
    firstCalls(count: number, name: string, routeClass: RouteClass = 'general') {
      return Array.from({ length: count }, () => call(name, routeClass));
    },
    sinceStart: () => clock.nowMs() - startMs,
    atMs: (monotonicMs: number) => monotonicMs - startMs,
  };
}

const remaining = (budget: Budget) => budget.view.snapshot().remaining;

describe('order', () => {
  it('sends at once the calls that fit the window, and the rest one window after the first responses', async () => {
    const { clock, firstCalls, sent } = createSetup();
    firstCalls(61, 'call');
    await clock.settle();
    expect(sent).toHaveLength(60);
    await clock.advance(60_299);
    expect(sent).toHaveLength(60);
    await clock.advance(1);
    expect(sent).toHaveLength(61);
  });

  it('never lets a full burst window block a general call', async () => {
    const { clock, firstCalls, names } = createSetup();
    firstCalls(30, 'burst', 'burst');
    firstCalls(3, 'general');
    await clock.settle();
    expect(names()).toEqual([...Array<string>(10).fill('burst'), ...Array<string>(3).fill('general')]);
  });

  it('sends burst calls when both windows have free slots', async () => {
    const { clock, firstCalls, sent, countOf } = createSetup();
    firstCalls(60, 'general');
    firstCalls(1, 'burst', 'burst');
    await clock.advance(60_299);
    expect(countOf('burst')).toBe(0);
    await clock.advance(1);
    expect(sent.at(-1)).toEqual({ name: 'burst', atMs: 60_300 });
  });

  it('serves a late small look-up before the rest of a big operation', async () => {
    const { clock, calls, firstCalls, names } = createSetup();
    calls(200, 'big');
    await clock.advance(30_000);
    firstCalls(5, 'small');
    await clock.settle();
    firstCalls(1, 'late');
    await clock.advance(30_300);
    expect(names().slice(0, 67)).toEqual([
      ...Array<string>(55).fill('big'),
      ...Array<string>(5).fill('small'),
      // First the calls it let pass while it left slots to them; then both get their fair share.
      ...Array<string>(6).fill('big'),
      'late',
    ]);
  });

  it('divides the slots equally between two operations that both want all', async () => {
    const { clock, calls, names } = createSetup({ reservedCalls: 0 });
    calls(60, 'first');
    await clock.settle();
    calls(60, 'second');
    calls(60, 'third');
    await clock.advance(60_300);
    expect(names().slice(60, 66)).toEqual(['second', 'third', 'second', 'third', 'second', 'third']);
  });

  it('serves a late burst look-up before the rest of a big operation, however many calls have passed that one', async () => {
    const { clock, calls, firstCalls, sent } = createSetup({ reservedCalls: 0 });
    calls(40, 'big', 'burst');
    await clock.settle();
    firstCalls(45, 'general');
    await clock.advance(9_000);
    firstCalls(1, 'late', 'burst');
    await clock.advance(2_000);
    expect(sent.find(({ name }) => name === 'late')).toEqual({ name: 'late', atMs: 10_300 });
  });

  it('alternates between the lines when both want the last slots', async () => {
    const { clock, firstCalls, names } = createSetup();
    firstCalls(60, 'first');
    firstCalls(60, 'general');
    firstCalls(20, 'burst', 'burst');
    await clock.advance(60_300);
    expect(names().slice(60, 66)).toEqual(['burst', 'general', 'burst', 'general', 'burst', 'general']);
    expect(names().slice(60)).toHaveLength(60);
  });

  it('sends a retry before all other calls of its class', async () => {
    const { clock, budget, call, firstCalls, names } = createSetup();
    budget.slots.pause(clock.nowMs() + 1_000);
    firstCalls(3, 'general');
    firstCalls(3, 'burst', 'burst');
    call('again', 'burst', { isRepeat: true });
    await clock.advance(1_000 + LATENCY_MS);
    expect(names()).toEqual(['again', 'general', 'burst', 'general', 'burst', 'general', 'burst']);
  });

  it('limits the number of calls in flight', async () => {
    const { clock, firstCalls, sent } = createSetup({ maxConcurrentCalls: 4 });
    firstCalls(10, 'call');
    await clock.advance(600);
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 0, 0, 0, 300, 300, 300, 300, 600, 600]);
  });

  it('uses no slot for a call that has left the queue', async () => {
    const { clock, budget, firstCalls, names } = createSetup();
    firstCalls(60, 'first');
    const [gone] = firstCalls(1, 'gone');
    firstCalls(1, 'next');
    expect(budget.view.snapshot().queuedCalls).toBe(2);
    gone?.leave();
    gone?.leave();
    expect(budget.view.snapshot().queuedCalls).toBe(1);
    await clock.advance(60_300);
    expect(names().slice(60)).toEqual(['next']);
  });

  it('ignores leaving after the call has been sent', async () => {
    const { clock, budget, firstCalls } = createSetup();
    const [call] = firstCalls(1, 'call');
    call?.leave();
    await clock.advance(1_000);
    expect([call?.slotAtMs(), remaining(budget)]).toEqual([clock.nowMs(), 59]);
  });
});

describe('reserved calls', () => {
  it('leaves slots to first calls, which get them at once', async () => {
    const { clock, budget, calls, firstCalls, countOf } = createSetup();
    calls(100, 'big');
    await clock.settle();
    expect([countOf('big'), remaining(budget)]).toEqual([55, 5]);
    await clock.advance(20_000);
    firstCalls(5, 'small');
    await clock.settle();
    expect(countOf('small')).toBe(5);
  });

  it('leaves one slot of the burst window', async () => {
    const { clock, calls, firstCalls, countOf } = createSetup();
    calls(30, 'big', 'burst');
    await clock.advance(5_000);
    firstCalls(2, 'small', 'burst');
    await clock.settle();
    expect([countOf('big'), countOf('small')]).toEqual([9, 1]);
  });

  it('reserves no slots when it is turned off', async () => {
    const { clock, calls, countOf } = createSetup({ reservedCalls: 0 });
    calls(30, 'lists', 'burst');
    calls(100, 'big');
    await clock.settle();
    expect([countOf('lists'), countOf('big')]).toEqual([10, 50]);
  });

  it('does not stop a big operation when a stream of small ones wants the whole budget', async () => {
    const { clock, calls, firstCalls, countOf } = createSetup();
    const stream = async (seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        firstCalls(1, 'small', second % 2 === 0 ? 'general' : 'burst');
        await clock.advance(1_000);
      }
    };
    await stream(120);
    calls(200, 'big');
    const before = countOf('small');
    await stream(600);
    // Its first five calls, then one call after every five that it left slots to.
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

describe('slot times', () => {
  it('are predicted exactly, whatever calls wait', async () => {
    const { newKey, clock, budget, firstCalls, sent, atMs } = createSetup();
    firstCalls(25, 'first');
    await clock.advance(4_000);
    firstCalls(35, 'first', 'burst');
    await clock.settle();
    const queuedCalls = [...firstCalls(70, 'general'), ...firstCalls(20, 'burst', 'burst')];
    const expected = atMs(budget.expectedSlotAtMs('burst', createFairShare(), newKey()));
    queuedCalls.push(...firstCalls(1, 'last', 'burst'));
    await clock.settle();
    const predicted = queuedCalls.map((queuedCall) => atMs(queuedCall.slotAtMs())).filter((ms) => ms > 4_000);
    const before = sent.length;
    await clock.advance(300_000);
    const actual = sent.slice(before);
    expect(actual.find(({ name }) => name === 'last')?.atMs).toBe(expected);
    // The rest of the first burst calls also waits.
    const ofPlaces = actual.filter(({ name }) => name !== 'first').map(({ atMs }) => atMs);
    expect(predicted.sort((a, b) => a - b)).toEqual(ofPlaces);
    expect([...new Set(predicted)]).toEqual([60_300, 64_300, 130_900, 141_200, 151_500]);
  });

  it('are predicted exactly, windows ahead, for an operation that leaves slots to others', async () => {
    const { clock, calls, sent, atMs } = createSetup();
    const queuedCalls = calls(200, 'big');
    await clock.settle();
    const predicted = queuedCalls.map((queuedCall) => atMs(queuedCall.slotAtMs()));
    await clock.advance(300_000);
    expect(predicted).toEqual(sent.map(({ atMs }) => atMs));
    expect(new Set(predicted)).toEqual(new Set([0, 60_300, 120_600, 180_900]));
  });

  it('are predicted one after the other for positions with the same virtual time', async () => {
    const { clock, firstCalls, atMs } = createSetup({ general: { limit: 2, windowMs: 1_000, isCap: true } });
    firstCalls(2, 'first');
    await clock.settle();
    const queuedCalls = firstCalls(4, 'waiting');
    expect(queuedCalls.map((queuedCall) => atMs(queuedCall.slotAtMs()))).toEqual([1_300, 1_300, 2_600, 2_600]);
  });

  it('of refused calls lie behind all waiting calls and all calls refused before', async () => {
    const { newKey, clock, budget, firstCalls, atMs } = createSetup({ maxConcurrentCalls: 1 });
    firstCalls(60, 'first');
    await clock.advance(30_000);
    firstCalls(3, 'waiting');
    const reserved = Array.from({ length: 60 }, () =>
      atMs(budget.reserveSlotAtMs('general', createFairShare(), newKey())),
    );
    // Slots become free one by one, as they were taken: the fourth 60 s after the fourth response.
    expect(reserved).toEqual(
      Array.from({ length: 60 }, (_, index) => 60_000 + 300 * (index + 4) + (index >= 57 ? 42_300 : 0)),
    );
  });

  it('of refused calls are counted for each class separately', async () => {
    const { newKey, clock, budget, firstCalls, atMs } = createSetup();
    firstCalls(10, 'burst', 'burst');
    await clock.settle();
    const reserved = Array.from({ length: 21 }, () =>
      atMs(budget.reserveSlotAtMs('burst', createFairShare(), newKey())),
    );
    expect([reserved[0], reserved[9], reserved[10], reserved[20]]).toEqual([10_300, 10_300, 20_600, 30_900]);
    expect(atMs(budget.reserveSlotAtMs('general', createFairShare(), newKey()))).toBe(0);
  });

  it('that were reserved are free again once they have passed', async () => {
    const { newKey, clock, budget, firstCalls, sinceStart, atMs } = createSetup({
      general: { limit: 1, windowMs: 1_000, isCap: true },
    });
    firstCalls(1, 'first');
    await clock.settle();
    expect([1, 2, 3].map(() => atMs(budget.reserveSlotAtMs('general', createFairShare(), newKey())))).toEqual([
      1_300, 2_600, 3_900,
    ]);
    await clock.advance(10_000);
    expect(atMs(budget.reserveSlotAtMs('general', createFairShare(), newKey()))).toBe(sinceStart());
  });

  it('stay reserved for calls that leave the queue', async () => {
    const { clock, budget, firstCalls, atMs } = createSetup({ general: { limit: 1, windowMs: 1_000, isCap: true } });
    firstCalls(1, 'first');
    await clock.settle();
    const queuedCalls = firstCalls(3, 'waiting');
    const reported = queuedCalls.map((queuedCall) => {
      const reportedAtMs = queuedCall.slotAtMs();
      queuedCall.swapForReservation(reportedAtMs);
      return atMs(reportedAtMs);
    });
    expect(reported).toEqual([1_300, 2_600, 3_900]);
    expect(budget.view.snapshot().queuedCalls).toBe(0);
  });

  it('are delayed by the pause after a 429', async () => {
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

  it('are delayed by a pause, which is reported to waiting calls', async () => {
    const { clock, budget, call, sent, atMs } = createSetup();
    const reported: number[] = [];
    budget.slots.pause(clock.nowMs() + 1_000);
    const queuedCall: Place = call('call', 'general', { onDelay: () => reported.push(atMs(queuedCall.slotAtMs())) });
    budget.slots.pause(clock.nowMs() + 7_000);
    budget.slots.pause(clock.nowMs() + 2_000);
    expect(budget.view.snapshot()).toMatchObject({ remaining: 0, restoredInMs: 7_000, queuedCalls: 1 });
    await clock.advance(6_999);
    expect(sent).toHaveLength(0);
    await clock.advance(1);
    expect(sent).toHaveLength(1);
    budget.slots.pause(clock.nowMs() + 1_000);
    expect(reported).toEqual([7_000, 7_000]);
  });
});

describe('a reserved slot', () => {
  /** A window of 30 per minute, all used; its slots are free at 60,300. */
  const createFull = (options: Parameters<typeof createSetup>[0] = {}) => {
    const setup = createSetup({ general: { limit: 30, windowMs: 60_000, isCap: true }, reservedCalls: 0, ...options });
    setup.firstCalls(30, 'first');
    return setup;
  };

  it('is held for the client that returns at its time, whatever calls wait', async () => {
    const { clock, budget, call, firstCalls, sent, atMs } = createFull();
    await clock.advance(1_000);
    const reserved = ['a', 'b', 'c'].map((key) => atMs(budget.reserveSlotAtMs('general', createFairShare(), key)));
    firstCalls(60, 'other');
    expect([reserved, budget.view.snapshot().queuedCalls]).toEqual([[60_300, 60_300, 60_300], 60]);
    await clock.advance(60_299);
    // The time named is in whole seconds, so the client returns up to a second later.
    expect([budget.expectedSlotAtMs('general', createFairShare(), 'a') - clock.nowMs(), sent.length]).toEqual([0, 57]);
    call('a', 'general', { key: 'a' });
    await clock.settle();
    expect(sent.at(-1)).toEqual({ name: 'a', atMs: 61_299 });
  });

  it('is given to others after two seconds; the client then goes before all waiting calls', async () => {
    const { clock, budget, call, firstCalls, sent, names } = createFull();
    await clock.advance(1_000);
    budget.reserveSlotAtMs('general', createFairShare(), 'a');
    firstCalls(60, 'other');
    await clock.advance(61_299);
    expect(sent).toHaveLength(59);
    await clock.advance(1);
    expect(sent.slice(59)).toEqual([{ name: 'other', atMs: 62_300 }]);
    call('a', 'general', { key: 'a' });
    await clock.advance(58_300);
    expect(names()[60]).toBe('a');
  });

  it('keeps its time when the client returns too early', async () => {
    const { clock, budget, firstCalls, atMs } = createFull();
    await clock.advance(1_000);
    firstCalls(29, 'other');
    const ask = (key: string) => atMs(budget.reserveSlotAtMs('general', createFairShare(), key));
    expect([ask('a'), ask('b'), ask('a'), ask('b')]).toEqual([60_300, 120_600, 60_300, 120_600]);
  });

  it('is kept until its time when others before it leave the queue', async () => {
    const { clock, budget, firstCalls, call, sent } = createFull();
    await clock.advance(1_000);
    const others = firstCalls(30, 'other');
    budget.reserveSlotAtMs('general', createFairShare(), 'a');
    for (const other of others) other.leave();
    firstCalls(40, 'late');
    await clock.advance(120_000);
    const before = sent.length;
    call('a', 'general', { key: 'a' });
    await clock.settle();
    expect([before, sent.at(-1)?.name]).toEqual([30 + 40, 'a']);
  });

  it('is held for fewer clients when fewer of them return', async () => {
    const { clock, budget, firstCalls, countOf } = createFull();
    const idle: number[] = [];
    for (let minute = 0; minute < 4; minute++) {
      await clock.advance(1_000);
      for (let index = 0; index < 30; index++) {
        budget.reserveSlotAtMs('general', createFairShare(), `${minute} ${index}`);
      }
      firstCalls(30, `late ${minute}`);
      await clock.advance(59_900);
      idle.push(30 - countOf(`late ${minute}`));
      await clock.advance(60_300);
    }
    expect(idle[0]).toBe(30);
    expect(idle.at(-1)).toBeLessThanOrEqual(1);
  });

  it('of a short window is held for few clients only', async () => {
    const { clock, budget, firstCalls, countOf } = createSetup();
    firstCalls(10, 'first', 'burst');
    await clock.advance(1_000);
    for (let index = 0; index < 10; index++) budget.reserveSlotAtMs('burst', createFairShare(), `${index}`);
    firstCalls(10, 'late', 'burst');
    await clock.advance(9_300);
    expect(countOf('late')).toBe(7);
  });

  it('exists for a thousand calls at most', async () => {
    const { clock, budget, firstCalls, atMs } = createFull();
    await clock.advance(1_000);
    firstCalls(1, 'other');
    for (let index = 0; index < 1_000; index++) budget.reserveSlotAtMs('general', createFairShare(), `${index}`);
    const [first, second] = ['one', 'two'].map((key) =>
      atMs(budget.reserveSlotAtMs('general', createFairShare(), key)),
    );
    expect(second).toBe(first);
  });
});

describe('announced limits', () => {
  /** Makes one call of the class; its response announces this. */
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

  it('hold the slots used by others: the first until the reset, the others until a window has passed', async () => {
    const { clock, budget } = await createAnnounced({ limit: 60, remaining: 20, resetInMs: 15_000, windowMs: 60_000 });
    expect(remaining(budget)).toBe(20);
    const left: number[] = [];
    for (const ms of [14_999, 1, 22_500, 22_499, 1]) {
      await clock.advance(ms);
      left.push(remaining(budget));
    }
    expect(left).toEqual([20, 21, 40, 59, 60]);
  });

  it('take no slots when they agree with our own count', async () => {
    const { clock, budget, announce } = await createAnnounced({ limit: 60, remaining: 59, resetInMs: 60_000 });
    await announce({ limit: 60, remaining: 58, resetInMs: 60_000 });
    expect(remaining(budget)).toBe(58);
    await clock.advance(59_700);
    expect(remaining(budget)).toBe(59);
  });

  it('release no more slots than they held', async () => {
    const { budget, announce } = await createAnnounced({ remaining: 20, resetInMs: 30_000 });
    await announce({ remaining: 30, resetInMs: 60_000 });
    expect(remaining(budget)).toBe(30);
    await announce({ remaining: 1_000_000 });
    expect(remaining(budget)).toBe(57);
  });

  it('release nothing for calls that Postman may not have counted, or that were sent before the slots were held', async () => {
    const { clock, budget, call, announce } = await createAnnounced({ remaining: 20 });
    for (const remaining of [19, 40]) call('late', 'general', { announced: { remaining } });
    await clock.settle();
    expect(remaining(budget)).toBe(18);
    await clock.advance(LATENCY_MS);
    // 40 minus the other call, which may have arrived later.
    expect(remaining(budget)).toBe(39);
    const before = call('before', 'general', { announced: { remaining: 55 } });
    await clock.advance(100);
    await announce({ remaining: 10 });
    expect([before.isAdmitted(), remaining(budget)]).toEqual([true, 10]);
  });

  it('hold more when others have used more', async () => {
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

  it('hold for a window without an announced reset', async () => {
    const { clock, budget } = await createAnnounced({ remaining: 0 });
    await clock.advance(59_999);
    expect(remaining(budget)).toBe(0);
    await clock.advance(1);
    expect(remaining(budget)).toBe(60);
  });

  it('that always report no remaining slots slow the calls down but never stop them', async () => {
    const { clock, call, sent } = createSetup({ maxConcurrentCalls: 1 });
    for (let index = 0; index < 10; index++)
      call('call', 'general', { announced: { remaining: 0, resetInMs: 60_000 } });
    await clock.advance(600_000);
    expect(sent.map(({ atMs }) => atMs)).toEqual(Array.from({ length: 10 }, (_, index) => index * 60_300));
  });

  it('that are lower apply at once, even below the slots in use', async () => {
    const { clock, budget, firstCalls, countOf, announce } = await createAnnounced({});
    firstCalls(30, 'before');
    await clock.settle();
    await announce({ limit: 10, windowMs: 60_000 });
    firstCalls(20, 'after');
    expect(budget.view.snapshot()).toMatchObject({ limit: 10, remaining: 0 });
    await clock.advance(59_999);
    expect(countOf('after')).toBe(0);
    await clock.advance(301);
    expect(countOf('after')).toBe(10);
  });

  it('that are higher are accepted, up to the highest that can be configured', async () => {
    const { clock, budget, firstCalls, countOf, announce } = await createAnnounced({
      limit: 300,
      remaining: 299,
      windowMs: 60_000,
    });
    firstCalls(310, 'after');
    await clock.settle();
    expect(countOf('after')).toBe(299);
    await clock.advance(120_000);
    await announce({ limit: 999_999_999_999_999 });
    expect(budget.view.snapshot().limit).toBe(100_000);
  });

  it('that are higher are ignored if the configured one is a cap; lower ones are accepted', async () => {
    const { budget, announce } = await createAnnounced({ limit: 300, remaining: 299 }, 'general', {
      general: { limit: 60, windowMs: 60_000, isCap: true },
    });
    expect(budget.view.snapshot()).toMatchObject({ limit: 60, remaining: 59 });
    await announce({ limit: 30 });
    expect(budget.view.snapshot().limit).toBe(30);
    await announce({ limit: 300 });
    expect(budget.view.snapshot().limit).toBe(60);
  });

  it('of the burst window are recognized by their length, whatever the route', async () => {
    const { budget, announce } = await createAnnounced(
      { limit: 5, remaining: 2, resetInMs: 9_000, windowMs: 10_000 },
      'burst',
    );
    expect(budget.view.snapshot()).toMatchObject({ limit: 60, remaining: 59, burst: { limit: 5, remaining: 2 } });
    await announce({ limit: 5, remaining: 0, resetInMs: 9_000, windowMs: 10_000 }, 'general');
    expect(budget.view.snapshot()).toMatchObject({ limit: 60, remaining: 58, burst: { limit: 5, remaining: 0 } });
  });

  it('of the general window are recognized by their length, also in responses of burst routes', async () => {
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

  it('of a burst window as long as the general one are recognized by their limit', async () => {
    const { budget } = await createAnnounced({ limit: 10, remaining: 9, windowMs: 60_000 }, 'burst', {
      burst: { limit: 10, windowMs: 60_000 },
    });
    expect(budget.view.snapshot()).toMatchObject({ limit: 60, remaining: 59, burst: { limit: 10, remaining: 9 } });
  });

  it('of any other window apply too, to every call that may count against it', async () => {
    const { clock, budget, firstCalls, countOf, announce } = await createAnnounced({
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
    firstCalls(3, 'general');
    firstCalls(2, 'burst', 'burst');
    await clock.settle();
    expect(countOf('general') + countOf('burst')).toBe(2);
    await clock.advance(60_000);
    expect(countOf('general') + countOf('burst')).toBe(5);
    await announce({ limit: 2, windowMs: 5_000 }, 'burst');
    firstCalls(1, 'late');
    firstCalls(3, 'late burst', 'burst');
    await clock.settle();
    expect([countOf('late'), countOf('late burst')]).toEqual([1, 1]);
  });

  it('of too many windows are not all followed', async () => {
    const { budget, announce } = await createAnnounced({});
    for (let seconds = 1; seconds <= 6; seconds++) await announce({ limit: 1_000, windowMs: seconds * 1_000 });
    expect(budget.view.snapshot().learned.map(({ windowMs }) => windowMs)).toEqual([1_000, 2_000, 3_000, 4_000]);
  });

  it('are reported to waiting calls only when slots are delayed', async () => {
    const setup = createSetup({ burst: { limit: 1, windowMs: 600_000 } });
    let reported = 0;
    setup.call('first', 'burst');
    await setup.clock.advance(LATENCY_MS);
    setup.call('waiting', 'burst', { onDelay: () => reported++ });
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
      counts.push(reported);
    }
    expect(counts).toEqual([1, 1, 1, 2, 2, 2]);
  });

  it('of the monthly quota are stored as last announced', async () => {
    const { budget, announce } = await createAnnounced({ monthLimit: 1_000, monthRemaining: 900 });
    await announce({ monthRemaining: 899 });
    expect(budget.view.snapshot()).toMatchObject({ monthLimit: 1_000, monthRemaining: 899, hasResponse: true });
  });
});

describe('after a 429', () => {
  it('one call is sent alone, and the others after its response', async () => {
    const { clock, budget, firstCalls, sent } = createSetup();
    budget.slots.pause(clock.nowMs() + 5_000);
    firstCalls(4, 'call');
    await clock.advance(20_000);
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 300, 300, 300].map((ms) => 5_000 + ms));
  });

  it('a response to a call sent before proves nothing', async () => {
    const { clock, budget, firstCalls, sent } = createSetup();
    firstCalls(1, 'before');
    await clock.settle();
    budget.slots.pause(clock.nowMs() + 1_000);
    firstCalls(3, 'after');
    await clock.advance(20_000);
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 1_000, 1_300, 1_300]);
  });

  it('the second call waits one second at most if the first gets no response', async () => {
    const { newKey, clock, budget } = createSetup();
    budget.slots.pause(clock.nowMs() + 1_000);
    const queuedCalls = Array.from({ length: 3 }, () => budget.enter('general', createFairShare(), newKey(), () => {}));
    const admitted: boolean[][] = [];
    for (const ms of [1_000, 999, 1, 1_000]) {
      await clock.advance(ms);
      admitted.push(queuedCalls.map((queuedCall) => queuedCall.isAdmitted()));
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

  it('with probe sends one call alone until a response reports the remaining slots', async () => {
    const { clock, call, firstCalls, sent } = createSetup({ coldStart: 'probe', ...startedAgoMs(0) });
    call('first', 'general', { announced: { limit: 60, remaining: 3, windowMs: 60_000, resetInMs: 20_000 } });
    firstCalls(5, 'general');
    await clock.advance(20_299);
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 300, 300, 300]);
    await clock.advance(1);
    expect(sent).toHaveLength(5);
  });

  it('with probe sends burst calls one by one until their window has passed', async () => {
    const { clock, firstCalls, sent } = createSetup({ coldStart: 'probe', ...startedAgoMs(9_000) });
    firstCalls(6, 'burst', 'burst');
    await clock.advance(1_200);
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 300, 600, 900, 1_200, 1_200]);
  });

  it('with probe trusts a response that reports the burst window', async () => {
    const { clock, call, firstCalls, sent } = createSetup({ coldStart: 'probe', ...startedAgoMs(0) });
    call('first', 'burst', { announced: { limit: 10, remaining: 4, windowMs: 10_000, resetInMs: 8_000 } });
    firstCalls(6, 'burst', 'burst');
    await clock.advance(400);
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 300, 300, 300, 300]);
  });

  it('with probe does not apply to a key used later', async () => {
    const { clock, firstCalls, sent } = createSetup({ coldStart: 'probe', ...startedAgoMs(60_000) });
    firstCalls(5, 'general');
    firstCalls(5, 'burst', 'burst');
    await clock.settle();
    expect(sent).toHaveLength(10);
  });

  it('with wait sends nothing until each window has passed', async () => {
    const { clock, firstCalls, sent, budget } = createSetup({ coldStart: 'wait', ...startedAgoMs(15_000) });
    expect(budget.view.snapshot()).toMatchObject({ remaining: 0, restoredInMs: 45_000, burst: { remaining: 10 } });
    firstCalls(61, 'call');
    await clock.advance(44_999);
    expect(sent).toHaveLength(0);
    await clock.advance(1);
    expect(sent).toHaveLength(60);
  });
});

describe('the monthly quota', () => {
  it('stops all calls when used up, reports it to waiting calls, and is checked again after ten minutes', async () => {
    const { clock, budget, call, sent } = createSetup({ general: { limit: 1, windowMs: 1_000, isCap: true } });
    let reported = 0;
    call('last', 'general', { announced: { monthLimit: 1_000, monthRemaining: 0 } });
    const waiting = call('waiting', 'general', { onDelay: () => reported++ });
    await clock.advance(LATENCY_MS);
    expect([budget.slots.view.isMonthlyQuotaExhausted(), reported, budget.view.snapshot().remaining]).toEqual([
      true,
      1,
      0,
    ]);
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

  it('no longer counts as used up when responses stop announcing it', async () => {
    const { clock, budget, call } = createSetup();
    budget.slots.exhaustMonthlyQuota();
    await clock.advance(600_000);
    call('probe');
    await clock.advance(LATENCY_MS);
    const { monthRemaining } = budget.view.snapshot();
    expect([budget.slots.view.isMonthlyQuotaExhausted(), monthRemaining]).toEqual([false, undefined]);
  });

  it('limits the calls in flight to its remaining calls', async () => {
    const { clock, call, firstCalls, sent } = createSetup();
    call('first', 'general', { announced: { monthRemaining: 2 } });
    await clock.advance(LATENCY_MS);
    firstCalls(5, 'call');
    await clock.settle();
    expect(sent).toHaveLength(3);
  });
});

describe('two budgets of one user', () => {
  it('are merged: slots in use count in the other, and waiting calls move there', async () => {
    const clock = createVirtualClock();
    const [target, other] = [createSetup({ clock }), createSetup({ clock })];
    target.firstCalls(20, 'own');
    other.firstCalls(30, 'other');
    await clock.advance(1_000);
    // Calls in flight and waiting when the user becomes known.
    const out = other.firstCalls(5, 'out', 'burst');
    other.budget.slots.pause(clock.nowMs() + 2_000);
    const delays: string[] = [];
    const waiting = other.call('waiting', 'general', { onDelay: () => delays.push('reported') });
    const gone = other.call('gone');
    other.budget.moveTo(target.budget);
    expect(target.budget.view.snapshot()).toMatchObject({ remaining: 0, burst: { limit: 10 }, queuedCalls: 2 });
    expect(other.budget.view.snapshot().queuedCalls).toBe(0);
    gone.leave();
    expect([target.budget.view.snapshot().queuedCalls, waiting.isAdmitted()]).toEqual([1, false]);
    expect(waiting.slotAtMs() - clock.nowMs()).toBe(2_000);
    target.budget.slots.pause(clock.nowMs() + 2_500);
    expect(delays).toEqual(['reported']);
    await clock.advance(2_500);
    expect([
      waiting.isAdmitted(),
      out.every((queuedCall) => queuedCall.isAdmitted()),
      other.countOf('waiting'),
    ]).toEqual([true, true, 1]);
    await clock.advance(LATENCY_MS);
    expect(target.budget.view.snapshot()).toMatchObject({ remaining: 60 - 20 - 30 - 5 - 1, burst: { remaining: 5 } });
    await clock.advance(60_000);
    expect([target.budget.view.snapshot().remaining, target.budget.view.isIdle(), other.budget.view.isIdle()]).toEqual([
      60,
      true,
      true,
    ]);
  });

  it('divide the slots equally between operations of both keys that waited before', async () => {
    const clock = createVirtualClock();
    const [target, other] = [createSetup({ clock, reservedCalls: 0 }), createSetup({ clock, reservedCalls: 0 })];
    for (const { budget } of [target, other]) budget.slots.pause(clock.nowMs() + 1_000);
    target.calls(60, 'of the first key');
    other.calls(60, 'of the second key');
    other.calls(60, 'another of the second key');
    other.budget.moveTo(target.budget);
    await clock.advance(2_000);
    expect([
      target.countOf('of the first key'),
      other.countOf('of the second key'),
      other.countOf('another of the second key'),
    ]).toEqual([20, 20, 20]);
  });

  it('count a call that moves once among the first calls of its operation', async () => {
    const clock = createVirtualClock();
    const [target, other] = [createSetup({ clock, reservedCalls: 2 }), createSetup({ clock, reservedCalls: 2 })];
    for (const { budget } of [target, other]) budget.slots.pause(clock.nowMs() + 1_000);
    const share = createFairShare();
    other.calls(2, 'moved', 'general', share);
    other.budget.moveTo(target.budget);
    expect(share.requestedCalls).toBe(2);
  });

  it('have no more calls in flight together than one may have', async () => {
    const clock = createVirtualClock();
    const options = { clock, reservedCalls: 0, maxConcurrentCalls: 4 };
    const [target, other] = [createSetup(options), createSetup(options)];
    target.firstCalls(6, 'own');
    other.firstCalls(6, 'other');
    await clock.settle();
    other.budget.moveTo(target.budget);
    await clock.advance(LATENCY_MS);
    // Eight were in flight; four are allowed.
    expect([target.sent.length, other.sent.length, target.budget.slots.view.callsInFlight()]).toEqual([6, 6, 4]);
  });

  it('report the slot time of a call that leaves the queue after the move', async () => {
    const clock = createVirtualClock();
    const [target, other] = [createSetup({ clock }), createSetup({ clock })];
    target.firstCalls(60, 'own');
    other.budget.slots.pause(clock.nowMs() + 1_000);
    const waiting = other.call('waiting');
    await clock.settle();
    other.budget.moveTo(target.budget);
    const reportedAtMs = waiting.slotAtMs();
    waiting.swapForReservation(reportedAtMs);
    expect([target.atMs(reportedAtMs), target.budget.view.snapshot().queuedCalls]).toEqual([60_300, 0]);
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
  it('describes an unused budget', () => {
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

  it('reports no response while all calls fail', async () => {
    const { newKey, budget } = createSetup({ burst: undefined as never });
    const queuedCall = budget.enter('burst', createFairShare(), newKey(), () => {});
    await queuedCall.admitted;
    queuedCall.settle();
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

  it('is idle when no call waits or is in flight, no pause lasts and every window has passed', async () => {
    const { clock, budget, firstCalls } = createSetup({ general: { limit: 1, windowMs: 1_000, isCap: true } });
    const idle = [budget.view.isIdle()];
    firstCalls(2, 'call');
    for (const ms of [0, 300, 1_000, 300, 999, 1, 9_000]) {
      await clock.advance(ms);
      idle.push(budget.view.isIdle());
    }
    budget.slots.pause(clock.nowMs() + 1);
    idle.push(budget.view.isIdle());
    expect(idle).toEqual([true, false, false, false, false, false, true, true, false]);
  });
});

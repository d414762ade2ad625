import {
  type Arbitrary,
  array,
  assert,
  boolean,
  constant,
  constantFrom,
  integer,
  nat,
  oneof,
  property,
  record,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRateWindow, type RateWindow } from '../../../src/upstream/rate-limiter/windows/rate-window.ts';
import { otherClass, type RouteClass } from '../../../src/upstream/postman/route-class.ts';
import { type Forecast, predictSlotMs } from '../../../src/upstream/rate-limiter/queue/slot-forecast.ts';
import type { UsableWindow } from '../../../src/upstream/rate-limiter/slot-source.ts';

const T = 5_000;

/** A window with calls in flight, and slots that become free so many milliseconds after T. */
function createUsed(limit: number, windowMs: number, calls = 0, releasesInMs: readonly number[] = []): RateWindow {
  const window = createRateWindow(limit, windowMs);
  for (let call = 0; call < calls; call++) window.take();
  for (const inMs of releasesInMs) window.externalUse.hold(1, T + inMs, T + inMs);
  return window;
}

const usable = (window: RateWindow, slotsToLeave = 0): UsableWindow => ({ window, slotsToLeave });

/** 60 per minute and 10 per 10 s, both unused, enough connections, a latency of 300 ms, and no call ahead. */
const createForecast = (changes: Partial<Forecast> = {}): Forecast => ({
  general: [usable(createUsed(60, 60_000))],
  burst: [usable(createUsed(10, 10_000))],
  connections: { free: 1_000, total: 1_000 },
  ahead: { general: 0, burst: 0 },
  preferred: 'general',
  nowMs: T,
  startMs: T,
  latencyMs: 300,
  ...changes,
});

/** Slot times of calls with so many others ahead in their line, in milliseconds from T. */
const turnsOf = (routeClass: RouteClass, aheads: readonly number[], changes: Partial<Forecast> = {}) =>
  aheads.map((own) => {
    const ahead = { general: 0, burst: 0, ...changes.ahead, [routeClass]: own };
    return predictSlotMs(routeClass, createForecast({ ...changes, ahead })) - T;
  });

/** Simulates sending call after call, each as soon as possible. Returns the slot time of the requested one. */
function playOut(routeClass: RouteClass, forecast: Forecast): number {
  const { connections, nowMs, startMs, latencyMs } = forecast;
  const eachMs = latencyMs / connections.total;
  const connectionAtMs = (index: number) =>
    Math.max(nowMs + (index + 1 - connections.free) * eachMs, startMs + (index + 1 - connections.total) * eachMs);
  // When the slots of each window can be taken, soonest first.
  const toSlots = ({ window, slotsToLeave }: UsableWindow) => ({
    cycleMs: window.windowMs + latencyMs,
    atMs: Array.from({ length: window.limit - slotsToLeave }, (_, index) =>
      window.slotAtMs(nowMs, slotsToLeave + index, latencyMs),
    ),
  });
  const slots = { general: forecast.general.map(toSlots), burst: forecast.burst.map(toSlots) };
  const waiting = { ...forecast.ahead, [routeClass]: forecast.ahead[routeClass] + 1 };
  let turn = forecast.preferred;
  for (let sent = 0; ; sent++) {
    const generalMs = Math.max(startMs, connectionAtMs(sent), ...slots.general.map(({ atMs }) => atMs[0] ?? 0));
    const burstMs = Math.max(generalMs, ...slots.burst.map(({ atMs }) => atMs[0] ?? 0));
    if (waiting.general === 0) turn = 'burst';
    else if (waiting.burst === 0 || burstMs > generalMs) turn = 'general';
    const sentMs = turn === 'burst' ? burstMs : generalMs;
    waiting[turn]--;
    if (turn === routeClass && waiting[turn] === 0) return sentMs;
    for (const { atMs, cycleMs } of turn === 'burst' ? [...slots.general, ...slots.burst] : slots.general) {
      atMs.shift();
      const later = atMs.findLastIndex((slotAtMs) => slotAtMs <= sentMs + cycleMs);
      atMs.splice(later + 1, 0, sentMs + cycleMs);
    }
    turn = otherClass(turn);
  }
}

/** A window in any state: calls in flight, slots in use, a limit below the slots in use, slots to leave. */
function anyWindow(limits: Arbitrary<number>, windowsMs: Arbitrary<number>): Arbitrary<UsableWindow> {
  return record({
    limit: limits,
    windowMs: windowsMs,
    outPercent: nat(100),
    releases: array(record({ atPercent: nat(100), sizePercent: nat(50) }), { maxLength: 12 }),
    loweredTo: oneof(constant(100), integer({ min: 1, max: 100 })),
    leave: oneof(constant(0), nat(5)),
  }).map(({ limit, windowMs, outPercent, releases, loweredTo, leave }) => {
    const window = createUsed(limit, windowMs);
    for (const { atPercent, sizePercent } of releases) {
      const count = Math.min(window.free(T), Math.ceil((limit * sizePercent) / 100));
      window.externalUse.hold(count, T + (windowMs * atPercent) / 100, T + (windowMs * atPercent) / 100);
    }
    for (let call = Math.floor((window.free(T) * outPercent) / 100); call > 0; call--) window.take();
    window.setLimit(Math.ceil((limit * loweredTo) / 100));
    return usable(window, Math.min(leave, window.limit - 1));
  });
}

const anyMoment = {
  connections: record({ total: constantFrom(1, 10, 100, 1_000), freePercent: nat(100) }).map(
    ({ total, freePercent }) => ({ total, free: Math.floor((total * freePercent) / 100) }),
  ),
  preferred: constantFrom<RouteClass>('general', 'burst'),
  nowMs: constant(T),
  startMs: oneof(constant(T), integer({ min: T, max: T + 40_000 })),
  latencyMs: constantFrom(0, 100, 300, 2_000),
};

const anyAhead = (most: number) => record({ general: nat(most), burst: nat(most) });

const general = anyWindow(integer({ min: 1, max: 80 }), constant(60_000));
const burst = anyWindow(integer({ min: 1, max: 15 }), constant(10_000));
const learned = anyWindow(integer({ min: 1, max: 80 }), constantFrom(20_000, 120_000));

/** Difference between predicted and simulated slot time, in cycles of the general window. */
const toError = (routeClass: RouteClass, forecast: Forecast) => {
  const cycleMs = Math.max(...forecast.general.map(({ window }) => window.windowMs)) + forecast.latencyMs;
  return (predictSlotMs(routeClass, forecast) - playOut(routeClass, forecast)) / cycleMs;
};

describe('predictSlotMs of the general line alone', () => {
  it('sends now while slots are free', () => {
    expect(turnsOf('general', [0, 1, 59])).toEqual([0, 0, 0]);
  });

  it('sends nothing before a pause is over', () => {
    expect(turnsOf('general', [0, 59, 60], { startMs: T + 7_000 })).toEqual([7_000, 7_000, 67_300]);
  });

  it('takes a slot again one window after its response', () => {
    expect(turnsOf('general', [60, 119, 120, 600])).toEqual([60_300, 60_300, 120_600, 603_000]);
  });

  it('waits for the slots that are in use', () => {
    const window = createUsed(4, 60_000, 1, [10_000, 20_000]);
    expect(turnsOf('general', [0, 1, 2, 3, 4, 5], { general: [usable(window)] })).toEqual([
      0, 10_000, 20_000, 60_300, 60_300, 70_300,
    ]);
  });

  it('waits until the slots in use are below a lowered limit again', () => {
    const window = createUsed(4, 60_000, 1, [10_000, 20_000, 30_000]);
    window.setLimit(2);
    expect(turnsOf('general', [0, 1, 2, 3], { general: [usable(window)] })).toEqual([30_000, 60_300, 90_300, 120_600]);
  });

  it('leaves the slots that have to be left', () => {
    const window = createUsed(4, 60_000, 0, [10_000, 20_000]);
    expect(turnsOf('general', [0, 1, 2], { general: [usable(window, 1)] })).toEqual([0, 10_000, 20_000]);
    expect(turnsOf('general', [0, 1, 2], { general: [usable(window, 3)] })).toEqual([20_000, 80_300, 140_600]);
  });

  it('waits for connections, which become free evenly', () => {
    const changes = { connections: { free: 1, total: 3 } };
    expect(turnsOf('general', [0, 1, 2, 3, 4], changes)).toEqual([0, 100, 200, 300, 400]);
  });

  it('has all connections free after a pause, and waits for those it takes', () => {
    const changes = { connections: { free: 0, total: 3 }, startMs: T + 7_000 };
    expect(turnsOf('general', [0, 2, 3, 4], changes)).toEqual([7_000, 7_000, 7_100, 7_200]);
  });

  it('takes a slot again only as late as a connection let it be taken', () => {
    const changes = { general: [usable(createUsed(2, 1_000))], connections: { free: 1, total: 1 }, latencyMs: 400 };
    expect(turnsOf('general', [0, 1, 2, 3, 4, 5], changes)).toEqual([0, 400, 1_400, 1_800, 2_800, 3_200]);
  });

  it('respects several windows, each of which delays the slots of the others', () => {
    const changes = { general: [usable(createUsed(2, 10_000)), usable(createUsed(3, 11_000))], latencyMs: 0 };
    expect(turnsOf('general', [0, 1, 2, 3, 4, 5, 6], changes)).toEqual([0, 0, 10_000, 11_000, 20_000, 21_000, 30_000]);
  });

  it('agrees with the simulation for every call, however many are ahead', () => {
    assert(
      property(record({ general: general.map((window) => [window]), ...anyMoment }), nat(3_000), (moment, ahead) => {
        const forecast = createForecast({ ...moment, ahead: { general: ahead, burst: 0 } });
        expect(toError('general', forecast)).toBeCloseTo(0, 9);
      }),
      { numRuns: 200 },
    );
  });

  it('agrees with the simulation for several windows', () => {
    assert(
      property(general, learned, record(anyMoment), nat(299), (window, another, moment, ahead) => {
        const forecast = createForecast({ ...moment, general: [window, another], ahead: { general: ahead, burst: 0 } });
        expect(toError('general', forecast)).toBeCloseTo(0, 9);
      }),
      { numRuns: 200 },
    );
  });

  it('is less than a cycle off for calls far behind, with several windows', () => {
    assert(
      property(
        general,
        learned,
        record(anyMoment),
        integer({ min: 300, max: 3_000 }),
        (window, another, moment, ahead) => {
          const forecast = createForecast({
            ...moment,
            general: [window, another],
            ahead: { general: ahead, burst: 0 },
          });
          expect(Math.abs(toError('general', forecast))).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('predictSlotMs of both lines', () => {
  it('alternates, beginning with the preferred line', () => {
    const ahead = { general: 100, burst: 100 };
    const window = createUsed(4, 60_000, 0, [10_000, 20_000, 30_000, 40_000]);
    const changes = { general: [usable(window)], ahead };
    expect(turnsOf('general', [0, 1, 2], changes)).toEqual([10_000, 30_000, 70_300]);
    expect(turnsOf('burst', [0, 1, 2], changes)).toEqual([20_000, 40_000, 80_300]);
    expect(turnsOf('general', [0, 1], { ...changes, preferred: 'burst' })).toEqual([20_000, 40_000]);
    expect(turnsOf('burst', [0, 1], { ...changes, preferred: 'burst' })).toEqual([10_000, 30_000]);
  });

  it('lets general calls pass a burst line that waits for its window', () => {
    const changes = { burst: [usable(createUsed(1, 10_000, 0, [5_000]))], ahead: { general: 0, burst: 50 } };
    expect(turnsOf('general', [0, 1, 58, 59], changes)).toEqual([0, 0, 0, 0]);
    expect(turnsOf('general', [0], { ...changes, preferred: 'burst' })).toEqual([0]);
  });

  it('sends burst calls as their window allows when no other call waits', () => {
    expect(turnsOf('burst', [0, 9, 10, 20, 59, 60])).toEqual([0, 0, 10_300, 20_600, 51_500, 61_800]);
  });

  it('gives all slots to the other line when one is empty', () => {
    const ahead = { general: 2, burst: 2 };
    expect(turnsOf('burst', [9, 10], { ahead })).toEqual([0, 10_300]);
    const one = [usable(createUsed(1, 1_000))];
    expect(turnsOf('general', [4], { general: one, burst: [], ahead, latencyMs: 0 })).toEqual([6_000]);
    expect(turnsOf('burst', [4], { general: one, burst: [], ahead, latencyMs: 0 })).toEqual([6_000]);
  });

  it('leaves slots of the burst window that have to be left', () => {
    expect(turnsOf('burst', [8, 9, 17, 18], { burst: [usable(createUsed(10, 10_000), 1)] })).toEqual([
      0, 10_300, 10_300, 20_600,
    ]);
  });

  it('respects every window and the pause', () => {
    const changes = {
      burst: [usable(createUsed(10, 10_000)), usable(createUsed(3, 20_000))],
      startMs: T + 1_000,
    };
    expect(turnsOf('burst', [2, 3, 6], changes)).toEqual([1_000, 21_300, 41_600]);
  });

  it('agrees with the simulation for every call, with up to 300 ahead', () => {
    const moments = record({
      general: array(oneof(general, learned), { minLength: 1, maxLength: 2 }),
      burst: array(oneof(burst, learned), { maxLength: 2 }),
      ahead: anyAhead(149),
      ...anyMoment,
    });
    assert(
      property(moments, boolean(), (forecast, isBurst) => {
        expect(toError(isBurst ? 'burst' : 'general', forecast)).toBeCloseTo(0, 9);
      }),
      { numRuns: 400 },
    );
  });

  it('is at most a cycle of the general window off for calls far behind', () => {
    const moments = record({
      general: general.map((window) => [window]),
      burst: burst.map((window) => [window]),
      ahead: anyAhead(1_500),
      ...anyMoment,
    });
    assert(
      property(moments, boolean(), (forecast, isBurst) => {
        expect(Math.abs(toError(isBurst ? 'burst' : 'general', forecast))).toBeLessThan(1.01);
      }),
      { numRuns: 200 },
    );
  });

  it('predicts later slot times for calls further behind', () => {
    const ahead = { general: 2_000, burst: 2_000 };
    for (const routeClass of ['general', 'burst'] as const) {
      const turns = turnsOf(routeClass, [0, 50, 100, 200, 400, 800, 1_600, 3_200, 100_000], { ahead });
      expect(turns).toEqual([...new Set(turns)].sort((a, b) => a - b));
    }
  });
});

describe('the work of predictSlotMs', () => {
  /** How often the windows are asked for slots. */
  const countAsked = (routeClass: RouteClass, ahead: Forecast['ahead']) => {
    let asked = 0;
    const counted = (limit: number, windowMs: number): UsableWindow => {
      const window = createUsed(limit, windowMs);
      return usable({
        ...window,
        limit,
        slotAtMs(...place) {
          asked++;
          return window.slotAtMs(...place);
        },
      });
    };
    const forecast = { general: [counted(100_000, 60_000)], burst: [counted(100_000, 10_000)], ahead };
    predictSlotMs(routeClass, createForecast(forecast));
    return asked;
  };

  it('is the same however many are ahead in a line alone', () => {
    const asked = [1, 10_000, 100_000].map((count) => countAsked('general', { general: count, burst: 0 }));
    expect(asked).toEqual([1, 1, 1]);
  });

  it.each(['general', 'burst'] as const)('does not grow past 300 calls ahead, of the %s line', (routeClass) => {
    const asked = [1, 150, 10_000, 100_000].map((count) => countAsked(routeClass, { general: count, burst: count }));
    const [few = 0, some = 0, many = 0, most = 0] = asked;
    expect([few < some, some <= many, many === most, most <= 600]).toEqual([true, true, true, true]);
  });
});

import { array, assert, constantFrom, integer, nat, property, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnnouncedWindow } from '../../../src/upstream/http/rate-limit-headers.ts';
import type { RateWindow } from '../../../src/upstream/rate-limiter/windows/rate-window.ts';
import { createRateWindows, type RateWindows } from '../../../src/upstream/rate-limiter/windows/rate-windows.ts';
import type { RouteClass } from '../../../src/upstream/postman/route-class.ts';
import type { RateWindowsOptions } from '../../../src/upstream/rate-limiter/windows/window-set.ts';
import { inUse } from '../../support/in-use.ts';

const T = 5_000;
const NOTHING_LEARNED = { isDelay: false, reportsBurst: false };
const DELAYED = { isDelay: true, reportsBurst: false };

/** 60 per minute, and of the burst class 10 per 10 s. */
const createWindows = (options: Partial<RateWindowsOptions> = {}) =>
  createRateWindows({
    general: { limit: 60, windowMs: 60_000, isCap: false },
    burst: { limit: 10, windowMs: 10_000 },
    ...options,
  });

/** The general window only. */
const createGeneralOnly = (limit = 60, isCap = false) =>
  createRateWindows({ general: { limit, windowMs: 60_000, isCap } });

/** Makes a call whose response announces this. */
function answer(
  windows: RateWindows,
  routeClass: RouteClass,
  announced: readonly AnnouncedWindow[],
  { sentAtMs = T, nowMs = T }: { sentAtMs?: number; nowMs?: number } = {},
) {
  const slots = windows.take(routeClass, sentAtMs);
  const learned = windows.learn(slots, announced, nowMs);
  windows.release(slots, nowMs);
  return learned;
}

const toState = ({ limit, windowMs, free }: RateWindow, nowMs = T) => ({ limit, windowMs, free: free(nowMs) });
const statesOf = (windows: RateWindows, nowMs = T) => windows.all().map((window) => toState(window, nowMs));
const limitsOf = (windows: readonly RateWindow[]) => windows.map(({ limit, windowMs }) => [limit, windowMs]);

describe('createRateWindows', () => {
  it('has the configured windows, unused, by class', () => {
    const windows = createWindows();
    expect(statesOf(windows)).toEqual([
      { limit: 60, windowMs: 60_000, free: 60 },
      { limit: 10, windowMs: 10_000, free: 10 },
    ]);
    expect(windows.of('general')).toEqual([windows.general]);
    expect(windows.of('burst')).toEqual([windows.general, windows.burst]);
    expect(windows.all()).toEqual([windows.general, windows.burst]);
  });

  it('has one window for every call without a burst window', () => {
    const windows = createGeneralOnly();
    expect([windows.burst, windows.of('general'), windows.of('burst'), windows.all()]).toEqual([
      undefined,
      [windows.general],
      [windows.general],
      [windows.general],
    ]);
  });

  it('takes and gives back a slot of each window the class counts against', () => {
    const windows = createWindows();
    const general = windows.take('general', T);
    const burst = windows.take('burst', T);
    const taken = [general.taken, burst.taken];
    const free = () => windows.all().map((window) => window.free(T + 10_100));
    const whileOut = free();
    windows.release(general, T + 100);
    windows.release(burst, T + 100);
    expect(taken).toEqual([[windows.general], [windows.general, windows.burst]]);
    expect([whileOut, free(), windows.all().map((window) => window.free(T + 60_100))]).toEqual([
      [58, 9],
      [58, 10],
      [60, 10],
    ]);
  });
});

describe('RateWindows.giveBack', () => {
  it('frees the slots of a call that was not sent at once, in every window it counts against', () => {
    const windows = createWindows();
    windows.take('burst', T);
    const slots = windows.take('burst', T);
    windows.giveBack(windows.take('general', T));
    windows.giveBack(slots);
    expect(windows.all().map((window) => inUse(window, T))).toEqual([
      { takenCalls: 1, releasesAtMs: [] },
      { takenCalls: 1, releasesAtMs: [] },
    ]);
  });

  it('does not count the call in a window learned later', () => {
    const windows = createWindows();
    windows.giveBack(windows.take('general', T));
    answer(windows, 'general', [{ limit: 1_000, windowMs: 3_600_000 }]);
    expect(inUse(windows.all()[2], T)).toEqual({ takenCalls: 0, releasesAtMs: [T + 3_600_000] });
  });
});

describe('RateWindows.learn', () => {
  it('learns nothing from a response without an announcement that it understands', () => {
    const windows = createWindows();
    const answers = [[], [{}], [{ resetInMs: 5_000 }], [{ remaining: 3, windowMs: 7_000 }], [{ limit: 60 }]];
    expect(answers.map((announced) => answer(windows, 'general', announced))).toEqual(
      answers.map(() => NOTHING_LEARNED),
    );
    expect(statesOf(windows)).toEqual([
      { limit: 60, windowMs: 60_000, free: 55 },
      { limit: 10, windowMs: 10_000, free: 10 },
    ]);
  });

  it('finds a window by its length, whichever class the call is of and in whichever order', () => {
    const windows = createWindows();
    const announced = [
      { limit: 8, windowMs: 10_000 },
      { limit: 50, windowMs: 60_000 },
    ];
    expect(answer(windows, 'general', announced)).toEqual(DELAYED);
    expect(limitsOf(windows.all())).toEqual([
      [50, 60_000],
      [8, 10_000],
    ]);
  });

  it.each<{ what: string; routeClass: RouteClass; told: AnnouncedWindow; general: number; burst: number }>([
    {
      what: 'a small limit of a burst call for the burst one',
      routeClass: 'burst',
      told: { limit: 7 },
      general: 60,
      burst: 7,
    },
    {
      what: 'a limit of the size of the burst one for it',
      routeClass: 'burst',
      told: { limit: 10, remaining: 5 },
      general: 60,
      burst: 10,
    },
    {
      what: 'a larger limit of a burst call for the general one',
      routeClass: 'burst',
      told: { limit: 11 },
      general: 11,
      burst: 10,
    },
    {
      what: 'any limit of another call for the general one',
      routeClass: 'general',
      told: { limit: 7 },
      general: 7,
      burst: 10,
    },
  ])('takes $what, where no length is told', ({ routeClass, told, general, burst }) => {
    const windows = createWindows();
    const { reportsBurst } = answer(windows, routeClass, [told]);
    expect([windows.general.limit, windows.burst?.limit, reportsBurst]).toEqual([
      general,
      burst,
      told.remaining !== undefined,
    ]);
  });

  it('takes a remaining count with neither length nor limit for that of the general window', () => {
    const windows = createWindows();
    expect(answer(windows, 'burst', [{ remaining: 20 }])).toEqual(DELAYED);
    expect(windows.all().map((window) => window.free(T))).toEqual([20, 9]);
  });

  it('takes an announcement without length for the general window, if there is no other', () => {
    const windows = createGeneralOnly();
    answer(windows, 'burst', [{ limit: 7 }]);
    expect(limitsOf(windows.all())).toEqual([[7, 60_000]]);
  });

  it('distinguishes windows of the same length by their limit', () => {
    const windows = createWindows({ burst: { limit: 10, windowMs: 60_000 } });
    const announced = [
      { limit: 9, windowMs: 60_000 },
      { limit: 50, windowMs: 60_000 },
    ];
    answer(windows, 'burst', announced);
    expect(limitsOf(windows.all())).toEqual([
      [50, 60_000],
      [9, 60_000],
    ]);
  });

  it('takes neither of two windows of the same length for one of another length', () => {
    const windows = createWindows({ burst: { limit: 10, windowMs: 60_000 } });
    answer(windows, 'burst', [{ limit: 5, windowMs: 1_000 }]);
    expect(limitsOf(windows.all())).toEqual([
      [60, 60_000],
      [10, 60_000],
      [5, 1_000],
    ]);
  });

  it('finds the burst window by its length if the general one has another', () => {
    const windows = createWindows();
    answer(windows, 'burst', [{ limit: 40, windowMs: 10_000 }]);
    answer(windows, 'burst', [{ limit: 5, windowMs: 60_000 }]);
    expect(limitsOf(windows.all())).toEqual([
      [5, 60_000],
      [10, 10_000],
    ]);
  });

  it('follows the lower of two limits over the same length of time, in whichever order', () => {
    for (const limits of [
      [30, 300],
      [300, 30],
    ]) {
      const windows = createWindows();
      const announced = limits.map((limit) => ({ limit, remaining: limit - 1, windowMs: 60_000 }));
      answer(windows, 'general', announced);
      expect([windows.general.limit, windows.general.free(T)]).toEqual([30, 29]);
    }
  });

  it('follows a lower limit, and a higher one up to the highest that can be configured', () => {
    const windows = createWindows();
    const learned = [20, 300, 100_000, 100_001, 2_147_483_647].map((limit) => [
      answer(windows, 'general', [{ limit }]).isDelay,
      windows.general.limit,
    ]);
    expect(learned).toEqual([
      [true, 20],
      [false, 300],
      [false, 100_000],
      [false, 100_000],
      [false, 100_000],
    ]);
  });

  it('reports a delay when a lower limit leaves no slot free, as before', () => {
    const windows = createWindows();
    for (let call = 0; call < 59; call++) windows.take('general', T);
    expect(answer(windows, 'general', [{ limit: 30 }])).toEqual(DELAYED);
  });

  it('follows no limit above a cap', () => {
    const windows = createGeneralOnly(30, true);
    const limits = [300, 20, 300].map((limit) => {
      answer(windows, 'general', [{ limit }]);
      return windows.general.limit;
    });
    expect(limits).toEqual([30, 20, 30]);
  });

  it('follows no limit of the burst window above the configured one', () => {
    const windows = createWindows();
    const limits = [300, 4, 300].map((limit) => {
      answer(windows, 'burst', [{ limit, windowMs: 10_000 }]);
      return windows.burst?.limit;
    });
    expect(limits).toEqual([10, 4, 10]);
  });

  it('holds nothing below a cap while more than the cap remains', () => {
    const windows = createGeneralOnly(30, true);
    expect(answer(windows, 'general', [{ limit: 300, remaining: 200, resetInMs: 30_000 }])).toEqual(NOTHING_LEARNED);
    expect(windows.general.free(T)).toBe(29);
  });

  it('holds the slots below a cap that no longer remain', () => {
    const windows = createGeneralOnly(30, true);
    expect(answer(windows, 'general', [{ limit: 300, remaining: 12, resetInMs: 30_000 }])).toEqual(DELAYED);
    expect(windows.general.free(T)).toBe(12);
  });

  it('holds the first slot used by others until the reset, and the rest until a window has passed', () => {
    const windows = createWindows();
    expect(answer(windows, 'general', [{ limit: 60, remaining: 40, resetInMs: 20_000 }])).toEqual(DELAYED);
    expect([0, 19_999, 20_000, 40_000, 59_999].map((ms) => windows.general.free(T + ms))).toEqual([40, 40, 41, 50, 59]);
  });

  it.each([{ told: {} }, { told: { resetInMs: 3_600_000 } }])(
    'holds it for a window at most, told $told of the reset',
    ({ told }) => {
      const windows = createWindows();
      answer(windows, 'general', [{ remaining: 40, ...told }]);
      expect([T + 59_999, T + 60_000].map((nowMs) => windows.general.free(nowMs))).toEqual([40, 60]);
    },
  );

  it('holds a slot of others once, however many responses count it', () => {
    const windows = createWindows();
    const slots = [1, 2, 3].map(() => windows.take('general', T));
    const learned = slots.map((ofCall) => {
      const told = windows.learn(ofCall, [{ limit: 60, remaining: 50, resetInMs: 20_000 }], T + 100);
      windows.release(ofCall, T + 100);
      return told.isDelay;
    });
    expect([learned, windows.general.free(T + 100)]).toEqual([[true, false, false], 50]);
  });

  it('releases held slots when more remain than estimated, and no others', () => {
    const windows = createWindows();
    answer(windows, 'general', [{ remaining: 40 }]);
    expect(answer(windows, 'general', [{ limit: 60, remaining: 59 }])).toEqual(NOTHING_LEARNED);
    expect(windows.general.free(T)).toBe(58);
  });

  it('releases no more slots than remain after all calls in flight have arrived', () => {
    const windows = createWindows();
    answer(windows, 'general', [{ remaining: 40 }]);
    for (let call = 0; call < 3; call++) windows.take('general', T);
    const slots = windows.take('general', T);
    for (let call = 0; call < 2; call++) windows.take('general', T);
    const before = windows.general.free(T);
    // Of the 50 remaining slots, three calls that were in flight and two later ones may still take theirs.
    expect(windows.learn(slots, [{ remaining: 50 }], T)).toEqual(NOTHING_LEARNED);
    expect([before, windows.general.free(T)]).toEqual([34, 45]);
  });

  it('holds nothing for own calls that were sent before the response arrived', () => {
    const windows = createWindows();
    const slots = windows.take('general', T);
    for (let call = 0; call < 9; call++) windows.take('general', T + 10);
    expect(windows.learn(slots, [{ remaining: 50 }], T + 100)).toEqual(NOTHING_LEARNED);
    expect(windows.general.free(T + 100)).toBe(50);
  });

  it('holds nothing for own slots that became free before the response arrived', () => {
    const windows = createWindows();
    for (let call = 0; call < 20; call++) windows.release(windows.take('general', T - 60_000), T - 59_950);
    const slots = windows.take('general', T);
    expect(windows.learn(slots, [{ limit: 60, remaining: 39, resetInMs: 60_000 }], T + 100)).toEqual(NOTHING_LEARNED);
    expect(windows.general.free(T + 100)).toBe(59);
  });

  it('holds no slot while Postman counts only our calls, whatever is in flight', () => {
    const start = tuple(constantFrom<RouteClass>('general', 'burst'), nat(400), integer({ min: 1, max: 3_000 }));
    assert(
      property(array(start, { minLength: 1, maxLength: 60 }), nat(100), (calls, seenPercent) => {
        const windows = createWindows({ burst: { limit: 30, windowMs: 2_000 } });
        // When Postman counted each call of a class: at some moment between its sending and its response.
        const seen: { readonly routeClass: RouteClass; readonly atMs: number }[] = [];
        const events: { readonly atMs: number; readonly run: () => void }[] = [];
        let sentAtMs = T;
        for (const [routeClass, afterMs, latencyMs] of calls) {
          sentAtMs += afterMs;
          const sendMs = sentAtMs;
          const seenAtMs = sendMs + (latencyMs * seenPercent) / 100;
          seen.push({ routeClass, atMs: seenAtMs });
          const answeredAtMs = sendMs + latencyMs;
          const countSeen = (isCounted: (of: RouteClass) => boolean, windowMs: number) =>
            seen.filter(
              (call) => isCounted(call.routeClass) && call.atMs <= seenAtMs && call.atMs > seenAtMs - windowMs,
            ).length;
          let slots: ReturnType<RateWindows['take']>;
          events.push({ atMs: sendMs, run: () => void (slots = windows.take(routeClass, sendMs)) });
          events.push({
            atMs: answeredAtMs,
            run: () => {
              const announced = [
                { limit: 60, windowMs: 60_000, remaining: 60 - countSeen(() => true, 60_000) },
                { limit: 30, windowMs: 2_000, remaining: 30 - countSeen((of) => of === 'burst', 2_000) },
              ];
              expect(windows.learn(slots, announced, answeredAtMs)).toEqual({ isDelay: false, reportsBurst: true });
              windows.release(slots, answeredAtMs);
            },
          });
        }
        // Of events at the same moment, sending comes first.
        for (const { run } of events.toSorted((a, b) => a.atMs - b.atMs)) run();
      }),
      { numRuns: 200 },
    );
  });

  it('reports that the burst window was announced if its remaining count was', () => {
    const windows = createWindows();
    const told = [
      { limit: 10, windowMs: 10_000 },
      { limit: 10, windowMs: 10_000, remaining: 5, resetInMs: 0 },
      { limit: 60, windowMs: 60_000, remaining: 50 },
    ];
    expect(told.map((window) => answer(windows, 'burst', [window]).reportsBurst)).toEqual([false, true, false]);
    expect(answer(windows, 'general', [told[1] ?? {}, told[2] ?? {}]).reportsBurst).toBe(true);
    expect(answer(createGeneralOnly(), 'burst', [{ limit: 5, remaining: 1 }]).reportsBurst).toBe(false);
  });
});

describe('RateWindows.refused', () => {
  /** A call that gets a 429 at T, and the free slots then and later. */
  const refuse = (
    windows: RateWindows,
    routeClass: RouteClass,
    untilInMs: number,
    announced: readonly AnnouncedWindow[] = [],
  ) => {
    const slots = windows.take(routeClass, T);
    windows.learn(slots, announced, T);
    windows.refused(slots, announced, T + untilInMs, T);
    windows.release(slots, T);
    return (inMs: number) => windows.all().map((window) => window.free(T + inMs));
  };

  it('holds all free slots, and frees them evenly from the announced time on', () => {
    const freeIn = refuse(createWindows(), 'general', 6_000);
    expect([0, 5_999, 6_000, 33_000, 59_999, 60_000].map((inMs) => freeIn(inMs))).toEqual([
      [0, 10],
      [0, 10],
      [1, 10],
      [30, 10],
      [59, 10],
      [60, 10],
    ]);
  });

  it('assumes that the burst window is used up if a burst call may be repeated before it has passed', () => {
    const freeIn = refuse(createWindows(), 'burst', 10_000);
    expect([0, 9_999, 10_000].map((inMs) => freeIn(inMs))).toEqual([
      [59, 0],
      [59, 0],
      [59, 10],
    ]);
  });

  it('assumes the general window if a burst call may be repeated only later', () => {
    const freeIn = refuse(createWindows(), 'burst', 10_001);
    expect([0, 10_000, 10_001].map((inMs) => freeIn(inMs))).toEqual([
      [0, 9],
      [0, 10],
      [1, 10],
    ]);
  });

  it('assumes the general window if there is no other', () => {
    const freeIn = refuse(createGeneralOnly(), 'burst', 6_000);
    expect([0, 6_000].map((inMs) => freeIn(inMs))).toEqual([[0], [1]]);
  });

  it('holds nothing more if the response says which window is used up, and allows one call at the announced time', () => {
    const told = [
      { limit: 60, remaining: 30, windowMs: 60_000 },
      { limit: 10, remaining: 0, resetInMs: 10_000, windowMs: 10_000 },
    ];
    const freeIn = refuse(createWindows(), 'burst', 4_000, told);
    expect([0, 3_999, 4_000, 9_999, 10_000].map((inMs) => freeIn(inMs))).toEqual([
      [30, 0],
      [30, 0],
      [31, 1],
      [31, 1],
      [31, 10],
    ]);
  });

  it('leaves the burst window unchanged if the response says that another one is used up', () => {
    const told = [{ limit: 60, remaining: 0, resetInMs: 60_000, windowMs: 60_000 }];
    const freeIn = refuse(createWindows(), 'burst', 4_000, told);
    expect([0, 4_000, 10_000].map((inMs) => freeIn(inMs))).toEqual([
      [0, 9],
      [1, 9],
      [1, 10],
    ]);
  });

  it('holds all free slots if the response says that some remain', () => {
    const freeIn = refuse(createWindows(), 'general', 6_000, [{ limit: 60, remaining: 30, windowMs: 60_000 }]);
    expect([0, 6_000].map((inMs) => freeIn(inMs)[0])).toEqual([0, 1]);
  });
});

describe('learned windows', () => {
  const HOUR = { limit: 1_000, remaining: 999, resetInMs: 3_600_000, windowMs: 3_600_000 };

  it('count every call if a general call announced them', () => {
    const windows = createWindows();
    expect(answer(windows, 'general', [HOUR])).toEqual(DELAYED);
    const [, , learned] = windows.all();
    expect([limitsOf(windows.all()), windows.of('general'), windows.of('burst')]).toEqual([
      [
        [60, 60_000],
        [10, 10_000],
        [1_000, 3_600_000],
      ],
      [windows.general, learned],
      [windows.general, windows.burst, learned],
    ]);
  });

  it('count burst calls if a burst call announced them', () => {
    const windows = createWindows();
    answer(windows, 'burst', [HOUR]);
    const [, , learned] = windows.all();
    expect([windows.of('general'), windows.of('burst')]).toEqual([
      [windows.general],
      [windows.general, windows.burst, learned],
    ]);
    windows.take('general', T);
    const free = learned?.free(T);
    windows.take('burst', T);
    expect([free, learned?.free(T)]).toEqual([999, 998]);
  });

  it('are learned without a burst window too, for each class', () => {
    for (const [routeClass, ofGeneral] of [
      ['burst', 1],
      ['general', 2],
    ] as const) {
      const windows = createGeneralOnly();
      answer(windows, routeClass, [HOUR]);
      expect([windows.of('general').length, windows.of('burst').length, windows.all().length]).toEqual([
        ofGeneral,
        2,
        2,
      ]);
    }
  });

  it('count the calls in flight, each until its response', () => {
    const windows = createWindows();
    const [first, second] = [windows.take('general', T), windows.take('burst', T)];
    windows.take('burst', T);
    const over = windows.take('general', T);
    windows.release(over, T);
    expect(windows.learn(first, [{ ...HOUR, remaining: 996 }], T + 100)).toEqual(DELAYED);
    const [, , learned] = windows.all();
    // Three of our calls are in flight; the fourth has ended and counts as another client's.
    const free = learned?.free(T + 100);
    windows.release(first, T + 100);
    windows.release(second, T + 200);
    expect([free, inUse(learned, T + 200)]).toEqual([
      996,
      { takenCalls: 1, releasesAtMs: [T + 3_600_100, T + 3_600_100, T + 3_600_200] },
    ]);
  });

  it('count no call in flight of another class', () => {
    const windows = createWindows();
    const general = windows.take('general', T);
    const burst = windows.take('burst', T);
    windows.learn(burst, [HOUR], T + 100);
    const [, , learned] = windows.all();
    windows.release(general, T + 100);
    windows.release(burst, T + 100);
    expect(inUse(learned, T + 100)).toEqual({ takenCalls: 0, releasesAtMs: [T + 3_600_100] });
  });

  it('take calls made since into account when they estimate the use by others', () => {
    const windows = createWindows();
    const first = windows.take('general', T);
    const second = windows.take('general', T);
    windows.learn(first, [HOUR], T + 100);
    windows.take('general', T + 100);
    // Postman may have counted three of our calls when it counted the second.
    expect(windows.learn(second, [{ ...HOUR, remaining: 997 }], T + 200)).toEqual(NOTHING_LEARNED);
    expect(windows.learn(second, [{ ...HOUR, remaining: 990 }], T + 200)).toEqual(DELAYED);
    expect(windows.all()[2]?.free(T + 200)).toBe(990);
  });

  it('follow announced limits, lower and higher, up to the highest that can be configured', () => {
    const windows = createWindows();
    const limits = [2_147_483_647, 50, 500, 2_147_483_647].map((limit) => {
      answer(windows, 'general', [{ limit, windowMs: 3_600_000 }]);
      return windows.all()[2]?.limit;
    });
    expect([windows.all().length, limits]).toEqual([3, [100_000, 50, 500, 100_000]]);
  });

  it('are not bound by the cap of the general window', () => {
    const windows = createGeneralOnly(30, true);
    answer(windows, 'general', [HOUR]);
    expect(limitsOf(windows.all())).toEqual([
      [30, 60_000],
      [1_000, 3_600_000],
    ]);
  });

  it('are not learned without a limit', () => {
    const windows = createWindows();
    expect(answer(windows, 'general', [{ remaining: 5, windowMs: 3_600_000 }])).toEqual(NOTHING_LEARNED);
    expect(windows.all()).toHaveLength(2);
  });

  it.each([
    { what: 'with a burst window', create: createWindows, known: 2 },
    { what: 'without one', create: createGeneralOnly, known: 1 },
  ])('are four at most, $what', ({ create, known }) => {
    const windows = create();
    const learned = [1, 2, 3, 4, 5, 6].map((hours) =>
      answer(windows, hours === 2 ? 'burst' : 'general', [{ ...HOUR, windowMs: hours * 3_600_000 }]),
    );
    expect(learned).toEqual([DELAYED, DELAYED, DELAYED, DELAYED, NOTHING_LEARNED, NOTHING_LEARNED]);
    expect(windows.all().length).toBe(known + 4);
  });

  it('are still followed when no more can be learned', () => {
    const windows = createWindows();
    const lengths = [1, 2, 3, 4, 5].map((hours) => hours * 3_600_000);
    answer(
      windows,
      'general',
      lengths.map((windowMs) => ({ ...HOUR, windowMs })),
    );
    answer(windows, 'general', [{ limit: 77, windowMs: 4 * 3_600_000 }]);
    expect(windows.all()[5]?.limit).toBe(77);
  });
});

describe('windows of two keys of one user', () => {
  it('add up the slots in use of both', () => {
    const windows = createWindows();
    const other = createWindows();
    other.release(other.take('burst', T - 1_000), T - 500);
    other.release(other.take('general', T - 1_000), T - 400);
    const out = other.take('burst', T);
    windows.take('general', T);
    windows.absorb(other, [out], T);
    expect(windows.all().map((window) => inUse(window, T))).toEqual([
      { takenCalls: 2, releasesAtMs: [T + 59_500, T + 59_600] },
      { takenCalls: 1, releasesAtMs: [T + 9_500] },
    ]);
    windows.release(out, T + 100);
    expect(other.all().map((window) => inUse(window, T + 100).takenCalls)).toEqual([0, 0]);
    expect(windows.all().map((window) => inUse(window, T + 100))).toEqual([
      { takenCalls: 1, releasesAtMs: [T + 59_500, T + 59_600, T + 60_100] },
      { takenCalls: 0, releasesAtMs: [T + 9_500, T + 10_100] },
    ]);
  });

  it('give back the slots of a general call, and none of the burst window', () => {
    const windows = createWindows();
    const other = createWindows();
    const general = other.take('general', T);
    const held = other.take('burst', T);
    windows.absorb(other, [general, held], T);
    windows.release(general, T + 100);
    expect([held.taken.length, ...windows.all().map((window) => inUse(window, T + 100))]).toEqual([
      2,
      { takenCalls: 1, releasesAtMs: [T + 60_100] },
      { takenCalls: 1, releasesAtMs: [] },
    ]);
  });

  it('are merged without a burst window', () => {
    const windows = createGeneralOnly();
    const other = createGeneralOnly();
    const slots = other.take('burst', T);
    windows.absorb(other, [slots], T);
    windows.release(slots, T + 100);
    expect(inUse(windows.general, T + 100)).toEqual({ takenCalls: 0, releasesAtMs: [T + 60_100] });
  });

  it('merge the general windows if only one key has a burst window', () => {
    const withBurst = createWindows();
    const without = createGeneralOnly();
    const own = withBurst.take('burst', T);
    const others = without.take('burst', T);
    without.absorb(withBurst, [own], T);
    expect([without.general.free(T), withBurst.general.free(T), withBurst.burst?.free(T)]).toEqual([58, 60, 10]);
    withBurst.absorb(without, [own, others], T);
    expect([without.general.free(T), withBurst.general.free(T), withBurst.burst?.free(T)]).toEqual([60, 58, 8]);
  });

  it('follow a limit announced by the response of a call in flight, and ignore its remaining count', () => {
    const windows = createWindows();
    const other = createWindows();
    const slots = other.take('general', T - 1_000);
    for (let call = 0; call < 20; call++) windows.take('general', T);
    windows.absorb(other, [slots], T);
    windows.learn(slots, [{ limit: 50, remaining: 5, windowMs: 60_000 }], T);
    expect(windows.general.free(T)).toBe(50 - 21);
  });
});

describe('a limit that is no longer announced', () => {
  const silent = (windows: RateWindows, routeClass: RouteClass, nowMs: number) =>
    answer(windows, routeClass, [], { sentAtMs: nowMs, nowMs });

  it.each([1, 300])('of %i is forgotten after two windows of responses without it', (limit) => {
    const windows = createGeneralOnly();
    answer(windows, 'general', [{ limit }]);
    silent(windows, 'general', 500_000);
    silent(windows, 'general', 619_999);
    expect(windows.general.limit).toBe(limit);
    silent(windows, 'general', 620_000);
    expect(windows.general.limit).toBe(60);
  });

  it('applies while there are no responses, and starts again with each response that announces it', () => {
    const windows = createGeneralOnly();
    answer(windows, 'general', [{ limit: 7 }]);
    silent(windows, 'general', 100_000);
    answer(windows, 'general', [{ limit: 7 }], { sentAtMs: 219_000, nowMs: 219_000 });
    silent(windows, 'general', 900_000);
    silent(windows, 'general', 1_019_999);
    expect(windows.general.limit).toBe(7);
    silent(windows, 'general', 1_020_000);
    expect(windows.general.limit).toBe(60);
  });

  it('of the burst window expires only by responses of its class', () => {
    const windows = createWindows();
    answer(windows, 'burst', [{ limit: 3, windowMs: 10_000 }]);
    for (const nowMs of [10_000, 30_000, 900_000]) silent(windows, 'general', nowMs);
    expect(windows.burst?.limit).toBe(3);
    for (const nowMs of [910_000, 930_000]) silent(windows, 'burst', nowMs);
    expect(windows.burst?.limit).toBe(10);
  });

  it('of the general window does not expire by responses of the other class that announce their own limit', () => {
    const windows = createWindows();
    answer(windows, 'general', [{ limit: 7, windowMs: 60_000 }]);
    for (const nowMs of [100_000, 900_000])
      answer(windows, 'burst', [{ limit: 10, windowMs: 10_000 }], { sentAtMs: nowMs, nowMs });
    expect(windows.general.limit).toBe(7);
    for (const nowMs of [1_000_000, 1_120_000]) silent(windows, 'burst', nowMs);
    expect(windows.general.limit).toBe(60);
  });

  it('of the general window expires by responses of its class that announce another limit', () => {
    const windows = createWindows();
    answer(windows, 'general', [{ limit: 7, windowMs: 60_000 }]);
    for (const nowMs of [100_000, 220_000])
      answer(windows, 'general', [{ limit: 500, windowMs: 3_600_000 }], { sentAtMs: nowMs, nowMs });
    expect(limitsOf(windows.all())).toEqual([
      [60, 60_000],
      [10, 10_000],
      [500, 3_600_000],
    ]);
  });

  it('of a learned window removes the window for every class, so that another can be learned', () => {
    const windows = createWindows();
    for (const windowMs of [1_000, 2_000, 3_000, 4_000, 5_000]) answer(windows, 'general', [{ limit: 1, windowMs }]);
    expect(windows.all()).toHaveLength(6);
    for (const nowMs of [100_000, 108_000]) silent(windows, 'general', nowMs);
    expect(limitsOf(windows.all())).toEqual([
      [60, 60_000],
      [10, 10_000],
    ]);
    expect(limitsOf(windows.of('burst'))).toEqual(limitsOf(windows.all()));
    answer(windows, 'general', [{ limit: 1, windowMs: 5_000 }], { sentAtMs: 108_000, nowMs: 108_000 });
    expect(limitsOf(windows.all())).toContainEqual([1, 5_000]);
  });

  it('leaves the calls in flight counted', () => {
    const windows = createWindows();
    answer(windows, 'general', [{ limit: 1, windowMs: 1_000 }]);
    const out = windows.take('general', 7_000);
    for (const nowMs of [8_000, 10_000]) silent(windows, 'general', nowMs);
    expect(windows.all()).toHaveLength(2);
    windows.release(out, 11_000);
    expect(windows.general.free(11_000)).toBe(56);
  });
});

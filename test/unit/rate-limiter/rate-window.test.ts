import { array, assert, constantFrom, integer, nat, property, tuple } from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  createRateWindow,
  type RateWindow,
  type SlotMark,
} from '../../../src/upstream/rate-limiter/windows/rate-window.ts';
import { inUse } from '../../support/in-use.ts';

const T = 5_000;

/** Elements that are copied out of lists while this runs. */
function countCopied(run: () => void): number {
  const { slice } = Array.prototype;
  let copied = 0;
  const slices = vi.spyOn(Array.prototype, 'slice').mockImplementation(function countSlice(this: unknown[], ...range) {
    const part = slice.apply(this, range);
    copied += part.length;
    return part;
  });
  try {
    run();
  } finally {
    slices.mockRestore();
  }
  return copied;
}

/** A time that tells how often it has been compared. */
function createCountedTime(atMs: number) {
  const time = { comparisons: 0, valueOf: () => (time.comparisons++, atMs) };
  return { time, asMs: time as unknown as number };
}

/** What the answer to a call says that was sent at the mark, and does not count: so many slots were left. */
const learn = (window: RateWindow, mark: SlotMark, remaining: number, nowMs = T) =>
  window.externalUse.learn({ remaining }, mark, false, nowMs);

/** A window of 3 per second of which one slot is free, one comes back at T + 400, and one hangs on a call still out. */
function createUsedWindow() {
  const window = createRateWindow(3, 1_000);
  window.take();
  window.take();
  window.release(T - 600);
  return window;
}

describe('createRateWindow', () => {
  it('has all its slots at first', () => {
    const window = createRateWindow(3, 1_000);
    expect([window.limit, window.windowMs, window.free(T), window.restoredAtMs(T)]).toEqual([3, 1_000, 3, T]);
  });

  it('keeps a slot from sending until one window after the response', () => {
    const window = createRateWindow(1, 1_000);
    window.take();
    expect([window.free(T), window.nextReleaseAtMs(T)]).toEqual([0, Infinity]);
    expect(window.free(T + 5_000)).toBe(0);
    window.release(T + 5_000);
    expect(window.nextReleaseAtMs(T + 5_000)).toBe(T + 6_000);
    expect([window.free(T + 5_999), window.free(T + 6_000)]).toEqual([0, 1]);
  });

  it('tells when each of its slots can next be taken', () => {
    const window = createUsedWindow();
    expect([0, 1, 2].map((index) => window.slotAtMs(T, index, 100))).toEqual([T, T + 400, T + 1_100]);
  });

  it('agrees with itself about its slots, whatever has happened', () => {
    assert(
      property(
        integer({ min: 1, max: 12 }),
        array(tuple(constantFrom('take', 'release', 'hold', 'limit'), nat(1_500)), { maxLength: 40 }),
        (limit, events) => {
          const window = createRateWindow(limit, 1_000);
          let nowMs = T;
          let out = 0;
          for (const [event, number] of events) {
            nowMs += number % 300;
            if (event === 'take' && window.free(nowMs) > 0) {
              window.take();
              out++;
            }
            if (event === 'release' && out > 0) {
              window.release(nowMs);
              out--;
            }
            if (event === 'hold')
              window.externalUse.hold(
                Math.min(number % 4, window.free(nowMs)),
                nowMs + (number % 1_000),
                nowMs + (number % 1_000),
              );
            if (event === 'limit') window.setLimit(1 + (number % 12));
          }
          const slots = Array.from({ length: window.limit }, (_, index) => window.slotAtMs(nowMs, index, 50));
          expect(slots).toEqual([...slots].sort((a, b) => a - b));
          expect(slots.filter((atMs) => atMs <= nowMs)).toHaveLength(window.free(nowMs));
          // As foretold, when calls still out are answered after 50 ms.
          const freeAt = (atMs: number) => slots.filter((slotAtMs) => slotAtMs <= atMs).length;
          nowMs += 50;
          for (; out > 0; out--) window.release(nowMs);
          for (let index = 0; index <= 21; index++) {
            expect(window.free(nowMs + index * 50)).toBe(freeAt(nowMs + index * 50));
          }
          expect(window.restoredAtMs(nowMs)).toBeLessThanOrEqual(nowMs + 1_000);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('holds slots others have used until they come back, each lot for itself', () => {
    const window = createRateWindow(10, 1_000);
    window.externalUse.hold(4, T + 900, T + 900);
    window.externalUse.hold(3, T + 300, T + 300);
    expect([window.free(T), window.nextReleaseAtMs(T), window.restoredAtMs(T)]).toEqual([3, T + 300, T + 900]);
    expect([window.free(T + 300), window.free(T + 899), window.free(T + 900)]).toEqual([6, 6, 10]);
  });

  it('pays the debt of a lowered limit before it gives a slot away', () => {
    const window = createRateWindow(4, 1_000);
    for (const ms of [0, 100, 200]) {
      window.take();
      window.release(T + ms);
    }
    window.take();
    window.setLimit(2);
    const nowMs = T + 300;
    expect(window.free(nowMs)).toBe(0);
    expect([0, 1].map((index) => window.slotAtMs(nowMs, index, 50) - T)).toEqual([1_200, 1_350]);
    expect([window.free(T + 1_100), window.free(T + 1_200)]).toEqual([0, 1]);
  });

  it('never has a limit below one', () => {
    const window = createRateWindow(4, 1_000);
    window.setLimit(0);
    expect(window.limit).toBe(1);
  });

  it('counts a call still out as answered now when it tells when it is as if unused', () => {
    const window = createRateWindow(4, 1_000);
    window.take();
    expect(window.restoredAtMs(T)).toBe(T + 1_000);
  });

  it('gives slots back where those others have used come back later', () => {
    const window = createRateWindow(10, 1_000);
    window.externalUse.hold(2, T + 5_000, T + 5_000);
    window.take();
    window.release(T);
    window.externalUse.hold(2, T + 500, T + 500);
    window.externalUse.hold(1, T + 1_000, T + 1_000);
    expect(inUse(window, T)).toEqual({
      takenCalls: 0,
      releasesAtMs: [T + 500, T + 500, T + 1_000, T + 1_000, T + 5_000, T + 5_000],
    });
    expect([window.free(T + 499), window.free(T + 500), window.free(T + 1_000), window.free(T + 5_000)]).toEqual([
      4, 6, 8, 10,
    ]);
  });

  it('gives slots back where some have come back and others come back later', () => {
    const window = createRateWindow(10, 1_000);
    window.externalUse.hold(1, T + 100, T + 100);
    window.externalUse.hold(1, T + 900, T + 900);
    const before = window.free(T + 100);
    window.externalUse.hold(1, T + 500, T + 500);
    expect([before, inUse(window, T + 100)]).toEqual([9, { takenCalls: 0, releasesAtMs: [T + 500, T + 900] }]);
  });

  it('has a slot back at once that was taken and not used', () => {
    const window = createUsedWindow();
    window.giveBack();
    expect([window.free(T), inUse(window, T)]).toEqual([2, { takenCalls: 0, releasesAtMs: [T + 400] }]);
  });

  it('follows a raised limit at once', () => {
    const window = createUsedWindow();
    window.setLimit(10);
    expect([window.limit, window.free(T)]).toEqual([10, 8]);
  });

  it('is as if unused once all of many slots have come back', () => {
    const window = createRateWindow(200, 1_000);
    window.externalUse.hold(65, T, T);
    window.externalUse.hold(65, T + 10, T + 10);
    expect([window.free(T), window.restoredAtMs(T), window.nextReleaseAtMs(T)]).toEqual([135, T + 10, T + 10]);
    expect([window.free(T + 10), window.restoredAtMs(T + 10), window.nextReleaseAtMs(T + 10)]).toEqual([
      200,
      T + 10,
      Infinity,
    ]);
    expect(inUse(window, T + 10)).toEqual({ takenCalls: 0, releasesAtMs: [] });
    expect(window.slotAtMs(T + 10, 199, 50)).toBe(T + 10);
  });
});

describe('what others have used', () => {
  it('comes back evenly from the first time to the second, a moment for each', () => {
    const window = createRateWindow(10, 1_000);
    window.externalUse.hold(4, T + 200, T + 1_000);
    expect(inUse(window, T)).toEqual({ takenCalls: 0, releasesAtMs: [200, 400, 600, 800].map((ms) => T + ms) });
    expect([window.free(T), window.free(T + 400)]).toEqual([6, 8]);
  });

  it('comes back in sixty lots at most, and all at once where the second time is not after the first', () => {
    const window = createRateWindow(1_000, 1_000);
    window.externalUse.hold(125, T + 400, T + 1_000);
    const { releasesAtMs } = inUse(window, T);
    expect([releasesAtMs.length, new Set(releasesAtMs).size, releasesAtMs[0], releasesAtMs.at(-1)]).toEqual([
      125,
      60,
      T + 400,
      T + 990,
    ]);
    const other = createRateWindow(10, 1_000);
    other.externalUse.hold(2, T + 500, T + 100);
    expect(inUse(other, T).releasesAtMs).toEqual([T + 500, T + 500]);
  });

  it('is let go, the soonest first, as far as it was held before', () => {
    const window = createRateWindow(10, 1_000);
    window.externalUse.hold(3, T + 300, T + 900);
    const mark = window.externalUse.mark(T);
    window.externalUse.hold(1, T + 100, T + 100);
    // Nine were left, less the one that was held since; as far as is known six are free, so two less are held.
    learn(window, mark, 9);
    expect(inUse(window, T).releasesAtMs).toEqual([T + 500, T + 700]);
    learn(window, mark, 20);
    expect(inUse(window, T).releasesAtMs).toEqual([T + 700]);
    learn(window, mark, 20);
    window.take();
    learn(window, window.externalUse.mark(T), 8);
    expect(inUse(window, T)).toEqual({ takenCalls: 1, releasesAtMs: [T + 700] });
  });

  it('has one slot back sooner where upstream says so', () => {
    const window = createRateWindow(10, 1_000);
    window.externalUse.bringForward(T + 100, T);
    expect(inUse(window, T).releasesAtMs).toEqual([]);
    window.externalUse.hold(2, T + 500, T + 900);
    window.externalUse.bringForward(T + 200, T);
    window.externalUse.bringForward(T + 300, T);
    expect(inUse(window, T).releasesAtMs).toEqual([T + 200, T + 700]);
    window.externalUse.bringForward(T + 600, T + 300);
    expect(inUse(window, T + 300).releasesAtMs).toEqual([T + 600]);
  });
});

describe('a mark', () => {
  it('tells what calls of our own used then and have used since, whatever has come back', () => {
    const window = createUsedWindow();
    const mark = window.externalUse.mark(T);
    expect(mark).toEqual({ localUsed: 2, callsInFlight: 1, totalTaken: 2, totalHeld: 0 });
    window.take();
    window.release(T + 50);
    window.externalUse.hold(3, T + 100, T + 100);
    const later = window.externalUse.mark(T + 400);
    expect(later).toEqual({ localUsed: 2, callsInFlight: 1, totalTaken: 3, totalHeld: 3 });
    // Upstream can have seen three of our own since the first mark, and two since the second.
    learn(window, mark, 0, T + 400);
    expect(inUse(window, T + 400).releasesAtMs).toEqual([T + 1_050]);
    learn(window, later, 0, T + 400);
    expect(inUse(window, T + 400).releasesAtMs).toEqual([T + 1_050, T + 1_400]);
  });

  it('counts what has been taken over since', () => {
    const window = createRateWindow(10, 1_000);
    const mark = window.externalUse.mark(T);
    window.externalUse.absorb(createUsedWindow(), T);
    learn(window, mark, 8);
    expect(inUse(window, T).releasesAtMs).toEqual([T + 400]);
    learn(window, mark, 7);
    expect(inUse(window, T).releasesAtMs).toEqual([T + 400, T + 1_000]);
  });
});

describe('RateWindow.absorb', () => {
  it('takes over calls that are out and slots that have yet to come back', () => {
    const window = createUsedWindow();
    const other = createRateWindow(10, 1_000);
    other.externalUse.hold(1, T - 100, T - 100);
    other.externalUse.hold(2, T + 200, T + 200);
    other.externalUse.hold(1, T + 700, T + 700);
    other.take();
    window.setLimit(10);
    window.externalUse.absorb(other, T);
    // Two of those that the other takes for somebody else's are this one's own.
    expect([window.free(T), inUse(window, T)]).toEqual([6, { takenCalls: 2, releasesAtMs: [T + 400, T + 700] }]);
    window.release(T + 50);
    window.release(T + 60);
    expect(inUse(window, T + 400)).toEqual({ takenCalls: 0, releasesAtMs: [T + 700, T + 1_050, T + 1_060] });
    expect(inUse(other, T)).toEqual({ takenCalls: 1, releasesAtMs: [T + 200, T + 200, T + 700] });
  });

  it('takes over nothing that has come back, nor forgets what has', () => {
    const window = createRateWindow(10, 1_000);
    const other = createRateWindow(10, 1_000);
    for (const used of [window, other]) used.externalUse.hold(4, T, T);
    window.free(T);
    window.externalUse.absorb(other, T);
    expect([window.free(T), inUse(window, T)]).toEqual([10, { takenCalls: 0, releasesAtMs: [] }]);
  });
});

describe('a window of 100,000 slots', () => {
  const COUNT = 100_000;

  /** All of them used, and coming back one every hundredth of a millisecond from T + 1000 on, after so long. */
  const createFullWindow = (afterMs = 0) => {
    const window = createRateWindow(COUNT, 1_000);
    for (let slot = 0; slot < COUNT; slot++) window.take();
    for (let slot = 0; slot < COUNT; slot++) window.release(T + afterMs + slot / 100);
    return window;
  };

  it('copies hardly more than each slot once while they are taken and come back one after the other', () => {
    let window = createRateWindow(1, 1_000);
    const free: number[] = [];
    const copied = countCopied(() => {
      window = createFullWindow();
      for (let slot = 0; slot < COUNT; slot++) {
        const nowMs = T + 1_000 + slot / 100;
        free.push(window.free(nowMs));
        window.nextReleaseAtMs(nowMs);
        window.slotAtMs(nowMs, COUNT - 1, 0);
        window.restoredAtMs(nowMs);
      }
    });
    expect([free[0], free.at(-1), free.findIndex((count, index) => count !== index + 1)]).toEqual([1, COUNT, -1]);
    expect(copied).toBeLessThan(2 * COUNT);
  });

  it('looks at a slot that has come back once, and at one that has not no more than each time it is asked', () => {
    const window = createFullWindow();
    const { time, asMs } = createCountedTime(T + 1_499.995);
    expect(window.free(asMs)).toBe(COUNT / 2);
    expect(time.comparisons).toBeLessThanOrEqual(COUNT / 2 + 2);
    window.nextReleaseAtMs(asMs);
    window.externalUse.mark(asMs);
    expect(time.comparisons).toBeLessThanOrEqual(COUNT / 2 + 6);
  });

  it('copies each slot a few times when it takes over another like it', () => {
    const window = createFullWindow();
    const other = createFullWindow(0.005);
    const copied = countCopied(() => window.externalUse.absorb(other, T));
    expect(copied).toBeLessThanOrEqual(4 * COUNT);
    const { releasesAtMs } = inUse(window, T);
    expect(releasesAtMs).toHaveLength(2 * COUNT);
    expect(releasesAtMs).toEqual([...releasesAtMs].sort((a, b) => a - b));
  });

  it('forgets what has come back', () => {
    const window = createFullWindow();
    window.free(T + 10_000);
    expect(countCopied(() => window.externalUse.hold(2, T + 20_000, T + 20_000))).toBe(0);
    expect(countCopied(() => window.externalUse.hold(1, T + 15_000, T + 15_000))).toBeLessThanOrEqual(2);
  });
});

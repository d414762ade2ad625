import { array, assert, constantFrom, integer, nat, property, tuple } from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  createRateWindow,
  type RateWindow,
  type SlotMark,
} from '../../../src/upstream/rate-limiter/windows/rate-window.ts';
import { inUse } from '../../support/in-use.ts';

const T = 5_000;

/** Counts the list elements copied while this runs. */
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

/** A time that counts its comparisons. */
function createCountedTime(atMs: number) {
  const time = { comparisons: 0, valueOf: () => (time.comparisons++, atMs) };
  return { time, asMs: time as unknown as number };
}

/** Learns from the response of an uncounted call sent at the mark: so many slots remain. */
const learn = (window: RateWindow, mark: SlotMark, remaining: number, nowMs = T) =>
  window.externalUse.learn({ remaining }, mark, false, nowMs);

/** A window of 3 per second with one free slot, one that is free at T + 400, and one of a call in flight. */
function createUsedWindow() {
  const window = createRateWindow(3, 1_000);
  window.take();
  window.take();
  window.release(T - 600);
  return window;
}

describe('createRateWindow', () => {
  it('starts with all slots free', () => {
    const window = createRateWindow(3, 1_000);
    expect([window.limit, window.windowMs, window.free(T), window.restoredAtMs(T)]).toEqual([3, 1_000, 3, T]);
  });

  it('frees a slot one window after the response', () => {
    const window = createRateWindow(1, 1_000);
    window.take();
    expect([window.free(T), window.nextReleaseAtMs(T)]).toEqual([0, Infinity]);
    expect(window.free(T + 5_000)).toBe(0);
    window.release(T + 5_000);
    expect(window.nextReleaseAtMs(T + 5_000)).toBe(T + 6_000);
    expect([window.free(T + 5_999), window.free(T + 6_000)]).toEqual([0, 1]);
  });

  it('predicts when each of its slots can next be taken', () => {
    const window = createUsedWindow();
    expect([0, 1, 2].map((index) => window.slotAtMs(T, index, 100))).toEqual([T, T + 400, T + 1_100]);
  });

  it('is consistent about its slots after any history', () => {
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
          // As predicted, if calls in flight end after 50 ms.
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

  it('holds slots used by others until they are free, each lot separately', () => {
    const window = createRateWindow(10, 1_000);
    window.externalUse.hold(4, T + 900, T + 900);
    window.externalUse.hold(3, T + 300, T + 300);
    expect([window.free(T), window.nextReleaseAtMs(T), window.restoredAtMs(T)]).toEqual([3, T + 300, T + 900]);
    expect([window.free(T + 300), window.free(T + 899), window.free(T + 900)]).toEqual([6, 6, 10]);
  });

  it('frees no slot until the slots in use are below a lowered limit', () => {
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

  it('assumes that calls in flight end now when it predicts when it is unused', () => {
    const window = createRateWindow(4, 1_000);
    window.take();
    expect(window.restoredAtMs(T)).toBe(T + 1_000);
  });

  it('frees own slots that come before slots of others', () => {
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

  it('frees own slots when some are free and slots of others come later', () => {
    const window = createRateWindow(10, 1_000);
    window.externalUse.hold(1, T + 100, T + 100);
    window.externalUse.hold(1, T + 900, T + 900);
    const before = window.free(T + 100);
    window.externalUse.hold(1, T + 500, T + 500);
    expect([before, inUse(window, T + 100)]).toEqual([9, { takenCalls: 0, releasesAtMs: [T + 500, T + 900] }]);
  });

  it('frees a slot that was not used at once', () => {
    const window = createUsedWindow();
    window.giveBack();
    expect([window.free(T), inUse(window, T)]).toEqual([2, { takenCalls: 0, releasesAtMs: [T + 400] }]);
  });

  it('follows a raised limit at once', () => {
    const window = createUsedWindow();
    window.setLimit(10);
    expect([window.limit, window.free(T)]).toEqual([10, 8]);
  });

  it('is unused once all of many slots are free', () => {
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

describe('slots used by others', () => {
  it('become free evenly between the two times, each at its own time', () => {
    const window = createRateWindow(10, 1_000);
    window.externalUse.hold(4, T + 200, T + 1_000);
    expect(inUse(window, T)).toEqual({ takenCalls: 0, releasesAtMs: [200, 400, 600, 800].map((ms) => T + ms) });
    expect([window.free(T), window.free(T + 400)]).toEqual([6, 8]);
  });

  it('become free in sixty lots at most, and all at once if the second time is not after the first', () => {
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

  it('are released, soonest first, if they were held before the call', () => {
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

  it('are freed earlier, one slot, when Postman says so', () => {
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
  it('records slots used by our own calls then and since, whatever has become free', () => {
    const window = createUsedWindow();
    const mark = window.externalUse.mark(T);
    expect(mark).toEqual({ localUsed: 2, callsInFlight: 1, totalTaken: 2, totalHeld: 0 });
    window.take();
    window.release(T + 50);
    window.externalUse.hold(3, T + 100, T + 100);
    const later = window.externalUse.mark(T + 400);
    expect(later).toEqual({ localUsed: 2, callsInFlight: 1, totalTaken: 3, totalHeld: 3 });
    // Postman may have counted three of our calls since the first mark, and two since the second.
    learn(window, mark, 0, T + 400);
    expect(inUse(window, T + 400).releasesAtMs).toEqual([T + 1_050]);
    learn(window, later, 0, T + 400);
    expect(inUse(window, T + 400).releasesAtMs).toEqual([T + 1_050, T + 1_400]);
  });

  it('counts slots absorbed since', () => {
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
  it('takes over calls in flight and slots that are not free yet', () => {
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

  it('takes over no slots that are free again, and keeps its own', () => {
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

  it('copies each slot about once while slots are taken and freed one after the other', () => {
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

  it('reads a slot that became free once, and one in use at most once per query', () => {
    const window = createFullWindow();
    const { time, asMs } = createCountedTime(T + 1_499.995);
    expect(window.free(asMs)).toBe(COUNT / 2);
    expect(time.comparisons).toBeLessThanOrEqual(COUNT / 2 + 2);
    window.nextReleaseAtMs(asMs);
    window.externalUse.mark(asMs);
    expect(time.comparisons).toBeLessThanOrEqual(COUNT / 2 + 6);
  });

  it('copies each slot a few times when it absorbs an equal window', () => {
    const window = createFullWindow();
    const other = createFullWindow(0.005);
    const copied = countCopied(() => window.externalUse.absorb(other, T));
    expect(copied).toBeLessThanOrEqual(4 * COUNT);
    const { releasesAtMs } = inUse(window, T);
    expect(releasesAtMs).toHaveLength(2 * COUNT);
    expect(releasesAtMs).toEqual([...releasesAtMs].sort((a, b) => a - b));
  });

  it('drops slots that are free again', () => {
    const window = createFullWindow();
    window.free(T + 10_000);
    expect(countCopied(() => window.externalUse.hold(2, T + 20_000, T + 20_000))).toBe(0);
    expect(countCopied(() => window.externalUse.hold(1, T + 15_000, T + 15_000))).toBeLessThanOrEqual(2);
  });
});

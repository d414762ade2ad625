import { array, assert, constantFrom, integer, nat, property, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRateWindow } from '../../src/upstream/rate-window.ts';

const T = 5_000;

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
            if (event === 'hold') window.hold(Math.min(number % 4, window.free(nowMs)), nowMs + (number % 1_000));
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
      { numRuns: 300, seed: 7 },
    );
  });

  it('holds slots others have used until they come back, each lot for itself', () => {
    const window = createRateWindow(10, 1_000);
    window.hold(4, T + 900);
    window.hold(3, T + 300);
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
});

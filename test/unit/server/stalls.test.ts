import { array, assert, integer, property } from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Stalls, watchStalls } from '../../../src/server/http/connections/stalls.ts';

describe('extra time after a stall', () => {
  const intervalMs = 500;
  const longestMs = 30_000;
  let nowMs: number;
  let stalls: Stalls;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
    nowMs = 1_000;
    stalls = watchStalls({ intervalMs, longestMs });
  });
  afterEach(() => {
    stalls.stop();
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  /** Lets time pass while the timer runs regularly. */
  function run(ms: number) {
    for (let passedMs = 0; passedMs < ms; passedMs += intervalMs) {
      nowMs += Math.min(intervalMs, ms - passedMs);
      vi.advanceTimersByTime(intervalMs);
    }
  }

  it('is zero without a stall', () => {
    expect(stalls.extraMs(5_000)).toBe(0);
    run(60_000);
    expect(stalls.extraMs(5_000)).toBe(0);
    // A timer that is late by one interval is normal in a busy process.
    nowMs += 2 * intervalMs;
    vi.advanceTimersByTime(intervalMs);
    expect(stalls.extraMs(5_000)).toBe(0);
  });

  it('is granted before the timer has run, and as long as the stall is within the period', () => {
    run(10_000);
    nowMs += 15_000;
    expect(stalls.extraMs(5_000)).toBe(14_500);
    // The timer runs after that, and counts nothing twice.
    vi.advanceTimersByTime(intervalMs);
    run(5_000);
    expect(stalls.extraMs(5_000)).toBe(14_500);
    expect(stalls.extraMs(9_000)).toBe(14_500);
    run(500);
    expect(stalls.extraMs(5_000)).toBe(0);
    expect(stalls.extraMs(9_000)).toBe(14_500);
  });

  it('adds up over stalls in quick succession', () => {
    nowMs += 4_000;
    vi.advanceTimersByTime(intervalMs);
    run(2_000);
    nowMs += 10_000;
    vi.advanceTimersByTime(intervalMs);
    run(1_000);
    expect(stalls.extraMs(3_499)).toBe(9_500);
    expect(stalls.extraMs(3_500)).toBe(13_000);
  });

  it('makes every period contain its full length of unblocked time, whenever the stalls occur', () => {
    assert(
      property(
        array(integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 400 }),
        integer({ min: 1, max: longestMs }),
        (gaps, periodMs) => {
          const watch = watchStalls({ intervalMs, longestMs });
          const looks = [{ atMs: nowMs, attentiveMs: 0 }];
          for (const gapMs of gaps) {
            nowMs += gapMs;
            watch.extraMs(0);
            const { attentiveMs } = looks.at(-1)!;
            looks.push({ atMs: nowMs, attentiveMs: attentiveMs + (gapMs > 2 * intervalMs ? intervalMs : gapMs) });
          }
          const extraMs = watch.extraMs(periodMs);
          const end = looks.at(-1)!;
          for (const { atMs, attentiveMs } of looks)
            expect(end.atMs - atMs > periodMs + extraMs).toBe(end.attentiveMs - attentiveMs > periodMs);
          watch.stop();
        },
      ),
    );
  });
});

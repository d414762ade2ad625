import type { Clock } from '../../src/upstream/clock.ts';

/** A clock that stands still until a test advances it. */
export interface VirtualClock extends Clock {
  /**
   * Advances time, and runs each timer when it is due. Everything that a timer triggers is complete before the next one
   * runs.
   */
  advance(ms: number): Promise<void>;
  /**
   * Advances to the next timer and runs it. Without a timer before `latestMs` (on the scale of `nowMs`), advances to
   * `latestMs` and returns false.
   */
  advanceToNext(latestMs?: number): Promise<boolean>;
  /** Lets all pending work happen, without advancing time. */
  settle(): Promise<void>;
  /** Moves only the wall clock, forward or back. */
  jumpWallClock(ms: number): void;
}

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

// Only an iteration of the event loop comes after all microtasks, including those that other microtasks queue.
const nextLoopRound = () => new Promise<void>((resolve) => void setImmediate(resolve));

/**
 * Creates a clock that starts at an odd number of milliseconds, like that of a process that has run for a while.
 *
 * @param settle - Waits until all pending work is done. Default: one iteration of the event loop.
 */
export function createVirtualClock(settle: () => Promise<void> = nextLoopRound): VirtualClock {
  let nowMs = 1_000_000;
  let wallOffsetMs = Date.UTC(2026, 0, 15, 12, 0, 0) - nowMs;
  const timers: Timer[] = [];

  return {
    nowMs: () => nowMs,
    epochMs: () => nowMs + wallOffsetMs,
    schedule(atMs, run) {
      const timer = { atMs: Math.max(atMs, nowMs), run };
      let index = timers.length;
      while (index > 0 && (timers[index - 1]?.atMs ?? 0) > timer.atMs) index--;
      timers.splice(index, 0, timer);
      return () => {
        const position = timers.indexOf(timer);
        if (position !== -1) timers.splice(position, 1);
      };
    },
    async advance(ms) {
      const endMs = nowMs + ms;
      await settle();
      for (let timer = timers[0]; timer && timer.atMs <= endMs; timer = timers[0]) {
        timers.shift();
        nowMs = timer.atMs;
        timer.run();
        await settle();
      }
      nowMs = endMs;
    },
    async advanceToNext(latestMs = Number.POSITIVE_INFINITY) {
      const [timer] = timers;
      if (!timer || timer.atMs > latestMs) {
        if (latestMs !== Number.POSITIVE_INFINITY) nowMs = Math.max(nowMs, latestMs);
        return false;
      }
      timers.shift();
      nowMs = timer.atMs;
      timer.run();
      await settle();
      return true;
    },
    settle,
    jumpWallClock(ms) {
      wallOffsetMs += ms;
    },
  };
}

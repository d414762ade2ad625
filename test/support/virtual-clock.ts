import type { Clock } from '../../src/upstream/clock.ts';

/** Time that stands still until a test moves it. */
export interface VirtualClock extends Clock {
  /** Moves time on, running every timer when it is due; whatever a timer sets off is complete before the next one runs. */
  advance(ms: number): Promise<void>;
  /** Moves time to the next timer and runs it. Returns false where there is none, or none before `latestMs` (as `nowMs` counts): then time moves there. */
  advanceToNext(latestMs?: number): Promise<boolean>;
  /** Lets everything that is due now happen, without moving time. */
  settle(): Promise<void>;
  /** Sets the wall clock, and only it, forward or back. */
  jumpWallClock(ms: number): void;
}

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

// A turn of the event loop is the one thing that comes after all microtasks, however many set off others.
const nextLoopRound = () => new Promise<void>((resolve) => void setImmediate(resolve));

/**
 * Makes a clock that reads some odd number of milliseconds, like the one of a process that has been up for a while.
 *
 * @param settle - Waits until everything has happened that is due. Default: for one turn of the event loop.
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

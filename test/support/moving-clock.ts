import { type Clock, createSystemClock } from '../../src/upstream/clock.ts';

/** The system's clocks, which a test can advance. */
export interface MovingClock extends Clock {
  /** Advances time at once, and runs the timers that are then due, in their order. */
  skip(ms: number): void;
  /** Moves only the wall clock, forward or back. Forward also simulates a machine that slept. */
  jumpWallClock(ms: number): void;
}

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
  cancel: () => void;
}

/** Creates a clock that runs like the system's. */
export function createMovingClock(): MovingClock {
  const system = createSystemClock();
  const timers = new Set<Timer>();
  let skippedMs = 0;
  let jumpedMs = 0;
  const nowMs = () => system.nowMs() + skippedMs;
  const arm = (timer: Timer) => {
    timer.cancel = system.schedule(timer.atMs - skippedMs, () => {
      timers.delete(timer);
      timer.run();
    });
  };

  return {
    nowMs,
    epochMs: () => system.epochMs() + skippedMs + jumpedMs,
    schedule(atMs, run) {
      const timer: Timer = { atMs, run, cancel: () => undefined };
      timers.add(timer);
      arm(timer);
      return () => {
        timers.delete(timer);
        timer.cancel();
      };
    },
    jumpWallClock(ms) {
      jumpedMs += ms;
    },
    skip(ms) {
      skippedMs += ms;
      for (const timer of [...timers].sort((a, b) => a.atMs - b.atMs)) {
        if (!timers.has(timer)) continue;
        timer.cancel();
        if (timer.atMs > nowMs()) {
          arm(timer);
          continue;
        }
        timers.delete(timer);
        timer.run();
      }
    },
  };
}

import { type Clock, createSystemClock } from '../../src/upstream/clock.ts';

/** The system's time, which a test can move on. */
export interface MovingClock extends Clock {
  /** Moves time on at once; timers that are due then run now, in their order. */
  skip(ms: number): void;
  /** Sets the wall clock, and only it, forward or back; forward it is also what a machine does that sleeps. */
  jumpWallClock(ms: number): void;
}

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
  cancel: () => void;
}

/** Makes a clock that goes like the system's. */
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

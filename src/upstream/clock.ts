/**
 * The clock of the rate limiter, the deadlines and the cache. It is injected, so that a test or a simulation can
 * control it.
 */
export interface Clock {
  /** Monotonic milliseconds; only differences mean anything. Rate limits use it because wall clocks can jump. */
  nowMs(): number;
  /** Epoch milliseconds, for times in responses (`retryAt`, `resetAt`) and in headers (`Retry-After` as a date). */
  epochMs(): number;
  /** Calls `run` once when `nowMs()` has reached `atMs`, never synchronously. Returns a function that cancels it. */
  schedule(atMs: number, run: () => void): () => void;
}

/** One moment, in both times of a clock. */
export interface Instant {
  /** Monotonic milliseconds. */
  readonly atMs: number;
  /** Epoch milliseconds. */
  readonly epochMs: number;
}

// setTimeout takes a signed 32-bit delay; a longer one would fire at once.
const LONGEST_TIMER_MS = 2_147_483_647;

/**
 * Reads the monotonic clock of the process, for measurements in real time that must ignore an injected clock.
 *
 * @returns Milliseconds; only differences mean anything.
 */
export function monotonicMs(): number {
  return performance.now();
}

/**
 * The process's own clock: `performance.now()`, `Date.now()` and `setTimeout`.
 *
 * @returns A clock whose timers do not keep the process alive.
 */
export function createSystemClock(): Clock {
  return {
    nowMs: monotonicMs,
    epochMs: () => Date.now(),
    schedule(atMs, run) {
      let timer: NodeJS.Timeout;
      const arm = () => {
        // Node may fire a timer a fraction of a millisecond early: round up, and check again when it fires.
        const delayMs = Math.min(LONGEST_TIMER_MS, Math.max(0, Math.ceil(atMs - monotonicMs())));
        timer = setTimeout(() => (monotonicMs() < atMs ? arm() : run()), delayMs);
        timer.unref();
      };
      arm();
      return () => clearTimeout(timer);
    },
  };
}

/** Returns the current moment. */
export function readInstant(clock: Clock): Instant {
  return { atMs: clock.nowMs(), epochMs: clock.epochMs() };
}

/**
 * Computes the age of something that dates from an instant: by monotonic time or by wall-clock time, whichever gives
 * the larger age. Monotonic time stops while the machine sleeps, and the wall clock can be set back.
 *
 * @returns Milliseconds, 0 or more.
 */
export function toAgeMs({ atMs, epochMs }: Instant, clock: Clock): number {
  return Math.max(0, clock.nowMs() - atMs, clock.epochMs() - epochMs);
}

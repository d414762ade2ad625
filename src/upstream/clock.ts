/**
 * The time the limiter, the deadlines and the cache live by. Injected, so that a test or a simulation can own it.
 */
export interface Clock {
  /** Monotonic milliseconds; only differences mean anything. Wall clocks jump, budgets must not. */
  nowMs(): number;
  /** Epoch milliseconds, for what is told to people (`retryAt`, `resetAt`) and for what they say (`Retry-After` as a date). */
  epochMs(): number;
  /** Calls `run` once when `nowMs()` has reached `atMs`, never inside this call. Returns the way to call it off. */
  schedule(atMs: number, run: () => void): () => void;
}

/** A moment as both clocks show it. */
export interface Instant {
  /** Monotonic milliseconds. */
  readonly atMs: number;
  /** Epoch milliseconds. */
  readonly epochMs: number;
}

// setTimeout takes 32 bits; a longer wait would fire at once.
const LONGEST_TIMER_MS = 2_147_483_647;

/** Reads the monotonic clock of the process, for what happens in real time whatever clock the rest lives by: milliseconds, of which only differences mean anything. */
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
        // Node may fire a timer a fraction of a millisecond early: round up, and look again when it fires.
        const delayMs = Math.min(LONGEST_TIMER_MS, Math.max(0, Math.ceil(atMs - monotonicMs())));
        timer = setTimeout(() => (monotonicMs() < atMs ? arm() : run()), delayMs);
        timer.unref();
      };
      arm();
      return () => clearTimeout(timer);
    },
  };
}

/** Reads both clocks. */
export function readInstant(clock: Clock): Instant {
  return { atMs: clock.nowMs(), epochMs: clock.epochMs() };
}

/**
 * Tells how old something is: by the clock that has gone further, because the monotonic one stands still while the machine sleeps, and the other one can
 * be set back.
 *
 * @returns Milliseconds, 0 or more.
 */
export function toAgeMs({ atMs, epochMs }: Instant, clock: Clock): number {
  return Math.max(0, clock.nowMs() - atMs, clock.epochMs() - epochMs);
}

/**
 * The time the limiter, the deadlines and the cache live by. Injected, so that a test or a simulation can own it.
 */
export interface Clock {
  /** Monotonic milliseconds; only differences mean anything. Wall clocks jump, budgets must not. */
  nowMs(): number;
  /** Epoch milliseconds, for what is told to people (`retryAt`, `resetAt`). */
  epochMs(): number;
  /** Calls `run` once when `nowMs()` has reached `atMs`, never inside this call. Returns the way to call it off. */
  schedule(atMs: number, run: () => void): () => void;
}

// setTimeout takes 32 bits; a longer wait would fire at once.
const LONGEST_TIMER_MS = 2_147_483_647;

/**
 * The process's own clock: `performance.now()`, `Date.now()` and `setTimeout`.
 *
 * @returns A clock whose timers do not keep the process alive.
 */
export function createSystemClock(): Clock {
  return {
    nowMs: () => performance.now(),
    epochMs: () => Date.now(),
    schedule(atMs, run) {
      let timer: NodeJS.Timeout;
      const arm = () => {
        // Node may fire a timer a fraction of a millisecond early: round up, and look again when it fires.
        const delayMs = Math.min(LONGEST_TIMER_MS, Math.max(0, Math.ceil(atMs - performance.now())));
        timer = setTimeout(() => (performance.now() < atMs ? arm() : run()), delayMs);
        timer.unref();
      };
      arm();
      return () => clearTimeout(timer);
    },
  };
}

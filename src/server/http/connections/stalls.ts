import { monotonicMs } from '../../../upstream/clock.ts';

/** The periods in which the event loop was blocked: no socket was read, and no timer ran. */
export type Stalls = ReturnType<typeof watchStalls>;

/**
 * Detects stalls by the monotonic clock. If a timer is late by more than its interval, the event loop was blocked, by
 * long synchronous work or because the process was stopped. Shorter delays are normal for a busy server, and grant no
 * extra time.
 *
 * @param longestMs - The longest period that `extraMs` gets; stalls are remembered for that long.
 */
export function watchStalls({ intervalMs, longestMs }: { readonly intervalMs: number; readonly longestMs: number }) {
  // Two stalls are at least an interval apart, so no more matter.
  const mostStalls = Math.ceil(longestMs / intervalMs) + 1;
  // Newest first.
  let stalls: readonly { readonly endedAtMs: number; readonly lengthMs: number }[] = [];
  let lookedAtMs = monotonicMs();

  const look = () => {
    const nowMs = monotonicMs();
    const lengthMs = nowMs - lookedAtMs - intervalMs;
    lookedAtMs = nowMs;
    if (lengthMs > intervalMs) stalls = [{ endedAtMs: nowMs, lengthMs }, ...stalls].slice(0, mostStalls);
    return nowMs;
  };
  const timer = setInterval(look, intervalMs);
  timer.unref();

  return {
    /**
     * The time to add to a deadline of `periodMs` that ends now, because the event loop was blocked during it.
     *
     * @param periodMs - At most `longestMs`.
     * @returns Whole milliseconds; 0 without a stall.
     */
    extraMs(periodMs: number): number {
      // After a stall, this may run before the timer does.
      const nowMs = look();
      let extraMs = 0;
      for (const { endedAtMs, lengthMs } of stalls) {
        if (endedAtMs < nowMs - periodMs - extraMs) break;
        extraMs += lengthMs;
      }
      return Math.ceil(extraMs);
    },
    /** Ends the detection. */
    stop: () => clearInterval(timer),
  };
}

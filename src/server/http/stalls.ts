import { monotonicMs } from '../../upstream/clock.ts';

/** The times in which the event loop stood still: nobody was read, and no timer ran. */
export type Stalls = ReturnType<typeof watchStalls>;

/**
 * Watches for stalls by looking at the monotonic clock: a look that comes late by more than its interval was held up, by
 * work in one piece or because the process was stopped. Shorter delays are an ordinary busy server's, and nobody is given time for them.
 *
 * @param longestMs - What is told of stalls reaches back as far as this needs.
 */
export function watchStalls({ intervalMs, longestMs }: { readonly intervalMs: number; readonly longestMs: number }) {
  // The newest comes first. There is an interval of attention between two, so no more of them count.
  let stalls: readonly { readonly endedAtMs: number; readonly lengthMs: number }[] = [];
  const mostStalls = Math.ceil(longestMs / intervalMs) + 1;
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
     * How much longer than `periodMs` somebody may have taken by now who has had only that much of our attention.
     *
     * @param periodMs - `longestMs` at most.
     * @returns Whole milliseconds; 0 when no stall was in that time.
     */
    extraMs(periodMs: number): number {
      // Whoever asks may run before the timer does.
      const nowMs = look();
      let extraMs = 0;
      for (const { endedAtMs, lengthMs } of stalls) {
        if (endedAtMs < nowMs - periodMs - extraMs) break;
        extraMs += lengthMs;
      }
      return Math.ceil(extraMs);
    },
    /** Looks no more. */
    stop: () => clearInterval(timer),
  };
}

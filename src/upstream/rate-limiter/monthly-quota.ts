import type { Clock } from '../clock.ts';
import type { AnnouncedRateLimit } from '../http/rate-limit-headers.ts';

/** What is known of the calls a month that the plan of a key allows. */
export interface MonthlyQuota {
  /** As last announced; undefined: nothing was said, or there is no limit. */
  readonly limit: number | undefined;
  readonly remaining: number | undefined;
  /** Reads what an answer says of it. */
  read(announced: AnnouncedRateLimit, sentAtMs: number): void;
  /** Upstream has refused a call because it is used up. */
  exhaust(): void;
  /** Whether nothing is left. Every ten minutes it is not, so that one call can find out. */
  isExhausted(): boolean;
  /** Calls that may be out at a time: no more than there are left. */
  maxInFlight(maxCalls: number): number;
}

// Nobody is told when the month ends, and an allowance can be bought.
const PROBE_INTERVAL_MS = 600_000;
// What was announced holds for this long of answers that say nothing of the month.
const SILENCE_MS = 600_000;

/** Makes the month of a key of which nothing is known yet. */
export function createMonthlyQuota(clock: Clock): MonthlyQuota {
  let limit: number | undefined;
  let remaining: number | undefined;
  let probeAtMs = Number.NEGATIVE_INFINITY;
  let silentSinceMs: number | undefined;

  const exhaust = () => {
    remaining = 0;
    probeAtMs = clock.nowMs() + PROBE_INTERVAL_MS;
  };

  return {
    get limit() {
      return limit;
    },
    get remaining() {
      return remaining;
    },
    read(announced, sentAtMs) {
      const isSilent = announced.monthLimit === undefined && announced.monthRemaining === undefined;
      silentSinceMs = isSilent ? (silentSinceMs ?? clock.nowMs()) : undefined;
      if (silentSinceMs !== undefined && clock.nowMs() >= silentSinceMs + SILENCE_MS) {
        limit = undefined;
        if (remaining !== 0) remaining = undefined;
      }
      limit = announced.monthLimit ?? limit;
      // What was sent before the month was spent, the refusal itself included, does not say that it is over.
      if (remaining === 0 && sentAtMs < probeAtMs) return;
      if (announced.monthRemaining === 0) exhaust();
      else remaining = announced.monthRemaining ?? (remaining === 0 ? undefined : remaining);
    },
    exhaust,
    isExhausted: () => remaining === 0 && clock.nowMs() < probeAtMs,
    maxInFlight: (maxCalls) => Math.min(maxCalls, Math.max(1, remaining ?? maxCalls)),
  };
}

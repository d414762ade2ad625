import type { Clock } from '../clock.ts';
import type { AnnouncedRateLimit } from '../http/rate-limit-headers.ts';

/** The monthly quota of a key's plan, as far as responses announce it. */
export interface MonthlyQuota {
  /** Last announced limit; undefined: none was announced, or the plan has none. */
  readonly limit: number | undefined;
  readonly remaining: number | undefined;
  /** Reads the announcement of a response; `sentAtMs`: when its call was sent (monotonic). */
  read(announced: AnnouncedRateLimit, sentAtMs: number): void;
  /** Postman refused a call because the quota is used up. */
  exhaust(): void;
  /** Whether the quota is used up. Ten minutes after Postman last said so, this is false, so that a call can check. */
  isExhausted(): boolean;
  /** Most calls in flight: `maxCalls`, or the remaining quota if that is smaller, but at least 1. */
  maxInFlight(maxCalls: number): number;
}

// Responses do not say when the month ends, and more quota can be bought at any time.
const PROBE_INTERVAL_MS = 600_000;
// An announcement expires if responses do not repeat it for this long.
const SILENCE_MS = 600_000;

/** Creates the quota of a key before its first response. */
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
      const nowMs = clock.nowMs();
      silentSinceMs = isSilent ? (silentSinceMs ?? nowMs) : undefined;
      if (silentSinceMs !== undefined && nowMs >= silentSinceMs + SILENCE_MS) {
        limit = undefined;
        if (remaining !== 0) remaining = undefined;
      }
      limit = announced.monthLimit ?? limit;
      // A call sent before the quota was used up, including the refused one, cannot show that it is available again.
      if (remaining === 0 && sentAtMs < probeAtMs) return;
      if (announced.monthRemaining === 0) exhaust();
      else remaining = announced.monthRemaining ?? (remaining === 0 ? undefined : remaining);
    },
    exhaust,
    isExhausted: () => remaining === 0 && clock.nowMs() < probeAtMs,
    maxInFlight: (maxCalls) => Math.min(maxCalls, Math.max(1, remaining ?? maxCalls)),
  };
}

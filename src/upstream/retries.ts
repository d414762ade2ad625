import type { UpstreamError } from './upstream-error.ts';

/** Decides which failed calls are made a second time. One per origin. */
export interface Retries {
  /** Upstream has answered a call: that earns a tenth of a retry. */
  earn(): void;
  /**
   * Decides about a call that has failed for the first time, and pays for its retry.
   *
   * @returns Milliseconds to wait before it; undefined: there is none.
   */
  spend(error: UpstreamError): number | undefined;
}

// So that an upstream that fails all the time gets hardly more calls than it would without retries.
const ANSWERS_PER_RETRY = 10;
const MAX_RETRIES_KEPT = 3;
const MIN_DELAY_MS = 200;
const MAX_DELAY_MS = 1_000;
/** Upstream's own wait is kept to; a longer one is the client's to wait. */
const MAX_HINT_MS = 5_000;

/**
 * Makes the retries of one origin.
 *
 * A failure of the server (5XX) or a broken connection is worth a second try, since every call is a GET. A call that was not answered
 * in time is not: it would take as long again.
 *
 * @param random - A number from 0 to below 1, for the jitter.
 */
export function createRetries(random: () => number): Retries {
  // In answers: tenths of a retry, which add up without rounding.
  let kept = MAX_RETRIES_KEPT * ANSWERS_PER_RETRY;
  return {
    earn() {
      kept = Math.min(MAX_RETRIES_KEPT * ANSWERS_PER_RETRY, kept + 1);
    },
    spend({ kind, hintedWaitMs = 0 }) {
      if (kind !== 'unavailable' && kind !== 'serverError') return undefined;
      if (hintedWaitMs > MAX_HINT_MS || kept < ANSWERS_PER_RETRY) return undefined;
      kept -= ANSWERS_PER_RETRY;
      return Math.max(hintedWaitMs, MIN_DELAY_MS + random() * (MAX_DELAY_MS - MIN_DELAY_MS));
    },
  };
}

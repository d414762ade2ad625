import { LRUCache } from 'lru-cache';
import type { UpstreamError } from '../http/upstream-error.ts';

/** Decides which failed calls are made a second time. One per origin. */
export interface RetryBudget {
  /** Upstream has answered a call of a tenant: that earns a tenth of a retry. */
  earn(tenant: string): void;
  /**
   * Decides about a call that has failed for the first time, and pays for its retry.
   *
   * @returns Milliseconds to wait before it; undefined: there is none.
   */
  spend(tenant: string, error: UpstreamError): number | undefined;
}

// So that an upstream that fails all the time gets hardly more calls than it would without retries.
const ANSWERS_PER_RETRY = 10;
const MAX_RETRIES_OF_TENANT = 3;
// Ten tenants whose documents fail take no retry from an eleventh.
const MAX_RETRIES_OF_ALL = 30;
// A tenant that is forgotten begins anew, and the budget of all bounds what that is worth.
const MAX_TENANTS = 10_000;
const MIN_DELAY_MS = 200;
const MAX_DELAY_MS = 1_000;
/** Upstream's own wait is kept to; a longer one is the client's to wait. */
const MAX_HINT_MS = 5_000;

/** In answers: tenths of a retry, which add up without rounding. */
interface Balance {
  answers: number;
}

const earnIn = (balance: Balance, maxRetries: number) => {
  balance.answers = Math.min(maxRetries * ANSWERS_PER_RETRY, balance.answers + 1);
};

/**
 * Makes the retry budgets of one origin: one for each tenant, and below them one for all.
 *
 * A failure of the server (5XX) or a broken connection is worth a second try, since every call is a GET. A call that was not answered
 * in time is not: it would take as long again.
 *
 * @param random - A number from 0 to below 1, for the jitter.
 */
export function createRetryBudget(random: () => number): RetryBudget {
  // Only tenants that have spent: all others have everything.
  const ofTenants = new LRUCache<string, Balance>({ max: MAX_TENANTS });
  const ofAll: Balance = { answers: MAX_RETRIES_OF_ALL * ANSWERS_PER_RETRY };
  return {
    earn(tenant) {
      earnIn(ofAll, MAX_RETRIES_OF_ALL);
      const own = ofTenants.get(tenant);
      if (own) earnIn(own, MAX_RETRIES_OF_TENANT);
    },
    spend(tenant, { kind, hintedWaitMs = 0 }) {
      if (kind !== 'unavailable' && kind !== 'serverError') return undefined;
      if (hintedWaitMs > MAX_HINT_MS) return undefined;
      const own = ofTenants.get(tenant) ?? { answers: MAX_RETRIES_OF_TENANT * ANSWERS_PER_RETRY };
      if (Math.min(own.answers, ofAll.answers) < ANSWERS_PER_RETRY) return undefined;
      ofTenants.set(tenant, own);
      for (const balance of [own, ofAll]) balance.answers -= ANSWERS_PER_RETRY;
      return Math.max(hintedWaitMs, MIN_DELAY_MS + random() * (MAX_DELAY_MS - MIN_DELAY_MS));
    },
  };
}

import { LRUCache } from 'lru-cache';
import type { UpstreamError } from '../http/upstream-error.ts';

/** Decides which failed calls are made a second time. One per origin. */
export interface RetryBudget {
  /** Upstream has answered a call of a tenant: that earns a tenth of a retry. */
  earn(keyHash: string): void;
  /**
   * Decides about a call that has failed for the first time, and pays for its retry.
   *
   * @returns Milliseconds to wait before it; undefined: there is none.
   */
  spend(keyHash: string, error: UpstreamError): number | undefined;
}

// So that an upstream that fails all the time gets hardly more calls than it would without retries.
const RESPONSES_PER_RETRY = 10;
const MAX_RETRIES_PER_KEY = 3;
// Ten tenants whose documents fail take no retry from an eleventh.
const MAX_RETRIES_TOTAL = 30;
// A tenant that is forgotten begins anew, and the budget of all bounds what that is worth.
const MAX_KEYS = 10_000;
const MIN_DELAY_MS = 200;
const MAX_DELAY_MS = 1_000;
/** Upstream's own wait is kept to; a longer one is the client's to wait. */
const MAX_HINT_MS = 5_000;

/** In answers: tenths of a retry, which add up without rounding. */
interface Balance {
  responses: number;
}

const earnIn = (balance: Balance, maxRetries: number) => {
  balance.responses = Math.min(maxRetries * RESPONSES_PER_RETRY, balance.responses + 1);
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
  const balancesByKey = new LRUCache<string, Balance>({ max: MAX_KEYS });
  const totalBalance: Balance = { responses: MAX_RETRIES_TOTAL * RESPONSES_PER_RETRY };
  return {
    earn(keyHash) {
      earnIn(totalBalance, MAX_RETRIES_TOTAL);
      const keyBalance = balancesByKey.get(keyHash);
      if (keyBalance) earnIn(keyBalance, MAX_RETRIES_PER_KEY);
    },
    spend(keyHash, { kind, hintedWaitMs = 0 }) {
      if (kind !== 'unavailable' && kind !== 'serverError') return undefined;
      if (hintedWaitMs > MAX_HINT_MS) return undefined;
      const keyBalance = balancesByKey.get(keyHash) ?? { responses: MAX_RETRIES_PER_KEY * RESPONSES_PER_RETRY };
      if (Math.min(keyBalance.responses, totalBalance.responses) < RESPONSES_PER_RETRY) return undefined;
      balancesByKey.set(keyHash, keyBalance);
      for (const balance of [keyBalance, totalBalance]) balance.responses -= RESPONSES_PER_RETRY;
      return Math.max(hintedWaitMs, MIN_DELAY_MS + random() * (MAX_DELAY_MS - MIN_DELAY_MS));
    },
  };
}

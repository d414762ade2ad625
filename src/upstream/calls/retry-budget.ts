import { LRUCache } from 'lru-cache';
import type { UpstreamError } from '../http/upstream-error.ts';

/** Decides which failed calls are retried. One per origin. */
export interface RetryBudget {
  /** To be called when upstream has responded to a call of this key. Each response earns a tenth of a retry. */
  earn(keyHash: string): void;
  /**
   * Decides whether to retry a call that has failed for the first time, and deducts the retry from the budgets.
   *
   * @returns Milliseconds to wait before the retry; undefined: do not retry.
   */
  spend(keyHash: string, error: UpstreamError): number | undefined;
}

// An upstream that always fails then gets hardly more calls than without retries.
const RESPONSES_PER_RETRY = 10;
const MAX_RETRIES_PER_KEY = 3;
// Ten keys whose calls always fail can use this up, so an eleventh then depends on what responses earn.
const MAX_RETRIES_TOTAL = 30;
// A forgotten key starts with a full budget again. The common budget bounds what that allows.
const MAX_KEYS = 10_000;
const MIN_DELAY_MS = 200;
const MAX_DELAY_MS = 1_000;
/** The longest `Retry-After` that is waited for here. With a longer one, the client gets the error and its time. */
const MAX_HINT_MS = 5_000;

/** Counted in responses, that is in tenths of a retry, to avoid rounding. */
interface Balance {
  responses: number;
}

const earnIn = (balance: Balance, maxRetries: number) => {
  balance.responses = Math.min(maxRetries * RESPONSES_PER_RETRY, balance.responses + 1);
};

/**
 * Makes the retry budgets of one origin: one for each key, and one that all keys share. A retry is deducted from both.
 *
 * A 5XX or a broken connection is worth a retry, since every call is a GET. A timeout is not: the retry would take as
 * long again.
 *
 * @param random - Returns a number from 0 to below 1, for the jitter.
 */
export function createRetryBudget(random: () => number): RetryBudget {
  // Only keys that have used retries; all others have the full budget.
  // `max` would allocate memory for all entries at the start.
  const balancesByKey = new LRUCache<string, Balance>({ maxSize: MAX_KEYS, sizeCalculation: () => 1 });
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

import type { Budget } from '../../rate-limiter/budget.ts';
import type { Clock } from '../../clock.ts';
import type { RouteClass } from '../../postman/route-class.ts';
import { createFairShare } from '../../rate-limiter/queue/fair-share.ts';

/**
 * What a retry achieves after an operation that did not get all of its calls.
 *
 * - `further`: the retry can reuse the responses read so far, so only the missing ones need calls.
 * - `whole`: it cannot, but from `atMs` on (monotonic ms) the budget has slots for all calls in one run.
 * - `never`: neither, so no retry can complete the operation.
 */
export type RetryPrediction =
  | { readonly kind: 'further' }
  | { readonly kind: 'whole'; readonly atMs: number }
  | { readonly kind: 'never' };

/** Predicts whether retries of one operation lead to its complete response. */
export interface RetryOutlook {
  /**
   * Counts one more call that the operation needs, even if it is served from the cache or refused.
   *
   * @param isRenewable - A list can show the response to be unchanged.
   */
  need(routeClass: RouteClass, isRenewable: boolean): void;
  /** The calls that the operation needs, as far as is known. */
  count(): number;
  /**
   * Predicts what a retry achieves after a refused call.
   *
   * @param routeClass - The route class of the refused call.
   * @param slotAtMs - When that call would get a slot (monotonic ms).
   */
  predict(routeClass: RouteClass, slotAtMs: number): RetryPrediction;
}

/** What `createRetryOutlook` needs to know of an operation. */
export interface RetryOutlookOptions {
  readonly clock: Clock;
  /** How long a retry may reuse a response that the operation reads (see `toReusableMs`). */
  readonly reusableMs: number;
  readonly timeoutMs: number;
  readonly maxCalls: number;
  readonly budget: () => Pick<Budget, 'view' | 'expectedSlotAtMs'>;
}

// Retry times are given in whole seconds, and clients do not come earlier.
const STEP_MS = 1_000;
// The time from one retry to the next if only the call limit stands in the way: one step, and the calls themselves.
const ROUND_MS = 2_000;

/**
 * Makes the retry outlook of one operation. It judges by the calls known so far; each later call can change the
 * prediction.
 *
 * A retry gets further if earlier responses are still reusable at the time it is told to come: it then makes calls only
 * for what is missing (`ResponseCache.retainForRetry`), and at least one. So at most one retry is needed for each call.
 * This fails if some responses cannot be renewed by lists, and reading those takes longer than they stay reusable. One
 * run must then make all calls, if it can.
 */
export function createRetryOutlook({
  clock,
  reusableMs,
  timeoutMs,
  maxCalls,
  budget,
}: RetryOutlookOptions): RetryOutlook {
  const all = { general: 0, burst: 0 };
  const notRenewable = { general: 0, burst: 0 };
  const count = () => all.general + all.burst;
  return {
    count,
    need(routeClass, isRenewable) {
      all[routeClass]++;
      if (!isRenewable) notRenewable[routeClass]++;
    },
    predict(routeClass, slotAtMs) {
      const rounds = Math.max(1, Math.ceil((notRenewable.general + notRenewable.burst) / maxCalls));
      const readMs = budget().view.servedFromIdleMs(notRenewable) + STEP_MS + ROUND_MS * (rounds - 1);
      const getsFurther = readMs <= reusableMs;
      if (getsFurther && slotAtMs - clock.nowMs() + STEP_MS <= reusableMs) return { kind: 'further' };
      const endsInOneRun = count() <= maxCalls && budget().view.servedFromIdleMs(all) + STEP_MS < timeoutMs;
      if (endsInOneRun) return { kind: 'whole', atMs: budget().view.servedAtMs(all) };
      if (getsFurther) return { kind: 'further' };
      // Slots reserved for first calls are closed to later calls of this operation, but open to a retry.
      const isServedAtOnce = budget().expectedSlotAtMs(routeClass, createFairShare(), '') <= clock.nowMs();
      return isServedAtOnce && reusableMs >= 2 * STEP_MS ? { kind: 'whole', atMs: clock.nowMs() } : { kind: 'never' };
    },
  };
}

/** For background operations, which nobody retries. */
export const backgroundRetryOutlook: RetryOutlook = { need() {}, count: () => 0, predict: () => ({ kind: 'further' }) };

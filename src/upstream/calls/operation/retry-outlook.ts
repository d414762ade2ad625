import type { Budget } from '../../rate-limiter/budget.ts';
import type { Clock } from '../../clock.ts';
import type { RouteClass } from '../../postman/route-class.ts';
import { createFairShare } from '../../rate-limiter/queue/fair-share.ts';

/**
 * What comes of asking an operation again that could not be given all of its calls.
 *
 * - `further`: what it has read by then will do, so that only what is missing needs calls.
 * - `whole`: it will not; but from `atMs` on (monotonic) there is room for all of them at once.
 * - `never`: neither.
 */
export type RetryPrediction =
  | { readonly kind: 'further' }
  | { readonly kind: 'whole'; readonly atMs: number }
  | { readonly kind: 'never' };

/** Tells of one operation whether asking it again ends with the whole answer. */
export interface RetryOutlook {
  /**
   * It needs one more call, whatever becomes of it.
   *
   * @param isRenewable - Lists can renew its answer.
   */
  need(routeClass: RouteClass, isRenewable: boolean): void;
  /** Different calls that it needs, as far as is known. */
  readonly count: number;
  /**
   * @param routeClass - That of a call that was refused.
   * @param slotAtMs - When there is room for it (monotonic ms).
   */
  predict(routeClass: RouteClass, slotAtMs: number): RetryPrediction;
}

/** What is to be known of an operation. */
export interface RetryOutlookOptions {
  readonly clock: Clock;
  /** How long each answer that it reads will do for the same request, as `toReusableMs` tells. */
  readonly reusableMs: number;
  readonly timeoutMs: number;
  readonly maxCalls: number;
  readonly budget: () => Pick<Budget, 'view' | 'expectedSlotAtMs'>;
}

// Times are told in whole seconds, and clients come no sooner.
const STEP_MS = 1_000;
// From one repeat to the next where nothing but the ceiling is in the way: the step, and the calls themselves.
const ROUND_MS = 2_000;

/**
 * Judges by the calls that are known to be needed: more of them can turn out later, and then it is judged anew.
 *
 * Asking again gets further while answers of before still do when the client is told to come back: its calls are then for what is missing alone
 * (`AnswerCache.holdOver`), and each time at least one of them is made. So it ends after as many repeats as there are calls, at most; but not where what no list
 * renews takes longer to read than it stays good. Where answers of before do not do, all calls have to be made in one run, if one can make them.
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
  const retryOutlook: RetryOutlook = {
    need(routeClass, isRenewable) {
      all[routeClass]++;
      if (!isRenewable) notRenewable[routeClass]++;
    },
    get count() {
      return all.general + all.burst;
    },
    predict(routeClass, slotAtMs) {
      const rounds = Math.max(1, Math.ceil((notRenewable.general + notRenewable.burst) / maxCalls));
      const readMs = budget().view.servedFromIdleMs(notRenewable) + STEP_MS + ROUND_MS * (rounds - 1);
      const getsFurther = readMs <= reusableMs;
      if (getsFurther && slotAtMs - clock.nowMs() + STEP_MS <= reusableMs) return { kind: 'further' };
      const endsInOneRun = retryOutlook.count <= maxCalls && budget().view.servedFromIdleMs(all) + STEP_MS < timeoutMs;
      if (endsInOneRun) return { kind: 'whole', atMs: budget().view.servedAtMs(all) };
      if (getsFurther) return { kind: 'further' };
      // The first calls of an operation may have slots that its later calls have to leave: asked again at once, it has some of these.
      const isServedAtOnce = budget().expectedSlotAtMs(routeClass, createFairShare(), '') <= clock.nowMs();
      return isServedAtOnce && reusableMs >= 2 * STEP_MS ? { kind: 'whole', atMs: clock.nowMs() } : { kind: 'never' };
    },
  };
  return retryOutlook;
}

/** Background calls are nobody's who could ask again. */
export const backgroundRetryOutlook: RetryOutlook = { need() {}, count: 0, predict: () => ({ kind: 'further' }) };

import type { Route } from '../../postman/call.ts';
import type { Clock } from '../../clock.ts';
import { toCallLimitReached, toSlotTooLate, toTimedOut, toUnread } from '../local-errors.ts';
import type { RetryOutlook } from './retry-outlook.ts';
import { UpstreamError } from '../../http/upstream-error.ts';

/** The refusal of a call. */
export interface Refusal {
  readonly error: UpstreamError;
  /** When the call would get its slot (monotonic ms). */
  readonly slotAtMs: number;
  /** Whether the error names that time, so that the slot must be reserved. */
  readonly reservesSlot: boolean;
}

/** Makes the errors of one operation's calls that get no slot in time, or that exceed its call limit. */
export interface Refusals {
  /**
   * Refuses a call that has waited in the queue. Reuses the previous refusal of the route if its time is still ahead.
   *
   * @param route - undefined: rows of a list that were not started, so no call was requested.
   * @param predictSlotAtMs - Returns when the call would get its slot (monotonic ms). Called only if no previous
   *   refusal can be reused.
   * @param earliestSlotAtMs - The slot cannot come before this time (monotonic ms). Default: now.
   */
  of(route: Route | undefined, predictSlotAtMs: () => number, earliestSlotAtMs?: number): Refusal;
  /**
   * Refuses a call that has not been queued.
   *
   * @param slotAtMs - When the call would get its slot (monotonic ms).
   * @param reserveSlot - Reserves that slot, and returns its time (monotonic ms).
   */
  ofUnqueued(route: Route, slotAtMs: number, reserveSlot: () => number): UpstreamError;
  /** Makes the error of a call that was sent but got no response before the deadline. */
  timedOut(route: Route): UpstreamError;
  /**
   * Refuses a call beyond the call limit of the operation.
   *
   * @param predictSlotAtMs - Returns when the call would get its slot (monotonic ms).
   * @param ceiling - The call limit.
   */
  callLimitReached(route: Route, predictSlotAtMs: () => number, ceiling: number): UpstreamError;
}

/**
 * What a retry of the operation achieves, for all of its refused calls: `further`: each route has its own retry time;
 * `whole`: all share the time from which the budget has slots for all calls; `never`: there is no such time.
 */
type RetryKind = 'further' | 'whole' | 'never';

/**
 * Makes the refusals of one operation. Calls of one route that are refused for the same cause share one error, and so
 * one retry time. Thousands can be refused at once: separate errors would cost a stack each, and give the client as
 * many times that differ by milliseconds.
 *
 * Calls that are refused before they are queued name the earliest of their slots. A retry at that time is served as the
 * slots come, up to its own deadline; the calls that are left again name their earliest slot. If they named the latest
 * slot instead, a retry could still make only one window's calls, and others would have taken the earlier slots.
 *
 * Calls that have waited were expected to be served by now. They name the slot of the first one refused: an operation
 * ends its latest call first, so that slot should be the last of theirs.
 *
 * If a retry cannot reuse the responses that the operation reads, some of its calls are useless without the others. A
 * later call can reveal this, and then changes the errors of earlier calls too. That is possible because errors are
 * sent to the client only after all calls.
 */
export function createRefusals(clock: Clock, retryOutlook: RetryOutlook): Refusals {
  const refusalsByRoute = new Map<string | undefined, Refusal>();
  const callLimitErrors = new Map<string, UpstreamError>();
  const errors = new Set<UpstreamError>();
  let retryKind: RetryKind = 'further';
  let sharedError: UpstreamError | undefined;

  /** Makes all errors so far say what the current kind of retry means. `atMs`: the new retry time (monotonic ms). */
  const updateErrors = (atMs?: number) => {
    for (const error of errors) {
      if (retryKind === 'never')
        Object.assign(error, { kind: 'tooExpensive', message: NEVER_COMPLETE, calls: retryOutlook.count() });
      else if (atMs !== undefined) Object.assign(error, { retryAtMs: Math.max(error.retryAtMs ?? 0, atMs) });
      if (retryKind === 'whole' && error.kind === 'rateLimited') error.message = ALL_IN_ONE_RUN;
    }
  };

  /** @param make - Makes the error if the call has its own retry time. */
  const refuse = (
    route: Route | undefined,
    slotAtMs: number,
    limitedBy: 'facade' | 'operation',
    make: () => UpstreamError,
  ) => {
    const prediction = retryOutlook.predict(route?.routeClass ?? 'general', slotAtMs);
    if (prediction.kind === 'never' || (prediction.kind === 'whole' && retryKind === 'further'))
      retryKind = prediction.kind;
    if (retryKind === 'further') {
      const error = make();
      errors.add(error);
      return error;
    }
    sharedError ??= new UpstreamError('rateLimited', '', { limitedBy, ...(route && { route: route.template }) });
    errors.add(sharedError);
    updateErrors(prediction.kind === 'whole' ? prediction.atMs : undefined);
    return sharedError;
  };

  return {
    of(route, predictSlotAtMs, earliestSlotAtMs = clock.nowMs()) {
      const previous = refusalsByRoute.get(route?.template);
      if (previous && previous.slotAtMs >= earliestSlotAtMs) return previous;
      const slotAtMs = predictSlotAtMs();
      const error = refuse(route, slotAtMs, 'facade', () =>
        route ? toSlotTooLate(route, slotAtMs) : toUnread(slotAtMs),
      );
      const refusal = { slotAtMs, error, reservesSlot: retryKind === 'further' };
      refusalsByRoute.set(route?.template, refusal);
      return refusal;
    },

    ofUnqueued: (route, slotAtMs, reserveSlot) =>
      refuse(route, slotAtMs, 'facade', () => {
        const reservedAtMs = reserveSlot();
        const previous = refusalsByRoute.get(route.template);
        if (previous && previous.slotAtMs <= reservedAtMs && previous.slotAtMs >= clock.nowMs()) return previous.error;
        const error = toSlotTooLate(route, reservedAtMs);
        refusalsByRoute.set(route.template, { slotAtMs: reservedAtMs, error, reservesSlot: true });
        return error;
      }),

    timedOut(route) {
      if (retryKind === 'never' && sharedError) return sharedError;
      const error = toTimedOut(route, clock);
      errors.add(error);
      return error;
    },

    callLimitReached(route, predictSlotAtMs, ceiling) {
      const previous = callLimitErrors.get(route.template);
      const slotAtMs = previous ? clock.nowMs() : predictSlotAtMs();
      const error = refuse(
        route,
        slotAtMs,
        'operation',
        () => previous ?? toCallLimitReached(route, slotAtMs, ceiling),
      );
      callLimitErrors.set(route.template, error);
      return error;
    },
  };
}

const ALL_IN_ONE_RUN =
  "The API key's budget has no slots for all calls of this operation before its deadline, and a retry cannot reuse the responses that it has read. Retry at `retryAt`, when there are slots for all calls.";
const NEVER_COMPLETE =
  "The operation needs more calls to Postman than it may make, or than the API key's budget allows before its deadline, and a retry cannot reuse the responses that it has read. Request fewer items per operation, wait longer (`Prefer: wait=<seconds>`), or accept cached responses.";

import type { Route } from '../../postman/call.ts';
import type { Clock } from '../../clock.ts';
import { toCallLimitReached, toSlotTooLate, toTimedOut, toUnread } from '../local-errors.ts';
import type { RetryOutlook } from './retry-outlook.ts';
import { UpstreamError } from '../../http/upstream-error.ts';

/** A refusal, and when its call would get its slot (monotonic ms). */
export interface Refusal {
  readonly error: UpstreamError;
  readonly slotAtMs: number;
  /** It names that time, so the slot is to be reserved. */
  readonly reservesSlot: boolean;
}

/** Refuses calls of one operation: for want of budget, or because it has made all that it may. */
export interface Refusals {
  /**
   * @param route - undefined: no call has been asked for yet.
   * @param predictSlotAtMs - When it would get its slot (monotonic ms); is asked where there is no refusal yet that names such a time.
   * @param earliestSlotAtMs - Earlier than this it is not. Default: now.
   */
  of(route: Route | undefined, predictSlotAtMs: () => number, earliestSlotAtMs?: number): Refusal;
  /**
   * Refuses a call that has not been queued.
   *
   * @param slotAtMs - When it would get its slot (monotonic ms).
   * @param reserveSlot - Reserves that slot, and returns when it is.
   */
  ofUnqueued(route: Route, slotAtMs: number, reserveSlot: () => number): UpstreamError;
  /** A call that has been sent is not answered before the deadline. */
  timedOut(route: Route): UpstreamError;
  /** @param predictSlotAtMs - When it would get its slot (monotonic ms). */
  callLimitReached(route: Route, predictSlotAtMs: () => number, ceiling: number): UpstreamError;
}

/** What becomes of all refused calls of an operation: each has its own time, all have the one from which there is room for all, or there is none. */
type RetryKind = 'further' | 'whole' | 'never';

/**
 * Makes the refusals of one operation: calls of one route that are refused for one cause share an error, and so a time. Thousands can be refused at
 * once: errors of their own would cost a stack each, and tell the client as many times that differ by milliseconds.
 *
 * Calls that are refused when they are asked for name the first of their slots. Whoever asks for all of them again then gets those whose slots come
 * before its own deadline, each when it comes, and the first slot of what is left; at the last of their slots no more than a window's calls could be
 * made, and the slots before would have gone to others. Calls that have waited name the slot of the one that is refused first, which should be
 * the last in the line: they all expected to be served by now.
 *
 * Where what the operation reads will not do when it is asked again, some of its calls are of no use without the others. That can turn out with a later
 * call, so it changes the errors of those before, too: they are sent after all of them.
 */
export function createRefusals(clock: Clock, retryOutlook: RetryOutlook): Refusals {
  const refusalsByRoute = new Map<string | undefined, Refusal>();
  const callLimitErrors = new Map<string, UpstreamError>();
  const errors = new Set<UpstreamError>();
  let retryKind: RetryKind = 'further';
  let sharedError: UpstreamError | undefined;

  /** Changes what all of them say. */
  const updateErrors = (atMs?: number) => {
    for (const error of errors) {
      if (retryKind === 'never')
        Object.assign(error, { kind: 'tooExpensive', message: BEYOND_REACH, calls: retryOutlook.count });
      else if (atMs !== undefined) Object.assign(error, { retryAtMs: Math.max(error.retryAtMs ?? 0, atMs) });
      if (retryKind === 'whole' && error.kind === 'rateLimited') error.message = AS_A_WHOLE;
    }
  };

  /** @param make - Makes the error where the call has its own time. */
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

const AS_A_WHOLE =
  'There is no room for all calls of this operation before its deadline, and what it reads will not do when it is asked again. Ask again at the time given, when there is room for all of them.';
const BEYOND_REACH =
  'The operation needs more calls to Postman than it may make, or than the budget of the API key has room for before its deadline, and what it reads will not do when it is asked again. Ask for less at a time, wait for longer (Prefer: wait=<seconds>), or take cached answers.';

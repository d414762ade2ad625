import type { Route } from '../../postman/call.ts';
import type { Clock } from '../../clock.ts';
import { toCutOff, toLate, toUnanswered, toUnread } from '../local-errors.ts';
import type { Repeats } from './retry-outlook.ts';
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
   * @param leastSlotAtMs - Earlier than this it is not. Default: now.
   */
  of(route: Route | undefined, predictSlotAtMs: () => number, leastSlotAtMs?: number): Refusal;
  /**
   * Refuses a call that has not been queued.
   *
   * @param slotAtMs - When it would get its slot (monotonic ms).
   * @param reserveSlot - Reserves that slot, and returns when it is.
   */
  late(route: Route, slotAtMs: number, reserveSlot: () => number): UpstreamError;
  /** A call that has been sent is not answered before the deadline. */
  unanswered(route: Route): UpstreamError;
  /** @param predictSlotAtMs - When it would get its slot (monotonic ms). */
  cutOff(route: Route, predictSlotAtMs: () => number, ceiling: number): UpstreamError;
}

/** What becomes of all refused calls of an operation: each has its own time, all have the one from which there is room for all, or there is none. */
type Fate = 'further' | 'whole' | 'never';

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
export function createRefusals(clock: Clock, repeats: Repeats): Refusals {
  const known = new Map<string | undefined, Refusal>();
  const cutOffs = new Map<string, UpstreamError>();
  const made = new Set<UpstreamError>();
  let fate: Fate = 'further';
  let shared: UpstreamError | undefined;

  /** Changes what all of them say. */
  const change = (atMs?: number) => {
    for (const error of made) {
      if (fate === 'never') Object.assign(error, { kind: 'tooExpensive', message: BEYOND_REACH, calls: repeats.count });
      else if (atMs !== undefined) Object.assign(error, { retryAtMs: Math.max(error.retryAtMs ?? 0, atMs) });
      if (fate === 'whole' && error.kind === 'rateLimited') error.message = AS_A_WHOLE;
    }
  };

  /** @param make - Makes the error where the call has its own time. */
  const refuse = (
    route: Route | undefined,
    slotAtMs: number,
    limitedBy: 'facade' | 'operation',
    make: () => UpstreamError,
  ) => {
    const prospect = repeats.prospect(route?.routeClass ?? 'general', slotAtMs);
    if (prospect.kind === 'never' || (prospect.kind === 'whole' && fate === 'further')) fate = prospect.kind;
    if (fate === 'further') {
      const error = make();
      made.add(error);
      return error;
    }
    shared ??= new UpstreamError('rateLimited', '', { limitedBy, ...(route && { route: route.template }) });
    made.add(shared);
    change(prospect.kind === 'whole' ? prospect.atMs : undefined);
    return shared;
  };

  return {
    of(route, predictSlotAtMs, leastSlotAtMs = clock.nowMs()) {
      const given = known.get(route?.template);
      if (given && given.slotAtMs >= leastSlotAtMs) return given;
      const slotAtMs = predictSlotAtMs();
      const error = refuse(route, slotAtMs, 'facade', () => (route ? toLate(route, slotAtMs) : toUnread(slotAtMs)));
      const refusal = { slotAtMs, error, reservesSlot: fate === 'further' };
      known.set(route?.template, refusal);
      return refusal;
    },

    late: (route, slotAtMs, reserveSlot) =>
      refuse(route, slotAtMs, 'facade', () => {
        const reservedAtMs = reserveSlot();
        const given = known.get(route.template);
        if (given && given.slotAtMs <= reservedAtMs && given.slotAtMs >= clock.nowMs()) return given.error;
        const error = toLate(route, reservedAtMs);
        known.set(route.template, { slotAtMs: reservedAtMs, error, reservesSlot: true });
        return error;
      }),

    unanswered(route) {
      if (fate === 'never' && shared) return shared;
      const error = toUnanswered(route, clock);
      made.add(error);
      return error;
    },

    cutOff(route, predictSlotAtMs, ceiling) {
      const given = cutOffs.get(route.template);
      const slotAtMs = given ? clock.nowMs() : predictSlotAtMs();
      const error = refuse(route, slotAtMs, 'operation', () => given ?? toCutOff(route, slotAtMs, ceiling));
      cutOffs.set(route.template, error);
      return error;
    },
  };
}

const AS_A_WHOLE =
  'There is no room for all calls of this operation before its deadline, and what it reads will not do when it is asked again. Ask again at the time given, when there is room for all of them.';
const BEYOND_REACH =
  'The operation needs more calls to Postman than it may make, or than the budget of the API key has room for before its deadline, and what it reads will not do when it is asked again. Ask for less at a time, wait for longer (Prefer: wait=<seconds>), or take cached answers.';

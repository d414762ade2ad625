import type { Route } from './call.ts';
import type { Clock } from './clock.ts';
import { toCutOff, toLate, toUnanswered, toUnread } from './local-errors.ts';
import type { Repeats } from './repeats.ts';
import { UpstreamError } from './upstream-error.ts';

/** A refusal, and when its call would have its turn (monotonic ms). */
export interface Refusal {
  readonly error: UpstreamError;
  readonly turnAtMs: number;
  /** It names that time, so the turn is to be kept. */
  readonly namesTurn: boolean;
}

/** Refuses calls of one operation: for want of budget, or because it has made all that it may. */
export interface Refusals {
  /**
   * @param route - undefined: no call has been asked for yet.
   * @param foretell - Tells when its turn would be (monotonic ms); is asked where there is no refusal yet that names such a time.
   * @param leastTurnAtMs - Earlier than this it is not. Default: now.
   */
  of(route: Route | undefined, foretell: () => number, leastTurnAtMs?: number): Refusal;
  /**
   * Refuses a call that has not been queued.
   *
   * @param turnAtMs - When its turn would be (monotonic ms).
   * @param keepTurn - Keeps its turn, and tells when that is.
   */
  late(route: Route, turnAtMs: number, keepTurn: () => number): UpstreamError;
  /** A call that has been sent is not answered before the deadline. */
  unanswered(route: Route): UpstreamError;
  /** @param turnAtMs - When there would be room for it (monotonic ms). */
  cutOff(route: Route, turnAtMs: () => number, ceiling: number): UpstreamError;
}

/** What becomes of all refused calls of an operation: each has its own time, or all have the one from which there is room for all of them, or there is none. */
type Fate = 'further' | 'whole' | 'never';

/**
 * Makes the refusals of one operation: calls of one route that are refused for one cause share an error, and so a time. Thousands can be refused at
 * once: errors of their own would cost a stack each, and tell the client as many times that differ by milliseconds.
 *
 * Of calls that are refused when they are asked for it is the first of their turns. Whoever asks for all of them again then has those whose turns come
 * before its own deadline, each when it comes, and is told the first of what is left; at the last of their turns no more than a window's calls could be
 * made, and what came back before would have gone to others. Of calls that have waited it is the time of the one that is refused first, which should be
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
    turnAtMs: number,
    limitedBy: 'facade' | 'operation',
    make: () => UpstreamError,
  ) => {
    const prospect = repeats.prospect(route?.routeClass ?? 'general', turnAtMs);
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
    of(route, foretell, leastTurnAtMs = clock.nowMs()) {
      const given = known.get(route?.template);
      if (given && given.turnAtMs >= leastTurnAtMs) return given;
      const turnAtMs = foretell();
      const error = refuse(route, turnAtMs, 'facade', () => (route ? toLate(route, turnAtMs) : toUnread(turnAtMs)));
      const refusal = { turnAtMs, error, namesTurn: fate === 'further' };
      known.set(route?.template, refusal);
      return refusal;
    },

    late: (route, turnAtMs, keepTurn) =>
      refuse(route, turnAtMs, 'facade', () => {
        const keptAtMs = keepTurn();
        const given = known.get(route.template);
        if (given && given.turnAtMs <= keptAtMs && given.turnAtMs >= clock.nowMs()) return given.error;
        const error = toLate(route, keptAtMs);
        known.set(route.template, { turnAtMs: keptAtMs, error, namesTurn: true });
        return error;
      }),

    unanswered(route) {
      if (fate === 'never' && shared) return shared;
      const error = toUnanswered(route, clock);
      made.add(error);
      return error;
    },

    cutOff(route, foretell, ceiling) {
      const given = cutOffs.get(route.template);
      const turnAtMs = given ? clock.nowMs() : foretell();
      const error = refuse(route, turnAtMs, 'operation', () => given ?? toCutOff(route, turnAtMs, ceiling));
      cutOffs.set(route.template, error);
      return error;
    },
  };
}

const AS_A_WHOLE =
  'There is no room for all calls of this operation before its deadline, and what it reads will not do when it is asked again. Ask again at the time given, when there is room for all of them.';
const BEYOND_REACH =
  'The operation needs more calls to Postman than it may make, or than the budget of the API key has room for before its deadline, and what it reads will not do when it is asked again. Ask for less at a time, wait for longer (Prefer: wait=<seconds>), or take cached answers.';

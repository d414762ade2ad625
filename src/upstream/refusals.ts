import type { Route } from './call.ts';
import type { Clock } from './clock.ts';
import type { Operation } from './operation.ts';
import { UpstreamError } from './upstream-error.ts';

// Without a hint: what is still under way will be in the cache by then.
const TIMEOUT_RETRY_MS = 10_000;
// Most operations have ended by then.
const BUSY_RETRY_MS = 5_000;

/** The facade's own refusal of a call whose turn (monotonic ms) lies behind the operation's deadline. */
function toRefusal({ template }: Route, turnAtMs: number): UpstreamError {
  return new UpstreamError(
    'rateLimited',
    "The API key's budget has no room for this call before the operation's deadline. Ask again at the time given, or send Prefer: wait=<seconds> to wait for longer.",
    { route: template, limitedBy: 'facade', retryAtMs: turnAtMs },
  );
}

/** The refusal of a call with a key that upstream has not accepted yet, until its turn (monotonic ms). */
export function toTooManyUnverified({ template }: Route, turnAtMs: number): UpstreamError {
  return new UpstreamError(
    'rateLimited',
    'This API key has not been used here before, and too many such keys of the same client address wait to be checked, or have lately been refused by Postman. Ask again at the time given.',
    { route: template, limitedBy: 'facade', retryAtMs: turnAtMs },
  );
}

/** A refusal, and the time that it names (monotonic ms). */
export interface Refusal {
  readonly error: UpstreamError;
  readonly turnAtMs: number;
}

/** Refuses calls of one operation for want of budget. */
export interface Refusals {
  /**
   * @param route - undefined: no call has been asked for yet.
   * @param foretell - Tells when its turn would be (monotonic ms); is asked where there is no refusal yet that names such a time.
   * @param leastTurnAtMs - Earlier than this it is not. Default: now.
   */
  of(route: Route | undefined, foretell: () => number, leastTurnAtMs?: number): Refusal;
  /** The error of a call that cannot wait for its turn (monotonic ms): that of the first such turn of its route. */
  at(route: Route, turnAtMs: number): UpstreamError;
}

/**
 * Makes the refusals of one operation: calls of one route that are refused for one cause share an error, and so a time. Thousands can be refused at
 * once: errors of their own would cost a stack each, and tell the client as many times that differ by milliseconds.
 *
 * Of calls that are refused when they are asked for it is the first of their turns. Whoever asks for all of them again then has those whose turns come
 * before its own deadline, each when it comes, and is told the first of what is left; at the last of their turns no more than a window's calls could be
 * made, and what came back before would have gone to others. Of calls that have waited it is the time of the one that is refused first, which should be
 * the last in the line: they all expected to be served by now.
 */
export function createRefusals(clock: Clock): Refusals {
  const known = new Map<string | undefined, Refusal>();
  return {
    of(route, foretell, leastTurnAtMs = clock.nowMs()) {
      const given = known.get(route?.template);
      if (given && given.turnAtMs >= leastTurnAtMs) return given;
      const turnAtMs = foretell();
      const refusal = { turnAtMs, error: route ? toRefusal(route, turnAtMs) : toUnread(turnAtMs) };
      known.set(route?.template, refusal);
      return refusal;
    },
    at(route, turnAtMs) {
      const given = known.get(route.template);
      if (given && given.turnAtMs <= turnAtMs && given.turnAtMs >= clock.nowMs()) return given.error;
      const error = toRefusal(route, turnAtMs);
      known.set(route.template, { turnAtMs, error });
      return error;
    },
  };
}

/** What stands in place of rows of a list that have not begun to be read. */
function toUnread(turnAtMs: number): UpstreamError {
  return new UpstreamError(
    'rateLimited',
    "The list goes on, but the API key's budget had no room to read more of it before the operation's deadline. Ask again at the time given.",
    { limitedBy: 'facade', retryAtMs: turnAtMs },
  );
}

/** The error of a call that its operation waits for no longer. */
export function toEnded(route: Route, { ended, holdings }: Operation, clock: Clock): UpstreamError {
  const { template } = route;
  if (ended.reason === 'heldTooMuch') return toTooMuchHeld(route, holdings.maxBytes);
  // Nobody reads this one: the connection to the client is gone.
  if (ended.reason === 'clientGone') return new UpstreamError('timeout', 'The client has gone.', { route: template });
  return new UpstreamError('timeout', "Postman did not answer before the operation's deadline.", {
    route: template,
    retryAtMs: clock.nowMs() + TIMEOUT_RETRY_MS,
  });
}

/** The refusal of a call for which there is no allowance left this month. */
export function toMonthSpent({ template }: Route): UpstreamError {
  return new UpstreamError(
    'quotaExhausted',
    "The API key's monthly allowance of Postman API calls is used up, as Postman's answers say. No call is made, but for one every ten minutes to see whether that is still so.",
    { route: template },
  );
}

/** The refusal of a call while upstream counts as down, until it is tried again (monotonic ms). */
export function toOutage({ template }: Route, probeAtMs: number): UpstreamError {
  return new UpstreamError(
    'unavailable',
    'Postman has not served any of the last calls, so this one is not made. Another is let through at the time given, to see whether it is back.',
    { route: template, retryAtMs: probeAtMs },
  );
}

/** The refusal of a call beyond what its operation may make. */
export function toTooExpensive({ template }: Route, calls: number, ceiling: number): UpstreamError {
  return new UpstreamError(
    'tooExpensive',
    `The operation needs more than the ${ceiling} calls to Postman it may make.`,
    { route: template, calls, ceiling },
  );
}

/** The refusal of a client that wants nothing but what is kept. */
export function toNotCached({ template }: Route): UpstreamError {
  return new UpstreamError(
    'notCached',
    'No answer of Postman is kept that is as new as asked for, and Cache-Control: only-if-cached allows no call.',
    { route: template },
  );
}

/** The refusal of an answer that an operation has no room for beside those it was given. */
export function toTooMuchHeld({ template }: Route, maxBytes: number): UpstreamError {
  return new UpstreamError(
    'tooExpensive',
    `The operation would hold answers of Postman that take more memory than MAX_HELD_BYTES_PER_OPERATION, ${maxBytes} bytes. Ask for less of it at a time.`,
    { route: template },
  );
}

/** The refusal of an answer that there is no memory for while other operations hold what they were given. */
export function toBusy({ template }: Route, clock: Clock): UpstreamError {
  return new UpstreamError(
    'busy',
    'This server holds as many answers for the operations that are being executed as it has memory for.',
    { route: template, retryAtMs: clock.nowMs() + BUSY_RETRY_MS },
  );
}

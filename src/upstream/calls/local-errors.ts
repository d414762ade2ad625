import type { Route } from '../postman/call.ts';
import type { Clock } from '../clock.ts';
import type { Operation } from './operation/operation.ts';
import { UpstreamError, type UpstreamErrorDetails, type UpstreamErrorKind } from '../http/upstream-error.ts';

// Without a hint: what is still in flight will be in the cache by then.
const TIMEOUT_RETRY_MS = 10_000;
// Most operations have ended by then.
const BUSY_RETRY_MS = 5_000;

const toLocalError = (
  { template }: Route,
  kind: UpstreamErrorKind,
  message: string,
  details: Omit<UpstreamErrorDetails, 'route'> = {},
) => new UpstreamError(kind, message, { route: template, ...details });

/** The refusal of a call whose turn (monotonic ms) lies behind the operation's deadline. */
export const toSlotTooLate = (route: Route, slotAtMs: number) =>
  toLocalError(
    route,
    'rateLimited',
    "The API key's budget has no room for this call before the operation's deadline. Ask again at the time given, or send Prefer: wait=<seconds> to wait for longer.",
    { limitedBy: 'facade', retryAtMs: slotAtMs },
  );

/** What stands in place of rows of a list that have not begun to be read before the deadline; their turn is in monotonic ms. */
export const toUnread = (slotAtMs: number) =>
  new UpstreamError(
    'rateLimited',
    "The list goes on, but the API key's budget had no room to read more of it before the operation's deadline. Ask again at the time given.",
    { limitedBy: 'facade', retryAtMs: slotAtMs },
  );

/** The refusal of a call beyond what its operation may make, where asking again at `retryAtMs` (monotonic) gets further. */
export const toCallLimitReached = (route: Route, retryAtMs: number, ceiling: number) =>
  toLocalError(
    route,
    'rateLimited',
    `The operation has made the ${ceiling} calls to Postman that it may make. What it has read is cached: ask again at the time given for the rest.`,
    { limitedBy: 'operation', retryAtMs, ceiling },
  );

/** The refusal of a call with a key that upstream has not accepted yet, until its turn (monotonic ms). */
export const toTooManyUnverified = (route: Route, slotAtMs: number) =>
  toLocalError(
    route,
    'rateLimited',
    'This API key has not been used here before, and too many such keys of the same client address wait to be checked, or have lately been refused by Postman. Ask again at the time given.',
    { limitedBy: 'facade', retryAtMs: slotAtMs },
  );

/** The error of a call that its operation waits for no longer. */
export function toEnded(route: Route, { ended, responses, refusals }: Operation): UpstreamError {
  if (ended.reason === 'heldTooMuch') return toTooMuchHeld(route, responses.maxBytes);
  // Nobody reads this one: the connection to the client is gone.
  if (ended.reason === 'clientGone') return toLocalError(route, 'timeout', 'The client has gone.');
  return refusals.timedOut(route);
}

/** The error of a call that has been sent, and is not answered before the deadline. */
export const toTimedOut = (route: Route, clock: Clock) =>
  toLocalError(
    route,
    'timeout',
    "Postman did not answer before the operation's deadline. Ask again at the time given, or send Prefer: wait=<seconds> to wait for longer.",
    { retryAtMs: clock.nowMs() + TIMEOUT_RETRY_MS },
  );

/** The refusal of a call for which there is no allowance left this month. */
export const toQuotaExhausted = (route: Route) =>
  toLocalError(
    route,
    'quotaExhausted',
    "The API key's monthly allowance of Postman API calls is used up, as Postman's answers say. No call is made, but for one every ten minutes to see whether that is still so.",
  );

/** The refusal of a call while upstream counts as down, until it is tried again (monotonic ms). */
export const toOutage = (route: Route, probeAtMs: number) =>
  toLocalError(
    route,
    'unavailable',
    'Postman has not served any of the last calls, so this one is not made. Another is let through at the time given, to see whether it is back.',
    { retryAtMs: probeAtMs },
  );

/** The refusal of a call while upstream cannot be reached before somebody has changed something. `reason`: what the last call has failed with. */
export const toUnreachable = (route: Route, reason: string) => toLocalError(route, 'unreachable', reason);

/** The refusal of a client that wants nothing but what is cached. */
export const toNotCached = (route: Route) =>
  toLocalError(
    route,
    'notCached',
    'No answer of Postman is kept that is as new as asked for, and Cache-Control: only-if-cached allows no call.',
  );

/** The refusal of an answer that an operation has no room for beside those it was given. */
export const toTooMuchHeld = (route: Route, maxBytes: number) =>
  toLocalError(
    route,
    'tooExpensive',
    `The operation would hold answers of Postman that take more memory than it may, ${maxBytes} bytes: MAX_HELD_BYTES_PER_OPERATION, or half of MAX_HELD_BYTES. Ask for less of it at a time.`,
  );

/** The refusal of an answer that there is no memory for while other operations hold what they were given. */
export const toBusy = (route: Route, clock: Clock) =>
  toLocalError(
    route,
    'busy',
    'This server holds as many answers for the operations that are being executed as it has memory for.',
    { retryAtMs: clock.nowMs() + BUSY_RETRY_MS },
  );

import type { Route } from '../postman/call.ts';
import type { Clock } from '../clock.ts';
import type { Operation } from './operation/operation.ts';
import { UpstreamError, type UpstreamErrorDetails, type UpstreamErrorKind } from '../http/upstream-error.ts';
import type { RefusalReason } from '../observer.ts';

// Long enough for calls that are still in flight to get their responses into the cache.
const TIMEOUT_RETRY_MS = 10_000;
// Most operations in progress end within this time and release their memory.
const BUSY_RETRY_MS = 5_000;

const toLocalError = (
  { template }: Route,
  kind: UpstreamErrorKind,
  message: string,
  details: Omit<UpstreamErrorDetails, 'route'> = {},
) => new UpstreamError(kind, message, { route: template, ...details });

/** The refusal of a call whose slot (monotonic ms) comes after the operation's deadline. */
export const toSlotTooLate = (route: Route, slotAtMs: number) =>
  toLocalError(
    route,
    'rateLimited',
    "The API key's budget has no slot for this call before the operation's deadline. Retry at `retryAt`, or send `Prefer: wait=<seconds>` to wait longer.",
    { limitedBy: 'facade', retryAtMs: slotAtMs },
  );

/**
 * The error in place of list rows that were not started before the deadline. `slotAtMs`: when their calls get a slot
 * (monotonic ms).
 */
export const toUnread = (slotAtMs: number) =>
  new UpstreamError(
    'rateLimited',
    "The list has more rows, but the API key's budget had no slot to read them before the operation's deadline. Retry at `retryAt`.",
    { limitedBy: 'facade', retryAtMs: slotAtMs },
  );

/** The refusal of a call beyond the operation's call limit. A retry at `retryAtMs` (monotonic) gets further. */
export const toCallLimitReached = (route: Route, retryAtMs: number, ceiling: number) =>
  toLocalError(
    route,
    'rateLimited',
    `The operation has reached its limit of ${ceiling} calls to Postman. The responses are cached: retry at \`retryAt\` to read the rest.`,
    { limitedBy: 'operation', retryAtMs, ceiling },
  );

/**
 * The refusal of a call with a key that upstream has not accepted yet. `slotAtMs`: when it would get a slot (monotonic
 * ms).
 */
export const toTooManyUnverified = (route: Route, slotAtMs: number) =>
  toLocalError(
    route,
    'rateLimited',
    'This API key is new to this server, and too many new keys from the same client address are waiting to be checked, or were recently rejected by Postman. Retry at `retryAt`.',
    { limitedBy: 'facade', retryAtMs: slotAtMs },
  );

/** The error of a call whose operation has ended, by the reason why it ended. */
export function toEnded(route: Route, { ended, responses, refusals }: Operation): UpstreamError {
  if (ended.reason === 'responseMemoryExceeded') return toMemoryExceeded(route, responses.maxBytes);
  // Nobody reads this message: the client has disconnected.
  if (ended.reason === 'clientGone') return toLocalError(route, 'timeout', 'The client has disconnected.');
  return refusals.timedOut(route);
}

/** The error of a call that was sent but got no response before the deadline. */
export const toTimedOut = (route: Route, clock: Clock) =>
  toLocalError(
    route,
    'timeout',
    "Postman did not respond before the operation's deadline. Retry at `retryAt`, or send `Prefer: wait=<seconds>` to wait longer.",
    { retryAtMs: clock.nowMs() + TIMEOUT_RETRY_MS },
  );

/** The refusal of a call because the monthly quota is used up. */
export const toQuotaExhausted = (route: Route) =>
  toLocalError(
    route,
    'quotaExhausted',
    "Postman reports that the API key's monthly quota of API calls is used up. This server sends only one call every ten minutes, to check whether it still is.",
  );

/** The refusal of a call while upstream counts as down. `probeAtMs`: when the next probe is due (monotonic ms). */
export const toOutage = (route: Route, probeAtMs: number) =>
  toLocalError(
    route,
    'unavailable',
    'Postman appears to be down, so the call was not sent. The next attempt is at `retryAt`.',
    { retryAtMs: probeAtMs },
  );

/**
 * The refusal of a call while upstream cannot be reached until someone changes something. `reason`: the message of the
 * last failure.
 */
export const toUnreachable = (route: Route, reason: string) => toLocalError(route, 'unreachable', reason);

const REFUSAL_REASONS: Partial<Record<UpstreamErrorKind, RefusalReason>> = {
  quotaExhausted: 'month',
  unavailable: 'breaker',
  unreachable: 'breaker',
};

/** Why a waiting call is ended with this error; undefined: because its API key was rejected. */
export const refusalReasonOf = ({ kind }: UpstreamError): RefusalReason | undefined => REFUSAL_REASONS[kind];

/** The refusal of a call that the client forbids with `only-if-cached`. */
export const toNotCached = (route: Route) =>
  toLocalError(
    route,
    'notCached',
    'No cached response is fresh enough, and `Cache-Control: only-if-cached` forbids calling Postman.',
  );

/** The refusal of a response that would exceed the memory one operation may hold. */
export const toMemoryExceeded = (route: Route, maxBytes: number) =>
  toLocalError(
    route,
    'tooExpensive',
    `The operation needs responses from Postman that take more memory than its limit of ${maxBytes} bytes (MAX_HELD_BYTES_PER_OPERATION, or half of MAX_HELD_BYTES). Request fewer items per operation.`,
  );

/** The refusal of a response for which there is no memory while other operations hold theirs. */
export const toBusy = (route: Route, clock: Clock) =>
  toLocalError(
    route,
    'busy',
    'The operations in progress hold as many responses from Postman as this server has memory for. Retry at `retryAt`.',
    { retryAtMs: clock.nowMs() + BUSY_RETRY_MS },
  );

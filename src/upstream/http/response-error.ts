import type { Route } from '../postman/call.ts';
import { type ErrorBody, parseErrorBody } from './error-body.ts';
import { type ThrottleHeaders, toRefusedWaitMs } from './retry-after.ts';
import { redact } from './redact.ts';
import { UpstreamError, type UpstreamErrorKind } from './upstream-error.ts';

/** What is known of a response before its body is parsed. */
export interface ResponseHead {
  readonly throttle: ThrottleHeaders;
  /** When it came (monotonic ms). */
  readonly receivedAtMs: number;
  /** The API key of the call, to be removed from everything that is quoted. */
  readonly secret?: string;
}

/** A response that is not a success. */
export interface RefusedResponse extends ResponseHead {
  readonly route: Route;
  readonly status: number;
  /** Parsed JSON, or the text where it could not be parsed. */
  readonly body: unknown;
  /** It is not written as Postman writes: somebody in between has answered. */
  readonly isFromIntermediary: boolean;
  /** The body is not to be read: cut off, say. */
  readonly isBroken: boolean;
}

/** Only the facade itself finds an operation too expensive, nothing kept, or itself busy. */
type RefusalKind = Exclude<UpstreamErrorKind, 'tooExpensive' | 'notCached' | 'busy'>;

const SENTENCES: Readonly<Record<RefusalKind, string>> = {
  unauthenticated: 'Postman refused the API key',
  forbidden: 'The API key may not read this',
  notFound: 'Postman has no such thing, or does not show it to this API key',
  badInput: 'Postman refused the request as asked',
  rateLimited: 'Postman refused the call because of its rate limit',
  quotaExhausted: 'The allowance of Postman API calls is used up',
  unavailable: 'Postman is not available',
  unreachable: 'Not Postman has answered, but something that stands before it, such as a firewall or a proxy',
  serverError: 'Postman failed to answer',
  timeout: 'Postman did not answer in time',
  badResponse: 'Postman gave an answer that cannot be used',
};

// Postman expects to be back about five minutes after a 503.
const UNAVAILABLE_WAIT_MS = 300_000;
const FAILURE_WAIT_MS = 10_000;
const WINDOW_MS = 60_000;
const BURST_WINDOW_MS = 10_000;

/**
 * Turns an answer that is not a success into the error to throw.
 *
 * The message is our own sentence and, if the body has one, the upstream's message, scrubbed. Errors that can be tried
 * again always have `retryAtMs`: the upstream's hint, or else 300 s for a 503, the window for a 429, 10 s for the rest.
 */
export function toUpstreamError(response: RefusedResponse): UpstreamError {
  const { route, status, throttle, receivedAtMs, secret } = response;
  const errorBody = parseErrorBody(response.body);
  const kind = kindOf(response, errorBody);
  const usualWaitMs = usualWaitMsOf(kind, response);
  const requestedWaitMs = kind === 'rateLimited' ? toRefusedWaitMs(throttle, textOf(errorBody)) : throttle.retryAfterMs;
  const hintedWaitMs = usualWaitMs === undefined ? undefined : requestedWaitMs;
  const waitMs = hintedWaitMs ?? usualWaitMs;
  const quoted = kind === 'unreachable' ? '' : redact(errorBody.message ?? errorBody.title ?? '', secret);
  const upstreamName = redact(errorBody.name ?? '', secret);
  return new UpstreamError(
    kind,
    `${SENTENCES[kind]} (status ${status}).${quoted === '' ? '' : ` It says: ${quoted}`}`,
    {
      route: route.template,
      status,
      ...(upstreamName !== '' && { upstreamName }),
      ...(waitMs !== undefined && { retryAtMs: receivedAtMs + waitMs }),
      ...(hintedWaitMs !== undefined && { hintedWaitMs }),
      ...(kind === 'rateLimited' && { limitedBy: 'upstream' }),
    },
  );
}

function kindOf(
  { status, throttle, isFromIntermediary, isBroken }: RefusedResponse,
  errorBody: ErrorBody,
): RefusalKind {
  // It says nothing about the key or about what was asked for, and will say the same until somebody changes it.
  if (isFromIntermediary && status >= 400 && status < 500 && status !== 408 && status !== 429) return 'unreachable';
  const name = normalizeCode(errorBody.name);
  if (status >= 400 && status < 500 && name === 'servicelimitexhausted') return 'quotaExhausted';
  switch (status) {
    case 400:
      // What it means stands in the body.
      if (isBroken) return 'serverError';
      return isNotFound(name, errorBody) ? 'notFound' : 'badInput';
    case 401:
      return errorBody.model === true || /\bnot authori[sz]ed\b/i.test(textOf(errorBody))
        ? 'forbidden'
        : 'unauthenticated';
    case 403:
      return name === 'authenticationerror' || normalizeCode(errorBody.title) === 'authenticationerror'
        ? 'unauthenticated'
        : 'forbidden';
    case 402:
      return 'forbidden';
    case 404:
    case 410:
      return 'notFound';
    case 408:
      return 'timeout';
    // States of the thing asked for: the same request gets the same answer.
    case 409:
    case 413:
    case 422:
    case 423:
      return 'badInput';
    case 429: {
      const isMonthlyQuotaExhausted = throttle.rateLimit.monthRemaining === 0;
      const isPlanQuotaExhausted = name === 'ratelimitexceeded' && /\bplan\b/i.test(errorBody.title ?? '');
      return isMonthlyQuotaExhausted || isPlanQuotaExhausted ? 'quotaExhausted' : 'rateLimited';
    }
    case 502:
    case 503:
    case 504:
      return 'unavailable';
    default:
      // Redirects are never followed; a 405 or 406 is a mistake of ours, not of the caller.
      return status >= 500 && status < 600 ? 'serverError' : 'badResponse';
  }
}

/** How long to wait where upstream does not say; undefined: waiting does not help. */
function usualWaitMsOf(kind: RefusalKind, { status, route }: RefusedResponse): number | undefined {
  switch (kind) {
    case 'rateLimited':
      return route.routeClass === 'burst' ? BURST_WINDOW_MS : WINDOW_MS;
    case 'unavailable':
    case 'serverError':
    case 'timeout':
      return status === 503 ? UNAVAILABLE_WAIT_MS : FAILURE_WAIT_MS;
    default:
      return undefined;
  }
}

/** A 400 can mean that there is no such thing: its code says so, or only its text. */
function isNotFound(name: string, errorBody: ErrorBody): boolean {
  // The last is a misspelling of the upstream's.
  const byName = name.endsWith('notfounderror') || name.endsWith('notfound') || name === 'instancefounderror';
  return byName || /\bcould(?: not|n['’]t) (?:find|be found)\b/i.test(textOf(errorBody));
}

function textOf({ title, message }: ErrorBody): string {
  return `${title ?? ''} ${message ?? ''}`;
}

/** `AuthenticationError`, `authentication-error` and `Authentication Error` are one code. */
function normalizeCode(name: string | undefined): string {
  return (name ?? '').toLowerCase().replace(/[^a-z]/g, '');
}

import type { Route } from '../postman/call.ts';
import { type ErrorBody, parseErrorBody } from './error-body.ts';
import { type ThrottleHeaders, toRefusedWaitMs } from './retry-after.ts';
import { redact } from './redact.ts';
import { UpstreamError, type UpstreamErrorKind } from './upstream-error.ts';

/** The facts about a response that are known before its body is parsed. */
export interface ResponseHead {
  readonly throttle: ThrottleHeaders;
  /** When it arrived (monotonic ms). */
  readonly receivedAtMs: number;
  /** The API key of the call, which is redacted from quoted text. */
  readonly secret?: string;
}

/** A response whose status is not 200. */
export interface RefusedResponse extends ResponseHead {
  readonly route: Route;
  readonly status: number;
  /** Parsed JSON, or the text where it could not be parsed. */
  readonly body: unknown;
  /** The body is not JSON, so the response comes from a proxy or gateway rather than from Postman. */
  readonly isFromIntermediary: boolean;
  /** The body is declared as JSON but cannot be parsed, for example because it is cut off. */
  readonly isBroken: boolean;
}

/** The kinds that a response can have. The facade itself raises the excluded ones. */
type RefusalKind = Exclude<UpstreamErrorKind, 'tooExpensive' | 'notCached' | 'busy'>;

const SENTENCES: Readonly<Record<RefusalKind, string>> = {
  unauthenticated: 'Postman refused the API key',
  forbidden: 'The API key may not read this',
  notFound: 'Postman has no such object, or this API key may not see it',
  badInput: 'Postman refused the request',
  rateLimited: 'Postman refused the call because of its rate limit',
  quotaExhausted: 'The quota of Postman API calls is used up',
  unavailable: 'Postman is not available',
  unreachable: 'The response came not from Postman but from something in front of it, such as a firewall or a proxy',
  serverError: 'Postman failed to process the request',
  timeout: 'Postman did not respond in time',
  badResponse: 'Postman sent a response that cannot be used',
};

// With a 503, Postman asks clients to retry in about five minutes.
const UNAVAILABLE_WAIT_MS = 300_000;
const FAILURE_WAIT_MS = 10_000;
const WINDOW_MS = 60_000;
const BURST_WINDOW_MS = 10_000;

/**
 * Turns a response that is not a success into the error to throw.
 *
 * The message is our own sentence and, if the body has a message, that one, redacted. Errors that can be retried always
 * have `retryAtMs`: Postman's hint, or else 300 s for a 503, the length of the window for a 429, 10 s for the rest.
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
    `${SENTENCES[kind]} (status ${status}).${quoted === '' ? '' : ` The response says: ${quoted}`}`,
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
  // A firewall's 4xx says nothing about the API key or the requested object, and stays until somebody changes it.
  if (isFromIntermediary && status >= 400 && status < 500 && status !== 408 && status !== 429) return 'unreachable';
  const name = normalizeCode(errorBody.name);
  if (status >= 400 && status < 500 && name === 'servicelimitexhausted') return 'quotaExhausted';
  switch (status) {
    case 400:
      // Only the body says what a 400 means.
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
    // These depend on the state of the requested object: retrying the same request does not help.
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
      // Redirects are never followed; a 405 or 406 is our mistake, not the caller's.
      return status >= 500 && status < 600 ? 'serverError' : 'badResponse';
  }
}

/** How long to wait if Postman does not say, in milliseconds; undefined: retrying does not help. */
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

/** Whether a 400 means that the object does not exist: its code says so, or only its text. */
function isNotFound(name: string, errorBody: ErrorBody): boolean {
  // Postman itself misspells the last one.
  const byName = name.endsWith('notfounderror') || name.endsWith('notfound') || name === 'instancefounderror';
  return byName || /\bcould(?: not|n['’]t) (?:find|be found)\b/i.test(textOf(errorBody));
}

function textOf({ title, message }: ErrorBody): string {
  return `${title ?? ''} ${message ?? ''}`;
}

/** Makes the spellings `AuthenticationError`, `authentication-error` and `Authentication Error` equal. */
function normalizeCode(name: string | undefined): string {
  return (name ?? '').toLowerCase().replace(/[^a-z]/g, '');
}

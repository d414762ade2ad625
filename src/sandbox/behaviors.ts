import type { WindowReading } from './rate-windows.ts';

/**
 * The generation of the Postman API that the sandbox simulates: as first described around 2017, or as documented in
 * 2026.
 */
export type Behavior = 'v2017' | 'current';

/**
 * A response before it is sent. `body` is a value that is sent as JSON, text that is sent unchanged, or undefined for
 * no body. `headers` override the headers that every response has; null removes one.
 */
export interface ServiceResponse {
  readonly status: number;
  readonly body: unknown;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string | null>>;
}

/** Monthly quota of calls, as the `api_usage` meter counts it. */
export interface QuotaReading {
  readonly limit: number;
  readonly remaining: number;
}

/** A 200 response with a JSON body. */
export function toData(body: unknown): ServiceResponse {
  return { status: 200, body, contentType: 'application/json; charset=utf-8' };
}

/** An error in the shape of the oldest routes, `{ error: { name, message } }`, which both behaviors use. */
export function toNamedError(
  behavior: Behavior,
  status: number,
  name: string,
  message: string,
  more: Readonly<Record<string, unknown>> = {},
): ServiceResponse {
  return { status, body: { error: { name, message, ...more } }, contentType: toErrorContentType(behavior) };
}

/** An error that is not about one resource: RFC 7807 in `current`, {@link toNamedError} in `v2017`. */
export function toProblem(
  behavior: Behavior,
  status: number,
  name: string,
  title: string,
  detail: string,
): ServiceResponse {
  if (behavior === 'v2017') return toNamedError(behavior, status, name, detail);
  const type = `https://api.postman.com/problems/${toKebabCase(name)}`;
  return { status, body: { type, title, detail, status }, contentType: toErrorContentType(behavior) };
}

/** The flat error `{ name, message }`, which the element filter of `GET /workspaces` uses. */
export function toFlatError(behavior: Behavior, status: number, name: string, message: string): ServiceResponse {
  return { status, body: { name, message }, contentType: toErrorContentType(behavior) };
}

/** The response that the service has for a status by default; 502 and 504 are HTML pages of a gateway. */
export function toNaturalError(behavior: Behavior, status: number): ServiceResponse {
  switch (status) {
    case 400:
      return toNamedError(behavior, status, 'badRequest', 'The request cannot be served as it stands.');
    case 401:
      return toNamedError(behavior, status, 'AuthenticationError', 'Invalid API Key. A request needs a valid key.');
    case 403:
      return toProblem(behavior, status, 'forbidden', 'Forbidden', 'You have no permission for this.');
    case 404:
      return toProblem(behavior, status, 'notFound', 'Not Found', 'The requested resource was not found.');
    case 405:
      return toProblem(behavior, status, 'methodNotAllowed', 'Method Not Allowed', 'This method is not served here.');
    case 429:
      // It names no time to wait. Refusals that name one are made where the time is known.
      return toNamedError(
        behavior,
        status,
        behavior === 'v2017' ? 'rateLimitError' : 'rateLimited',
        'Rate limit exceeded.',
      );
    case 502:
    case 504:
      return toHtmlPage(status);
    case 503:
      return toNamedError(behavior, status, 'serviceUnavailable', 'Unexpected load. Try again in about five minutes.');
    default:
      return status < 400
        ? toData({})
        : toProblem(behavior, status, 'serverError', 'Something went wrong', 'The request could not be completed.');
  }
}

/** The HTML error page of a gateway in front of the service. */
export function toHtmlPage(status: number): ServiceResponse {
  const body =
    `<html>\r\n<head><title>${status}</title></head>\r\n<body>\r\n<center><h1>${status}</h1></center>\r\n` +
    '<hr><center>gateway</center>\r\n</body>\r\n</html>\r\n';
  return { status, body, contentType: 'text/html' };
}

/**
 * The rate-limit headers of a response: three `X-RateLimit-` headers in `v2017`; in `current` also those of the IETF
 * draft and those of the monthly quota.
 *
 * @param policies - Windows that the draft headers list, by name. Undefined: they give only `window`, in the form of
 * the older draft, which has no names.
 * @param epochMs - Wall-clock time of the reading; absolute resets are whole epoch seconds, rounded up.
 */
export function toRateHeaders(
  behavior: Behavior,
  window: WindowReading,
  policies: Readonly<Record<string, WindowReading>> | undefined,
  quota: QuotaReading | undefined,
  epochMs: number,
): Record<string, string> {
  const { limit, remaining } = window;
  const resetEpochSeconds = String(Math.ceil((epochMs + window.resetMs) / 1000));
  const headers = {
    'X-RateLimit-Limit': String(limit),
    'X-RateLimit-Remaining': String(remaining),
    'X-RateLimit-Reset': resetEpochSeconds,
  };
  if (behavior === 'v2017') return headers;
  return {
    ...headers,
    'RateLimit-Limit': String(limit),
    'RateLimit-Remaining': String(remaining),
    'RateLimit-Reset': resetEpochSeconds,
    ...(policies === undefined
      ? {
          RateLimit: `limit=${limit}, remaining=${remaining}, reset=${toWholeSeconds(window.resetMs)}`,
          'RateLimit-Policy': `${limit};w=${toWholeSeconds(window.windowMs)}`,
        }
      : toNamedPolicies(policies)),
    ...(quota === undefined ? {} : toQuotaHeaders(quota)),
  };
}

function toNamedPolicies(policies: Readonly<Record<string, WindowReading>>): Record<string, string> {
  const join = (toItem: (name: string, reading: WindowReading) => string) =>
    Object.entries(policies)
      .map(([name, reading]) => toItem(name, reading))
      .join(', ');
  return {
    RateLimit: join((name, { remaining, resetMs }) => `"${name}";r=${remaining};t=${toWholeSeconds(resetMs)}`),
    'RateLimit-Policy': join((name, { limit, windowMs }) => `"${name}";q=${limit};w=${toWholeSeconds(windowMs)}`),
  };
}

/** Rate-limit headers of the monthly quota. */
export function toQuotaHeaders(quota: QuotaReading): Record<string, string> {
  return {
    'RateLimit-Limit-Month': String(quota.limit),
    'RateLimit-Remaining-Month': String(quota.remaining),
    'X-RateLimit-Limit-Month': String(quota.limit),
    'X-RateLimit-Remaining-Month': String(quota.remaining),
  };
}

/**
 * A 429 for a call over the limit, without the headers of {@link toRateHeaders}.
 *
 * @param waitMs - Time until a call can be served again.
 * @param epochMs - Wall-clock time of the 429.
 */
export function toTooManyRequests(behavior: Behavior, waitMs: number, epochMs: number): ServiceResponse {
  if (behavior === 'v2017') {
    const message = `Rate limit exceeded. Please retry at ${Math.ceil(epochMs + waitMs)}`;
    return toNamedError(behavior, 429, 'rateLimitError', message);
  }
  const seconds = String(toWholeSeconds(waitMs));
  return {
    ...toProblem(behavior, 429, 'tooManyRequests', 'Too Many Requests', 'The rate limit of this API is exceeded.'),
    headers: { 'Retry-After': seconds, 'X-RateLimit-RetryAfter': seconds },
  };
}

/** A 429 for a call after the monthly quota is used up, without the headers of {@link toQuotaHeaders}. */
export function toQuotaExhausted(behavior: Behavior): ServiceResponse {
  return toNamedError(behavior, 429, 'serviceLimitExhausted', 'The monthly allowance of API calls is used up.');
}

function toErrorContentType(behavior: Behavior): string {
  return behavior === 'v2017' ? 'application/json; charset=utf-8' : 'application/problem+json; charset=utf-8';
}

function toWholeSeconds(durationMs: number): number {
  return Math.ceil(durationMs / 1000);
}

function toKebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

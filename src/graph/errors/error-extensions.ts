/**
 * What an error of this server says to programs. It imports nothing, so that clients can use it as it is.
 *
 * ```ts
 * if (hasPostmanExtensions(error) && error.extensions.retryable) await waitUntil(error.extensions.retryAt);
 * ```
 */

/** Every code this server gives. */
export const errorCodes = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'BAD_USER_INPUT',
  'RATE_LIMITED',
  'QUOTA_EXHAUSTED',
  'UPSTREAM_UNAVAILABLE',
  'UPSTREAM_UNREACHABLE',
  'UPSTREAM_ERROR',
  'UPSTREAM_TIMEOUT',
  'SERVER_BUSY',
  'UPSTREAM_BAD_RESPONSE',
  'OPERATION_TOO_EXPENSIVE',
  'NOT_CACHED',
  'INTERNAL_SERVER_ERROR',
] as const;

/** One of the codes this server gives. */
export type ErrorCode = (typeof errorCodes)[number];

/** What upstream answered, as far as it answered. */
export interface UpstreamAnswer {
  /** HTTP status; absent without an answer. */
  readonly status?: number;
  /** Upstream's own name of the error, for example `rateLimitError`. */
  readonly name?: string;
  readonly method: 'GET';
  /** Template of the route, for example `/collections/{uid}`. */
  readonly route: string;
}

/** `extensions` of an error that cannot be mended by waiting. */
export interface FinalErrorExtensions {
  readonly code: Exclude<ErrorCode, RetryableErrorExtensions['code']>;
  readonly retryable: false;
  readonly upstream?: UpstreamAnswer;
  /** OPERATION_TOO_EXPENSIVE: calls the operation had asked for, or certainly needs. */
  readonly calls?: number;
  /** OPERATION_TOO_EXPENSIVE: calls an operation may make. */
  readonly ceiling?: number;
  /** INTERNAL_SERVER_ERROR: the id under which the server's log has the cause. */
  readonly errorId?: string;
}

/** `extensions` of an error after which the same operation can succeed later. */
export interface RetryableErrorExtensions {
  readonly code: 'RATE_LIMITED' | 'UPSTREAM_UNAVAILABLE' | 'UPSTREAM_ERROR' | 'UPSTREAM_TIMEOUT' | 'SERVER_BUSY';
  readonly retryable: true;
  /** Whole seconds from the response until a retry makes sense, 0 or more. */
  readonly retryAfterSeconds: number;
  /** The same moment in RFC 3339, UTC. */
  readonly retryAt: string;
  /**
   * RATE_LIMITED: whether Postman refused the call, or this server did to stay inside the budget, or because the operation has made all calls that it may:
   * then asking again reads the rest.
   */
  readonly limitedBy?: 'upstream' | 'facade' | 'operation';
  /** RATE_LIMITED by the operation: calls it may make. */
  readonly ceiling?: number;
  readonly upstream?: UpstreamAnswer;
}

/** `extensions` of every error that an executed operation can have. */
export type ErrorExtensions = FinalErrorExtensions | RetryableErrorExtensions;

/** One entry of `extensions.errorsByCause` of an answer: the `extensions` that all errors of one cause have, and how many there are. */
export type ErrorCause = ErrorExtensions & {
  /** Errors of this cause in the whole answer, 1 or more. */
  readonly count: number;
  /** Path of the first of them; absent where it has none. */
  readonly firstPath?: readonly (string | number)[];
  /** With `Prefer: errors=by-cause`: the paths of the first of them, as many as take up 640 characters of JSON, and one at least. */
  readonly paths?: readonly (readonly (string | number)[])[];
  /** With `Prefer: errors=by-cause`: how many further paths there are. */
  readonly morePaths?: number;
};

/**
 * Tells whether an entry of `errors` carries the extensions of this server, and narrows its type.
 *
 * @param error - Any value, for example an entry of `errors` of a GraphQL response.
 */
export function hasPostmanExtensions<Value>(error: Value): error is Value & { readonly extensions: ErrorExtensions } {
  const extensions: unknown = (error as { readonly extensions?: unknown } | null | undefined)?.extensions;
  if (typeof extensions !== 'object' || extensions === null) return false;
  const { code, retryable, retryAt, retryAfterSeconds } = extensions as Readonly<Record<string, unknown>>;
  if (!(errorCodes as readonly unknown[]).includes(code)) return false;
  return (
    retryable === false || (retryable === true && typeof retryAt === 'string' && typeof retryAfterSeconds === 'number')
  );
}

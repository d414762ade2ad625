/**
 * The codes and `extensions` of GraphQL errors of this server, as types, and a type guard for them. This file must
 * import nothing, so that clients can copy it as it is.
 *
 * ```ts
 * if (hasPostmanExtensions(error) && error.extensions.retryable) await waitUntil(error.extensions.retryAt);
 * for (const cause of errorCausesOf(response)) if (isCutOff(cause)) showRest(cause.count, cause.retryAt);
 * ```
 */

/** All error codes of this server. */
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

/** One of the error codes of this server. */
export type ErrorCode = (typeof errorCodes)[number];

/** The call to Postman that failed, and its response. */
export interface UpstreamResponse {
  /** HTTP status; absent when Postman did not respond. */
  readonly status?: number;
  /** Postman's name of the error, for example `rateLimitError`. */
  readonly name?: string;
  readonly method: 'GET';
  /** Template of the route, for example `/collections/{uid}`. */
  readonly route: string;
}

/** `extensions` of an error that waiting does not solve. */
export interface FinalErrorExtensions {
  readonly code: Exclude<ErrorCode, RetryableErrorExtensions['code']>;
  readonly retryable: false;
  readonly upstream?: UpstreamResponse;
  /** OPERATION_TOO_EXPENSIVE: the number of calls the operation has requested, or certainly needs. */
  readonly calls?: number;
  /** OPERATION_TOO_EXPENSIVE: the number of calls an operation may make. */
  readonly ceiling?: number;
  /** INTERNAL_SERVER_ERROR: id of the log entry that has the cause. */
  readonly errorId?: string;
  /** INTERNAL_SERVER_ERROR: id of the request, as in the response header `X-Request-Id`. */
  readonly requestId?: string;
}

/** `extensions` of an error after which the same operation can succeed if it is retried later. */
export interface RetryableErrorExtensions {
  readonly code: 'RATE_LIMITED' | 'UPSTREAM_UNAVAILABLE' | 'UPSTREAM_ERROR' | 'UPSTREAM_TIMEOUT' | 'SERVER_BUSY';
  readonly retryable: true;
  /** Whole seconds from the response until a retry makes sense, 0 or more. */
  readonly retryAfterSeconds: number;
  /** The same time in RFC 3339, UTC. */
  readonly retryAt: string;
  /**
   * RATE_LIMITED: who refused the call. `upstream`: Postman. `facade`: this server, to stay within the budget.
   * `operation`: this server, because the operation has made all the calls it may; a retry reads the rest.
   */
  readonly limitedBy?: 'upstream' | 'facade' | 'operation';
  /** RATE_LIMITED with `limitedBy: 'operation'`: the number of calls the operation may make. */
  readonly ceiling?: number;
  readonly upstream?: UpstreamResponse;
}

/** `extensions` of any error of an executed operation. */
export type ErrorExtensions = FinalErrorExtensions | RetryableErrorExtensions;

/**
 * One entry of `extensions.errorsByCause` of a response: the `extensions` that all errors of one cause share, and
 * their count.
 */
export type ErrorCause = ErrorExtensions & {
  /** Number of errors of this cause in the whole response, 1 or more. */
  readonly count: number;
  /** Path of the first of these errors; absent when it has none. */
  readonly firstPath?: readonly (string | number)[];
  /** With `Prefer: errors=by-cause`: the first paths, at least one, up to 640 characters of JSON. */
  readonly paths?: readonly (readonly (string | number)[])[];
  /** With `Prefer: errors=by-cause`: the number of paths left out. */
  readonly morePaths?: number;
};

/** `extensions` of an error of an operation that has made all the calls it may: a retry reads the rest. */
export type CutOffExtensions = RetryableErrorExtensions & {
  readonly code: 'RATE_LIMITED';
  readonly limitedBy: 'operation';
  readonly ceiling: number;
};

/**
 * Returns whether an entry of `errors` has the `extensions` of this server, and narrows its type.
 *
 * @param error - Any value, for example an entry of `errors` of a GraphQL response.
 */
export function hasPostmanExtensions<Value>(error: Value): error is Value & { readonly extensions: ErrorExtensions } {
  return isErrorExtensions((error as { readonly extensions?: unknown } | null | undefined)?.extensions);
}

/**
 * Returns the causes of a response's errors, `extensions.errorsByCause`. With `Prefer: errors=by-cause`, `errors` itself
 * has the first error of each cause only, and these have the paths of the others.
 *
 * @param response - Any value, for example a GraphQL response, or the last part of one.
 * @returns Empty if the response has no errors of an executed operation.
 */
export function errorCausesOf(response: unknown): readonly ErrorCause[] {
  const { extensions } = (response ?? {}) as { readonly extensions?: { readonly errorsByCause?: unknown } | null };
  const causes = extensions?.errorsByCause;
  return Array.isArray(causes) ? causes.filter(isErrorCause) : [];
}

/**
 * Returns whether the operation was cut off: it has made all the calls it may (`ceiling`), and a retry at `retryAt`
 * reads the rest.
 *
 * @param extensions - Of an error, or a cause.
 */
export function isCutOff<Value extends ErrorExtensions>(extensions: Value): extensions is Value & CutOffExtensions {
  return (
    extensions.code === 'RATE_LIMITED' && extensions.limitedBy === 'operation' && typeof extensions.ceiling === 'number'
  );
}

function isErrorCause(value: unknown): value is ErrorCause {
  return isErrorExtensions(value) && typeof (value as { readonly count?: unknown }).count === 'number';
}

function isErrorExtensions(extensions: unknown): extensions is ErrorExtensions {
  if (typeof extensions !== 'object' || extensions === null) return false;
  const { code, retryable, retryAt, retryAfterSeconds } = extensions as Readonly<Record<string, unknown>>;
  if (!(errorCodes as readonly unknown[]).includes(code)) return false;
  return (
    retryable === false || (retryable === true && typeof retryAt === 'string' && typeof retryAfterSeconds === 'number')
  );
}

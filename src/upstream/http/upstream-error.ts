/**
 * Why a read failed, in terms of what the client can do about it.
 *
 * `rateLimited`, `unavailable`, `serverError`, `timeout` and `busy` (this server lacks memory at the moment) can be
 * retried later; the others cannot.
 */
export type UpstreamErrorKind =
  | 'unauthenticated'
  | 'forbidden'
  | 'notFound'
  | 'badInput'
  | 'rateLimited'
  | 'quotaExhausted'
  | 'unavailable'
  | 'unreachable'
  | 'serverError'
  | 'timeout'
  | 'busy'
  | 'badResponse'
  | 'tooExpensive'
  | 'notCached';

/** The facts about a failed read. Unknown facts are absent. */
export interface UpstreamErrorDetails {
  /** Template such as `/collections/{uid}`, never a URL; absent if the error concerns no particular call. */
  readonly route?: string;
  /** HTTP status; absent if there was no response. */
  readonly status?: number;
  /** Postman's own error code, such as `instanceNotFoundError`. */
  readonly upstreamName?: string;
  /** When to try again, in monotonic milliseconds, so that setting the wall clock does not move it. */
  readonly retryAtMs?: number;
  /** How long Postman itself asked to wait, in milliseconds. */
  readonly hintedWaitMs?: number;
  /** No connection was made, so the call was never sent. */
  readonly isConnectFailure?: true;
  /** Which rate limit refused the call; `operation`: the operation has reached its call limit. */
  readonly limitedBy?: 'upstream' | 'facade' | 'operation';
  /** Calls that were made or would be needed. */
  readonly calls?: number;
  /** The call limit of the operation. */
  readonly ceiling?: number;
  /** The error that was caught. Never shown to clients. */
  readonly cause?: unknown;
}

/**
 * A failed read as plain data. Unlike an error, whose stack refers to its callers, it can be cached without keeping an
 * operation in memory.
 */
export interface UpstreamFailure extends Omit<UpstreamErrorDetails, 'cause'> {
  readonly kind: UpstreamErrorKind;
  /** Safe to show to clients. */
  readonly message: string;
}

/** The error that the upstream layer throws. Its message is safe to show to clients. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly kind: UpstreamErrorKind;
  // Declared only: a normal field would exist as `undefined` even if the fact is unknown.
  declare readonly route?: string;
  declare readonly status?: number;
  declare readonly upstreamName?: string;
  declare readonly retryAtMs?: number;
  declare readonly hintedWaitMs?: number;
  declare readonly isConnectFailure?: true;
  declare readonly limitedBy?: 'upstream' | 'facade' | 'operation';
  declare readonly calls?: number;
  declare readonly ceiling?: number;

  constructor(kind: UpstreamErrorKind, message: string, details: UpstreamErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    if (details.route !== undefined) this.route = details.route;
    if (details.status !== undefined) this.status = details.status;
    if (details.upstreamName !== undefined) this.upstreamName = details.upstreamName;
    if (details.retryAtMs !== undefined) this.retryAtMs = details.retryAtMs;
    if (details.hintedWaitMs !== undefined) this.hintedWaitMs = details.hintedWaitMs;
    if (details.isConnectFailure !== undefined) this.isConnectFailure = details.isConnectFailure;
    if (details.limitedBy !== undefined) this.limitedBy = details.limitedBy;
    if (details.calls !== undefined) this.calls = details.calls;
    if (details.ceiling !== undefined) this.ceiling = details.ceiling;
  }
}

/** Extracts the facts of an error, without its cause and its stack. */
export function toFailure(error: UpstreamError): UpstreamFailure {
  // The spread copies neither message, cause nor stack: they are not enumerable.
  const { name: _, ...facts } = error;
  return { ...facts, message: error.message };
}

/** Creates a new error from a failure. */
export function toError({ kind, message, ...details }: UpstreamFailure): UpstreamError {
  return new UpstreamError(kind, message, details);
}

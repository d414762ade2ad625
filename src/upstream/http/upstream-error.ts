/**
 * What went wrong with a read, in the terms a caller acts on.
 *
 * `rateLimited`, `unavailable`, `serverError`, `timeout` and `busy` (this server has no memory for it now) can be tried again later; the others cannot.
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

/** The facts of a failed read. A fact that is not known is absent. */
export interface UpstreamErrorDetails {
  /** Template such as `/collections/{uid}`, never a URL; absent where no call was asked for. */
  readonly route?: string;
  /** HTTP status, where there was an answer. */
  readonly status?: number;
  /** The upstream's own code, such as `instanceNotFoundError`. */
  readonly upstreamName?: string;
  /** When to try again, monotonic milliseconds: what waits must not move when the wall clock is set. */
  readonly retryAtMs?: number;
  /** How long upstream itself has asked to wait, in milliseconds. */
  readonly hintedWaitMs?: number;
  /** No connection was made: the call has not reached anybody. */
  readonly isConnectFailure?: true;
  /** Who refused for want of budget; `operation`: it has made all calls that it may. */
  readonly limitedBy?: 'upstream' | 'facade' | 'operation';
  /** Calls that were made or would be needed. */
  readonly calls?: number;
  /** Calls one operation may make. */
  readonly ceiling?: number;
  /** What was caught. Never shown to clients. */
  readonly cause?: unknown;
}

/** A failed read as plain facts. It can be kept: unlike an error, whose stack holds what called it, it holds on to no operation. */
export interface UpstreamFailure extends Omit<UpstreamErrorDetails, 'cause'> {
  readonly kind: UpstreamErrorKind;
  /** Fit to be shown to a client. */
  readonly message: string;
}

/** The one error the upstream layer throws. Its message is fit to be shown to a client. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly kind: UpstreamErrorKind;
  // Declared only: a field would exist as `undefined` where the fact is not known.
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

/** The facts of an error, without its cause and its stack. */
export function toFailure(error: UpstreamError): UpstreamFailure {
  // The message, the cause and the stack are no members that are copied.
  const { name: _, ...facts } = error;
  return { ...facts, message: error.message };
}

/** Makes an error of a failure, anew each time that it is told. */
export function toError({ kind, message, ...details }: UpstreamFailure): UpstreamError {
  return new UpstreamError(kind, message, details);
}

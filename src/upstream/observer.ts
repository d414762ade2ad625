import type { UpstreamErrorKind } from './http/upstream-error.ts';
import type { Route } from './postman/call.ts';

/** One call in flight. All events of one call have the same object. */
export interface ObservedCall {
  /** Never the target, which holds identifiers. */
  readonly route: Route;
  /** The operation that requested it first, as an identity: the server knows what it has bound to it. */
  readonly initiator: object;
  readonly keyHash: string;
}

/** How one sending of a call has ended. Times are in milliseconds. */
export interface CallResult {
  /** How often the call had been sent before. */
  readonly resends: number;
  /** From the sending until the response was read and parsed, or the failure. */
  readonly durationMs: number;
  /** How long the call had waited for slots before it was sent. */
  readonly waitedMs: number;
  /** HTTP status; absent if there was no response. */
  readonly status?: number;
  /** Absent: the call succeeded. `internal`: an unexpected error of this server. */
  readonly error?: UpstreamErrorKind | 'internal';
  /** Time until a retry is worth it, if the error says so. */
  readonly retryInMs?: number;
}

/** The limit of one window. */
export interface ObservedLimit {
  readonly limit: number;
  readonly windowMs: number;
}

/**
 * Gets the events of the upstream layer, for logs, traces and metrics. Methods are called synchronously; they must be
 * quick and must not throw.
 */
export interface UpstreamObserver {
  /** A call begins to wait for slots, before it is sent or resent. */
  onQueued(call: ObservedCall): void;
  /** A call no longer waits for slots. `isAdmitted`: it is sent next; otherwise no operation waits for it any more. */
  onDequeued(call: ObservedCall, isAdmitted: boolean): void;
  /** A call is sent. `resends`: how often it was sent before. */
  onSent(call: ObservedCall, resends: number): void;
  /** A sent call has got its response, or has failed. */
  onSettled(call: ObservedCall, result: CallResult): void;
  /** Another operation than the initiator begins to wait for the response to a call. */
  onJoined(call: ObservedCall, operation: object): void;
  /** That operation no longer waits for it. */
  onJoinEnded(call: ObservedCall, operation: object): void;
  /** Calls begin to be refused by a circuit breaker, or no longer are: those of one key, or of all (without hash). */
  onCircuitChange(isOpen: boolean, keyHash?: string): void;
  /** A response has changed the limits of a budget. Both lists are complete. */
  onLimitsLearned(keyHash: string, before: readonly ObservedLimit[], after: readonly ObservedLimit[]): void;
}

/** An observer that ignores everything. */
export const silentObserver: UpstreamObserver = {
  onQueued() {},
  onDequeued() {},
  onSent() {},
  onSettled() {},
  onJoined() {},
  onJoinEnded() {},
  onCircuitChange() {},
  onLimitsLearned() {},
};

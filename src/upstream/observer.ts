import type { UpstreamErrorKind } from './http/upstream-error.ts';
import type { Route } from './postman/call.ts';
import type { RouteClass } from './postman/route-class.ts';

/** Whose work a call is counted as, in reports to its API key. */
export interface CallOrigin {
  /** Name of the operation; null if it has none. At most 64 characters. */
  readonly operation: string | null;
  /** Name of the client program; null if it sends none. At most 64 characters. */
  readonly client: string | null;
}

/** One call in flight. All events of one call have the same object. */
export interface ObservedCall {
  /** Never the target, which holds identifiers. */
  readonly route: Route;
  /** The operation that requested it first, as an identity: the server knows what it has bound to it. */
  readonly initiator: object;
  readonly keyHash: string;
  /** Who it is counted for; absent: nobody in particular. */
  readonly origin: CallOrigin | undefined;
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
  /** No connection was made, so nothing was sent. */
  readonly isConnectFailure?: true;
  /** Time until a retry is worth it, if the error says so. */
  readonly retryInMs?: number;
}

/** The limit of one window. */
export interface ObservedLimit {
  readonly limit: number;
  readonly windowMs: number;
}

/**
 * How a read was served: `hit`: from the cache; `shared`: from the cache, into which its response has just come from
 * Redis; `stale`: from either, too old to be fresh; `coalesced`: by a call that was already in flight; `miss`: by a new
 * call. A read whose call fails, and that is then served a stale response, is both a `miss` and `stale`.
 */
export type ReadOutcome = 'hit' | 'shared' | 'stale' | 'coalesced' | 'miss';

/**
 * Why a call was not sent: its slot comes after the `deadline`, the queue is `full`, the `month`'s quota is used up, a
 * circuit `breaker` is open, the operation has reached its `call_limit`, or too many keys are new (`new_key`).
 */
export type RefusalReason = 'deadline' | 'full' | 'month' | 'breaker' | 'call_limit' | 'new_key';

/**
 * How a reservation ended: `used`: the client came in time and its call got a slot at once; `late`: it came in time,
 * and had to wait or was refused again; `expired`: it did not come.
 */
export type ReservationOutcome = 'used' | 'late' | 'expired';

/** `skipped`: no call was sent, because none was possible or needed any more. */
export type RevalidationOutcome = 'succeeded' | 'failed' | 'skipped';

/** What a script does: it exchanges slots, sends a heartbeat, signs this instance off, or exchanges reported changes. */
export type StoreScript = 'exchange' | 'heartbeat' | 'leave' | 'changes';

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
  /** A call has got its slots. `waitedMs`: its time in the queue; 0: it did not wait. */
  onSlotTaken(routeClass: RouteClass, waitedMs: number): void;
  /** A read is served, or its call begins. */
  onRead(outcome: ReadOutcome): void;
  /** One operation was refused one call. */
  onRefused(reason: RefusalReason): void;
  onReservationEnded(outcome: ReservationOutcome): void;
  onRevalidated(outcome: RevalidationOutcome): void;
  /** A script in the shared store of slots has replied or failed. */
  onStoreReplied(script: StoreScript, durationMs: number, isFailed: boolean): void;
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
  onSlotTaken() {},
  onRead() {},
  onRefused() {},
  onReservationEnded() {},
  onRevalidated() {},
  onStoreReplied() {},
};

import type { UpstreamError } from './http/upstream-error.ts';
import type { Route } from './postman/call.ts';
import type { RouteClass } from './postman/route-class.ts';

/** Whose work a call is counted as, in reports to its API key. */
export interface CallOrigin {
  /** Name of the operation; null if it has none. At most 64 characters. */
  readonly operation: string | null;
  /** Name of the client program; null if it sends none. At most 64 characters. */
  readonly client: string | null;
}

/** One request to upstream that has ended. A retry is a call of its own. */
export interface SettledCall {
  readonly route: Route;
  readonly keyHash: string;
  /** Who started it; absent: nobody in particular. */
  readonly origin: CallOrigin | undefined;
  /** From sending it to the end of its response. */
  readonly durationMs: number;
  /** Why it failed; absent: it succeeded. An error without a connection says that nothing was sent. */
  readonly error?: UpstreamError | undefined;
  /** It repeats a call that has failed. */
  readonly isRetry: boolean;
}

/**
 * How a read was served: `hit`: from the cache; `stale`: from the cache, too old to be fresh; `coalesced`: by a call
 * that was already in flight; `miss`: by a new call. A read whose call fails, and that is then served a stale
 * response, is both a `miss` and `stale`.
 */
export type ReadOutcome = 'hit' | 'stale' | 'coalesced' | 'miss';

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

/** What a script does: it exchanges slots, sends a heartbeat, or signs this instance off. */
export type StoreScript = 'exchange' | 'heartbeat' | 'leave';

/** Gets the events of the upstream layer as they happen. Its methods return at once and never throw. */
export interface UpstreamObserver {
  callSettled(call: SettledCall): void;
  /** A call has got its slots. `waitedMs`: its time in the queue; 0: it did not wait. */
  slotTaken(routeClass: RouteClass, waitedMs: number): void;
  read(outcome: ReadOutcome): void;
  /** One operation was refused one call. */
  callRefused(reason: RefusalReason): void;
  reservationEnded(outcome: ReservationOutcome): void;
  revalidated(outcome: RevalidationOutcome): void;
  /** A script in the shared store of slots has replied or failed. */
  storeReplied(script: StoreScript, durationMs: number, isFailed: boolean): void;
}

/** Ignores all events. */
export const noObserver: UpstreamObserver = {
  callSettled() {},
  slotTaken() {},
  read() {},
  callRefused() {},
  reservationEnded() {},
  revalidated() {},
  storeReplied() {},
};

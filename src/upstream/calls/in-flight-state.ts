import type { ReceivedResponse } from '../cache/cached-response.ts';
import type { QueuedCall } from '../rate-limiter/queue/queued-call.ts';
import type { CallServices } from './send-call.ts';
import type { Call } from '../postman/call.ts';
import type { Operation } from './operation/operation.ts';

/** Options of `InFlightCall`. */
export interface InFlightCallOptions {
  readonly services: CallServices;
  readonly call: Call<unknown>;
  /** The operation that requested it first. Its key, budget and fair share are used. */
  readonly initiator: Operation;
  /** When it is expected to get a slot (monotonic ms). */
  readonly slotAtMs: number;
  /** Called when the call has ended in any way and can no longer be joined. */
  readonly onSettled: () => void;
}

/** The state of a call in flight. */
export type State =
  /** Waits for a slot. `slotAtMs`: when it is expected, or the latest time at which it can come (monotonic ms). */
  | { readonly is: 'queued'; readonly slot: QueuedCall; slotAtMs: number }
  | { readonly is: 'backingOff'; readonly cancel: () => void }
  | { readonly is: 'starting' | 'sent' | 'done' };

/** One operation that waits for the response. */
export interface Waiter {
  readonly operation: Operation;
  /** Unregisters the waiter from its operation. */
  readonly cancelWait: () => void;
  readonly resolve: (response: ReceivedResponse) => void;
  readonly reject: (error: unknown) => void;
}

import type { Call } from '../postman/call.ts';
import type { Clock } from '../clock.ts';
import { UpstreamError } from '../http/upstream-error.ts';
import type { CallResult, ObservedCall, UpstreamObserver } from '../observer.ts';
import type { Operation } from './operation/operation.ts';

/** Reports the events of one call in flight, in the order in which they can occur. */
export interface CallReports {
  /** The call begins to wait for slots. */
  queued(): void;
  /** It no longer waits. `isAdmitted`: it has its slots. */
  dequeued(isAdmitted: boolean): void;
  /** It is sent. Returns the function that reports its end, with the error if it failed. */
  sent(): (error?: unknown) => void;
  /** An operation waits for the response. */
  joined(operation: Operation): void;
  /** That operation has the response, or has given up. */
  left(operation: Operation): void;
}

/** Makes the reports of one call. Joining is reported of other operations than the initiator only. */
export function createCallReports(
  { observer, clock }: { readonly observer: UpstreamObserver; readonly clock: Clock },
  { route }: Call<unknown>,
  initiator: Operation,
): CallReports {
  const call: ObservedCall = { route, initiator, keyHash: initiator.caller.keyHash };
  let queuedAtMs: number | undefined;
  let sends = 0;
  return {
    queued() {
      queuedAtMs = clock.nowMs();
      observer.onQueued(call);
    },
    dequeued: (isAdmitted) => observer.onDequeued(call, isAdmitted),
    sent() {
      const sentAtMs = clock.nowMs();
      const waitedMs = queuedAtMs === undefined ? 0 : sentAtMs - queuedAtMs;
      const resends = sends++;
      queuedAtMs = undefined;
      observer.onSent(call, resends);
      return (error) => {
        const durationMs = clock.nowMs() - sentAtMs;
        observer.onSettled(call, { resends, durationMs, waitedMs, ...toOutcome(error, clock) });
      };
    },
    joined(operation) {
      if (operation !== initiator) observer.onJoined(call, operation);
    },
    left(operation) {
      if (operation !== initiator) observer.onJoinEnded(call, operation);
    },
  };
}

function toOutcome(error: unknown, clock: Clock): Pick<CallResult, 'status' | 'error' | 'retryInMs'> {
  if (error === undefined) return { status: 200 };
  if (!(error instanceof UpstreamError)) return { error: 'internal' };
  const { kind, status, retryAtMs } = error;
  return {
    error: kind,
    ...(status !== undefined && { status }),
    ...(retryAtMs !== undefined && { retryInMs: Math.max(0, retryAtMs - clock.nowMs()) }),
  };
}

/**
 * The state that calls need of one GraphQL operation: its API key and budget, deadline, end, meter, refusals and held
 * responses.
 *
 * Exports `openOperation` for client requests, `toBackgroundOperation` for revalidations, and the types `Operation`,
 * `OperationIdentity` and `Caller`. An operation makes no calls: this module must not import the files that send them,
 * `http-client.ts`, `response-cache.ts` or `collection-format`.
 */
import type { KeyBudget } from '../../rate-limiter/budget-registry.ts';
import type { Clock } from '../../clock.ts';
import { Stop, type StopSignal } from '../../stop.ts';
import { createFirstRowScheduler, type FirstRowScheduler } from './first-row-scheduler.ts';
import type { CacheDirectives } from '../../cache/freshness.ts';
import { type HeldResponses, type OperationResponses, uncountedResponses } from './held-responses.ts';
import { createIdleTasks, type IdleTasks } from './idle-tasks.ts';
import { createOperationMeter, type OperationMeter } from './operation-meter.ts';
import { createRefusals, type Refusals } from './refusals.ts';
import { createRetryOutlook, backgroundRetryOutlook, type RetryOutlook } from './retry-outlook.ts';
import type { CallOrigin } from '../../observer.ts';
import type { Secret } from '../../http/secret.ts';
import { createFairShare, type FairShare } from '../../rate-limiter/queue/fair-share.ts';

/** Why an operation stops waiting for its calls. */
export type EndReason = 'deadline' | 'clientGone' | 'responseMemoryExceeded';

/** The API key that calls are made with. It may outlive the operation, so it must not reference it. */
export interface Caller {
  readonly keyHash: string;
  readonly apiKey: Secret;
  /** The client's address, as the server determines it. */
  readonly clientAddress: string;
  /** Reading `current` creates the budget if there is none; reading `view` does not. */
  readonly keyBudget: KeyBudget;
  /** Who its calls are counted for in reports. Default: nobody in particular. */
  readonly origin?: CallOrigin | undefined;
}

/** Whose calls an operation makes, how long it waits for them, and which cached responses it accepts. */
export interface OperationIdentity {
  readonly caller: Caller;
  /** Monotonic milliseconds. */
  readonly openedAtMs: number;
  /** Monotonic milliseconds. */
  readonly deadlineMs: number;
  /** Aborts when the operation ends. The reason is an `EndReason`. */
  readonly ended: StopSignal;
  readonly directives: CacheDirectives;
  /** The most calls that it may make. */
  readonly maxCalls: number;
}

/** One GraphQL operation, as the upstream layer knows it. */
export interface Operation extends OperationIdentity {
  readonly meter: OperationMeter;
  /** Determines its position in the queue of its key. */
  readonly fairShare: FairShare;
  /** Orders the first calls of a streamed operation; undefined: calls are made as soon as they are requested. */
  readonly firstRowScheduler: FirstRowScheduler | undefined;
  /** Tasks that run once the operation can do nothing more without a response. */
  readonly idleTasks: IdleTasks;
  /** Predicts what a retry of the operation achieves. */
  readonly retryOutlook: RetryOutlook;
  /** Makes the errors of calls that the budget or the call limit refuses. */
  readonly refusals: Refusals;
  /** The responses that it holds in memory. */
  readonly responses: OperationResponses;
  /** Reports the user that the key belongs to, once it is known. */
  readonly belongsTo: KeyBudget['belongsTo'];
  /** Registers what must end with the operation: the latest ends first. Returns a function that unregisters it. */
  waitFor(pending: Pending): () => void;
  /** The latest expected slot of all pending calls (monotonic ms); 0 if none waits for a slot. */
  lastSlotAtMs(): number;
}

/** Something an operation waits for. */
export interface Pending {
  /** When its slot is expected (monotonic ms); 0 once it has one. */
  slotAtMs(): number;
  /** Called when the operation has ended. */
  end(): void;
}

/** What `openOperation` needs. */
export interface OperationOptions extends Caller {
  readonly heldResponses: HeldResponses;
  /** Time from now to the deadline. */
  readonly timeoutMs: number;
  /** Aborts when the client disconnects. */
  readonly clientGone: StopSignal;
  readonly maxCalls: number;
  /** The result is a stream of rows, and the first should come soon. Default: false. */
  readonly isStreamed?: boolean;
  readonly directives?: CacheDirectives;
  /** How long a retry may reuse a response that the operation reads (see `toReusableMs`). Default: for ever. */
  readonly reusableMs?: number;
  readonly clock: Clock;
}

/**
 * Opens an operation.
 *
 * @returns The operation; `close`, to be called when its response is complete or its client has gone: it ends all
 *   pending calls and releases the held responses; and `expire`, which ends the operation as if its deadline were now.
 */
export function openOperation({
  keyHash,
  apiKey,
  clientAddress,
  keyBudget,
  origin,
  heldResponses,
  timeoutMs,
  clientGone,
  maxCalls,
  isStreamed = false,
  directives = {},
  reusableMs = Number.POSITIVE_INFINITY,
  clock,
}: OperationOptions) {
  const openedAtMs = clock.nowMs();
  const { ended, end, waitFor, lastSlotAtMs } = createLifetime();
  const idleTasks = createIdleTasks();
  const responses = heldResponses.open(keyHash, () => end('responseMemoryExceeded'));
  const cancelDeadline = clock.schedule(openedAtMs + timeoutMs, () => end('deadline'));
  const retryOutlook = createRetryOutlook({ clock, reusableMs, timeoutMs, maxCalls, budget: () => keyBudget.current });
  const onClientGone = () => end('clientGone');
  if (clientGone.aborted) onClientGone();
  else clientGone.addEventListener('abort', onClientGone, { once: true });

  const operation: Operation = {
    caller: { keyHash, apiKey, clientAddress, keyBudget, origin },
    belongsTo: keyBudget.belongsTo,
    meter: createOperationMeter(clock),
    fairShare: createFairShare(),
    openedAtMs,
    deadlineMs: openedAtMs + timeoutMs,
    ended,
    waitFor,
    lastSlotAtMs,
    maxCalls,
    directives,
    firstRowScheduler: isStreamed ? createFirstRowScheduler(clock, idleTasks) : undefined,
    idleTasks,
    retryOutlook,
    refusals: createRefusals(clock, retryOutlook),
    responses,
  };
  return {
    operation,
    expire: () => end('deadline'),
    close() {
      cancelDeadline();
      clientGone.removeEventListener('abort', onClientGone);
      responses.release();
      // The response can be complete while fields of an abandoned @defer part are still queued.
      end('clientGone');
    },
  };
}

/**
 * Makes an operation that no client waits for, with the key of an earlier client operation.
 *
 * @param deadlineMs - Monotonic milliseconds.
 */
export function toBackgroundOperation(caller: Caller, deadlineMs: number, refusals: Refusals): Operation {
  return {
    caller,
    belongsTo: caller.keyBudget.belongsTo,
    meter: createOperationMeter({ nowMs: () => deadlineMs }),
    fairShare: createFairShare(),
    openedAtMs: deadlineMs,
    deadlineMs,
    ended: new Stop(),
    waitFor: () => () => {},
    lastSlotAtMs: () => 0,
    maxCalls: Number.POSITIVE_INFINITY,
    directives: {},
    firstRowScheduler: undefined,
    idleTasks: createIdleTasks(),
    retryOutlook: backgroundRetryOutlook,
    refusals,
    responses: uncountedResponses,
  };
}

function createLifetime() {
  const ended = new Stop();
  // A listener of the signal for each pending call would take ten times the memory.
  const pendingCalls = new Set<Pending>();
  return {
    ended,
    end(reason: EndReason) {
      if (ended.aborted) return;
      ended.abort(reason);
      for (const pending of [...pendingCalls].reverse()) pending.end();
    },
    waitFor(pending: Pending) {
      pendingCalls.add(pending);
      return () => void pendingCalls.delete(pending);
    },
    lastSlotAtMs: () => [...pendingCalls].reduce((lastMs, pending) => Math.max(lastMs, pending.slotAtMs()), 0),
  };
}

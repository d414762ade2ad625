import { setMaxListeners } from 'node:events';
import type { KeyBudget } from '../../rate-limiter/budget-registry.ts';
import type { Clock } from '../../clock.ts';
import { createFirstRowScheduler, type FirstRowScheduler } from './first-row-scheduler.ts';
import type { CacheDirectives } from '../../cache/freshness.ts';
import { type HeldResponses, type OperationResponses, uncountedResponses } from './held-responses.ts';
import { createIdleTasks, type IdleTasks } from './idle-tasks.ts';
import { createOperationMeter, type OperationMeter } from './operation-meter.ts';
import { createRefusals, type Refusals } from './refusals.ts';
import { createRetryOutlook, backgroundRetryOutlook, type RetryOutlook } from './retry-outlook.ts';
import type { Secret } from '../../http/secret.ts';
import { createFairShare, type FairShare } from '../../rate-limiter/queue/fair-share.ts';

/** Why an operation stops waiting for its calls. */
export type EndReason = 'deadline' | 'clientGone' | 'heldTooMuch';

/** Whose key calls are made with. It can outlive the operation: it holds on to nothing of it. */
export interface Caller {
  readonly keyHash: string;
  readonly apiKey: Secret;
  /** Where the client is, as `server/client-address.ts` has it. */
  readonly clientAddress: string;
  /** `current` is the budget that counts now, and is made when it is first asked for; asking for `view` makes none. */
  readonly keyBudget: KeyBudget;
}

/** Who waits for the calls of an operation, until when, and which cached answers will do. */
export interface OperationIdentity {
  readonly caller: Caller;
  /** Monotonic milliseconds. */
  readonly openedAtMs: number;
  /** Monotonic milliseconds. */
  readonly deadlineMs: number;
  /** Aborts, with an `EndReason`, when nobody waits any more. */
  readonly ended: AbortSignal;
  readonly directives: CacheDirectives;
  /** Calls that it may make. */
  readonly maxCalls: number;
}

/** One GraphQL operation, as the upstream layer sees it. */
export interface Operation extends OperationIdentity {
  readonly meter: OperationMeter;
  /** Its position in the queue of its key. */
  readonly fairShare: FairShare;
  /** undefined: each of its calls is made when it is asked for. */
  readonly firstRowScheduler: FirstRowScheduler | undefined;
  /** What waits until nothing more happens without an answer. */
  readonly idleTasks: IdleTasks;
  /** What comes of asking it again. */
  readonly retryOutlook: RetryOutlook;
  /** The errors of calls that the budget has no room for before the deadline. */
  readonly refusals: Refusals;
  /** The answers that it holds in memory. */
  readonly responses: OperationResponses;
  /** It has become known which user the key belongs to. */
  readonly belongsTo: KeyBudget['belongsTo'];
  /** Has something end with the operation; what came last ends first. Returns the way to call it off. */
  waitFor(pending: Pending): () => void;
  /** When the last thing that is awaited gets its slot (monotonic ms), as far as is known. */
  lastSlotAtMs(): number;
}

/** Something an operation waits for. */
export interface Pending {
  /** When it gets its slot (monotonic ms), as far as is known; 0 once it has it. */
  slotAtMs(): number;
  /** The operation has ended. */
  end(): void;
}

/** What an operation is made from. */
export interface OperationOptions extends Caller {
  readonly heldResponses: HeldResponses;
  /** From now. */
  readonly timeoutMs: number;
  /** Aborts when the client has gone. */
  readonly clientGone: AbortSignal;
  readonly maxCalls: number;
  /** Its answer is a stream of rows, of which the first is to come soon. */
  readonly isStreamed?: boolean;
  readonly directives?: CacheDirectives;
  /** How long each answer that it reads will do for the same request, as `toReusableMs` tells. Default: for ever. */
  readonly reusableMs?: number;
  readonly clock: Clock;
}

/**
 * Opens an operation.
 *
 * @returns The operation; `close`, to be called when its answer is complete or nobody waits for it, so that nothing more is spent on it; and `expire`,
 *   which brings its deadline forward to now.
 */
export function openOperation({
  keyHash,
  apiKey,
  clientAddress,
  keyBudget,
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
  const responses = heldResponses.open(keyHash, () => end('heldTooMuch'));
  const cancelDeadline = clock.schedule(openedAtMs + timeoutMs, () => end('deadline'));
  const retryOutlook = createRetryOutlook({ clock, reusableMs, timeoutMs, maxCalls, budget: () => keyBudget.current });
  const onClientGone = () => end('clientGone');
  if (clientGone.aborted) onClientGone();
  else clientGone.addEventListener('abort', onClientGone, { once: true });

  const operation: Operation = {
    caller: { keyHash, apiKey, clientAddress, keyBudget },
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
      // An answer can be complete while fields of an abandoned part are still queued.
      end('clientGone');
    },
  };
}

/**
 * Makes an operation that no client waits for, with the key of somebody who has had one: for calls that are made after it, whoever profits.
 *
 * @param deadlineMs - Monotonic milliseconds.
 */
export function toBackground(caller: Caller, deadlineMs: number, refusals: Refusals): Operation {
  return {
    caller,
    belongsTo: caller.keyBudget.belongsTo,
    meter: createOperationMeter({ nowMs: () => deadlineMs }),
    fairShare: createFairShare(),
    openedAtMs: deadlineMs,
    deadlineMs,
    ended: new AbortController().signal,
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
  const ending = new AbortController();
  // Every call of a key that is not known yet has one of its own.
  setMaxListeners(0, ending.signal);
  // One for each call that waits: a listener of the signal would take ten times the memory.
  const awaited = new Set<Pending>();
  return {
    ended: ending.signal,
    end(reason: EndReason) {
      if (ending.signal.aborted) return;
      ending.abort(reason);
      for (const pending of [...awaited].reverse()) pending.end();
    },
    waitFor(pending: Pending) {
      awaited.add(pending);
      return () => void awaited.delete(pending);
    },
    lastSlotAtMs: () => [...awaited].reduce((lastMs, pending) => Math.max(lastMs, pending.slotAtMs()), 0),
  };
}

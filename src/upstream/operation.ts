import { setMaxListeners } from 'node:events';
import type { Budget, BudgetView } from './budget.ts';
import type { KeyBudget } from './budgets.ts';
import type { Clock } from './clock.ts';
import { createFirstRowScheduler, type FirstRowScheduler } from './first-row-scheduler.ts';
import type { CacheDirectives } from './freshness.ts';
import { type HeldAnswers, type Holdings, uncountedHoldings } from './held-answers.ts';
import { createIdleTasks, type IdleTasks } from './idle-tasks.ts';
import { createRefusals, type Refusals } from './refusals.ts';
import { createRepeats, noRepeats, type Repeats } from './repeats.ts';
import type { Secret } from './secret.ts';
import { createShare, type Share } from './share.ts';
import { createUnanswered, type Unanswered } from './unanswered.ts';

/** Why an operation stops waiting for its calls. */
export type EndReason = 'deadline' | 'clientGone' | 'heldTooMuch';

/** What an operation has cost so far. */
export interface OperationCost {
  /** GETs sent upstream for it. */
  calls: number;
  /** Answers that were still kept. */
  cached: number;
  /** Answers of calls that somebody else had already under way. */
  coalesced: number;
}

/** Whose key calls are made with. It can be kept when the operation is over: it holds on to nothing of it. */
export interface Caller {
  readonly tenant: string;
  readonly apiKey: Secret;
  /** Where the client is, as `server/client-address.ts` has it. */
  readonly clientAddress: string;
  readonly keyBudget: KeyBudget;
}

/** One GraphQL operation, as the upstream layer sees it: whose key, until when, how much. */
export interface Operation {
  readonly caller: Caller;
  readonly tenant: string;
  readonly apiKey: Secret;
  /** Where the client is, as `server/client-address.ts` has it. */
  readonly clientAddress: string;
  /** The one that counts now; it is made when it is first asked for. */
  readonly budget: Budget;
  /** What there is to know of the budget; asking makes none. */
  readonly budgetView: BudgetView;
  /** Whose key it is has become known. */
  readonly belongsTo: KeyBudget['belongsTo'];
  readonly share: Share;
  /** Monotonic milliseconds. */
  readonly openedAtMs: number;
  /** Monotonic milliseconds. */
  readonly deadlineMs: number;
  /** Aborts, with an `EndReason`, when nobody waits any more. */
  readonly ended: AbortSignal;
  /** Has something end with the operation, what came last first. Returns the way to call it off. */
  waitFor(pending: Pending): () => void;
  /** When the last thing that is awaited has its turn (monotonic ms), as far as is known. */
  lastTurnAtMs(): number;
  readonly maxCalls: number;
  /** undefined: each of its calls is made when it is asked for. */
  readonly pace: FirstRowScheduler | undefined;
  /** What waits until nothing more happens without an answer. */
  readonly idleTasks: IdleTasks;
  /** Calls it has asked for, sent or waiting. */
  askedCalls: number;
  /** Targets of the answers it was given. */
  readonly given: Set<string>;
  /** What comes of asking it again. */
  readonly repeats: Repeats;
  /** Those of its calls that have no answer yet. */
  readonly unanswered: Unanswered;
  /** What it is told of calls that the budget has no room for before the deadline. */
  readonly refusals: Refusals;
  readonly cost: OperationCost;
  /** What it wants of kept answers. */
  readonly directives: CacheDirectives;
  /** The kept answers it was given. */
  readonly ages: ServedAges;
  /** What it holds of the answers it was given. */
  readonly holdings: Holdings;
  /** Counts the time in which at least one call waits for its turn. */
  readonly wait: WaitMeter;
}

/** Something an operation waits for. */
export interface Pending {
  /** When it has its turn (monotonic ms), as far as is known; 0 once it had. */
  turnAtMs(): number;
  /** The operation has ended. */
  end(): void;
}

/** How old the kept answers are that an operation was given. */
export interface ServedAges {
  /** A kept answer is given out. `isStale`: past the time for which it counts as fresh. */
  add(value: unknown, ageMs: number, isStale: boolean): void;
  /** The age of a stale answer, or of an item in it, in milliseconds; undefined for everything else. */
  staleMs(value: object): number | undefined;
  /** Age of the oldest in milliseconds; undefined where nothing was kept. */
  oldestMs(): number | undefined;
}

/** Measures for how long at least one of several things was waiting. */
export interface WaitMeter {
  start(): void;
  stop(): void;
  /** How many are waiting. */
  readonly count: number;
  /** Whole milliseconds so far. */
  totalMs(): number;
}

/** What an operation is made from. */
export interface OperationOptions {
  readonly tenant: string;
  readonly apiKey: Secret;
  readonly clientAddress: string;
  readonly keyBudget: KeyBudget;
  readonly heldAnswers: HeldAnswers;
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
 * @returns The operation; `close`, to be called when its answer is complete or nobody waits for it, so that nothing more is spent on it; and `expire`, which brings its deadline forward to now.
 */
export function openOperation({
  tenant,
  apiKey,
  clientAddress,
  keyBudget,
  heldAnswers,
  timeoutMs,
  clientGone,
  maxCalls,
  isStreamed = false,
  directives = {},
  reusableMs = Number.POSITIVE_INFINITY,
  clock,
}: OperationOptions): {
  readonly operation: Operation;
  readonly close: () => void;
  readonly expire: () => void;
} {
  const ending = new AbortController();
  // Every call of a key that is not known yet has one of its own.
  setMaxListeners(0, ending.signal);
  // One for each call that waits: a listener of the signal would take ten times the memory.
  const awaited = new Set<Pending>();
  const unanswered = createUnanswered();
  const idleTasks = createIdleTasks();
  const end = (reason: EndReason) => {
    if (ending.signal.aborted) return;
    ending.abort(reason);
    for (const pending of [...awaited].reverse()) pending.end();
  };
  const holdings = heldAnswers.open(tenant, () => end('heldTooMuch'));
  const deadlineMs = clock.nowMs() + timeoutMs;
  const cancelDeadline = clock.schedule(deadlineMs, () => end('deadline'));
  const repeats = createRepeats({ clock, reusableMs, timeoutMs, maxCalls, budget: () => keyBudget.current });
  const onClientGone = () => end('clientGone');
  if (clientGone.aborted) onClientGone();
  else clientGone.addEventListener('abort', onClientGone, { once: true });

  return {
    operation: {
      caller: { tenant, apiKey, clientAddress, keyBudget },
      tenant,
      apiKey,
      clientAddress,
      get budget() {
        return keyBudget.current;
      },
      get budgetView() {
        return keyBudget.view;
      },
      belongsTo: keyBudget.belongsTo,
      share: createShare(),
      openedAtMs: deadlineMs - timeoutMs,
      deadlineMs,
      ended: ending.signal,
      waitFor(pending) {
        awaited.add(pending);
        return () => void awaited.delete(pending);
      },
      lastTurnAtMs: () => [...awaited].reduce((lastMs, pending) => Math.max(lastMs, pending.turnAtMs()), 0),
      maxCalls,
      pace: isStreamed ? createFirstRowScheduler(clock, idleTasks) : undefined,
      idleTasks,
      askedCalls: 0,
      given: new Set(),
      repeats,
      unanswered,
      refusals: createRefusals(clock, repeats),
      cost: { calls: 0, cached: 0, coalesced: 0 },
      directives,
      ages: createServedAges(),
      holdings,
      wait: createWaitMeter(clock, () => unanswered.onProgress()),
    },
    expire: () => end('deadline'),
    close() {
      cancelDeadline();
      clientGone.removeEventListener('abort', onClientGone);
      holdings.release();
      // An answer can be complete while fields of a part that came to nothing still wait for their turn.
      end('clientGone');
    },
  };
}

/**
 * Makes an operation of nobody, with the key of somebody who has had one: for calls that are made after it, whoever profits.
 *
 * @param deadlineMs - Monotonic milliseconds.
 */
export function toBackground(caller: Caller, deadlineMs: number, refusals: Refusals): Operation {
  const { tenant, apiKey, clientAddress, keyBudget } = caller;
  return {
    caller,
    tenant,
    apiKey,
    clientAddress,
    get budget() {
      return keyBudget.current;
    },
    get budgetView() {
      return keyBudget.view;
    },
    belongsTo: keyBudget.belongsTo,
    share: createShare(),
    openedAtMs: deadlineMs,
    deadlineMs,
    ended: new AbortController().signal,
    waitFor: () => () => {},
    lastTurnAtMs: () => 0,
    maxCalls: Number.POSITIVE_INFINITY,
    pace: undefined,
    idleTasks: createIdleTasks(),
    askedCalls: 0,
    given: new Set(),
    repeats: noRepeats,
    unanswered: createUnanswered(),
    refusals,
    cost: { calls: 0, cached: 0, coalesced: 0 },
    directives: {},
    ages: createServedAges(),
    holdings: uncountedHoldings,
    wait: { start() {}, stop() {}, count: 0, totalMs: () => 0 },
  };
}

function createServedAges(): ServedAges {
  const staleMs = new WeakMap<object, number>();
  let oldestMs: number | undefined;
  const mark = (value: unknown, ageMs: number) => {
    if (typeof value === 'object' && value !== null) staleMs.set(value, ageMs);
  };
  return {
    add(value, ageMs, isStale) {
      oldestMs = Math.max(oldestMs ?? 0, ageMs);
      if (!isStale || typeof value !== 'object' || value === null) return;
      mark(value, ageMs);
      // Items of a list are handed on without it.
      for (const part of Array.isArray(value) ? [value] : Object.values(value)) {
        if (Array.isArray(part)) for (const item of part) mark(item, ageMs);
      }
    },
    staleMs: (value) => staleMs.get(value),
    oldestMs: () => oldestMs,
  };
}

function createWaitMeter(clock: Clock, onStop: () => void): WaitMeter {
  let waiting = 0;
  let sinceMs = 0;
  let totalMs = 0;
  return {
    start() {
      if (waiting++ === 0) sinceMs = clock.nowMs();
    },
    stop() {
      if (--waiting === 0) totalMs += clock.nowMs() - sinceMs;
      onStop();
    },
    get count() {
      return waiting;
    },
    totalMs: () => Math.round(totalMs + (waiting > 0 ? clock.nowMs() - sinceMs : 0)),
  };
}

import type { Clock } from '../../clock.ts';
import { createPendingCalls, type PendingCalls } from './pending-fields.ts';

/** What has been counted of one operation so far. */
export interface OperationMeter {
  readonly cost: OperationCost;
  /** Calls it has asked for, sent or waiting. */
  requestedCalls: number;
  /** Those of its calls that have no answer yet. */
  readonly pendingCalls: PendingCalls;
  /** Targets of the answers it was given. */
  readonly servedTargets: Set<string>;
  /** How old the cached answers are that it was given. */
  readonly ages: ServedAges;
  /** Counts the time in which at least one call waits for a slot. */
  readonly wait: WaitMeter;
}

/** What an operation has cost so far. */
export interface OperationCost {
  /** GETs sent upstream for it. */
  calls: number;
  /** Answers that were cached. */
  cached: number;
  /** Answers of calls that were already in flight for somebody else. */
  coalesced: number;
}

/** How old the cached answers are that an operation was given. */
export interface ServedAges {
  /** A cached answer is given out. `isStale`: past the time for which it counts as fresh. */
  add(value: unknown, ageMs: number, isStale: boolean): void;
  /** The age of a stale answer, or of an item in it, in milliseconds; undefined for everything else. */
  staleMs(value: object): number | undefined;
  /** Age of the oldest in milliseconds; undefined where nothing was cached. */
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

/** Makes the meter of one operation: nothing counted yet. */
export function createOperationMeter(clock: Pick<Clock, 'nowMs'>): OperationMeter {
  const pendingCalls = createPendingCalls();
  return {
    cost: { calls: 0, cached: 0, coalesced: 0 },
    requestedCalls: 0,
    pendingCalls,
    servedTargets: new Set(),
    ages: createServedAges(),
    wait: createWaitMeter(clock, () => pendingCalls.onProgress()),
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

function createWaitMeter(clock: Pick<Clock, 'nowMs'>, onStop: () => void): WaitMeter {
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

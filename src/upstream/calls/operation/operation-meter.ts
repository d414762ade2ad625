import type { Clock } from '../../clock.ts';
import { createPendingCalls, type PendingCalls } from './pending-calls.ts';

/** What has been counted of one operation so far. */
export interface OperationMeter {
  readonly cost: OperationCost;
  /** New calls that it has requested, including refused ones. Cached responses and joined calls do not count. */
  requestedCalls: number;
  /** Its requested calls that have not settled. */
  readonly pendingCalls: PendingCalls;
  /** Targets of the responses it was served. */
  readonly servedTargets: Set<string>;
  /** Ages of the cached responses that it was served. */
  readonly ages: ServedAges;
  /** Until when all cached responses that it was served stay fresh (monotonic ms); Infinity: it was served none. */
  freshUntilMs: number;
  /** Measures the time in which at least one call waits for a slot. */
  readonly wait: WaitMeter;
}

/** What an operation has cost so far. */
export interface OperationCost {
  /** GETs sent upstream for it. */
  calls: number;
  /** Responses served from the cache. */
  cached: number;
  /** Calls joined that were already in flight. */
  coalesced: number;
}

/** Ages of the cached responses that an operation was served. */
export interface ServedAges {
  /** Records a cached response that is served. `isStale`: it is no longer fresh. */
  add(value: unknown, ageMs: number, isStale: boolean): void;
  /** The age of a stale response, or of an item of a list in it, in milliseconds; undefined for everything else. */
  staleMs(value: object): number | undefined;
  /** The greatest age in milliseconds; undefined if nothing came from the cache. */
  oldestMs(): number | undefined;
}

/** Measures how long at least one of several calls was waiting. */
export interface WaitMeter {
  start(): void;
  stop(): void;
  /** How many are waiting. */
  readonly count: number;
  /** The time so far, in whole milliseconds. */
  totalMs(): number;
}

/** Makes the meter of one operation, all zero. */
export function createOperationMeter(clock: Pick<Clock, 'nowMs'>): OperationMeter {
  const pendingCalls = createPendingCalls();
  return {
    cost: { calls: 0, cached: 0, coalesced: 0 },
    requestedCalls: 0,
    pendingCalls,
    servedTargets: new Set(),
    ages: createServedAges(),
    freshUntilMs: Number.POSITIVE_INFINITY,
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
      // Resolvers receive list items without the list, so items need their own mark.
      for (const part of Array.isArray(value) ? [value] : Object.values(value)) {
        if (Array.isArray(part)) for (const item of part) mark(item, ageMs);
      }
    },
    staleMs: (value) => staleMs.get(value),
    oldestMs: () => oldestMs,
  };
}

function createWaitMeter(clock: Pick<Clock, 'nowMs'>, onStop: () => void): WaitMeter {
  let sinceMs = 0;
  let totalMs = 0;
  const meter = {
    count: 0,
    start() {
      if (meter.count++ === 0) sinceMs = clock.nowMs();
    },
    stop() {
      if (--meter.count === 0) totalMs += clock.nowMs() - sinceMs;
      onStop();
    },
    totalMs: () => Math.round(totalMs + (meter.count > 0 ? clock.nowMs() - sinceMs : 0)),
  };
  return meter;
}

import { createResponseStore } from './response-store.ts';
import { type Clock, type Instant, readInstant, toAgeMs } from '../clock.ts';
import { createFreshness, type Freshness, type FreshnessOptions } from './freshness.ts';
import type { CachedResponse, Outcome } from './cached-response.ts';

/** An answer to be kept. */
export interface NewResponse {
  readonly outcome: Outcome;
  /** What it takes on the heap. */
  readonly bytes: number;
  /** When the thing was last changed, RFC 3339 in UTC; null where the answer does not say. */
  readonly updatedAt: string | null;
  /** When the call was sent (monotonic ms). */
  readonly sentAtMs: number;
}

/**
 * Answers of upstream, and the rules by which they serve: how old they may be, what renews them, which of two answers holds. Each
 * tenant has its own, so that no key's data is ever another's.
 */
export interface ResponseCache {
  /** Whether what it keeps will do. */
  readonly freshness: Freshness;
  /** Whether lists renew anything. */
  readonly renews: boolean;
  get(keyHash: string, target: string): CachedResponse | undefined;
  /** Whether anything of a tenant is kept. */
  hasAny(keyHash: string): boolean;
  /** Keeps an answer, unless one to a later call is kept, or the tenant was dropped after the call. */
  set(keyHash: string, target: string, response: NewResponse): void;
  /** A list shows when a thing was last changed: the same moment renews the kept answer, a later one outdates it. */
  renew(keyHash: string, target: string, updatedAt: string): void;
  /**
   * Has answers serve for longer, as stale, without a call, because an operation that was given them comes back for what it was refused: its calls are then for
   * that alone, however often it has to come back.
   *
   * @param untilMs - Monotonic milliseconds.
   */
  retainForRetry(keyHash: string, targets: Iterable<string>, untilMs: number): void;
  /** Drops everything of one tenant: its key is no longer good. */
  dropKey(keyHash: string): void;
}

/** What the cache of the process is made with. */
export interface ResponseCacheOptions extends FreshnessOptions {
  /** How long after it was read an answer can be renewed by lists; 0: never. */
  readonly renewMs: number;
  /** What all answers may take on the heap, over all tenants. */
  readonly maxBytes: number;
  readonly clock: Clock;
}

interface Entry {
  readonly outcome: Outcome;
  readonly bytes: number;
  readonly updatedAt: string | null;
  readonly sentAtMs: number;
  readonly readAt: Instant;
  confirmedAt: Instant;
  isOutdated: boolean;
  retainedUntilMs: number;
}

// Longer than any call can be out.
const DROPPED_FOR_MS = 600_000;

/** Makes the cache of the process, empty. */
export function createResponseCache({ renewMs, maxBytes, clock, ...periods }: ResponseCacheOptions): ResponseCache {
  const { ttlMs, swrMs, staleIfErrorMs } = periods;
  const cachedForMs = Math.max(ttlMs + swrMs, staleIfErrorMs);
  const store = createResponseStore<Entry>(maxBytes);
  // When a tenant was dropped: answers to calls that were sent before are not taken any more.
  const droppedAtMs = new Map<string, number>();

  const canRenew = ({ updatedAt, readAt }: Entry) => updatedAt !== null && toAgeMs(readAt, clock) <= renewMs;

  const isExpired = ({ confirmedAt, readAt }: Entry) =>
    toAgeMs(confirmedAt, clock) > cachedForMs && toAgeMs(readAt, clock) > renewMs;

  /** Whether an answer is from before what is known already. */
  const isSuperseded = (keyHash: string, target: string, sentAtMs: number) => {
    const cachedSentAtMs = store.peek(keyHash, target)?.sentAtMs ?? Number.NEGATIVE_INFINITY;
    return sentAtMs < Math.max(cachedSentAtMs, droppedAtMs.get(keyHash) ?? Number.NEGATIVE_INFINITY);
  };

  return {
    freshness: createFreshness(periods),
    renews: renewMs > 0,

    get(keyHash, target) {
      const entry = store.get(keyHash, target);
      if (!entry) return undefined;
      if (isExpired(entry)) {
        store.delete(keyHash, target);
        return undefined;
      }
      const { outcome, bytes, confirmedAt, isOutdated } = entry;
      const isRetained = clock.nowMs() <= entry.retainedUntilMs;
      const isRenewable = !isOutdated && canRenew(entry);
      return { outcome, bytes, ageMs: toAgeMs(confirmedAt, clock), isRetained, isOutdated, isRenewable };
    },

    hasAny: store.hasAny,

    set(keyHash, target, response) {
      if (ttlMs === 0 || isSuperseded(keyHash, target, response.sentAtMs)) return;
      const now = readInstant(clock);
      const retainedUntilMs = Number.NEGATIVE_INFINITY;
      store.set(keyHash, target, { ...response, readAt: now, confirmedAt: now, isOutdated: false, retainedUntilMs });
    },

    renew(keyHash, target, updatedAt) {
      const entry = store.peek(keyHash, target);
      if (!entry || entry.updatedAt === null) return;
      // An earlier moment is that of a list from before the change.
      if (updatedAt > entry.updatedAt) entry.isOutdated = true;
      else if (updatedAt === entry.updatedAt && canRenew(entry)) entry.confirmedAt = readInstant(clock);
    },

    retainForRetry(keyHash, targets, untilMs) {
      for (const target of targets) {
        const entry = store.peek(keyHash, target);
        if (entry) entry.retainedUntilMs = Math.max(entry.retainedUntilMs, untilMs);
      }
    },

    dropKey(keyHash) {
      // Of a tenant of which nothing is known nothing is remembered: made-up keys are dropped, too.
      if (!store.hasAny(keyHash) && !droppedAtMs.has(keyHash)) return;
      store.clear(keyHash);
      const nowMs = clock.nowMs();
      droppedAtMs.set(keyHash, nowMs);
      clock.schedule(nowMs + DROPPED_FOR_MS, () => {
        if (droppedAtMs.get(keyHash) === nowMs) droppedAtMs.delete(keyHash);
      });
    },
  };
}

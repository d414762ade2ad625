import { createAnswerStore } from './response-store.ts';
import { type Clock, type Instant, readInstant, toAgeMs } from '../clock.ts';
import { createFreshness, type Freshness, type FreshnessOptions } from './freshness.ts';
import type { KeptAnswer, Outcome } from './cached-response.ts';

/** An answer to be kept. */
export interface NewAnswer {
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
export interface AnswerCache {
  /** Whether what it keeps will do. */
  readonly freshness: Freshness;
  /** Whether lists renew anything. */
  readonly renews: boolean;
  get(tenant: string, target: string): KeptAnswer | undefined;
  /** Whether anything of a tenant is kept. */
  hasAny(tenant: string): boolean;
  /** Keeps an answer, unless one to a later call is kept, or the tenant was dropped after the call. */
  set(tenant: string, target: string, answer: NewAnswer): void;
  /** A list shows when a thing was last changed: the same moment renews the kept answer, a later one outdates it. */
  renew(tenant: string, target: string, updatedAt: string): void;
  /**
   * Has answers serve for longer, as stale, without a call, because an operation that was given them comes back for what it was refused: its calls are then for
   * that alone, however often it has to come back.
   *
   * @param untilMs - Monotonic milliseconds.
   */
  holdOver(tenant: string, targets: Iterable<string>, untilMs: number): void;
  /** Drops everything of one tenant: its key is no longer good. */
  dropTenant(tenant: string): void;
}

/** What the cache of the process is made with. */
export interface AnswerCacheOptions extends FreshnessOptions {
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
  trueAt: Instant;
  isOutdated: boolean;
  heldOverUntilMs: number;
}

// Longer than any call can be out.
const DROPPED_FOR_MS = 600_000;

/** Makes the cache of the process, empty. */
export function createAnswerCache({ renewMs, maxBytes, clock, ...periods }: AnswerCacheOptions): AnswerCache {
  const { ttlMs, swrMs, staleIfErrorMs } = periods;
  const cachedForMs = Math.max(ttlMs + swrMs, staleIfErrorMs);
  const store = createAnswerStore<Entry>(maxBytes);
  // When a tenant was dropped: answers to calls that were sent before are not taken any more.
  const droppedAtMs = new Map<string, number>();

  const canRenew = ({ updatedAt, readAt }: Entry) => updatedAt !== null && toAgeMs(readAt, clock) <= renewMs;

  const isExpired = ({ trueAt, readAt }: Entry) =>
    toAgeMs(trueAt, clock) > cachedForMs && toAgeMs(readAt, clock) > renewMs;

  /** Whether an answer is from before what is known already. */
  const isOvertaken = (tenant: string, target: string, sentAtMs: number) => {
    const knownSinceMs = store.peek(tenant, target)?.sentAtMs ?? Number.NEGATIVE_INFINITY;
    return sentAtMs < Math.max(knownSinceMs, droppedAtMs.get(tenant) ?? Number.NEGATIVE_INFINITY);
  };

  return {
    freshness: createFreshness(periods),
    renews: renewMs > 0,

    get(tenant, target) {
      const entry = store.get(tenant, target);
      if (!entry) return undefined;
      if (isExpired(entry)) {
        store.delete(tenant, target);
        return undefined;
      }
      const { outcome, bytes, trueAt, isOutdated } = entry;
      const isHeldOver = clock.nowMs() <= entry.heldOverUntilMs;
      const isRenewable = !isOutdated && canRenew(entry);
      return { outcome, bytes, ageMs: toAgeMs(trueAt, clock), isHeldOver, isOutdated, isRenewable };
    },

    hasAny: store.hasAny,

    set(tenant, target, answer) {
      if (ttlMs === 0 || isOvertaken(tenant, target, answer.sentAtMs)) return;
      const now = readInstant(clock);
      const heldOverUntilMs = Number.NEGATIVE_INFINITY;
      store.set(tenant, target, { ...answer, readAt: now, trueAt: now, isOutdated: false, heldOverUntilMs });
    },

    renew(tenant, target, updatedAt) {
      const entry = store.peek(tenant, target);
      if (!entry || entry.updatedAt === null) return;
      // An earlier moment is that of a list from before the change.
      if (updatedAt > entry.updatedAt) entry.isOutdated = true;
      else if (updatedAt === entry.updatedAt && canRenew(entry)) entry.trueAt = readInstant(clock);
    },

    holdOver(tenant, targets, untilMs) {
      for (const target of targets) {
        const entry = store.peek(tenant, target);
        if (entry) entry.heldOverUntilMs = Math.max(entry.heldOverUntilMs, untilMs);
      }
    },

    dropTenant(tenant) {
      // Of a tenant of which nothing is known nothing is remembered: made-up keys are dropped, too.
      if (!store.hasAny(tenant) && !droppedAtMs.has(tenant)) return;
      store.clear(tenant);
      const nowMs = clock.nowMs();
      droppedAtMs.set(tenant, nowMs);
      clock.schedule(nowMs + DROPPED_FOR_MS, () => {
        if (droppedAtMs.get(tenant) === nowMs) droppedAtMs.delete(tenant);
      });
    },
  };
}

import { OrderedMap } from '@js-sdsl/ordered-map';
import { LRUCache } from 'lru-cache';
import { type Clock, type Instant, readInstant, toAgeMs } from './clock.ts';
import { createFreshness, type Freshness, type FreshnessOptions } from './freshness.ts';
import type { KeptAnswer, Outcome } from './kept-answer.ts';

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

/** Answers of upstream. Each tenant has a store of its own, so that no key's data is ever another's. */
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

interface Store {
  readonly tenant: string;
  readonly entries: LRUCache<string, Entry>;
  /** Answers to calls sent before are not taken any more. */
  droppedAtMs: number;
}

/** How much a tenant holds. */
interface Size {
  readonly bytes: number;
  readonly tenant: string;
}

// For the bookkeeping; it bounds the number of entries.
const ENTRY_BYTES = 1_024;
// Longer than any call can be out.
const DROPPED_FOR_MS = 600_000;

/**
 * Makes the cache of the process. When it is full, the tenant that holds most gives up what it has used least recently: one that
 * floods the cache pushes out its own answers, not those of others.
 */
export function createAnswerCache({ renewMs, maxBytes, clock, ...periods }: AnswerCacheOptions): AnswerCache {
  const { ttlMs, swrMs, staleIfErrorMs } = periods;
  const keepMs = Math.max(ttlMs + swrMs, staleIfErrorMs);
  const stores = new Map<string, Store>();
  // The tenant that holds most is the last: to look for it among all would be a walk for each answer that is given up.
  const bySize = new OrderedMap<Size, Store>(
    [],
    (a, b) => a.bytes - b.bytes || (a.tenant < b.tenant ? -1 : Number(a.tenant > b.tenant)),
  );
  let totalBytes = 0;

  const createStore = (tenant: string): Store => ({
    tenant,
    entries: new LRUCache({ maxSize: maxBytes, sizeCalculation: ({ bytes }, key) => bytes + key.length + ENTRY_BYTES }),
    droppedAtMs: Number.NEGATIVE_INFINITY,
  });

  /** Changes a store, and counts by how much it grew or shrank. */
  const change = (store: Store, how: (entries: Store['entries']) => void) => {
    const { tenant, entries } = store;
    const before = entries.calculatedSize;
    how(entries);
    const bytes = entries.calculatedSize;
    totalBytes += bytes - before;
    if (before > 0) bySize.eraseElementByKey({ tenant, bytes: before });
    if (bytes > 0) bySize.setElement({ tenant, bytes }, store);
  };

  const canRenew = ({ updatedAt, readAt }: Entry) => updatedAt !== null && toAgeMs(readAt, clock) <= renewMs;

  const isTooLarge = () => totalBytes > maxBytes;

  const makeRoom = () => {
    while (isTooLarge()) {
      const store = bySize.back()?.[1];
      if (!store) return;
      change(store, (entries) => entries.pop());
      if (store.entries.size === 0 && store.droppedAtMs === Number.NEGATIVE_INFINITY) stores.delete(store.tenant);
    }
  };

  return {
    freshness: createFreshness(periods),
    renews: renewMs > 0,

    get(tenant, target) {
      const store = stores.get(tenant);
      const entry = store?.entries.get(target);
      if (!store || !entry) return undefined;
      const ageMs = toAgeMs(entry.trueAt, clock);
      if (ageMs > keepMs && toAgeMs(entry.readAt, clock) > renewMs) {
        change(store, (entries) => entries.delete(target));
        return undefined;
      }
      const { outcome, bytes, isOutdated } = entry;
      const isHeldOver = clock.nowMs() <= entry.heldOverUntilMs;
      return { outcome, bytes, ageMs, isHeldOver, isOutdated, isRenewable: !isOutdated && canRenew(entry) };
    },

    hasAny: (tenant) => (stores.get(tenant)?.entries.size ?? 0) > 0,

    set(tenant, target, { outcome, bytes, updatedAt, sentAtMs }) {
      if (ttlMs === 0) return;
      const store = stores.get(tenant) ?? createStore(tenant);
      const kept = store.entries.peek(target);
      if (sentAtMs < store.droppedAtMs || (kept && sentAtMs < kept.sentAtMs)) return;
      stores.set(tenant, store);
      const now = readInstant(clock);
      const entry = {
        outcome,
        bytes,
        updatedAt,
        sentAtMs,
        readAt: now,
        trueAt: now,
        isOutdated: false,
        heldOverUntilMs: Number.NEGATIVE_INFINITY,
      };
      change(store, (entries) => entries.set(target, entry));
      makeRoom();
    },

    renew(tenant, target, updatedAt) {
      const entry = stores.get(tenant)?.entries.peek(target);
      if (!entry || entry.updatedAt === null) return;
      // An earlier moment is that of a list from before the change.
      if (updatedAt > entry.updatedAt) entry.isOutdated = true;
      else if (updatedAt === entry.updatedAt && canRenew(entry)) entry.trueAt = readInstant(clock);
    },

    holdOver(tenant, targets, untilMs) {
      const entries = stores.get(tenant)?.entries;
      for (const target of entries ? targets : []) {
        const entry = entries?.peek(target);
        if (entry) entry.heldOverUntilMs = Math.max(entry.heldOverUntilMs, untilMs);
      }
    },

    dropTenant(tenant) {
      const store = stores.get(tenant);
      if (!store) return;
      change(store, (entries) => entries.clear());
      store.droppedAtMs = clock.nowMs();
      clock.schedule(store.droppedAtMs + DROPPED_FOR_MS, () => {
        if (store.entries.size === 0) stores.delete(tenant);
      });
    },
  };
}

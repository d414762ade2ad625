import { LRUCache } from 'lru-cache';
import type { Clock } from './clock.ts';

/** Answers of upstream that are still taken for true. Keys start with the tenant, so that no key's data is ever another's. */
export interface AnswerCache {
  get(tenant: string, target: string): { readonly value: unknown } | undefined;
  /** @param bytes - Size of the answer's JSON text. */
  set(tenant: string, target: string, value: unknown, bytes: number): void;
  /** Drops everything of one tenant: its key is no longer good. */
  dropTenant(tenant: string): void;
}

interface Entry {
  readonly value: unknown;
  readonly bytes: number;
}

/**
 * Makes the cache of the process.
 *
 * @param ttlMs - How long an answer is fresh; 0 keeps nothing.
 * @param maxBytes - Bytes of JSON text over all tenants; the least recently used go first.
 */
export function createAnswerCache({
  ttlMs,
  maxBytes,
  clock,
}: {
  ttlMs: number;
  maxBytes: number;
  clock: Clock;
}): AnswerCache {
  const entries =
    ttlMs > 0
      ? new LRUCache<string, Entry>({
          maxSize: maxBytes,
          // A small answer costs more memory than its text; the key and the bookkeeping stand for that.
          sizeCalculation: ({ bytes }, key) => bytes + key.length + 256,
          ttl: ttlMs,
          ttlResolution: 0,
          perf: { now: () => clock.nowMs() },
        })
      : undefined;

  return {
    get: (tenant, target) => entries?.get(`${tenant} ${target}`),
    set(tenant, target, value, bytes) {
      entries?.set(`${tenant} ${target}`, { value, bytes });
    },
    dropTenant(tenant) {
      for (const key of [...(entries?.keys() ?? [])]) {
        if (key.startsWith(`${tenant} `)) entries?.delete(key);
      }
    },
  };
}

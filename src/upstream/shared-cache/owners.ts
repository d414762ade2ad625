import { LRUCache } from 'lru-cache';
import type { Secret } from '../http/secret.ts';
import type { ResponseOwner } from './shared-cache.ts';
import { ResponseIndex } from './response-index.ts';
import { deriveCacheKeys } from './sealed/cache-keys.ts';

/** What this instance knows of one API key's responses in Redis. */
export interface OwnerState {
  readonly keyHash: string;
  /** Under the current secret, where responses are written, and under the one before it, if there is one. */
  readonly indexes: readonly [ResponseIndex, ...ResponseIndex[]];
  /** When the indexes were last read (monotonic ms). */
  knownAtMs: number;
  /** When an operation last began (monotonic ms). */
  usedAtMs: number;
  loading?: Promise<void> | undefined;
}

/** The API keys that this instance has seen last. */
export interface Owners {
  of(owner: ResponseOwner): OwnerState;
  /** Finds an API key by its name in Redis. */
  byTag(tag: string): OwnerState | undefined;
  /** The API keys used since a moment (monotonic ms), the last used first. */
  usedSince(atMs: number): readonly OwnerState[];
  /** To be called when the indexes of an API key have grown: others are forgotten if there are too many rows. */
  resize(state: OwnerState): void;
}

// A row takes about 300 bytes of heap. An API key without rows counts as one.
const MAX_ROWS = 50_000;
const MAX_NAMES = 20_000;

/** @param secrets - The current secret, and the one before it. */
export function createOwners(secrets: readonly (Secret | undefined)[]): Owners {
  const byTag = new Map<string, OwnerState>();
  // The loaders look at the same targets several times in one operation.
  const names = new LRUCache<string, string>({ max: MAX_NAMES });
  const owners = new LRUCache<string, OwnerState>({
    maxSize: MAX_ROWS,
    sizeCalculation: ({ indexes }) => indexes.reduce((sum, { size }) => sum + size, 1),
    dispose({ indexes }, _keyHash, reason) {
      if (reason === 'evict') for (const { keys } of indexes) byTag.delete(keys.tag);
    },
  });
  return {
    byTag: (tag) => byTag.get(tag),
    of({ keyHash, apiKey }) {
      const known = owners.get(keyHash);
      if (known) return known;
      const indexes = secrets.flatMap((secret) =>
        secret ? [new ResponseIndex(deriveCacheKeys(apiKey, secret, names))] : [],
      );
      const state: OwnerState = {
        keyHash,
        indexes: indexes as unknown as OwnerState['indexes'],
        knownAtMs: Number.NEGATIVE_INFINITY,
        usedAtMs: Number.NEGATIVE_INFINITY,
      };
      owners.set(keyHash, state);
      for (const { keys } of indexes) byTag.set(keys.tag, state);
      return state;
    },
    usedSince: (atMs) => [...owners.values()].filter(({ usedAtMs }) => usedAtMs >= atMs),
    resize(state) {
      // The cache measures an entry only when it is set with another value.
      owners.delete(state.keyHash);
      owners.set(state.keyHash, state);
    },
  };
}

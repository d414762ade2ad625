import { LRUCache } from 'lru-cache';

/** The texts of automatic persisted queries, by API key and hash. */
export interface StoredQueries {
  get(keyHash: string, sha256: string): string | undefined;
  /** Stores a query, unless it is larger than what a key may store. It can replace queries that were not used lately. */
  set(keyHash: string, sha256: string, text: string): void;
}

// A character can take two bytes.
const BYTES_PER_CHARACTER = 2;
// The hash, and the entries of the maps. It also bounds the number of short queries.
const ENTRY_BYTES = 512;

/**
 * Makes an empty store in memory. A key that stores many queries replaces its own. If all keys together store too much,
 * those of the key that has used its queries least recently are dropped: its clients then send the text again.
 *
 * @param maxBytesPerKey - Heap memory for the queries of one API key.
 * @param maxBytes - The same for all keys together.
 * @returns undefined if a key may store nothing.
 */
export function createStoredQueries(maxBytesPerKey: number, maxBytes: number): StoredQueries | undefined {
  if (maxBytesPerKey === 0) return undefined;
  // Least recently used first.
  const keys = new Map<string, LRUCache<string, string>>();
  let totalBytes = 0;

  const touch = (keyHash: string, queries: LRUCache<string, string>) => {
    keys.delete(keyHash);
    keys.set(keyHash, queries);
  };
  const dropOldest = () => {
    for (const [keyHash, { calculatedSize }] of keys) {
      if (totalBytes <= maxBytes) return;
      keys.delete(keyHash);
      totalBytes -= calculatedSize;
    }
  };

  return {
    get(keyHash, sha256) {
      const queries = keys.get(keyHash);
      const text = queries?.get(sha256);
      if (queries && text !== undefined) touch(keyHash, queries);
      return text;
    },
    set(keyHash, sha256, text) {
      const queries =
        keys.get(keyHash) ??
        new LRUCache<string, string>({
          maxSize: Math.min(maxBytesPerKey, maxBytes),
          sizeCalculation: ({ length }) => length * BYTES_PER_CHARACTER + ENTRY_BYTES,
        });
      totalBytes -= queries.calculatedSize;
      queries.set(sha256, text);
      totalBytes += queries.calculatedSize;
      touch(keyHash, queries);
      dropOldest();
    },
  };
}

import { OrderedMap } from '@js-sdsl/ordered-map';
import { LRUCache } from 'lru-cache';

/**
 * In-memory entries by key hash and target. The store limits their size, but does not expire them: the caller removes
 * entries that are no longer useful.
 */
export interface ResponseStore<Entry> {
  /** Returns an entry and marks it as used. */
  get(keyHash: string, target: string): Entry | undefined;
  /** Returns an entry without marking it as used. */
  peek(keyHash: string, target: string): Entry | undefined;
  /** Adds or replaces an entry, and evicts others if needed. An entry larger than the whole store is not stored. */
  set(keyHash: string, target: string, entry: Entry): void;
  delete(keyHash: string, target: string): void;
  /** Removes all entries of one API key. */
  clear(keyHash: string): void;
  hasAny(keyHash: string): boolean;
  usage(): CacheUsage;
}

/** How much is stored, over all API keys. */
export interface CacheUsage {
  readonly entries: number;
  /** Size on the heap. */
  readonly bytes: number;
  /** Entries evicted since the start because the store was full. */
  readonly evictions: number;
}

/** Total size of the entries of one API key. */
interface Size {
  readonly bytes: number;
  readonly keyHash: string;
}

// Overhead of an entry. It also bounds the number of entries that have next to no content.
const ENTRY_BYTES = 1_024;

/**
 * Creates an empty store. When it is full, it evicts the least recently used entry of the API key with the largest
 * total: a key that floods the store evicts its own entries, not those of others.
 *
 * @param maxBytes - Size limit of all entries on the heap, over all API keys.
 */
export function createResponseStore<Entry extends { readonly bytes: number }>(maxBytes: number): ResponseStore<Entry> {
  const entriesByKey = new Map<string, LRUCache<string, Entry>>();
  // Sorted by size, so that the largest API key is found without a search for each evicted entry.
  const bySize = new OrderedMap<Size, string>(
    [],
    (a, b) => a.bytes - b.bytes || (a.keyHash < b.keyHash ? -1 : Number(a.keyHash > b.keyHash)),
  );
  let totalBytes = 0;
  let totalEntries = 0;
  let evictions = 0;

  const createEntries = () =>
    new LRUCache<string, Entry>({
      maxSize: maxBytes,
      dispose(_entry, _target, reason) {
        if (reason === 'evict') evictions++;
      },
      sizeCalculation: ({ bytes }, target) => bytes + target.length + ENTRY_BYTES,
    });

  /** Changes the entries of one API key, and updates the totals. */
  const change = (keyHash: string, update: (entries: LRUCache<string, Entry>) => void) => {
    const entries = entriesByKey.get(keyHash) ?? createEntries();
    const before = entries.calculatedSize;
    const entriesBefore = entries.size;
    update(entries);
    totalEntries += entries.size - entriesBefore;
    const bytes = entries.calculatedSize;
    totalBytes += bytes - before;
    if (before > 0) bySize.eraseElementByKey({ keyHash, bytes: before });
    if (bytes > 0) bySize.setElement({ keyHash, bytes }, keyHash);
    if (entries.size > 0) entriesByKey.set(keyHash, entries);
    else entriesByKey.delete(keyHash);
  };

  const isOverfull = () => totalBytes > maxBytes;

  return {
    get: (keyHash, target) => entriesByKey.get(keyHash)?.get(target),
    peek: (keyHash, target) => entriesByKey.get(keyHash)?.peek(target),
    set(keyHash, target, entry) {
      change(keyHash, (entries) => entries.set(target, entry));
      while (isOverfull()) {
        const largestKeyHash = bySize.back()?.[1];
        if (largestKeyHash === undefined) return;
        change(largestKeyHash, (entries) => entries.pop());
      }
    },
    delete: (keyHash, target) => change(keyHash, (entries) => entries.delete(target)),
    clear: (keyHash) => change(keyHash, (entries) => entries.clear()),
    hasAny: (keyHash) => entriesByKey.has(keyHash),
    usage: () => ({ entries: totalEntries, bytes: totalBytes, evictions }),
  };
}

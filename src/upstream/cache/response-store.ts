import { OrderedMap } from '@js-sdsl/ordered-map';
import { LRUCache } from 'lru-cache';

/**
 * Entries in the memory of this process, by tenant and target. It knows how much they take, and nothing of time: when an entry is of
 * no more use, its user removes it.
 */
export interface ResponseStore<Entry> {
  /** Finds an entry, which counts as used. */
  get(keyHash: string, target: string): Entry | undefined;
  /** Finds an entry, which does not. */
  peek(keyHash: string, target: string): Entry | undefined;
  /** Adds or replaces an entry, and makes room for it; one that is larger than the whole store is not taken. */
  set(keyHash: string, target: string, entry: Entry): void;
  delete(keyHash: string, target: string): void;
  /** Removes everything of one tenant. */
  clear(keyHash: string): void;
  hasAny(keyHash: string): boolean;
}

/** How much the entries of a tenant take. */
interface Size {
  readonly bytes: number;
  readonly keyHash: string;
}

// For the bookkeeping; it bounds the number of entries.
const ENTRY_BYTES = 1_024;

/**
 * Makes an empty store. When it is full, the tenant whose entries take most loses the one it has used least recently: a tenant that
 * floods the store pushes out its own entries, not those of others.
 *
 * @param maxBytes - What all entries may take on the heap, over all tenants.
 */
export function createResponseStore<Entry extends { readonly bytes: number }>(maxBytes: number): ResponseStore<Entry> {
  const entriesByKey = new Map<string, LRUCache<string, Entry>>();
  // The largest tenant is the last: to look for it among all would be a walk for each entry that is evicted.
  const bySize = new OrderedMap<Size, string>(
    [],
    (a, b) => a.bytes - b.bytes || (a.keyHash < b.keyHash ? -1 : Number(a.keyHash > b.keyHash)),
  );
  let totalBytes = 0;

  const createEntries = () =>
    new LRUCache<string, Entry>({
      maxSize: maxBytes,
      sizeCalculation: ({ bytes }, target) => bytes + target.length + ENTRY_BYTES,
    });

  /** Changes the entries of a tenant, and counts by how much they grew or shrank. */
  const change = (keyHash: string, update: (entries: LRUCache<string, Entry>) => void) => {
    const entries = entriesByKey.get(keyHash) ?? createEntries();
    const before = entries.calculatedSize;
    update(entries);
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
        const largest = bySize.back()?.[1];
        if (largest === undefined) return;
        change(largest, (entries) => entries.pop());
      }
    },
    delete: (keyHash, target) => change(keyHash, (entries) => entries.delete(target)),
    clear: (keyHash) => change(keyHash, (entries) => entries.clear()),
    hasAny: (keyHash) => entriesByKey.has(keyHash),
  };
}

import { OrderedMap } from '@js-sdsl/ordered-map';
import { LRUCache } from 'lru-cache';

/**
 * Entries in the memory of this process, by tenant and target. It knows how much they take, and nothing of time: when an entry is of
 * no more use, its user removes it.
 */
export interface AnswerStore<Entry> {
  /** Finds an entry, which counts as used. */
  get(tenant: string, target: string): Entry | undefined;
  /** Finds an entry, which does not. */
  peek(tenant: string, target: string): Entry | undefined;
  /** Adds or replaces an entry, and makes room for it; one that is larger than the whole store is not taken. */
  set(tenant: string, target: string, entry: Entry): void;
  delete(tenant: string, target: string): void;
  /** Removes everything of one tenant. */
  clear(tenant: string): void;
  hasAny(tenant: string): boolean;
}

/** How much the entries of a tenant take. */
interface Size {
  readonly bytes: number;
  readonly tenant: string;
}

// For the bookkeeping; it bounds the number of entries.
const ENTRY_BYTES = 1_024;

/**
 * Makes an empty store. When it is full, the tenant whose entries take most loses the one it has used least recently: a tenant that
 * floods the store pushes out its own entries, not those of others.
 *
 * @param maxBytes - What all entries may take on the heap, over all tenants.
 */
export function createAnswerStore<Entry extends { readonly bytes: number }>(maxBytes: number): AnswerStore<Entry> {
  const tenants = new Map<string, LRUCache<string, Entry>>();
  // The largest tenant is the last: to look for it among all would be a walk for each entry that is evicted.
  const bySize = new OrderedMap<Size, string>(
    [],
    (a, b) => a.bytes - b.bytes || (a.tenant < b.tenant ? -1 : Number(a.tenant > b.tenant)),
  );
  let totalBytes = 0;

  const createEntries = () =>
    new LRUCache<string, Entry>({
      maxSize: maxBytes,
      sizeCalculation: ({ bytes }, target) => bytes + target.length + ENTRY_BYTES,
    });

  /** Changes the entries of a tenant, and counts by how much they grew or shrank. */
  const change = (tenant: string, how: (entries: LRUCache<string, Entry>) => void) => {
    const entries = tenants.get(tenant) ?? createEntries();
    const before = entries.calculatedSize;
    how(entries);
    const bytes = entries.calculatedSize;
    totalBytes += bytes - before;
    if (before > 0) bySize.eraseElementByKey({ tenant, bytes: before });
    if (bytes > 0) bySize.setElement({ tenant, bytes }, tenant);
    if (entries.size > 0) tenants.set(tenant, entries);
    else tenants.delete(tenant);
  };

  const isOverfull = () => totalBytes > maxBytes;

  return {
    get: (tenant, target) => tenants.get(tenant)?.get(target),
    peek: (tenant, target) => tenants.get(tenant)?.peek(target),
    set(tenant, target, entry) {
      change(tenant, (entries) => entries.set(target, entry));
      while (isOverfull()) {
        const largest = bySize.back()?.[1];
        if (largest === undefined) return;
        change(largest, (entries) => entries.pop());
      }
    },
    delete: (tenant, target) => change(tenant, (entries) => entries.delete(target)),
    clear: (tenant) => change(tenant, (entries) => entries.clear()),
    hasAny: (tenant) => tenants.has(tenant),
  };
}

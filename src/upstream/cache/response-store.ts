import { OrderedMap } from '@js-sdsl/ordered-map';
import { LRUCache } from 'lru-cache';

/** A result that was made of the responses of one API key, and of nothing else. */
export interface DerivedResult {
  /** Size on the heap. */
  readonly bytes: number;
}

/**
 * In-memory entries by key hash and target. The store limits their size, but does not expire them: the caller removes
 * entries that are no longer useful.
 *
 * It also holds results derived from the entries of one API key. They count towards its size, are evicted before
 * entries, and are dropped as soon as any entry of the key is added, replaced, removed or evicted.
 */
export interface ResponseStore<Entry extends object, Derived extends object> {
  /** Returns an entry and marks it as used. */
  get(keyHash: string, target: string): Entry | undefined;
  /** Returns an entry without marking it as used. */
  peek(keyHash: string, target: string): Entry | undefined;
  /** Adds or replaces an entry, and evicts others if needed. An entry larger than the whole store is not stored. */
  set(keyHash: string, target: string, entry: Entry): void;
  delete(keyHash: string, target: string): void;
  /** Removes all entries of one API key. */
  clear(keyHash: string): void;
  /** Returns a derived result and marks it as used. */
  getDerived(keyHash: string, id: string): Derived | undefined;
  /** Adds or replaces a derived result. It is not stored if the API key has no entries. */
  setDerived(keyHash: string, id: string, derived: Derived): void;
  /** Drops the derived results of one API key: one of its entries means something else now. */
  dropDerived(keyHash: string): void;
  /** A number that changes whenever the derived results of one API key are dropped, or would be if there were any. */
  versionOf(keyHash: string): number;
  hasAny(keyHash: string): boolean;
  usage(): CacheUsage;
}

/** How much is stored, over all API keys. */
export interface CacheUsage {
  /** Without derived results. */
  readonly entries: number;
  /** Size on the heap, with derived results. */
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

/** What is stored of one API key. */
interface KeyContents<Entry extends object, Derived extends object> {
  readonly entries: LRUCache<string, Entry>;
  readonly derived: LRUCache<string, Derived>;
  version: number;
}

const sizeOf = <E extends object, D extends object>({ entries, derived }: KeyContents<E, D>) =>
  entries.calculatedSize + derived.calculatedSize;

/**
 * Creates an empty store. When it is full, it evicts the least recently used entry of the API key with the largest
 * total, and that key's derived results before: a key that floods the store evicts its own entries, not those of others.
 *
 * @param maxBytes - Size limit of everything on the heap, over all API keys.
 */
export function createResponseStore<Entry extends { readonly bytes: number }, Derived extends DerivedResult>(
  maxBytes: number,
): ResponseStore<Entry, Derived> {
  const contentsByKey = new Map<string, KeyContents<Entry, Derived>>();
  // Sorted by size, so that the largest API key is found without a search for each evicted entry.
  const bySize = new OrderedMap<Size, string>(
    [],
    (a, b) => a.bytes - b.bytes || (a.keyHash < b.keyHash ? -1 : Number(a.keyHash > b.keyHash)),
  );
  let totalBytes = 0;
  let totalEntries = 0;
  let evictions = 0;
  let versions = 0;

  const sizeCalculation = ({ bytes }: DerivedResult, name: string) => bytes + name.length + ENTRY_BYTES;
  const createContents = (): KeyContents<Entry, Derived> => ({
    entries: new LRUCache<string, Entry>({
      maxSize: maxBytes,
      dispose(_entry, _target, reason) {
        if (reason === 'evict') evictions++;
      },
      sizeCalculation,
    }),
    derived: new LRUCache<string, Derived>({ maxSize: maxBytes, sizeCalculation }),
    version: 0,
  });

  /** Changes what is stored of one API key, and updates the totals. */
  const change = (keyHash: string, update: (contents: KeyContents<Entry, Derived>) => void) => {
    const contents = contentsByKey.get(keyHash) ?? createContents();
    const before = sizeOf(contents);
    const entriesBefore = contents.entries.size;
    update(contents);
    const { entries, derived } = contents;
    if (entries.size === 0) derived.clear();
    totalEntries += entries.size - entriesBefore;
    const bytes = sizeOf(contents);
    totalBytes += bytes - before;
    if (before > 0) bySize.eraseElementByKey({ keyHash, bytes: before });
    if (bytes > 0) bySize.setElement({ keyHash, bytes }, keyHash);
    if (entries.size > 0) contentsByKey.set(keyHash, contents);
    else contentsByKey.delete(keyHash);
  };

  const changeEntries = (keyHash: string, update: (entries: LRUCache<string, Entry>) => void) =>
    change(keyHash, (contents) => {
      update(contents.entries);
      contents.derived.clear();
      contents.version = ++versions;
    });

  const isOverfull = () => totalBytes > maxBytes;
  const evict = () => {
    while (isOverfull()) {
      const largestKeyHash = bySize.back()?.[1];
      if (largestKeyHash === undefined) return;
      const hasDerived = (contentsByKey.get(largestKeyHash)?.derived.size ?? 0) > 0;
      if (hasDerived) change(largestKeyHash, ({ derived }) => derived.pop());
      else changeEntries(largestKeyHash, (entries) => entries.pop());
    }
  };

  return {
    get: (keyHash, target) => contentsByKey.get(keyHash)?.entries.get(target),
    peek: (keyHash, target) => contentsByKey.get(keyHash)?.entries.peek(target),
    set(keyHash, target, entry) {
      changeEntries(keyHash, (entries) => entries.set(target, entry));
      evict();
    },
    delete: (keyHash, target) => changeEntries(keyHash, (entries) => entries.delete(target)),
    clear: (keyHash) => changeEntries(keyHash, (entries) => entries.clear()),
    getDerived: (keyHash, id) => contentsByKey.get(keyHash)?.derived.get(id),
    setDerived(keyHash, id, derived) {
      if (!contentsByKey.has(keyHash)) return;
      change(keyHash, (contents) => contents.derived.set(id, derived));
      evict();
    },
    dropDerived(keyHash) {
      const contents = contentsByKey.get(keyHash);
      if (!contents) return;
      contents.version = ++versions;
      if (contents.derived.size > 0) change(keyHash, ({ derived }) => derived.clear());
    },
    versionOf: (keyHash) => contentsByKey.get(keyHash)?.version ?? 0,
    hasAny: (keyHash) => contentsByKey.has(keyHash),
    usage: () => ({ entries: totalEntries, bytes: totalBytes, evictions }),
  };
}

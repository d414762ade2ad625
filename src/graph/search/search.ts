/**
 * The search through many collections. It exports `createSearch`, which reads one collection after the other until a
 * page is full. It knows neither the schema nor what it searches for.
 *
 * Order: collections that earlier pages have searched in part; cached ones, which need no call; all others. Within each
 * group the order is that of the list. So the order depends on the cache, and cursors name the collections that are
 * finished.
 */
import { UpstreamError } from '../../upstream/http/upstream-error.ts';
import type { PartlySearched } from './search-cursor.ts';

/** A match, and how far the search had come when it was found. */
export interface Match<Item> {
  readonly item: Item;
  /** The collection of the match, searched up to it. */
  readonly at: PartlySearched;
  /** Length of `finished` when it was found. */
  readonly finishedCount: number;
}

/** A collection that has been searched. */
export interface SearchedCollection<Item> {
  /** The items that match, in their order. */
  readonly matches: readonly Item[];
  /** Stops holding the collection in memory. Called if none of its matches is on the page. */
  release(): void;
}

/** Options of a search. */
export interface SearchOptions<Item> {
  /** Uids of the collections to search, those searched in part first. */
  readonly uids: readonly string[];
  /** How many of them, from the start, need no call. */
  readonly cachedCount: number;
  /** Largest number of matches. The search ends when it has found one more. */
  readonly maxMatches: number;
  /** Whether every item of a collection matches. */
  readonly matchesAll: boolean;
  /** Search on when the page is full, if the rest needs no call: the total is requested. */
  readonly needsTotal: boolean;
  /**
   * Reads and searches a collection.
   *
   * @throws {UpstreamError} It cannot be read.
   */
  search(uid: string): Promise<SearchedCollection<Item>>;
  /** Position of an item in its collection, starting at 0. */
  indexOf(item: Item): number;
  /** Whether the operation has ended: it makes no further calls. */
  hasEnded(): boolean;
  /** Only in dry runs: how many matches each collection has. */
  readonly assumedMatches: number | undefined;
}

/** A search that is running or over. */
export interface Search<Item> {
  /** The matches of the page so far. */
  readonly matches: readonly Match<Item>[];
  /** Collections searched to their end so far, in the order in which they were. */
  readonly finished: readonly string[];
  /** Collections that could not be read so far, with the error. */
  readonly failed: ReadonlyMap<string, unknown>;
  /** Number of matches found so far, including those beyond the page. */
  readonly matchCount: number;
  readonly isOver: boolean;
  /** Resolves when the search has gone on, or is over. */
  progress(): Promise<void>;
  /** Resolves when the search is over. */
  readonly over: Promise<void>;
  /** Ends the search: it makes no further calls. */
  stop(): void;
}

// While this many collections are being read, the search reads no further ones ahead.
const MAX_AHEAD = 8;

/**
 * Starts a search.
 *
 * Reading ahead saves time, but wastes calls if the page is full before. So it reads at most as many collections
 * at once as would be needed if none had more matches than the densest so far; and at most as many as it has searched
 * already, because a first few say little. If the budget refuses a call, it requests all others, too: they are
 * refused without a call, and the errors then say truly when the whole search can be repeated.
 */
export function createSearch<Item extends { readonly id: string }>(options: SearchOptions<Item>): Search<Item> {
  const { uids, cachedCount, maxMatches, needsTotal, search, indexOf, hasEnded, assumedMatches } = options;
  const matches: Match<Item>[] = [];
  const finished: string[] = [];
  const failed = new Map<string, unknown>();
  let notify = () => {};
  let changed = new Promise<void>((resolve) => (notify = resolve));
  let matchCount = 0;
  // Until a collection has been searched, all of its items are expected to match if no filter says otherwise.
  let densest = options.matchesAll ? Number.POSITIVE_INFINITY : 1;
  let isRefused = false;
  let isStopped = false;
  let isOver = false;

  const isFull = () => assumedMatches === Number.POSITIVE_INFINITY || matchCount > maxMatches;
  const searchesOn = () => !isStopped && (!isFull() || (needsTotal && cachedCount === uids.length));
  const toAhead = (next: number): number => {
    if (next < cachedCount) return 1;
    if (isRefused) return Number.POSITIVE_INFINITY;
    const needed = Math.ceil((maxMatches + 1 - matchCount) / Math.max(1, densest));
    return Math.max(1, Math.min(needed, finished.length, MAX_AHEAD));
  };

  const notifyAll = () => {
    const notifyNow = notify;
    changed = new Promise<void>((resolve) => (notify = resolve));
    notifyNow();
  };

  const add = (uid: string, collection: SearchedCollection<Item>) => {
    // A dry run shows matches of every collection: any of them could be on the page.
    const free = assumedMatches === undefined ? maxMatches - matches.length : collection.matches.length;
    const found = collection.matches.slice(0, Math.max(0, free));
    for (const item of found)
      matches.push({ item, at: { uid, index: indexOf(item), id: item.id }, finishedCount: finished.length });
    const count = assumedMatches ?? collection.matches.length;
    if (finished.length === 0) densest = 0;
    densest = Math.max(densest, count);
    matchCount += count;
    finished.push(uid);
    if (found.length === 0) collection.release();
  };

  const run = async () => {
    const reads: { readonly uid: string; readonly result: Promise<SearchedCollection<Item>> }[] = [];
    let next = 0;
    while (searchesOn()) {
      // After the end, one read more finds out why the operation has ended.
      while (next < uids.length && reads.length < toAhead(next) && !(hasEnded() && failed.size > 0)) {
        const uid = uids[next++] ?? '';
        const result = search(uid);
        // Handled below, in order.
        result.catch(() => undefined);
        reads.push({ uid, result });
      }
      const read = reads.shift();
      if (!read) break;
      try {
        add(read.uid, await read.result);
      } catch (error) {
        if (!(error instanceof UpstreamError)) throw error;
        failed.set(read.uid, error);
        isRefused ||= error.kind === 'rateLimited' && error.limitedBy !== 'upstream';
      }
      notifyAll();
    }
    for (const { result } of reads) result.then(({ release }) => release()).catch(() => undefined);
  };

  const end = () => {
    isOver = true;
    notifyAll();
  };
  const over = run().finally(end);
  // Each field that needs the end reports the failure.
  over.catch(() => undefined);
  return {
    matches,
    finished,
    failed,
    get matchCount() {
      return matchCount;
    },
    get isOver() {
      return isOver;
    },
    progress: () => changed,
    over,
    stop() {
      isStopped = true;
    },
  };
}

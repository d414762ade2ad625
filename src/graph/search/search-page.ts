import type { CollectionNode } from '../refs.ts';
import type { Connection, Edge } from '../paging/connection.ts';
import { UpstreamError } from '../../upstream/http/upstream-error.ts';
import type { Match, Search } from './search.ts';
import { type SearchIdentity, type SearchProgress, writeSearchCursor } from './search-cursor.ts';
import { createUidSetWriter } from './uid-set.ts';

/** One page of a search that is over. */
export interface SearchPage<Item> extends Connection<Item> {
  /** Number of collections that have been searched, on this page and before it. */
  readonly searchedCount: number;
  /** All other collections: first those that could not be read, then those that were not reached. */
  readonly unsearched: readonly CollectionNode[];
}

/** What a page is made from. */
export interface SearchPageOptions<Item> {
  readonly search: Search<Item>;
  readonly identity: SearchIdentity;
  readonly progress: SearchProgress;
  /** All collections, in the order of their list, without duplicates. */
  readonly collections: readonly CollectionNode[];
  readonly maxMatches: number;
  /** Only in dry runs: how many matches each collection has. */
  readonly assumedMatches: number | undefined;
}

/** Makes the edges of a search, and its page once it is over. */
export function createSearchPage<Item>(options: SearchPageOptions<Item>) {
  const { search, identity, progress, collections, maxMatches, assumedMatches } = options;
  const uids = collections.map(({ uid }) => uid);
  const writeFinished = createUidSetWriter(uids);
  const finishedBefore = uids.filter((uid) => progress.finished.has(uid));

  /**
   * @param finishedCount - How many collections of this page were finished.
   * @param at - The last match so far; undefined if the collection of it was searched to its end.
   */
  const toCursor = (finishedCount: number, matchCount: number, at?: Match<Item>['at']) => () => {
    const finished = new Set([...finishedBefore, ...search.finished.slice(0, finishedCount)]);
    const partials = progress.partials.filter(({ uid }) => !finished.has(uid) && uid !== at?.uid);
    return writeSearchCursor(identity, writeFinished(finished), {
      partials: at ? [...partials, at] : partials,
      matchCount: progress.matchCount + matchCount,
    });
  };

  const toEdge = ({ item, at, finishedCount }: Match<Item>, index: number): Edge<Item> => ({
    node: item,
    cursor: toCursor(finishedCount, index + 1, at),
  });

  return {
    toEdge,

    toPage(): SearchPage<Item> {
      const { matches, finished, failed, matchCount } = search;
      const searched = new Set([...finishedBefore, ...finished]);
      const isReached = ({ uid }: CollectionNode) => searched.has(uid);
      // In a dry run any collection can be among them, unless the search ends before it reads one.
      const unsearched =
        assumedMatches === undefined
          ? collections.filter((one) => !isReached(one))
          : assumedMatches === Number.POSITIVE_INFINITY
            ? []
            : collections;
      const isFull = matchCount > maxMatches;
      const isCut = [...failed.values()].some(isTemporary);
      return {
        edges: matches.map(toEdge),
        hasNextPage: isFull || isCut,
        hasPreviousPage: progress.matchCount > 0,
        totalCount: unsearched.length === 0 ? progress.matchCount + matchCount : null,
        // The collections behind the last match need not be searched again.
        ...(!isFull && isCut && { end: toCursor(finished.length, matchCount) }),
        searchedCount: searched.size,
        unsearched: [
          ...unsearched.filter(({ uid }) => failed.has(uid)),
          ...unsearched.filter(({ uid }) => !failed.has(uid)),
        ],
      };
    },
  };
}

/** Whether an error passes by itself, so that the next page can go on. */
function isTemporary(error: unknown): boolean {
  return error instanceof UpstreamError && TEMPORARY.has(error.kind);
}

const TEMPORARY: ReadonlySet<string> = new Set(['rateLimited', 'timeout', 'busy', 'unavailable']);

import { type GraphQLResolveInfo, locatedError, responsePathAsArray } from 'graphql';
import type { CollectionTree } from '../../upstream/collection-format/tree/collection-tree.ts';
import { UpstreamError } from '../../upstream/http/upstream-error.ts';
import type { Ref } from '../../upstream/postman/resources/ref.ts';
import {
  COLLECTION_PAGE_SIZE,
  type CollectionDetail,
  collectionRoute,
} from '../../upstream/postman/resources/collections.ts';
import type { Context } from '../context.ts';
import { badUserInput } from '../errors/bad-user-input.ts';
import { type Edge, indexOfCursor } from '../paging/connection.ts';
import { type ListNeed, toListNeed } from '../planning/lists.ts';
import { fieldsNamed, toSelection } from '../planning/selection.ts';
import type { CollectionNode } from '../refs.ts';
import { createSearch, type Match, type Search, type SearchedCollection } from './search.ts';
import { NO_PROGRESS, readSearchCursor, type SearchIdentity } from './search-cursor.ts';
import { createSearchPage, type SearchPage } from './search-page.ts';

/** A page of a search: the value that resolvers of a search return. */
export interface SearchResult<Item> {
  /** Resolves when the search is over. */
  page(): Promise<SearchPage<Item>>;
  /** Yields a row for each edge, as soon as it is found. */
  rows<Row>(toRow: (edge: Edge<Item>) => Row): AsyncIterable<Row>;
}

/** What is searched for. */
export interface SearchRequest<Item> extends SearchIdentity {
  /** Largest number of matches on the page. */
  readonly first: number;
  readonly after: string | null | undefined;
  itemsOf(tree: CollectionTree): readonly Item[];
  /** Position of an item among them. */
  indexOf(item: Item): number;
  /** Returns the items that match, in their order. */
  find(items: readonly Item[]): readonly Item[] | Promise<readonly Item[]>;
}

// A cursor names each of them with up to four bytes.
const MAX_COLLECTIONS = 5_000;

/**
 * Searches the collections of a workspace, or all that the key sees.
 *
 * @returns null if the workspace does not exist. If nothing of the operation is streamed, the search is over.
 * @throws {GraphQLError} BAD_USER_INPUT for a foreign cursor, or more than 5,000 collections.
 */
export async function searchCollections<Item extends { readonly id: string }>(
  context: Context,
  request: SearchRequest<Item>,
  info: GraphQLResolveInfo,
): Promise<SearchResult<Item> | null> {
  const { first, after, itemsOf, indexOf, find, ...identity } = request;
  const progress = after == null ? NO_PROGRESS : readSearchCursor(identity, after);
  const selection = toSelection(info);
  const unsearchedFields = fieldsNamed(selection, 'unsearchedCollections').flatMap((field) => field.select());
  const need = { ...toListNeed(unsearchedFields), willReadEach: true };
  const collections = await readCollections(context, identity.workspaceId, need);
  if (!collections) return null;

  const { readAhead: loaders, slices } = context;
  const isFiltered = Object.values(identity.filter).some((condition) => condition != null);
  const partials = new Map(progress.partials.map((one) => [one.uid, one]));
  const left = collections.map(({ uid }) => uid).filter((uid) => !progress.finished.has(uid));
  const cached = await loaders.cachedTrees(left);
  const groupOf = (uid: string) => (partials.has(uid) ? 0 : cached.has(uid) ? 1 : 2);
  const uids = [0, 1, 2].flatMap((group) => left.filter((uid) => groupOf(uid) === group));
  const assumedMatches = context.assumedMatches?.(isFiltered);

  const searchOne = async (uid: string): Promise<SearchedCollection<Item>> => {
    const detail = await loaders.childByUid({ type: 'Collection', uid, levels: ['detail'] });
    if (!detail) throw new UpstreamError('badResponse', NO_SUCH_COLLECTION, { route: collectionRoute.template });
    // The level says that the response is whole.
    const collection = detail as CollectionDetail;
    context.trackRead(collection, info.path);
    // Parsing a large collection blocks the event loop.
    if (!cached.has(uid)) await slices.pause();
    const items = itemsOf(await context.treeOf(collection));
    const partial = partials.get(uid);
    const rest = partial ? items.slice(indexOfCursor(items, { page: '', ...partial }, ({ id }) => id) + 1) : items;
    const matches = assumedMatches === undefined ? await find(rest) : rest;
    if (slices.isUsedUp()) await slices.next();
    return {
      matches,
      release() {
        context.untrackRead(collection);
        void loaders.forgetTree(collection);
      },
    };
  };

  const search = createSearch({
    uids: selection.length === 0 ? [] : uids,
    cachedCount: uids.filter((uid) => cached.has(uid)).length,
    maxMatches: first,
    matchesAll: !isFiltered,
    needsTotal: fieldsNamed(selection, 'totalCount').length > 0,
    search: searchOne,
    indexOf,
    hasEnded: context.hasEnded,
    assumedMatches,
  });
  const { toEdge, toPage } = createSearchPage({
    search,
    identity,
    progress,
    collections,
    maxMatches: first,
    assumedMatches,
  });
  const page = search.over.then(() => {
    for (const error of distinctErrors(search.failed.values()))
      context.reportError(locatedError(error, info.fieldNodes, responsePathAsArray(info.path)));
    return toPage();
  });
  page.catch(() => undefined);
  if (!context.streamedRows.streamsAny) await page;
  return { page: () => page, rows: (toRow) => follow(search, page, (match, index) => toRow(toEdge(match, index))) };
}

/** Reads the list of collections, without duplicates; null if the workspace does not exist. */
async function readCollections(
  { loaders, assumedMatches }: Context,
  workspaceId: string | null,
  need: ListNeed,
): Promise<readonly CollectionNode[] | null> {
  const read = (from: number, count: number) =>
    loaders.childrenOf({ type: 'Collection', workspaceId, ...need, mustConfirm: true, from, count });
  const start = await read(0, COLLECTION_PAGE_SIZE);
  if (!start) return null;
  if (start.total > MAX_COLLECTIONS && !assumedMatches)
    throw badUserInput(
      `A search covers at most ${MAX_COLLECTIONS} collections, and there are ${start.total}: search one workspace.`,
    );
  const total = Math.min(start.total, MAX_COLLECTIONS);
  const rest: Promise<{ readonly items: readonly Ref[] } | null>[] = [];
  if (workspaceId !== null) {
    // One call may read all refs of the workspace.
    if (start.items.length < total) rest.push(read(COLLECTION_PAGE_SIZE, total - COLLECTION_PAGE_SIZE));
  } else {
    for (let from = COLLECTION_PAGE_SIZE; from < total && start.items.length < total; from += COLLECTION_PAGE_SIZE)
      rest.push(read(from, COLLECTION_PAGE_SIZE));
  }
  const refs = [start, ...(await Promise.all(rest))].flatMap((chunk) => chunk?.items ?? []);
  return [...new Map(refs.map((known) => [known.uid, { uid: known.uid, known }])).values()];
}

/** Yields a row for each match of a search, as soon as it is found. */
function follow<Item, Row>(
  search: Search<Item>,
  page: Promise<unknown>,
  toRow: (match: Match<Item>, index: number) => Row,
): AsyncIterable<Row> {
  let next = 0;
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        while (next >= search.matches.length && !search.isOver) await search.progress();
        const match = search.matches[next];
        if (match) return { done: false, value: toRow(match, next++) };
        // It rejects if the search has failed as a whole.
        await page;
        return { done: true, value: undefined };
      },
      return() {
        search.stop();
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  };
}

/** Returns the errors that a client can tell apart, each once. */
function distinctErrors(errors: Iterable<unknown>): readonly unknown[] {
  const byText = new Map<string, unknown>();
  for (const error of errors) {
    const key = error instanceof UpstreamError ? `${error.kind} ${error.status} ${error.message}` : String(error);
    if (!byText.has(key)) byText.set(key, error);
  }
  return [...byText.values()];
}

const NO_SUCH_COLLECTION =
  'Postman lists this collection, but has no collection with this uid: it may have been deleted a moment ago.';

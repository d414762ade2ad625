import type { FolderItem, RequestItem } from '../../upstream/collection-format/tree/collection-tree.ts';
import { type FolderFilter, findFolders } from '../../upstream/collection-format/tree/filter-folders.ts';
import { findRequests, type RequestFilter } from '../../upstream/collection-format/tree/filter-requests.ts';
import { builder } from '../builder.ts';
import {
  type Connection,
  connectionType,
  edgeType,
  type PageArgs,
  type PageRequest,
  pageArgs,
  parsePageArgs,
  toConnection,
} from '../paging/connection.ts';
import type { Context } from '../context.ts';
import { parseNodeId } from '../node-id.ts';
import { FolderRef, RequestRef } from './refs.ts';

/** Page size of lists of folders and requests when the client gives none. */
export const PAGE_SIZE = 50;
// Creating an error with its stack and path takes a quarter of a millisecond: as long as returning this many values.
const ERROR_VALUES = 300;
// Number of characters that can be searched in the time it takes to return one value.
const SEARCHED_PER_VALUE = 1_000;

/** GraphQL type `FolderEdge`. */
export const FolderEdgeRef = edgeType('Folder', FolderRef, 'folders');
/** GraphQL type `RequestEdge`. */
export const RequestEdgeRef = edgeType('Request', RequestRef, 'requests');
/** GraphQL type `FolderConnection`. */
export const FolderConnectionRef = connectionType('Folder', FolderRef, 'folders', FolderEdgeRef);
/** GraphQL type `RequestConnection`. */
export const RequestConnectionRef = connectionType('Request', RequestRef, 'requests', RequestEdgeRef);

/** GraphQL input `RequestFilter`. */
export const RequestFilterInput = builder.inputType('RequestFilter', {
  description: 'Conditions on the requests of a list. A request must meet every condition that is given.',
  fields: (t) => ({
    search: t.string({
      description:
        'Text that occurs in the name, the whole URL or the description of the request, ignoring case. ' +
        'Withheld parts of a URL are not searched.',
    }),
    method: t.stringList({
      description: 'HTTP methods, ignoring case: the request must have one of them. An empty list allows all.',
    }),
    host: t.string({
      description:
        'Host of the URL, ignoring case, or a parent domain: `example.com` also matches `api.example.com`. ' +
        'Variables are not resolved: `{{baseUrl}}` matches URLs that begin with it.',
    }),
    folderUid: t.id({
      description:
        '`uid`, `itemId` or `id` of a folder of the collection: matches requests in it and in the folders below it. An ' +
        'unknown folder matches nothing.',
    }),
  }),
});

/** GraphQL input `FolderFilter`. */
export const FolderFilterInput = builder.inputType('FolderFilter', {
  description: 'Conditions on folders. A folder must meet every condition that is given.',
  fields: (t) => ({
    search: t.string({
      description: 'Text that occurs in the name or the description of the folder, ignoring case.',
    }),
  }),
});

/** Arguments of a list of folders. */
export const folderListArgs = () => pageArgs(PAGE_SIZE);

/** Arguments of a list of requests. */
export const requestListArgs = () => ({
  ...builder.args((t) => ({
    filter: t.field({
      type: RequestFilterInput,
      description: 'Conditions that requests must meet; all requests when it is not given.',
    }),
  })),
  ...pageArgs(PAGE_SIZE),
});

/**
 * Cuts a page out of the folders of a tree.
 *
 * @throws {GraphQLError} BAD_USER_INPUT, as `parsePageArgs` does.
 * @throws {ResultTooLarge} `parsePageArgs` has failed too often in this operation.
 */
export function toFolderPage(
  folders: readonly FolderItem[],
  args: PageArgs,
  context: Pick<Context, 'resultSize' | 'isDryRun'>,
): Connection<FolderItem> {
  return toConnection(folders, toPageRequest(args, context), ({ id }) => id);
}

/**
 * Cuts a page out of those requests of a tree that match the filter.
 *
 * @throws {GraphQLError} BAD_USER_INPUT, as `parsePageArgs` does.
 * @throws {ResultTooLarge} As `ResultSize.search` does.
 */
export function toRequestPage(
  requests: readonly RequestItem[],
  args: PageArgs & { readonly filter?: RequestFilter | null | undefined },
  context: Pick<Context, 'resultSize' | 'slices' | 'revealSecrets' | 'isDryRun'>,
): Connection<RequestItem> | Promise<Connection<RequestItem>> {
  const page = toPageRequest(args, context);
  const toPage = (found: readonly RequestItem[]) => toConnection(found, page, ({ id }) => id);
  const found = findMatchingRequests(requests, args.filter, context);
  return found instanceof Promise ? found.then(toPage) : toPage(found);
}

/**
 * Returns those requests of a tree that match the filter, in order, in time slices.
 *
 * @throws {ResultTooLarge} As `ResultSize.search` does.
 */
export function findMatchingRequests(
  requests: readonly RequestItem[],
  filter: RequestFilter | null | undefined,
  {
    resultSize,
    slices,
    revealSecrets,
    isDryRun,
  }: Pick<Context, 'resultSize' | 'slices' | 'revealSecrets' | 'isDryRun'>,
): readonly RequestItem[] | Promise<readonly RequestItem[]> {
  if (!filter || isDryRun) return requests;
  resultSize.search(requests.length);
  const onText = (length: number) => resultSize.search(length / SEARCHED_PER_VALUE);
  const conditions = { ...filter, folderUid: toFolderUid(filter.folderUid, requests[0]) };
  return slices.run(findRequests(requests, conditions, onText, revealSecrets));
}

/** The same for folders. */
export function findMatchingFolders(
  folders: readonly FolderItem[],
  filter: FolderFilter | null | undefined,
  { resultSize, slices }: Pick<Context, 'resultSize' | 'slices'>,
): readonly FolderItem[] | Promise<readonly FolderItem[]> {
  if (!filter) return folders;
  resultSize.search(folders.length);
  const onText = (length: number) => resultSize.search(length / SEARCHED_PER_VALUE);
  return slices.run(findFolders(folders, filter, onText));
}

/** Returns the `itemId` for the `id` of a folder in the tree of a request, and any other text unchanged. */
function toFolderUid(folder: string | null | undefined, request: RequestItem | undefined) {
  const key = folder == null ? null : parseNodeId(folder);
  return key?.type === 'Folder' && key.collectionUid === request?.tree.uid ? key.itemId : folder;
}

/** Parses page arguments. A mistake can be repeated in each of 100,000 folders, so each error is counted as values. */
function toPageRequest(
  args: PageArgs,
  { resultSize, isDryRun }: Pick<Context, 'resultSize' | 'isDryRun'>,
): PageRequest {
  try {
    const page = parsePageArgs(args, PAGE_SIZE);
    return isDryRun ? { ...page, after: undefined } : page;
  } catch (error) {
    resultSize.search(ERROR_VALUES);
    throw error;
  }
}

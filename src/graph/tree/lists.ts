import type { FolderItem, RequestItem } from '../../upstream/collection-format/tree/collection-tree.ts';
import { type FolderFilter, findFolders } from '../../upstream/collection-format/tree/filter-folders.ts';
import {
  dependsOnVariables,
  findRequests,
  type RequestFilter,
} from '../../upstream/collection-format/tree/filter-requests.ts';
import { builder } from '../builder.ts';
import { badUserInput, ERROR_VALUES } from '../errors/bad-user-input.ts';
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
const MAX_ENVIRONMENTS = 10;
/** Number of characters that can be searched in the time it takes to return one value. */
export const SEARCHED_PER_VALUE = 1_000;

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
        'Host of the URL, ignoring case, or a parent domain: `example.com` also matches `api.example.com`. The ' +
        'host is compared as it is written, so `{{baseUrl}}` matches URLs that begin with it, and with variables ' +
        'of the collection resolved, and those of `environmentUids`. A host with a withheld value does not match.',
    }),
    environmentUids: t.idList({
      description:
        `Uids of at most ${MAX_ENVIRONMENTS} environments: \`host\` also matches if the URL has that host in one ` +
        'of them. An unknown environment matches nothing. Without `host` it has no effect.',
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
  context: Pick<Context, 'resultSize' | 'isSimulation'>,
): Connection<FolderItem> {
  return toConnection(folders, toPageRequest(args, context), ({ id }) => id);
}

/**
 * Cuts a page out of those requests of a tree that match the filter.
 *
 * @param readEnvironments - Reads the variables of these environments. Called only if hosts can depend on them.
 * @throws {GraphQLError} BAD_USER_INPUT, as `parsePageArgs` does, and for too many environments.
 * @throws {ResultTooLarge} As `ResultSize.search` does.
 */
export function toRequestPage(
  requests: readonly RequestItem[],
  args: PageArgs & { readonly filter?: RequestFilterArgs | null | undefined },
  context: FilterContext,
  readEnvironments: ReadEnvironments,
): Connection<RequestItem> | Promise<Connection<RequestItem>> {
  const page = toPageRequest(args, context);
  const toPage = (found: readonly RequestItem[]) => toConnection(found, page, ({ id }) => id);
  const found = args.filter ? findMatchingRequests(requests, args.filter, context, readEnvironments) : requests;
  return found instanceof Promise ? found.then(toPage) : toPage(found);
}

/**
 * Returns those folders of a tree that match the filter, in order, in time slices.
 *
 * @throws {ResultTooLarge} As `ResultSize.search` does.
 */
export function findMatchingFolders(
  folders: readonly FolderItem[],
  filter: FolderFilter | null | undefined,
  { resultSize, slices, isSimulation }: Pick<Context, 'resultSize' | 'slices' | 'isSimulation'>,
): readonly FolderItem[] | Promise<readonly FolderItem[]> {
  if (!filter || isSimulation) return folders;
  resultSize.search(folders.length);
  const onText = (length: number) => resultSize.search(length / SEARCHED_PER_VALUE);
  return slices.run(findFolders(folders, filter, onText));
}

/** Argument `filter` of a list of requests. */
export interface RequestFilterArgs extends RequestFilter {
  readonly environmentUids?: readonly string[] | null | undefined;
}

type FilterContext = Pick<Context, 'resultSize' | 'slices' | 'revealSecrets' | 'scopeOf' | 'isSimulation'>;
type ReadEnvironments = (uids: readonly string[]) => Promise<readonly unknown[]>;

/**
 * Returns those requests of a tree that match the filter, in order, in time slices.
 *
 * @param readEnvironments - Reads the variables of these environments. Called only if hosts can depend on them.
 * @throws {GraphQLError} BAD_USER_INPUT for too many environments.
 * @throws {ResultTooLarge} As `ResultSize.search` does.
 */
export function findMatchingRequests(
  requests: readonly RequestItem[],
  { environmentUids, ...filter }: RequestFilterArgs,
  { resultSize, slices, revealSecrets, scopeOf, isSimulation }: FilterContext,
  readEnvironments: ReadEnvironments,
): readonly RequestItem[] | Promise<readonly RequestItem[]> {
  const find = (among: readonly RequestItem[], conditions: RequestFilter, environments: readonly unknown[] = []) => {
    if (isSimulation) return among;
    resultSize.search(among.length * (1 + environments.length));
    const onText = (length: number) => resultSize.search(length / SEARCHED_PER_VALUE);
    return slices.run(findRequests(among, conditions, { onText, revealSecrets, scopeOf, environments }));
  };
  const uids = [...new Set(environmentUids)];
  if (uids.length > MAX_ENVIRONMENTS) {
    resultSize.search(ERROR_VALUES);
    throw badUserInput(`"environmentUids" has ${uids.length} uids; it may have ${MAX_ENVIRONMENTS}.`);
  }
  const { host, ...others } = { ...filter, folderUid: toFolderUid(filter.folderUid, requests[0]) };
  if (uids.length === 0 || !host) return find(requests, { ...others, host });
  const findHost = async (candidates: readonly RequestItem[]) =>
    find(candidates, { host }, candidates.some(dependsOnVariables) ? await readEnvironments(uids) : []);
  // All other conditions first: if no URL with variables meets them, no environment has to be read.
  const candidates = find(requests, others);
  return candidates instanceof Promise ? candidates.then(findHost) : findHost(candidates);
}

/** Returns the `itemId` for the `id` of a folder in the tree of a request, and any other text unchanged. */
function toFolderUid(folder: string | null | undefined, request: RequestItem | undefined) {
  const key = folder == null ? null : parseNodeId(folder);
  return key?.type === 'Folder' && key.collectionUid === request?.tree.uid ? key.itemId : folder;
}

/** Parses page arguments. A mistake can be repeated in each of 100,000 folders, so each error is counted as values. */
function toPageRequest(
  args: PageArgs,
  { resultSize, isSimulation }: Pick<Context, 'resultSize' | 'isSimulation'>,
): PageRequest {
  try {
    const page = parsePageArgs(args, PAGE_SIZE);
    return isSimulation ? { ...page, after: undefined } : page;
  } catch (error) {
    resultSize.search(ERROR_VALUES);
    throw error;
  }
}

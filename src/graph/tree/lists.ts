import type { FolderItem, RequestItem } from '../../upstream/collection-format/tree/collection-tree.ts';
import { findRequests, type RequestFilter } from '../../upstream/collection-format/tree/filter-requests.ts';
import { builder } from '../builder.ts';
import {
  type Connection,
  connectionType,
  type PageArgs,
  type PageRequest,
  pageArgs,
  parsePageArgs,
  toConnection,
} from '../paging/connection.ts';
import type { Context } from '../context.ts';
import { FolderRef, RequestRef } from './refs.ts';

const PAGE_SIZE = 50;
// An error has a stack, a path and a place in the answer: a quarter of a millisecond.
const ERROR_VALUES = 300;
// Characters that are searched in the time that a value takes to answer.
const SEARCHED_PER_VALUE = 1_000;

/** GraphQL type `FolderConnection`. */
export const FolderConnectionRef = connectionType('Folder', FolderRef, 'folders');
/** GraphQL type `RequestConnection`. */
export const RequestConnectionRef = connectionType('Request', RequestRef, 'requests');

/** GraphQL input `RequestFilter`. */
export const RequestFilterInput = builder.inputType('RequestFilter', {
  description: 'Which requests of a list are wanted. A request has to meet every condition that is given.',
  fields: (t) => ({
    search: t.string({
      description:
        'Text that the name, the whole URL or the description of the request contains, in any case. What this server withholds of a URL is not found.',
    }),
    method: t.stringList({
      description: 'HTTP methods, in any case, one of which is the method of the request. An empty list allows all.',
    }),
    host: t.string({
      description:
        'Host of the URL, in any case, or a domain above it: `example.com` also finds `api.example.com`. Variables are not filled in: `{{baseUrl}}` finds the URLs that begin so.',
    }),
    folderUid: t.id({
      description:
        'Uid or id of a folder of the collection: requests in it and in the folders below. An unknown one finds nothing.',
    }),
  }),
});

/** Arguments of a list of folders. */
export const folderListArgs = () => pageArgs(PAGE_SIZE);

/** Arguments of a list of requests. */
export const requestListArgs = () => ({
  ...builder.args((t) => ({
    filter: t.field({ type: RequestFilterInput, description: 'Which requests are wanted; without it, all.' }),
  })),
  ...pageArgs(PAGE_SIZE),
});

/**
 * Cuts a page out of the folders of a tree.
 *
 * @throws {GraphQLError} BAD_USER_INPUT as `parsePageArgs`.
 * @throws {AnswerTooLarge} Where it fails too often.
 */
export function toFolderPage(
  folders: readonly FolderItem[],
  args: PageArgs,
  context: Pick<Context, 'resultSize'>,
): Connection<FolderItem> {
  return toConnection(folders, toPageRequest(args, context), ({ id }) => id);
}

/**
 * Cuts a page out of those requests of a tree that match the filter.
 *
 * @throws {GraphQLError} BAD_USER_INPUT as `parsePageArgs`.
 * @throws {AnswerTooLarge} As `AnswerSize.search`.
 */
export function toRequestPage(
  requests: readonly RequestItem[],
  args: PageArgs & { readonly filter?: RequestFilter | null | undefined },
  context: Pick<Context, 'resultSize' | 'slices' | 'revealSecrets'>,
): Connection<RequestItem> | Promise<Connection<RequestItem>> {
  const page = toPageRequest(args, context);
  const toPage = (found: readonly RequestItem[]) => toConnection(found, page, ({ id }) => id);
  if (!args.filter) return toPage(requests);
  const { resultSize, slices, revealSecrets } = context;
  resultSize.search(requests.length);
  const onText = (length: number) => resultSize.search(length / SEARCHED_PER_VALUE);
  const found = slices.run(findRequests(requests, args.filter, onText, revealSecrets));
  return found instanceof Promise ? found.then(toPage) : toPage(found);
}

/** The same mistake is made again in each of a hundred thousand folders: it counts there for what an error costs to make. */
function toPageRequest(args: PageArgs, { resultSize }: Pick<Context, 'resultSize'>): PageRequest {
  try {
    return parsePageArgs(args, PAGE_SIZE);
  } catch (error) {
    resultSize.search(ERROR_VALUES);
    throw error;
  }
}

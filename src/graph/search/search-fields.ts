import type { GraphQLResolveInfo } from 'graphql';
import type { FolderItem, RequestItem } from '../../upstream/collection-format/tree/collection-tree.ts';
import { leveledTypes } from '../../upstream/postman/levels.ts';
import { environmentRoute } from '../../upstream/postman/resources/environments.ts';
import { builder } from '../builder.ts';
import type { Context } from '../context.ts';
import { type PageArgs, pageArgs, parsePageArgs } from '../paging/connection.ts';
import { ASSUMED_SIZES } from '../planning/estimate.ts';
import { declareRoutes } from '../planning/declare-routes.ts';
import { COST_OF_FILTER, environmentReader } from '../planning/environment-reader.ts';
import { parseIdentifier } from '../planning/identifiers.ts';
import {
  findMatchingFolders,
  findMatchingRequests,
  FolderFilterInput,
  PAGE_SIZE,
  RequestFilterInput,
} from '../tree/lists.ts';
import { searchCollections, type SearchRequest } from './search-collections.ts';
import { FolderSearchConnectionRef, RequestSearchConnectionRef } from './search-types.ts';

const COST =
  'Cost: one `GET /collections` for every 99 collections, or one `GET /workspaces/{id}` for those of one workspace; ' +
  'and one `GET /collections/{uid}` for each collection that is not cached, until the page is full. If the budget ' +
  'allows fewer, the result has what was found, and `errors` says when to repeat the operation.';
const SEARCHED =
  'in all collections that the key can see, or in those of one workspace; null when that workspace does not exist, ' +
  'or when the collections cannot be listed';

/** What a search reads: the list, and every collection of an account of the assumed size. */
const SEARCH_READS = {
  ...declareRoutes('/collections', '/workspaces/{id}', '/collections/{uid}').extensions,
  likelyCalls: 1 + ASSUMED_SIZES.workspaces * leveledTypes.Collection.assumedPerWorkspace,
} as const;

const workspaceArg = () =>
  builder.args((t) => ({
    workspaceId: t.id({ description: 'Id of a workspace: only its collections are searched.' }),
  }));

builder.queryFields((t) => ({
  requests: t.field({
    type: RequestSearchConnectionRef,
    nullable: true,
    description: `Requests ${SEARCHED}.\n${COST} A search ${COST_OF_FILTER}.`,
    extensions: { ...SEARCH_READS, reads: [...SEARCH_READS.reads, environmentRoute.template] },
    args: {
      filter: t.arg({
        type: RequestFilterInput,
        description: 'Conditions that requests must meet; all requests when it is not given.',
      }),
      ...workspaceArg(),
      ...pageArgs(PAGE_SIZE),
    },
    resolve: (_root, { filter, ...args }, context, info) =>
      search<RequestItem>(args, context, info, {
        kind: 'requests',
        filter: filter ?? {},
        itemsOf: ({ requests }) => requests,
        indexOf: ({ position }) => position,
        find: (requests) =>
          filter ? findMatchingRequests(requests, filter, context, environmentReader(context)) : requests,
      }),
  }),
  folders: t.field({
    type: FolderSearchConnectionRef,
    nullable: true,
    description: `Folders ${SEARCHED}.\n${COST}`,
    extensions: SEARCH_READS,
    args: {
      filter: t.arg({
        type: FolderFilterInput,
        description: 'Conditions that folders must meet; all folders when it is not given.',
      }),
      ...workspaceArg(),
      ...pageArgs(PAGE_SIZE),
    },
    resolve: (_root, { filter, ...args }, context, info) =>
      search<FolderItem>(args, context, info, {
        kind: 'folders',
        filter: filter ?? {},
        itemsOf: ({ folders }) => folders,
        // The first folder below a folder comes right after it.
        indexOf: ({ firstFolder }) => firstFolder - 1,
        find: (folders) => findMatchingFolders(folders, filter, context),
      }),
  }),
}));

interface SearchArgs extends PageArgs {
  readonly workspaceId?: string | null | undefined;
}

function search<Item extends { readonly id: string }>(
  { workspaceId, first, after }: SearchArgs,
  context: Context,
  info: GraphQLResolveInfo,
  searched: Omit<SearchRequest<Item>, 'workspaceId' | 'first' | 'after'>,
) {
  const request = {
    ...searched,
    workspaceId: workspaceId == null ? null : parseIdentifier(workspaceId, 'workspaceId'),
    first: parsePageArgs({ first }, PAGE_SIZE).first,
    after,
  };
  return searchCollections(context, request, info);
}

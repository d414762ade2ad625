import type { OutputRef } from '@pothos/core';
import type { GraphQLResolveInfo } from 'graphql';
import { builder } from '../builder.ts';
import type { OperationContext } from '../context.ts';
import { type Edge, listItems, PageInfo, streamable } from '../paging/connection.ts';
import { childRefs } from '../refs.ts';
import { FolderEdgeRef, RequestEdgeRef } from '../tree/lists.ts';
import { FolderRef, RequestRef } from '../tree/refs.ts';
import type { SearchResult } from './search-collections.ts';

// Enough for a client to show what is missing.
const MAX_UNSEARCHED = 100;

/**
 * Defines `<name>SearchConnection`.
 *
 * @param name - Name of the node's type.
 * @param plural - What the nodes are called in descriptions.
 * @returns The ref of the connection; its resolvers return a `SearchResult`.
 */
function searchConnectionType<Node extends object>(
  name: string,
  plural: string,
  node: OutputRef<Node>,
  edge: OutputRef<Edge<Node>>,
) {
  return builder.objectRef<SearchResult<Node>>(`${name}SearchConnection`).implement({
    description:
      `A page of the ${plural} that a search has found, and how far the search has come. Collections that the server ` +
      'has cached are searched first, because they need no call; then the others.',
    fields: (t) => ({
      nodes: t.field({
        type: [node],
        nullable: false,
        description: `The ${plural} of this page, in the order in which the search finds them. With \`@stream\` they arrive as it does.`,
        extensions: streamable,
        resolve: (result, _args, context, info) => toRows(result, ({ node: item }) => item, context, info) as never,
      }),
      edges: t.field({
        type: [edge],
        nullable: false,
        description: `The ${plural} of this page, each with its cursor. With \`@stream\` they arrive as they are found.`,
        extensions: streamable,
        resolve: (result, _args, context, info) => toRows(result, (one) => one, context, info) as never,
      }),
      pageInfo: t.field({
        type: PageInfo,
        nullable: false,
        description:
          'Whether the search can find more, and how to get the next page. `hasNextPage` is also true if the budget ' +
          'or the deadline has cut the search short.',
        resolve: ({ page }) => page(),
      }),
      totalCount: t.int({
        nullable: true,
        description: `Number of ${plural} that match; null unless every collection has been searched.`,
        resolve: async ({ page }) => (await page()).totalCount,
      }),
      searchedCollectionCount: t.int({
        nullable: false,
        description: 'Number of collections that have been searched, for this page and those before it.',
        resolve: async ({ page }) => (await page()).searchedCount,
      }),
      unsearchedCollectionCount: t.int({
        nullable: false,
        description:
          'Number of collections that have not been searched: those that could not be read, and those that the search ' +
          'has not reached because the page is full or the budget was used up. 0: nothing is missing.',
        resolve: async ({ page }) => (await page()).unsearched.length,
      }),
      unsearchedCollections: t.field({
        type: [childRefs.Collection],
        nullable: false,
        description: `The first ${MAX_UNSEARCHED} of the collections that have not been searched, those that could not be read first.`,
        extensions: listItems,
        resolve: async ({ page }, _args, { assumedMatches }) => {
          const { unsearched } = await page();
          // In a dry run any of them can be among the first.
          return assumedMatches ? unsearched : unsearched.slice(0, MAX_UNSEARCHED);
        },
      }),
    }),
  });
}

/** Returns the rows of a list: as they are found if the list is streamed, otherwise all when the search is over. */
async function toRows<Node, Row>(
  { page, rows }: SearchResult<Node>,
  toRow: (edge: Edge<Node>) => Row,
  { streamedRows }: OperationContext,
  info: GraphQLResolveInfo,
): Promise<readonly Row[] | AsyncIterable<Row>> {
  return streamedRows.isStreamed(info) ? rows(toRow) : (await page()).edges.map(toRow);
}

/** GraphQL type `RequestSearchConnection`. */
export const RequestSearchConnectionRef = searchConnectionType('Request', 'requests', RequestRef, RequestEdgeRef);
/** GraphQL type `FolderSearchConnection`. */
export const FolderSearchConnectionRef = searchConnectionType('Folder', 'folders', FolderRef, FolderEdgeRef);

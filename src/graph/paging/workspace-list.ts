import type { WorkspaceFilter, WorkspaceSummary } from '../../upstream/postman/resources/workspaces.ts';
import { type Connection, type Edge, indexOfCursor, mapNodes, type PageRequest } from './connection.ts';
import type { ListPageRequest } from './list-order.ts';
import { toListPage } from './ordered-page.ts';
import type { Context } from '../context.ts';
import type { WorkspaceNode } from '../refs.ts';

/** Reads one page of workspaces: from Postman's pages, or from the whole list if this server orders or filters it. */
export async function readWorkspaces(
  context: Context,
  filter: WorkspaceFilter,
  page: ListPageRequest,
): Promise<Connection<WorkspaceNode>> {
  const { resultSize } = context;
  if (!page.ordering) return mapNodes(await readStretch(context, filter, page), toNode);
  const whole = await readStretch(context, filter, { first: Number.POSITIVE_INFINITY, after: undefined });
  const items = whole.edges.map(({ node }) => node);
  return mapNodes(
    toListPage(items, page, ({ id }) => id, resultSize.search),
    toNode,
  );
}

const toNode = (summary: WorkspaceSummary): WorkspaceNode => ({ id: summary.id, summary });

/**
 * Reads workspaces until there are `first` of them. Postman pages the list by opaque cursors. Our cursors contain
 * Postman's cursor of the page that the node is on, so continuing costs one call at any position in the list.
 */
async function readStretch(
  { loaders }: Context,
  filter: WorkspaceFilter,
  { first, after }: PageRequest,
): Promise<Connection<WorkspaceSummary>> {
  const edges: Edge<WorkspaceSummary>[] = [];
  let upstreamCursor = after?.page || null;
  const visited = new Set<string | null>([upstreamCursor]);
  let skipTo = after;
  // If reading starts at a later page, the number of workspaces before it is unknown.
  let readCount = upstreamCursor === null ? 0 : Number.NaN;
  for (;;) {
    const { items, nextCursor } = await loaders.workspacePage({ filter, cursor: upstreamCursor });
    const start: number = skipTo === undefined ? 0 : indexOfCursor(items, skipTo, ({ id }) => id) + 1;
    const taken = items.slice(start, start + first - edges.length);
    for (const [index, node] of taken.entries())
      edges.push({ node, cursor: { page: upstreamCursor ?? '', index: start + index, id: node.id } });
    // A repeated cursor or an empty page also ends the list; otherwise we could follow Postman's cursors forever.
    const hasNextPage: boolean = nextCursor !== null && items.length > 0 && !visited.has(nextCursor);
    readCount += items.length;
    if (edges.length >= first || !hasNextPage) {
      return {
        edges,
        hasNextPage: hasNextPage || start + taken.length < items.length,
        hasPreviousPage: after !== undefined,
        totalCount: hasNextPage || Number.isNaN(readCount) ? null : readCount,
      };
    }
    visited.add(nextCursor);
    upstreamCursor = nextCursor;
    skipTo = undefined;
  }
}

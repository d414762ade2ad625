import type { WorkspaceFilter, WorkspaceSummary } from '../../upstream/postman/resources/workspaces.ts';
import { type Connection, type Edge, indexOfCursor, type PageRequest } from './connection.ts';
import type { Context } from '../context.ts';
import type { WorkspaceNode } from '../refs.ts';

/**
 * Reads one page of workspaces. Postman pages the list by opaque cursors. Our cursors contain Postman's cursor of the
 * page that the node is on, so continuing costs one call at any position in the list.
 */
export async function readWorkspaces(
  { loaders }: Context,
  filter: WorkspaceFilter,
  { first, after }: PageRequest,
): Promise<Connection<WorkspaceNode>> {
  const edges: Edge<WorkspaceNode>[] = [];
  let upstreamCursor = after?.page || null;
  const visited = new Set<string | null>([upstreamCursor]);
  let skipTo = after;
  // If reading starts at a later page, the number of workspaces before it is unknown.
  let readCount = upstreamCursor === null ? 0 : Number.NaN;
  for (;;) {
    const { items, nextCursor } = await loaders.workspacePage({ filter, cursor: upstreamCursor });
    const start: number = skipTo === undefined ? 0 : indexOfCursor(items, skipTo, ({ id }) => id) + 1;
    const taken = items.slice(start, start + first - edges.length);
    edges.push(...taken.map((summary, index) => toEdge(summary, upstreamCursor ?? '', start + index)));
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

function toEdge(summary: WorkspaceSummary, page: string, index: number): Edge<WorkspaceNode> {
  return { node: { id: summary.id, summary }, cursor: { page, index, id: summary.id } };
}

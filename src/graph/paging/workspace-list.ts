import type { WorkspaceFilter, WorkspaceSummary } from '../../upstream/postman/resources/workspaces.ts';
import { type Connection, type Edge, indexOfCursor, type PageRequest } from './connection.ts';
import type { Context } from '../context.ts';
import type { WorkspaceNode } from '../refs.ts';

/**
 * Reads one page of workspaces. Upstream pages by cursors of its own; ours carry the one of the page they stand on, so that
 * going on costs one call however far into the list.
 */
export async function readWorkspaces(
  { loaders }: Context,
  filter: WorkspaceFilter,
  { first, after }: PageRequest,
): Promise<Connection<WorkspaceNode>> {
  const edges: Edge<WorkspaceNode>[] = [];
  let upstreamCursor = after?.page || null;
  const visited = new Set<string | null>([upstreamCursor]);
  let skip = after;
  // Whoever begins on a later page does not know how much stands before it.
  let read = upstreamCursor === null ? 0 : Number.NaN;
  for (;;) {
    const { items, nextCursor } = await loaders.workspacePage({ filter, cursor: upstreamCursor });
    const start: number = skip === undefined ? 0 : indexOfCursor(items, skip, ({ id }) => id) + 1;
    const taken = items.slice(start, start + first - edges.length);
    edges.push(...taken.map((summary, index) => toEdge(summary, upstreamCursor ?? '', start + index)));
    // A cursor that comes back, or an empty page, is an end too: upstream's own would otherwise be followed for ever.
    const hasNextPage: boolean = nextCursor !== null && items.length > 0 && !visited.has(nextCursor);
    read += items.length;
    if (edges.length >= first || !hasNextPage) {
      return {
        edges,
        hasNextPage: hasNextPage || start + taken.length < items.length,
        hasPreviousPage: after !== undefined,
        totalCount: hasNextPage || Number.isNaN(read) ? null : read,
      };
    }
    visited.add(nextCursor);
    upstreamCursor = nextCursor;
    skip = undefined;
  }
}

function toEdge(summary: WorkspaceSummary, page: string, index: number): Edge<WorkspaceNode> {
  return { node: { id: summary.id, summary }, cursor: { page, index, id: summary.id } };
}

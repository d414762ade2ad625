import type { Chunk, ListRequest } from '../loaders/workspace-loaders.ts';
import type { Ref } from '../upstream/postman/ref.ts';
import { type Connection, indexOfCursor, mapNodes, type PageRequest, toConnection } from './connection.ts';
import type { Context } from './context.ts';
import type { CollectionNode, EnvironmentNode } from './refs.ts';
import { fieldsNamed, type SelectedField } from './selection.ts';

/** Page size of the lists inside a workspace when the client names none. */
export const CHILDREN_PAGE_SIZE = 50;

/** What a list has to carry for what is selected on its nodes. */
export type ListNeed = Pick<ListRequest, 'level' | 'readsEach' | 'needsNames'>;

/**
 * Chooses what a list has to carry for the fields selected on its nodes.
 *
 * A field that only a single read carries will cause that read for every node, and what it carries is then free; the list
 * has to carry the rest.
 */
export function toListNeed(nodeSelection: readonly SelectedField[]): ListNeed {
  const levels = nodeSelection
    .map(({ carriedBy }) => carriedBy)
    .filter((carriers) => carriers.length > 0 && !carriers.includes('own'));
  const outsideLists = levels.filter((carriers) => !carriers.includes('ref') && !carriers.includes('summary'));
  const single =
    outsideLists.length === 0
      ? undefined
      : outsideLists.every((carriers) => carriers.includes('minimal'))
        ? 'minimal'
        : 'detail';
  const needsList = levels.some((carriers) => !carriers.includes('ref') && !(single && carriers.includes(single)));
  // Where each is read singly, that read has its name, too.
  const needsNames = single === undefined && fieldsNamed(nodeSelection, 'name').length > 0;
  return { level: needsList ? 'summary' : 'ref', readsEach: single !== undefined, needsNames };
}

/** Which collections: of one workspace, or of everything the key sees. */
export interface CollectionsOf extends ListNeed {
  readonly workspaceId: string | null;
  /** Whether the client named the workspace, so that it may not exist. */
  readonly isUnconfirmed: boolean;
}

/**
 * Reads one page of a list of collections.
 *
 * @returns null when there is no such workspace.
 */
export async function readCollections(
  { loaders }: Context,
  of: CollectionsOf,
  page: PageRequest,
): Promise<Connection<CollectionNode> | null> {
  const start = page.after ? page.after.index + 1 : 0;
  const chunk = await loaders.collectionsByWorkspace({ ...of, from: start, count: page.first });
  return chunk && toCollectionConnection(chunk, page);
}

function toCollectionConnection(
  { items, offset, total }: Chunk<Ref>,
  { first, after }: PageRequest,
): Connection<CollectionNode> {
  let start = 0;
  if (after) {
    const place = { ...after, index: after.index - offset };
    // The cursor's own node can stand on the page before, which is not worth a call.
    start = (place.index < 0 ? -1 : indexOfCursor(items, place, ({ uid }) => uid)) + 1;
  }
  const nodes = items.slice(start, start + first);
  return {
    edges: nodes.map((known, index) => ({
      node: { uid: known.uid, known },
      place: { page: '', index: offset + start + index, id: known.uid },
    })),
    hasNextPage: start + nodes.length < items.length || offset + start + nodes.length < total,
    hasPreviousPage: offset + start > 0,
    totalCount: total,
  };
}

/** Cuts a page out of a list of environments that is in hand. */
export function toEnvironmentConnection(list: readonly Ref[], page: PageRequest): Connection<EnvironmentNode> {
  return mapNodes(
    toConnection(list, page, ({ uid }) => uid),
    (known) => ({ uid: known.uid, known }),
  );
}

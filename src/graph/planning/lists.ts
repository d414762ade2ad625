import type { GraphQLResolveInfo } from 'graphql';
import type { ChildListRequest } from '../../loaders/child-lists.ts';
import type { ChildType } from '../../upstream/postman/levels.ts';
import type { Ref } from '../../upstream/postman/resources/ref.ts';
import type { SummaryOf } from '../../upstream/postman/routes.ts';
import { refuseMissing } from './refuse-missing.ts';
import { type Connection, mapNodes } from '../paging/connection.ts';
import { type ListArgs, type ListPageRequest, type Ordering, parseListArgs } from '../paging/list-order.ts';
import { toListPage, toStretch } from '../paging/ordered-page.ts';
import type { Context } from '../context.ts';
import type { ChildNode, WorkspaceNode } from '../refs.ts';
import { fieldsNamed, type SelectedField, toNodeSelection, toSharedSelection } from './selection.ts';

/** Page size of the lists inside a workspace when the client gives none. */
export const CHILDREN_PAGE_SIZE = 50;

/** What a list must contain for the fields selected on its nodes, and for its order. */
export type ListNeed = Pick<ChildListRequest, 'level' | 'willReadEach' | 'needsNames' | 'needsDates' | 'isReadEnough'>;

/**
 * Chooses what a list must contain for the fields selected on its nodes, and to be ordered and filtered.
 *
 * A field that only a single read carries causes that read for every node. All other fields that the read carries are
 * then free, and the list needs to contain only the rest.
 */
export function toListNeed(nodeSelection: readonly SelectedField[], ordering?: Ordering): ListNeed {
  const order = ordering?.order?.field;
  const needsDates = ordering?.updatedAfter !== undefined || (order !== undefined && order !== 'name');
  const levels = nodeSelection
    .map(({ carriedBy }) => carriedBy)
    .filter((carriers) => carriers.length > 0 && !carriers.includes('dedicated'));
  const outsideLists = levels.filter((carriers) => !carriers.includes('ref') && !carriers.includes('summary'));
  const single =
    outsideLists.length === 0
      ? undefined
      : outsideLists.every((carriers) => carriers.includes('minimal'))
        ? 'minimal'
        : 'detail';
  const needsList =
    needsDates || levels.some((carriers) => !carriers.includes('ref') && !(single && carriers.includes(single)));
  // A single read of each node also has its name, but only after the order has decided which nodes are read.
  const needsNames = order === 'name' || (single === undefined && fieldsNamed(nodeSelection, 'name').length > 0);
  const isReadEnough = !needsDates && levels.every((carriers) => carriers.some((level) => level !== 'summary'));
  const level = needsList ? 'summary' : 'ref';
  return { level, willReadEach: single !== undefined, needsNames, needsDates, isReadEnough };
}

/** Identifies a list: children of one type, in one workspace or (`workspaceId: null`) in all that the key sees. */
export type ListOf<Type extends ChildType> = Pick<ChildListRequest<Type>, 'type' | 'workspaceId' | 'mustConfirm'>;

/**
 * Reads one page of a list, with what the fields selected on its nodes need.
 *
 * @returns null if the workspace does not exist.
 */
export async function readChildren<Type extends ChildType>(
  { loaders, resultSize, selections }: Context,
  list: ListOf<Type>,
  page: ListPageRequest,
  info: GraphQLResolveInfo,
): Promise<Connection<ChildNode<SummaryOf<Type>>> | null> {
  const need = toListNeed(toNodeSelection(toSharedSelection(info, selections)), page.ordering);
  const { type, workspaceId, mustConfirm } = list;
  const chunk = await loaders.childrenOf({ type, workspaceId, mustConfirm, ...need, ...toStretch(page) });
  return chunk && toNodes(toListPage(chunk.items, page, ({ uid }) => uid, resultSize.search, chunk));
}

/** Makes the resolver of a workspace's list of children of one type. */
export function childrenOf<Type extends ChildType>(type: Type) {
  return async (
    { id, isUserSupplied = false }: WorkspaceNode,
    args: ListArgs,
    context: Context,
    info: GraphQLResolveInfo,
  ) => {
    const list = { type, workspaceId: id, mustConfirm: isUserSupplied };
    const page = await readChildren(context, list, parseListArgs(args, CHILDREN_PAGE_SIZE), info);
    return page ?? refuseMissing('Workspace', id);
  };
}

/** Maps the items of a page to nodes. */
export function toNodes<Known extends Ref>(
  page: Connection<Known>,
): Connection<{ readonly uid: string; readonly known: Known }> {
  return mapNodes(page, (known) => ({ uid: known.uid, known }));
}

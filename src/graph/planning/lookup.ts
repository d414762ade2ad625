import type { GraphQLResolveInfo, ResponsePath } from 'graphql';
import { type ChildType, childTypes, type Level, leveledTypes } from '../../upstream/postman/levels.ts';
import type { Ref } from '../../upstream/postman/resources/ref.ts';
import { globalsCall } from '../../upstream/postman/resources/workspaces.ts';
import { levelsOf } from '../../upstream/postman/routes.ts';
import { toOwnerOfUid } from '../../upstream/postman/uid.ts';
import { parsePageArgs } from '../paging/connection.ts';
import type { Context } from '../context.ts';
import { CHILDREN_PAGE_SIZE, toListNeed, toStretch } from './lists.ts';
import type { ChildNode, WorkspaceNode } from '../refs.ts';
import { fieldsNamed, type SelectedField, toNodeSelection, toSelection } from './selection.ts';

/** What is selected on a thing that is looked up, and its place in the answer. */
export interface LookupRequest {
  readonly selection: readonly SelectedField[];
  readonly path: ResponsePath;
}

/** What is asked of the thing that the field being resolved looks up. */
export function toLookupRequest(info: GraphQLResolveInfo): LookupRequest {
  return { selection: toSelection(info), path: info.path };
}

/**
 * Looks up one workspace that a client named by its id.
 *
 * Everything selected on it is asked for at once, so that the loaders see it together and so that a workspace that
 * does not exist is null itself, instead of an object full of nulls.
 *
 * @throws {UpstreamError} if nothing of it could be read.
 */
export async function lookUpWorkspace(
  context: Context,
  id: string,
  { selection, path }: LookupRequest,
): Promise<WorkspaceNode | null> {
  const { readAhead: loaders } = context;
  const readParts = (fields: readonly SelectedField[]): Promise<unknown>[] => {
    const levels = fields.map(({ carriedBy }) => carriedBy);
    const lists = fields.flatMap((field) => workspaceListOf(field, context, id));
    const isOnlyDetail = (carriers: readonly Level[]) => carriers.includes('detail') && !carriers.includes('summary');
    return [
      ...lists,
      ...(levels.some((carriers) => carriers.includes('summary'))
        ? [loaders.workspaceById({ id, level: 'summary' })]
        : []),
      ...(levels.some(isOnlyDetail) ? [loaders.workspaceById({ id, level: 'detail' })] : []),
    ];
  };
  const parts = readParts(selection.filter(({ isDeferred }) => !isDeferred));
  // Planned together, but not waited for.
  for (const part of readParts(selection.filter(({ isDeferred }) => isDeferred))) part.catch(() => undefined);
  const node = { id, isUserSupplied: true };
  if (parts.length === 0) {
    // Globals prove the workspace; having none proves nothing.
    if (fieldsNamed(selection, 'globals').length > 0 && (await loaders.read(globalsCall(id)))?.length) return node;
    parts.push(loaders.workspaceById({ id, level: 'summary' }));
  }
  return (await firstFound(parts, context, path)) === null ? null : node;
}

/** Looks up one thing that something named by its uid or, for the key's own, its id. See `lookUpWorkspace`. */
export async function lookUpChild(
  type: ChildType,
  context: Context,
  uid: string,
  { selection, path }: LookupRequest,
): Promise<ChildNode<never> | null> {
  const { readAhead: loaders } = context;
  const allReadLevels = levelsOf(type).filter((level) => level !== 'ref');
  const { immediate, deferred } = levelsToRead(selection, allReadLevels);
  for (const levels of deferred) loaders.childByUid({ type, uid, levels }).catch(() => undefined);
  // Nothing but its workspace is asked for: where there is one, there is the collection.
  if (
    type === 'Collection' &&
    immediate.length === 0 &&
    toOwnerOfUid(uid) !== null &&
    (await loaders.isInWorkspace(uid))
  )
    return { uid };
  // No list has all collections: being in none does not mean that there is no such collection.
  const isProof = (levels: readonly Level[]) => levels.includes('minimal') || levels.includes('detail');
  const requestedLevels = immediate.some(isProof) ? immediate : [...immediate, allReadLevels];
  const found = await firstFound<Ref>(
    requestedLevels.map((levels) => loaders.childByUid({ type, uid, levels })),
    context,
    path,
    (index) => isProof(requestedLevels[index] ?? []),
  );
  return found && { uid, known: { id: found.id, uid: found.uid, name: found.name } };
}

function workspaceListOf(
  { name, args, select }: SelectedField,
  { readAhead: loaders }: Context,
  id: string,
): Promise<unknown>[] {
  const type = childTypes.find((one) => leveledTypes[one].list === name);
  if (!type) return [];
  const request = { type, workspaceId: id, ...toListNeed(toNodeSelection(select())), mustConfirm: true };
  try {
    return [loaders.childrenOf({ ...request, ...toStretch(parsePageArgs(args, CHILDREN_PAGE_SIZE)) })];
  } catch {
    // Bad paging arguments are the child field's to report.
    return [];
  }
}

/**
 * The different sets of levels of which one answer each is needed. Whatever is asked, the thing has to exist.
 *
 * @returns `wanted` now; `deferred` besides, planned together with them, but not waited for.
 */
function levelsToRead(
  selection: readonly SelectedField[],
  allReadLevels: readonly Level[],
): Readonly<Record<'immediate' | 'deferred', readonly (readonly Level[])[]>> {
  const toSets = (fields: readonly SelectedField[]) => {
    const needed = fields.map(({ carriedBy }) => carriedBy).filter((carriers) => carriers.length > 0);
    const sets = needed
      .filter((carriers) => !carriers.includes('dedicated'))
      .map((carriers) => (carriers.includes('ref') ? allReadLevels : carriers));
    const isDedicatedOnly = sets.length === 0 && needed.length > 0;
    return { isDedicatedOnly, sets: new Map(sets.map((carriers) => [carriers.join(), carriers])) };
  };
  const now = toSets(selection.filter(({ isDeferred }) => !isDeferred));
  const later = toSets(selection.filter(({ isDeferred }) => isDeferred));
  const immediate = now.isDedicatedOnly ? [] : now.sets.size === 0 ? [allReadLevels] : [...now.sets.values()];
  return { immediate, deferred: [...later.sets].flatMap(([key, levels]) => (now.sets.has(key) ? [] : [levels])) };
}

/**
 * The first part that says there is such a thing; null where one says that there is none. One part that can be read is
 * enough: the others fail where they are selected. It is tracked as what stands at `path`.
 *
 * @param isProof - Whether the part at this place, when it finds nothing, proves that there is nothing.
 * @throws What the first of those failed with, when all of them have and no other part found anything.
 */
async function firstFound<Part>(
  parts: readonly Promise<Part | null>[],
  { trackRead }: Context,
  path: ResponsePath,
  isProof: (index: number) => boolean = () => true,
): Promise<Part | null> {
  const results = await Promise.allSettled(parts);
  for (const result of results) {
    if (result.status !== 'fulfilled' || result.value === null) continue;
    trackRead(result.value, path);
    return result.value;
  }
  const proofs = results.filter((_, index) => isProof(index));
  const [first] = proofs;
  if (first?.status === 'rejected' && proofs.every(({ status }) => status === 'rejected')) throw first.reason;
  return null;
}

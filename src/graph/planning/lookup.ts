/**
 * Looks up single objects that a client or another object names: `lookUpWorkspace` and `lookUpChild`. Both read ahead
 * in the selection and request everything before the fields of the object are resolved, so that the loaders can plan
 * all calls together. This file must not know the GraphQL types: a field declares by `carriedBy` and `reads` what it
 * needs (`planning/carried-by.ts`).
 */
import type { GraphQLResolveInfo, ResponsePath } from 'graphql';
import {
  childLists,
  type ChildType,
  childTypes,
  type Level,
  type LeveledType,
  leveledTypes,
} from '../../upstream/postman/levels.ts';
import type { Ref } from '../../upstream/postman/resources/ref.ts';
import { globalsCall } from '../../upstream/postman/resources/workspaces.ts';
import { levelsOf } from '../../upstream/postman/routes.ts';
import { isUuid, toOwnerOfUid } from '../../upstream/postman/uid.ts';
import { parseListArgs } from '../paging/list-order.ts';
import { toStretch } from '../paging/ordered-page.ts';
import type { Context } from '../context.ts';
import { CHILDREN_PAGE_SIZE, toListNeed } from './lists.ts';
import type { ChildNode, WorkspaceNode } from '../refs.ts';
import { fieldsNamed, type SelectedField, toNodeSelection, toSelection, toSharedSelection } from './selection.ts';

/** What is selected on the object that is looked up, and its path in the result. */
export interface LookupRequest {
  readonly selection: readonly SelectedField[];
  readonly path: ResponsePath;
}

/** Makes the request for the object that the field being resolved looks up. */
export function toLookupRequest(info: GraphQLResolveInfo): LookupRequest {
  return { selection: toSelection(info), path: info.path };
}

/** Looks up one object by its type and key: a workspace by its id, a child by its uid. */
export function lookUpEntity(
  type: LeveledType,
  context: Context,
  key: string,
  request: LookupRequest,
): Promise<WorkspaceNode | ChildNode<never> | null> {
  return type === 'Workspace' ? lookUpWorkspace(context, key, request) : lookUpChild(type, context, key, request);
}

/**
 * Looks up one workspace by its id.
 *
 * Reads everything selected on it at once, so that the loaders can plan the calls together, and so that a workspace
 * that does not exist is null, instead of an object full of nulls.
 *
 * @returns null if the workspace does not exist.
 * @throws {UpstreamError} Nothing of the workspace could be read.
 */
export async function lookUpWorkspace(
  context: Context,
  givenId: string,
  { selection, path }: LookupRequest,
): Promise<WorkspaceNode | null> {
  const { readAhead: loaders } = context;
  // The object has the same `id` however the client wrote the UUID.
  const id = isUuid(givenId) ? givenId.toLowerCase() : givenId;
  const readParts = (fields: readonly SelectedField[]): Promise<unknown>[] => {
    const levels = fields.map(({ carriedBy }) => carriedBy);
    const lists = fields.flatMap((field) => workspaceListOf(field, context, id));
    const needsDetail = (carriers: readonly Level[]) => carriers.includes('detail') && !carriers.includes('summary');
    return [
      ...lists,
      ...(levels.some((carriers) => carriers.includes('summary'))
        ? [loaders.workspaceById({ id, level: 'summary' })]
        : []),
      ...(levels.some(needsDetail) ? [loaders.workspaceById({ id, level: 'detail' })] : []),
    ];
  };
  const parts = readParts(selection.filter(({ isDeferred }) => !isDeferred));
  // Planned together with the others, but not awaited.
  for (const part of readParts(selection.filter(({ isDeferred }) => isDeferred))) part.catch(() => undefined);
  const node = { id, isUserSupplied: true };
  if (parts.length === 0) {
    // A workspace that has globals exists; one without globals may not exist.
    if (fieldsNamed(selection, 'globals').length > 0 && (await loaders.read(globalsCall(id)))?.length) return node;
    parts.push(loaders.workspaceById({ id, level: 'summary' }));
  }
  return (await firstFound(parts, context, path)) === null ? null : node;
}

/**
 * Looks up one child by its uid; a bare id works for children of the key's own user. Reads what is selected on it at
 * once, as `lookUpWorkspace` does.
 *
 * @returns null if it does not exist.
 * @throws {UpstreamError} Nothing of it could be read.
 */
export async function lookUpChild(
  type: ChildType,
  context: Context,
  uid: string,
  { selection, path }: LookupRequest,
): Promise<ChildNode<never> | null> {
  const { readAhead: loaders } = context;
  const allReadLevels = levelsOf(type).filter((level) => level !== 'ref');
  const { immediate, deferred } = levelsToRead(selection, allReadLevels);
  // No list has all collections: a collection that is in no list may still exist.
  const isProof = (levels: readonly Level[]) => levels.includes('minimal') || levels.includes('detail');
  const beyondRef = immediate.length > 0 ? levelsBeyondRef(selection) : [];
  const needsSearch = beyondRef.some((levels) => !isProof(levels));
  if (immediate.length > 0 && (beyondRef.length === 0 || needsSearch)) {
    // Lists are searched by name.
    const needsName = needsSearch || fieldsNamed(selection, 'name').length > 0;
    const ref = await loaders.knownRef({ type, uid, needsName });
    if (ref) {
      const name = ref.name ?? null;
      for (const levels of beyondRef) loaders.childByUid({ type, uid, levels, name }).catch(() => undefined);
      context.trackRead(ref, path);
      return { uid, known: ref };
    }
  }
  for (const levels of deferred) loaders.childByUid({ type, uid, levels }).catch(() => undefined);
  // Only its workspace is selected: if a workspace holds the object, the object exists.
  if (
    immediate.length === 0 &&
    toOwnerOfUid(uid) !== null &&
    // Otherwise only a response about the object has its uid as others have it.
    uid === uid.toLowerCase() &&
    (await loaders.isInWorkspace({
      type,
      uid,
      willReadWorkspace: fieldsNamed(selection, 'workspace').some((field) => needsWorkspaceRead(field.select())),
    }))
  )
    return { uid };
  const requestedLevels = immediate.some(isProof) ? immediate : [...immediate, allReadLevels];
  const found = await firstFound<Ref>(
    requestedLevels.map((levels) => loaders.childByUid({ type, uid, levels })),
    context,
    path,
    (index) => isProof(requestedLevels[index] ?? []),
  );
  return found && { uid, known: { uid: found.uid, name: found.name } };
}

/** Returns the sets of levels to read for what is selected on an object and is in no ref to it. */
function levelsBeyondRef(selection: readonly SelectedField[]): readonly (readonly Level[])[] {
  const sets = selection
    .map(({ carriedBy }) => carriedBy)
    .filter((carriers) => carriers.length > 0 && !carriers.includes('ref') && !carriers.includes('dedicated'));
  return [...new Map(sets.map((carriers) => [carriers.join(), carriers])).values()];
}

/** Makes the resolver of the workspace that holds an object of a type. */
export function workspaceOf(type: ChildType) {
  return async (
    { uid, known }: ChildNode,
    _args: unknown,
    { loaders, selections }: Context,
    info: GraphQLResolveInfo,
  ): Promise<WorkspaceNode | null> => {
    const willReadWorkspace = needsWorkspaceRead(toSharedSelection(info, selections));
    const { workspace: summary } = await loaders.workspaceOf({ type, uid: known?.uid ?? uid, willReadWorkspace });
    return summary && { id: summary.id, summary };
  };
}

/** Whether the fields selected on a workspace need its single read, even if it came from a list. */
function needsWorkspaceRead(selection: readonly SelectedField[]): boolean {
  return selection.some(({ name, carriedBy, select }) =>
    (childLists as readonly string[]).includes(name)
      ? toListNeed(toNodeSelection(select())).level === 'ref'
      : carriedBy.includes('detail') && !carriedBy.includes('summary'),
  );
}

function workspaceListOf(
  { name, args, select }: SelectedField,
  { readAhead: loaders }: Context,
  id: string,
): Promise<unknown>[] {
  const type = childTypes.find((one) => leveledTypes[one].list === name);
  if (!type) return [];
  try {
    const page = parseListArgs(args, CHILDREN_PAGE_SIZE);
    const need = toListNeed(toNodeSelection(select()), page.ordering);
    return [loaders.childrenOf({ type, workspaceId: id, ...need, mustConfirm: true, ...toStretch(page) })];
  } catch {
    // The list field itself will report its bad arguments.
    return [];
  }
}

/**
 * Chooses the sets of levels to read. For each set, one response at any of its levels is enough. `immediate` has a set
 * even if no selected field needs one, to find out whether the object exists; but none if only fields with dedicated
 * calls are selected.
 *
 * @returns `immediate`: to be awaited. `deferred`: planned together with those, but not awaited.
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
 * Returns the first part that found the object, or null if none did. One part that can be read is enough: errors of the
 * others appear on the fields that need them. The part is tracked as read for `path`.
 *
 * @param isProof - Whether the part at this index proves, by finding nothing, that the object does not exist.
 * @throws The error of the first part that could be a proof, if all of those failed and no other found the object.
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

/**
 * A kind of upstream answer that carries a field:
 * - `ref`: `{id, uid, name}` inside `GET /workspaces/{id}`
 * - `summary`: an item of a list
 * - `minimal`: `GET /collections/{uid}?model=minimal`
 * - `detail`: a single read
 * - `own`: a call that nothing but this field needs
 *
 * A field that every one of them carries, or that is derived from the identifier, has `ref` among its levels.
 */
export type Level = 'ref' | 'summary' | 'minimal' | 'detail' | 'dedicated';

/**
 * The types that upstream answers at several levels: the field that identifies one, and the name of their lists. `assumedPerWorkspace`: how many a dry
 * run takes a workspace to hold where no list was read.
 */
export const leveledTypes = {
  Workspace: { key: 'id', list: 'workspaces' },
  Collection: { key: 'uid', list: 'collections', assumedPerWorkspace: 4 },
  Environment: { key: 'uid', list: 'environments', assumedPerWorkspace: 2 },
  Mock: { key: 'uid', list: 'mocks', assumedPerWorkspace: 2 },
} as const satisfies Readonly<
  Record<string, { readonly key: 'id' | 'uid'; readonly list: string; readonly assumedPerWorkspace?: number }>
>;

/** Name of a type that upstream answers at several levels. */
export type LeveledType = keyof typeof leveledTypes;

/** Name of the lists of such a type. */
export type ListName = (typeof leveledTypes)[LeveledType]['list'];

/** Name of a type of things that workspaces hold. */
export type ChildType = Exclude<LeveledType, 'Workspace'>;

/** Name of a list that a workspace has, and that there is of everything the key sees. */
export type ChildListName = (typeof leveledTypes)[ChildType]['list'];

/** The names of all types of things that workspaces hold. */
export const childTypes: readonly ChildType[] = Object.keys(leveledTypes)
  .filter(isLeveledType)
  .filter((type) => type !== 'Workspace');

/** The names of all their lists. */
export const childLists: readonly ChildListName[] = childTypes.map((type) => leveledTypes[type].list);

/** Makes something for each of these types. */
export function toChildRecord<Value>(make: (type: ChildType) => Value): Readonly<Record<ChildType, Value>> {
  return Object.fromEntries(childTypes.map((type) => [type, make(type)])) as Record<ChildType, Value>;
}

/** Whether a type of this name is answered at several levels. */
export function isLeveledType(name: string): name is LeveledType {
  return Object.hasOwn(leveledTypes, name);
}

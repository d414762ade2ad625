/**
 * How much of an object a response carries, and which response carries that much:
 * - `ref`: `{id, uid, name}` inside `GET /workspaces/{id}`
 * - `summary`: an item of a list
 * - `minimal`: `GET /collections/{uid}?model=minimal`
 * - `detail`: a single read
 * - `dedicated`: a call that only this field needs
 *
 * A field with `ref` among its levels is free: every response carries it, or it is derived from the identifier.
 */
export type Level = 'ref' | 'summary' | 'minimal' | 'detail' | 'dedicated';

/**
 * The types that Postman returns at several levels: the field that identifies an object, and the name of the type's
 * list. `assumedPerWorkspace`: how many of them a dry run assumes in a workspace whose list was not read.
 */
export const leveledTypes = {
  Workspace: { key: 'id', list: 'workspaces' },
  Collection: { key: 'uid', list: 'collections', assumedPerWorkspace: 4 },
  Environment: { key: 'uid', list: 'environments', assumedPerWorkspace: 2 },
  Mock: { key: 'uid', list: 'mocks', assumedPerWorkspace: 2 },
} as const satisfies Readonly<
  Record<string, { readonly key: 'id' | 'uid'; readonly list: string; readonly assumedPerWorkspace?: number }>
>;

/** Name of a type that Postman returns at several levels. */
export type LeveledType = keyof typeof leveledTypes;

/** Name of the list of a leveled type. */
export type ListName = (typeof leveledTypes)[LeveledType]['list'];

/** Name of a type whose objects live in workspaces. */
export type ChildType = Exclude<LeveledType, 'Workspace'>;

/** Name of the list of a child type. There is one for each workspace, and one for everything the API key can see. */
export type ChildListName = (typeof leveledTypes)[ChildType]['list'];

/** All types whose objects live in workspaces. */
export const childTypes: readonly ChildType[] = Object.keys(leveledTypes)
  .filter(isLeveledType)
  .filter((type) => type !== 'Workspace');

/** The names of the lists of all child types. */
export const childLists: readonly ChildListName[] = childTypes.map((type) => leveledTypes[type].list);

/** Builds a record with one value for each child type. */
export function toChildRecord<Value>(make: (type: ChildType) => Value): Readonly<Record<ChildType, Value>> {
  return Object.fromEntries(childTypes.map((type) => [type, make(type)])) as Record<ChildType, Value>;
}

/** Whether this is the name of a type that Postman returns at several levels. */
export function isLeveledType(name: string): name is LeveledType {
  return Object.hasOwn(leveledTypes, name);
}

import {
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isLeafType,
  isRequiredArgument,
} from 'graphql';

/** Types that lead from an item of a tree to others. Only their ids are selected; lists of items select the rest. */
const ITEM_TYPES = new Set(['Collection', 'CollectionItem', 'Folder', 'Request']);
const LISTED = /Connection$/;

/**
 * Writes a selection of every field of a type of the tree, each once. Fields that lead to other items are left out or
 * select only ids.
 *
 * @returns The selection with its braces.
 */
export function everyFieldOnce(schema: GraphQLSchema, typeName: string): string {
  const type = schema.getType(typeName);
  if (!isCompositeType(type)) throw new TypeError(`${typeName} has no fields`);
  if (isAbstractType(type)) {
    const parts = schema.getPossibleTypes(type).map(({ name }) => `... on ${name} ${everyFieldOnce(schema, name)}`);
    return `{ __typename ${parts.join(' ')} }`;
  }
  const fields = Object.values(type.getFields()).flatMap((field) => {
    if (field.args.some(isRequiredArgument)) return [];
    const named = getNamedType(field.type);
    if (isLeafType(named)) return field.name;
    if (LISTED.test(named.name) || field.name === 'items') return [];
    return `${field.name} ${ITEM_TYPES.has(named.name) ? '{ id }' : everyFieldOnce(schema, named.name)}`;
  });
  return `{ __typename ${fields.join(' ')} }`;
}

/** Query for everything about the folders or requests of a collection, a hundred at a time. */
export function pageQuery(schema: GraphQLSchema, list: 'folders' | 'requests'): string {
  const node = everyFieldOnce(schema, list === 'folders' ? 'Folder' : 'Request');
  return `query ($uid: ID!, $after: String) { collection(uid: $uid) { page: ${list}(first: 100, after: $after) {
    pageInfo { hasNextPage endCursor } nodes ${node} } } }`;
}

/** Query for the whole nested tree in one response. */
export function treeQuery(schema: GraphQLSchema, levels: number): string {
  const request = everyFieldOnce(schema, 'Request');
  const folder = everyFieldOnce(schema, 'Folder');
  const level = (levelsLeft: number): string =>
    `{ ...item ${levelsLeft === 0 ? '' : `... on Folder { items ${level(levelsLeft - 1)} }`} }`;
  return `query ($uid: ID!) { collection(uid: $uid) { items ${level(levels)} } }
    fragment item on CollectionItem { ... on Request ${request} ... on Folder ${folder} }`;
}

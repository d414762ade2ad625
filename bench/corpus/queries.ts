import { getNamedType, type GraphQLSchema, isObjectType } from 'graphql';
import { everyField, type FieldRules } from './every-field.ts';

/** One query for each kind of object in a folder of exports. Together they select every field of the schema. */
export interface Queries {
  /** Everything about a collection except its tree, and its first folders without their contents. Variable: `uid`. */
  readonly collection: string;
  /** A page of all folders or requests, with everything below each. Variables: `uid`, `first`, `after`. */
  readonly folders: string;
  readonly requests: string;
  /** The nested tree. Variable: `uid`. */
  items(depth: number): string;
  /** Variable: `uid`. */
  readonly environment: string;
  /** A workspace without its lists. Variable: `id`. */
  readonly workspace: string;
  /** Every other field of Query, with the first items of all lists. */
  readonly account: string;
}

// No folder of exports has an object with this uid.
const NOTHING = '1-00000000-0000-4000-8000-000000000000';
/** Items lead back to their collection, with all of its fields. */
const leadingBack: FieldRules = { 'Folder.collection': false, 'Request.collection': false };

/** Writes the queries for the schema that the server returns. */
export function createQueries(schema: GraphQLSchema): Queries {
  const withoutTree = { ...leaveOutLists(schema, 'Collection'), ...leaveOutLists(schema, 'Folder') };
  const withoutLists = leaveOutLists(schema, 'Workspace');
  const ofCollection = (selection: string) => `query ($uid: ID!) { collection(uid: $uid) ${selection} }`;
  const pageOf = (field: string, connection: string) =>
    `query ($uid: ID!, $first: Int, $after: String) {
      collection(uid: $uid) { ${field}(first: $first, after: $after) ${everyField(schema, connection, leadingBack)} }
    }`;
  const fragments = ['Folder', 'Request'].map(
    (type) => `fragment of${type} on ${type} ${everyField(schema, type, { ...withoutTree, ...leadingBack })}`,
  );
  return {
    collection: ofCollection(
      everyField(schema, 'Collection', {
        ...withoutTree,
        ...withoutLists,
        ...leadingBack,
        'Collection.folders': 'first: 10',
      }),
    ),
    folders: pageOf('folders', 'FolderConnection'),
    requests: pageOf('requests', 'RequestConnection'),
    items(depth) {
      const level = '{ ...ofFolder ...ofRequest ... on Folder { items ';
      const tree = `${level.repeat(depth)} { __typename } ${'} } '.repeat(depth)}`;
      return `${ofCollection(`{ items ${tree} }`)} ${fragments.join(' ')}`;
    },
    environment: `query ($uid: ID!) { environment(uid: $uid) ${everyField(schema, 'Environment', withoutLists)} }`,
    workspace: `query ($id: ID!) { workspace(id: $id) ${everyField(schema, 'Workspace', withoutLists)} }`,
    account: everyField(schema, 'Query', {
      ...withoutTree,
      // The other root fields select what they find.
      'Query.node': 'id: "0"',
      'Query.nodes': 'ids: ["0"]',
      'Collection.json': false,
      'Collection.formatVersion': false,
      'Environment.workspace': false,
      // Each node costs separate calls, and an operation may make 60.
      'Query.workspaces': 'first: 2',
      'Query.collections': 'first: 2',
      'Query.environments': 'first: 2',
      'Workspace.collections': 'first: 2',
      'Workspace.environments': 'first: 2',
      'Workspace.mocks': 'first: 2',
      // The owner of everything in a folder of exports.
      'Query.user': 'id: "10000001"',
      // Folders of exports have no mocks.
      'Query.mock': `uid: "${NOTHING}"`,
      // Which environments a folder has is unknown here.
      'Query.compareEnvironments': `leftUid: "${NOTHING}", rightUid: "${NOTHING}"`,
    }),
  };
}

/** Rules that leave out fields that list items of a collection, or collections and environments. */
function leaveOutLists(schema: GraphQLSchema, typeName: string): FieldRules {
  const type = schema.getType(typeName);
  const fields = isObjectType(type) ? Object.values(type.getFields()) : [];
  const lists = fields.filter((field) => /^CollectionItem$|Connection$/.test(getNamedType(field.type).name));
  return Object.fromEntries(lists.map(({ name }) => [`${typeName}.${name}`, false]));
}

/** The GraphQL operations that all servers of the comparison respond to, with the same data. */

/** An operation of the comparison. */
export type Question = 'small' | 'nested';

/** The document of each operation. */
export const DOCUMENTS: Readonly<Record<Question, string>> = {
  small: 'query Small { workspaces(first: 3) { nodes { id name } } }',
  nested:
    'query Nested { workspaces(first: 100) { nodes { id name collections(first: 100) { nodes { uid name } } } } }',
};

/** Workspaces of the measured account, and collections of each workspace. */
export const ACCOUNT_SIZE = { workspaces: 20, collectionsEach: 8 } as const;

/**
 * The part of the schema that the compared servers have.
 *
 * @see DOCUMENTS
 */
export const TYPE_DEFS = `
  type Query { workspaces(first: Int): Workspaces }
  type Workspaces { nodes: [Workspace!]! }
  type Workspace { id: ID! name: String! collections(first: Int): Collections }
  type Collections { nodes: [Collection!]! }
  type Collection { uid: ID! name: String! }
`;

import type { CollectionItem } from '../upstream/collection-format/tree/collection-tree.ts';
import type { ExampleItem } from '../upstream/collection-format/tree/examples.ts';
import type { ChildType } from '../upstream/postman/levels.ts';
import type { ChildSummary } from '../upstream/postman/resources/child-resource.ts';
import type { Ref } from '../upstream/postman/resources/ref.ts';
import type { SummaryOf } from '../upstream/postman/routes.ts';
import type { WorkspaceSummary } from '../upstream/postman/resources/workspaces.ts';
import { builder } from './builder.ts';

/** A workspace as resolvers pass it on: its id and, if it came from a list, its item there. */
export interface WorkspaceNode {
  readonly id: string;
  readonly summary?: WorkspaceSummary;
  /**
   * A client passed the id, so the workspace may not exist. Postman then returns empty lists, which must be
   * confirmed.
   */
  readonly isUserSupplied?: boolean;
}

/** A user as resolvers pass it on. The loaders find everything else, whichever object named the user. */
export interface UserNode {
  readonly id: string;
}

/**
 * A child of a workspace as resolvers pass it on: its uid, and what the upstream response that it came from says
 * of it.
 */
export interface ChildNode<Summary extends ChildSummary = ChildSummary> {
  readonly uid: string;
  /** A ref from a workspace, or an item of a list, which has more fields. */
  readonly known?: Ref | Summary;
}

/** A collection as resolvers pass it on. */
export type CollectionNode = ChildNode<SummaryOf<'Collection'>>;

/** An object of a type that implements `Node`: items and examples of a tree have a `kind`, all others the name of their type. */
export type AnyNode = { readonly __typename: string } | CollectionItem | ExampleItem;

const KIND_TYPES = { folder: 'Folder', request: 'Request', example: 'Example' } as const;

/** GraphQL interface `Node`. */
export const NodeRef = builder.interfaceRef<object>('Node').implement({
  description: 'An object that `Query.node` finds by its `id`.',
  resolveType: (value) => {
    const node = value as AnyNode;
    return 'kind' in node ? KIND_TYPES[node.kind] : node.__typename;
  },
  fields: (t) => ({
    id: t.id({ nullable: false, description: 'Id for caches and `node`, unique across all types.' }),
  }),
});

const childRef = <Type extends ChildType>(type: Type) => builder.objectRef<ChildNode<SummaryOf<Type>>>(type);

/** GraphQL type `Workspace`. The refs are in a file of their own because the types refer to each other. */
export const WorkspaceRef = builder.objectRef<WorkspaceNode>('Workspace');

/** GraphQL type `User`. */
export const UserRef = builder.objectRef<UserNode>('User');

/** GraphQL types of the children of a workspace. */
export const childRefs = {
  Collection: childRef('Collection'),
  Environment: childRef('Environment'),
  Mock: childRef('Mock'),
} as const satisfies Readonly<Record<ChildType, unknown>>;

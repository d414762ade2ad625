import type { CollectionSummary } from '../upstream/postman/collections.ts';
import type { EnvironmentSummary } from '../upstream/postman/environments.ts';
import type { Ref } from '../upstream/postman/ref.ts';
import type { WorkspaceSummary } from '../upstream/postman/workspaces.ts';
import { builder } from './builder.ts';

/** A workspace as the graph holds it: its id, and what the answer it came from already said. */
export interface WorkspaceNode {
  readonly id: string;
  readonly summary?: WorkspaceSummary;
  /** A client named it: its lists are empty also when it does not exist. */
  readonly isNamed?: boolean;
}

/** A collection as the graph holds it: its uid, and what the answer it came from already said. */
export interface CollectionNode {
  readonly uid: string;
  /** A ref inside a workspace, or a list item, which has more. */
  readonly known?: Ref | CollectionSummary;
}

/** An environment as the graph holds it. */
export interface EnvironmentNode {
  readonly uid: string;
  /** A ref inside a workspace, or a list item, which has more. */
  readonly known?: Ref | EnvironmentSummary;
}

/** GraphQL type `Workspace`. Refs stand here because the types name each other. */
export const WorkspaceRef = builder.objectRef<WorkspaceNode>('Workspace');
/** GraphQL type `Collection`. */
export const CollectionRef = builder.objectRef<CollectionNode>('Collection');
/** GraphQL type `Environment`. */
export const EnvironmentRef = builder.objectRef<EnvironmentNode>('Environment');

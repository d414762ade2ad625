import type { ChildType } from '../upstream/postman/levels.ts';
import type { ChildSummary } from '../upstream/postman/resources/child-resource.ts';
import type { Ref } from '../upstream/postman/resources/ref.ts';
import type { SummaryOf } from '../upstream/postman/routes.ts';
import type { WorkspaceSummary } from '../upstream/postman/resources/workspaces.ts';
import { builder } from './builder.ts';

/** A workspace as the graph holds it: its id, and what the answer it came from already said. */
export interface WorkspaceNode {
  readonly id: string;
  readonly summary?: WorkspaceSummary;
  /** A client named it: its lists are empty also when it does not exist. */
  readonly isUserSupplied?: boolean;
}

/** A thing that workspaces hold, as the graph holds it: its uid, and what the answer it came from already said. */
export interface ChildNode<Summary extends ChildSummary = ChildSummary> {
  readonly uid: string;
  /** A ref inside a workspace, or a list item, which has more. */
  readonly known?: Ref | Summary;
}

/** A collection as the graph holds it. */
export type CollectionNode = ChildNode<SummaryOf<'Collection'>>;

const childRef = <Type extends ChildType>(type: Type) => builder.objectRef<ChildNode<SummaryOf<Type>>>(type);

/** GraphQL type `Workspace`. Refs stand here because the types name each other. */
export const WorkspaceRef = builder.objectRef<WorkspaceNode>('Workspace');

/** The GraphQL types of what workspaces hold. */
export const childRefs = {
  Collection: childRef('Collection'),
  Environment: childRef('Environment'),
  Mock: childRef('Mock'),
} as const satisfies Readonly<Record<ChildType, unknown>>;

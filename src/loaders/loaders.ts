import { type CollectionSummary, collectionsByNameCall } from '../upstream/postman/resources/collections.ts';
import { type ChildType, toChildRecord } from '../upstream/postman/levels.ts';
import type { Ref } from '../upstream/postman/resources/ref.ts';
import { childResources, type DetailOf, type SummaryOf } from '../upstream/postman/routes.ts';
import type { PostmanSession } from '../upstream/calls/postman-session.ts';
import {
  type WorkspaceFilter,
  type WorkspacePage,
  type WorkspaceSummary,
  workspacesCall,
  workspacesOfCollectionCall,
} from '../upstream/postman/resources/workspaces.ts';
import { type ChildRequest, createChildLoader } from './child-loader.ts';
import { createListed } from './listed.ts';
import { createUpstreamReads } from './reads.ts';
import { createWorkspaceLoaders, type WorkspaceLoaders } from './workspace-loaders.ts';

/** Everything resolvers read through: the planned loaders, and the reads between which there is nothing to choose. */
export interface Loaders extends WorkspaceLoaders {
  /** Makes a call between which and others there is nothing to choose. */
  read: PostmanSession['get'];
  /** `cursor`: upstream's own, null for the first page. */
  workspacePage(request: { readonly filter: WorkspaceFilter; readonly cursor: string | null }): Promise<WorkspacePage>;
  /** The first workspace upstream names as holding the collection; null: none that the key sees. */
  workspaceOfCollection(uid: string): Promise<WorkspaceSummary | null>;
  /** Whether there is a workspace that holds the collection, which then exists. */
  isInWorkspace(uid: string): Promise<boolean>;
  /** Every collection of exactly this name. `workspaceId`: null for everything the key sees. */
  collectionsByName(request: {
    readonly name: string;
    readonly workspaceId: string | null;
  }): Promise<readonly CollectionSummary[]>;
  /** One thing that workspaces hold, at one of the levels asked for. null: there is no such thing, or no list has it. */
  childByUid<Type extends ChildType>(request: ChildRequest<Type>): Promise<SummaryOf<Type> | DetailOf<Type> | null>;
}

/**
 * Makes the loaders of one operation: what they remember must not outlive it.
 *
 * Every loader throws `UpstreamError`, for the one thing that failed only.
 */
export function createLoaders(session: PostmanSession): Loaders {
  const reads = createUpstreamReads(session);
  const workspaces = createListed<WorkspaceSummary>(({ id }) => id);
  const children = toChildRecord((type) => ({
    resource: childResources[type],
    listed: createListed<Ref>(({ uid }) => uid),
  }));
  const childLoaders = toChildRecord((type) => createChildLoader(reads, children[type]));
  const workspaceOfCollection = async (uid: string) => {
    const page = await reads.list(workspaces, workspacesOfCollectionCall(uid));
    return page?.items[0] ?? null;
  };
  return {
    ...createWorkspaceLoaders({ reads, listed: workspaces, children }),
    read: reads.get,
    workspacePage: ({ filter, cursor }) => reads.list(workspaces, workspacesCall(filter, cursor)),
    workspaceOfCollection,
    isInWorkspace: async (uid) => (await workspaceOfCollection(uid)) !== null,
    async collectionsByName({ name, workspaceId }) {
      const page = await reads.list(children.Collection.listed, collectionsByNameCall(name, workspaceId));
      return page.items;
    },
    childByUid: <Type extends ChildType>(request: ChildRequest<Type>) =>
      childLoaders[request.type](request) as Promise<SummaryOf<Type> | DetailOf<Type> | null>,
  };
}

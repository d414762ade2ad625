import type { PostmanSession } from '../upstream/postman/session.ts';
import { type CollectionLoaders, createCollectionLoaders } from './collection-loaders.ts';
import { createEnvironmentLoaders, type EnvironmentLoaders } from './environment-loaders.ts';
import { createReads, type Reads } from './reads.ts';
import { createWorkspaceLoaders, type WorkspaceLoaders } from './workspace-loaders.ts';

/** Everything resolvers read through: the planned loaders, and the reads between which there is nothing to choose. */
export interface Loaders
  extends WorkspaceLoaders,
    CollectionLoaders,
    EnvironmentLoaders,
    Pick<Reads, 'me' | 'workspacePage' | 'globals' | 'workspaceOfCollection' | 'collectionsByName'> {
  /** Whether there is a workspace that holds the collection, which then exists. */
  isInWorkspace(uid: string): Promise<boolean>;
}

/**
 * Makes the loaders of one operation: what they remember must not outlive it.
 *
 * Every loader throws `UpstreamError`, for the one thing that failed only.
 */
export function createLoaders(session: PostmanSession): Loaders {
  const reads = createReads(session);
  const { me, workspacePage, globals, workspaceOfCollection, collectionsByName } = reads;
  return {
    me,
    workspacePage,
    globals,
    workspaceOfCollection,
    isInWorkspace: async (uid) => (await workspaceOfCollection(uid)) !== null,
    collectionsByName,
    ...createWorkspaceLoaders(reads),
    ...createCollectionLoaders(reads),
    ...createEnvironmentLoaders(reads),
  };
}

import type { PostmanApi } from '../upstream/postman-api.ts';
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
export function createLoaders(api: PostmanApi): Loaders {
  const reads = createReads(api);
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

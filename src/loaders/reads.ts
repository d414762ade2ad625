import {
  type CollectionDetail,
  type CollectionPage,
  type CollectionSummary,
  collectionCall,
  collectionMinimalCall,
  collectionsByNameCall,
  collectionsCall,
} from '../upstream/postman/collections.ts';
import {
  type EnvironmentDetail,
  type EnvironmentSummary,
  environmentCall,
  environmentsCall,
} from '../upstream/postman/environments.ts';
import { globalsCall } from '../upstream/postman/globals.ts';
import { meCall, type User } from '../upstream/postman/me.ts';
import type { PostmanSession } from '../upstream/postman/session.ts';
import {
  type WorkspaceDetail,
  type WorkspaceFilter,
  type WorkspacePage,
  type WorkspaceSummary,
  workspaceCall,
  workspacesCall,
  workspacesOfCollectionCall,
} from '../upstream/postman/workspaces.ts';
import { createListed, type Listed } from './listed.ts';
import { createOnce } from './planner.ts';

/** Every GET an operation can make, each different one made once, and what their answers said about things that can also be asked for singly. */
export interface Reads {
  me(): Promise<User>;
  /** `cursor`: upstream's own, null for the first page. */
  workspacePage(request: { readonly filter: WorkspaceFilter; readonly cursor: string | null }): Promise<WorkspacePage>;
  workspace(id: string): Promise<WorkspaceDetail | null>;
  globals(workspaceId: string): Promise<readonly unknown[] | null>;
  /** The first workspace upstream names as holding the collection; null: none that the key sees. */
  workspaceOfCollection(uid: string): Promise<WorkspaceSummary | null>;
  /** `workspaceId`: null for everything the key sees. */
  collectionPage(request: { readonly workspaceId: string | null; readonly offset: number }): Promise<CollectionPage>;
  /** Every collection of exactly this name. */
  collectionsByName(request: {
    readonly name: string;
    readonly workspaceId: string | null;
  }): Promise<readonly CollectionSummary[]>;
  collection(uid: string): Promise<CollectionDetail | null>;
  collectionMinimal(uid: string): Promise<CollectionDetail | null>;
  /** `workspaceId`: null for everything the key sees. */
  environments(workspaceId: string | null): Promise<readonly EnvironmentSummary[]>;
  environment(uid: string): Promise<EnvironmentDetail | null>;
  /** Which answers are cached, and so free. */
  readonly isCached: PostmanSession['isCached'];
  readonly idleTasks: PostmanSession['idleTasks'];
  /** Which cached answers are too old, but would be renewed by a list. */
  readonly isRenewable: PostmanSession['isRenewable'];
  /** Items of lists, by id or uid. */
  readonly listed: {
    readonly workspaces: Listed<WorkspaceSummary>;
    readonly collections: Listed<CollectionSummary>;
    readonly environments: Listed<EnvironmentSummary>;
  };
}

/** Makes the reads of one operation. */
export function createReads(session: PostmanSession): Reads {
  const workspaces = createListed<WorkspaceSummary>(({ id }) => id);
  const collections = createListed<CollectionSummary>(({ uid }) => uid);
  const environments = createListed<EnvironmentSummary>(({ uid }) => uid);

  const me = createOnce((_key: string) => session.get(meCall()));
  const environmentList = createListing(
    environments,
    ({ workspaceId }: { readonly workspaceId: string | null }) => session.get(environmentsCall(workspaceId)),
    (items) => items,
    ({ workspaceId }) => JSON.stringify(workspaceId),
  );
  const holders = createListing(
    workspaces,
    ({ uid }: { readonly uid: string }) => session.get(workspacesOfCollectionCall(uid)),
    (page) => page?.items ?? [],
    ({ uid }) => uid,
  );

  return {
    idleTasks: session.idleTasks,
    isCached: session.isCached,
    isRenewable: session.isRenewable,
    listed: { workspaces, collections, environments },
    me: () => me('me'),
    workspacePage: createListing(
      workspaces,
      ({ filter, cursor }) => session.get(workspacesCall(filter, cursor)),
      ({ items }) => items,
      ({ filter, cursor }) => JSON.stringify([filter.visibility, filter.createdBy, cursor]),
    ),
    workspace: createOnce((id) => session.get(workspaceCall(id))),
    globals: createOnce((workspaceId) => session.get(globalsCall(workspaceId))),
    workspaceOfCollection: async (uid) => (await holders({ uid }))?.items[0] ?? null,
    collectionPage: createListing(
      collections,
      ({ workspaceId, offset }) => session.get(collectionsCall(workspaceId, offset)),
      ({ items }) => items,
      // As JSON: a workspace of id "null" is not the absence of one.
      ({ workspaceId, offset }) => JSON.stringify([workspaceId, offset]),
    ),
    collectionsByName: createListing(
      collections,
      async ({ name, workspaceId }) => (await session.get(collectionsByNameCall(name, workspaceId))).items,
      (items) => items,
      ({ name, workspaceId }) => JSON.stringify([name, workspaceId]),
    ),
    collection: createOnce((uid) => session.get(collectionCall(uid))),
    collectionMinimal: createOnce((uid) => session.get(collectionMinimalCall(uid))),
    environments: (workspaceId) => environmentList({ workspaceId }),
    environment: createOnce((uid) => session.get(environmentCall(uid))),
  };
}

/** Makes a loader of lists, each read once per operation, whose items are taken note of. */
function createListing<Key extends object, Answer, Item>(
  listed: Listed<Item>,
  load: (key: Key) => Promise<Answer>,
  itemsOf: (answer: Answer) => readonly Item[],
  keyOf: (key: Key) => string,
): (key: Key) => Promise<Answer> {
  const read = createOnce(async (key: Key) => {
    const answer = await load(key);
    listed.add(itemsOf(answer));
    return answer;
  }, keyOf);
  return (key) => listed.expect(read(key));
}

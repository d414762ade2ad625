import type {
  CollectionDetail,
  CollectionPage,
  CollectionSummary,
  EnvironmentDetail,
  EnvironmentSummary,
  User,
  WorkspaceDetail,
  WorkspacePage,
  WorkspaceSummary,
} from '../upstream/models.ts';
import type { PostmanApi, WorkspaceFilter } from '../upstream/postman-api.ts';
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
  /** Which answers are kept, and so free. */
  readonly keeps: PostmanApi['keeps'];
  /** Which kept answers are too old, but would be renewed by a list. */
  readonly renewable: PostmanApi['renewable'];
  /** Items of lists, by id or uid. */
  readonly listed: {
    readonly workspaces: Listed<WorkspaceSummary>;
    readonly collections: Listed<CollectionSummary>;
    readonly environments: Listed<EnvironmentSummary>;
  };
}

/** Makes the reads of one operation. */
export function createReads(api: PostmanApi): Reads {
  const workspaces = createListed<WorkspaceSummary>(({ id }) => id);
  const collections = createListed<CollectionSummary>(({ uid }) => uid);
  const environments = createListed<EnvironmentSummary>(({ uid }) => uid);

  const me = createOnce((_key: string) => api.getMe());
  const environmentList = createListing(
    environments,
    ({ workspaceId }: { readonly workspaceId: string | null }) => api.getEnvironments(workspaceId),
    (items) => items,
    ({ workspaceId }) => JSON.stringify(workspaceId),
  );
  const holders = createListing(
    workspaces,
    ({ uid }: { readonly uid: string }) => api.getWorkspacesOfCollection(uid),
    (page) => page?.items ?? [],
    ({ uid }) => uid,
  );

  return {
    keeps: api.keeps,
    renewable: api.renewable,
    listed: { workspaces, collections, environments },
    me: () => me('me'),
    workspacePage: createListing(
      workspaces,
      ({ filter, cursor }) => api.getWorkspaces(filter, cursor),
      ({ items }) => items,
      ({ filter, cursor }) => JSON.stringify([filter.visibility, filter.createdBy, cursor]),
    ),
    workspace: createOnce((id) => api.getWorkspace(id)),
    globals: createOnce((workspaceId) => api.getGlobalVariables(workspaceId)),
    workspaceOfCollection: async (uid) => (await holders({ uid }))?.items[0] ?? null,
    collectionPage: createListing(
      collections,
      ({ workspaceId, offset }) => api.getCollections(workspaceId, offset),
      ({ items }) => items,
      // As JSON: a workspace of id "null" is not the absence of one.
      ({ workspaceId, offset }) => JSON.stringify([workspaceId, offset]),
    ),
    collectionsByName: createListing(
      collections,
      async ({ name, workspaceId }) => (await api.getCollectionsByName(name, workspaceId)).items,
      (items) => items,
      ({ name, workspaceId }) => JSON.stringify([name, workspaceId]),
    ),
    collection: createOnce((uid) => api.getCollection(uid)),
    collectionMinimal: createOnce((uid) => api.getCollectionMinimal(uid)),
    environments: (workspaceId) => environmentList({ workspaceId }),
    environment: createOnce((uid) => api.getEnvironment(uid)),
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

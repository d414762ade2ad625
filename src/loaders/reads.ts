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
  /** List items read so far, by id or uid. */
  readonly seen: {
    readonly workspaces: ReadonlyMap<string, WorkspaceSummary>;
    readonly collections: ReadonlyMap<string, CollectionSummary>;
    readonly environments: ReadonlyMap<string, EnvironmentSummary>;
  };
}

/** Makes the reads of one operation. */
export function createReads(api: PostmanApi): Reads {
  const workspaces = new Map<string, WorkspaceSummary>();
  const collections = new Map<string, CollectionSummary>();
  const environments = new Map<string, EnvironmentSummary>();
  const see = <Item>(map: Map<string, Item>, items: readonly Item[], keyOf: (item: Item) => string) => {
    for (const item of items) map.set(keyOf(item), item);
  };

  const me = createOnce((_key: string) => api.getMe());
  const environmentList = createOnce(
    async ({ workspaceId }: { readonly workspaceId: string | null }) => {
      const items = await api.getEnvironments(workspaceId);
      see(environments, items, ({ uid }) => uid);
      return items;
    },
    ({ workspaceId }) => JSON.stringify(workspaceId),
  );

  return {
    seen: { workspaces, collections, environments },
    me: () => me('me'),
    workspacePage: createOnce(
      async ({ filter, cursor }) => {
        const page = await api.getWorkspaces(filter, cursor);
        see(workspaces, page.items, ({ id }) => id);
        return page;
      },
      ({ filter, cursor }) => JSON.stringify([filter.visibility, filter.createdBy, cursor]),
    ),
    workspace: createOnce((id) => api.getWorkspace(id)),
    globals: createOnce((workspaceId) => api.getGlobalVariables(workspaceId)),
    workspaceOfCollection: createOnce(async (uid) => {
      const page = await api.getWorkspacesOfCollection(uid);
      see(workspaces, page?.items ?? [], ({ id }) => id);
      return page?.items[0] ?? null;
    }),
    collectionPage: createOnce(
      async ({ workspaceId, offset }) => {
        const page = await api.getCollections(workspaceId, offset);
        see(collections, page.items, ({ uid }) => uid);
        return page;
      },
      // As JSON: a workspace of id "null" is not the absence of one.
      ({ workspaceId, offset }) => JSON.stringify([workspaceId, offset]),
    ),
    collectionsByName: createOnce(
      async ({ name, workspaceId }) => {
        const { items } = await api.getCollectionsByName(name, workspaceId);
        see(collections, items, ({ uid }) => uid);
        return items;
      },
      ({ name, workspaceId }) => JSON.stringify([name, workspaceId]),
    ),
    collection: createOnce((uid) => api.getCollection(uid)),
    collectionMinimal: createOnce((uid) => api.getCollectionMinimal(uid)),
    environments: (workspaceId) => environmentList({ workspaceId }),
    environment: createOnce((uid) => api.getEnvironment(uid)),
  };
}

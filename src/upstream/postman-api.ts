import type { Call, Route } from './call.ts';
import type { Calls } from './calls.ts';
import {
  type CollectionDetail,
  type CollectionPage,
  type EnvironmentDetail,
  type EnvironmentSummary,
  parseCollectionDetail,
  parseCollectionPage,
  parseEnvironmentDetail,
  parseEnvironments,
  parseGlobals,
  parseUser,
  parseWorkspaceDetail,
  parseWorkspacePage,
  type User,
  type WorkspaceDetail,
  type WorkspacePage,
} from './models.ts';
import type { Operation } from './operation.ts';
import { UpstreamError } from './upstream-error.ts';

/**
 * The read side of the Postman API, one method per REST operation, bound to one GraphQL operation: its key, deadline and ceiling.
 *
 * Every method costs one GET at most. Every method throws {@link UpstreamError}. What does not exist, or is not shown to
 * the key (upstream does not tell the two apart), is `null`.
 */
export interface PostmanApi {
  /** `GET /me`. */
  getMe(): Promise<User>;
  /** `GET /workspaces`, one page of up to 100. `cursor`: where the page before ended. */
  getWorkspaces(filter: WorkspaceFilter, cursor: string | null): Promise<WorkspacePage>;
  /** `GET /workspaces/{id}?include=team,mocks:deactivated`. */
  getWorkspace(id: string): Promise<WorkspaceDetail | null>;
  /** `GET /workspaces/{id}/global-variables`. The variables are as upstream sent them. */
  getGlobalVariables(workspaceId: string): Promise<readonly unknown[] | null>;
  /** `GET /workspaces?elementType=collection`: the workspaces that hold a collection. */
  getWorkspacesOfCollection(uid: string): Promise<WorkspacePage | null>;
  /** `GET /collections`, one page of up to 99; of one workspace, or of everything the key sees. An unknown workspace has an empty page. */
  getCollections(workspaceId: string | null, offset: number): Promise<CollectionPage>;
  /** `GET /collections?name=`: all whose name is exactly this. */
  getCollectionsByName(name: string, workspaceId: string | null): Promise<CollectionPage>;
  /** `GET /collections/{uid}`, with the whole tree. */
  getCollection(uid: string): Promise<CollectionDetail | null>;
  /** `GET /collections/{uid}?model=minimal`, without the tree. */
  getCollectionMinimal(uid: string): Promise<CollectionDetail | null>;
  /** `GET /environments`; of one workspace, or of everything the key sees. An unknown workspace has an empty list. */
  getEnvironments(workspaceId: string | null): Promise<readonly EnvironmentSummary[]>;
  /** `GET /environments/{uid}`, with values. */
  getEnvironment(uid: string): Promise<EnvironmentDetail | null>;
  /** Which of these would be answered without a call. */
  readonly keeps: {
    workspace(id: string): boolean;
    collections(workspaceId: string | null, offset: number): boolean;
    collection(uid: string): boolean;
    collectionMinimal(uid: string): boolean;
    environments(workspaceId: string | null): boolean;
    environment(uid: string): boolean;
  };
  /** Which of these would cost a call, and none after a list that shows the thing unchanged. */
  readonly renewable: {
    collection(uid: string): boolean;
    collectionMinimal(uid: string): boolean;
    environment(uid: string): boolean;
  };
}

/** What `GET /workspaces` can be narrowed by. */
export interface WorkspaceFilter {
  /** Upstream's `type` parameter, which filters by visibility. */
  readonly visibility?: string;
  /** User id. */
  readonly createdBy?: string;
}

/** Collections on one page of `GET /collections`: upstream does not document its maximum, Postman's own client asks for this many. */
export const COLLECTION_PAGE_SIZE = 99;

/** Workspaces on one page of `GET /workspaces`: its documented maximum. */
export const WORKSPACE_PAGE_SIZE = 100;

const routes = {
  me: { template: '/me', routeClass: 'general' },
  workspaces: { template: '/workspaces', routeClass: 'burst' },
  workspace: { template: '/workspaces/{id}', routeClass: 'burst' },
  globalVariables: { template: '/workspaces/{id}/global-variables', routeClass: 'general' },
  collections: { template: '/collections', routeClass: 'burst' },
  collection: { template: '/collections/{uid}', routeClass: 'general' },
  environments: { template: '/environments', routeClass: 'general' },
  environment: { template: '/environments/{uid}', routeClass: 'general' },
} as const satisfies Record<string, Route>;

/** Template of a route of the Postman API. */
export type RouteTemplate = (typeof routes)[keyof typeof routes]['template'];

/**
 * Binds the Postman API to one operation.
 *
 * @param operation - A function in its place makes the error that every method throws instead of making a call.
 */
export function createPostmanApi(
  calls: Pick<Calls, 'make' | 'kept' | 'isRenewable'>,
  operation: Operation | ((routeTemplate: string) => UpstreamError),
): PostmanApi {
  const get = <T>(call: Call<T>): Promise<T> =>
    typeof operation === 'function' ? Promise.reject(operation(call.route.template)) : calls.make(call, operation);
  const getIfExists = async <T>(call: Call<T>): Promise<T | null> => {
    try {
      return await get(call);
    } catch (error) {
      if (error instanceof UpstreamError && error.kind === 'notFound') return null;
      throw error;
    }
  };
  const keeps =
    <Args extends unknown[]>(toCall: (...args: Args) => Call<unknown>) =>
    (...args: Args): boolean =>
      typeof operation !== 'function' && calls.kept(toCall(...args), operation) !== undefined;
  const isRenewable =
    <Args extends unknown[]>(toCall: (...args: Args) => Call<unknown>) =>
    (...args: Args): boolean =>
      typeof operation !== 'function' && calls.isRenewable(toCall(...args), operation);

  return {
    async getMe() {
      const user = await get(meCall);
      if (typeof operation !== 'function') operation.belongsTo(user.id);
      return user;
    },
    getWorkspaces: (filter, cursor) => get(workspacesCall(filter, cursor)),
    getWorkspace: (id) => getIfExists(workspaceCall(id)),
    getGlobalVariables: (workspaceId) => getIfExists(globalVariablesCall(workspaceId)),
    getWorkspacesOfCollection: (uid) => getIfExists(workspacesOfCollectionCall(uid)),
    getCollections: (workspaceId, offset) => get(collectionsCall(workspaceId, offset)),
    getCollectionsByName: (name, workspaceId) => get(collectionsByNameCall(name, workspaceId)),
    getCollection: (uid) => getIfExists(collectionCall(uid)),
    getCollectionMinimal: (uid) => getIfExists(collectionMinimalCall(uid)),
    getEnvironments: (workspaceId) => get(environmentsCall(workspaceId)),
    getEnvironment: (uid) => getIfExists(environmentCall(uid)),
    keeps: {
      workspace: keeps(workspaceCall),
      collections: keeps(collectionsCall),
      collection: keeps(collectionCall),
      collectionMinimal: keeps(collectionMinimalCall),
      environments: keeps(environmentsCall),
      environment: keeps(environmentCall),
    },
    renewable: {
      collection: isRenewable(collectionCall),
      collectionMinimal: isRenewable(collectionMinimalCall),
      environment: isRenewable(environmentCall),
    },
  };
}

const meCall: Call<User> = { route: routes.me, target: '/me', parse: parseUser };

const workspacesCall = ({ visibility, createdBy }: WorkspaceFilter, cursor: string | null): Call<WorkspacePage> => ({
  route: routes.workspaces,
  target: withQuery('/workspaces', { type: visibility, createdBy, limit: String(WORKSPACE_PAGE_SIZE), cursor }),
  parse: parseWorkspacePage,
  ...(visibility === undefined && createdBy === undefined && cursor === null && { sizes: toWorkspaceCount }),
});

const workspaceCall = (id: string): Call<WorkspaceDetail> => ({
  route: routes.workspace,
  // The team is only sent on request. One target for whatever is asked of a workspace, so that it is read and cached once.
  target: `/workspaces/${toSegment(id)}?include=team,mocks:deactivated`,
  parse: (body) => parseWorkspaceDetail(body, id),
  sizes: ({ collections, environments }) => ({
    workspaceId: id,
    ...(collections && { collections: collections.length }),
    ...(environments && { environments: environments.length }),
  }),
});

const globalVariablesCall = (workspaceId: string): Call<readonly unknown[]> => ({
  route: routes.globalVariables,
  target: `/workspaces/${toSegment(workspaceId)}/global-variables`,
  parse: parseGlobals,
});

const workspacesOfCollectionCall = (uid: string): Call<WorkspacePage> => ({
  route: routes.workspaces,
  target: withQuery('/workspaces', { elementType: 'collection', elementId: uid }),
  parse: parseWorkspacePage,
});

const collectionsCall = (workspaceId: string | null, offset: number): Call<CollectionPage> => ({
  route: routes.collections,
  target: withQuery('/collections', {
    workspace: workspaceId,
    limit: String(COLLECTION_PAGE_SIZE),
    offset: String(offset),
  }),
  parse: parseCollectionPage,
  shows: collectionsShown,
  sizes: ({ items, total }) => ({
    workspaceId,
    collections: total ?? items.length,
    forks: { count: items.filter(({ fork }) => fork !== null).length, among: items.length },
  }),
});

// Upstream refuses a name together with limit and offset.
const collectionsByNameCall = (name: string, workspaceId: string | null): Call<CollectionPage> => ({
  route: routes.collections,
  target: withQuery('/collections', { workspace: workspaceId, name }),
  parse: parseCollectionPage,
  shows: collectionsShown,
});

const collectionCall = (uid: string): Call<CollectionDetail> => ({
  route: routes.collection,
  target: toCollectionTarget(uid),
  parse: (body) => parseCollectionDetail(body, uid),
  updatedAtOf,
});

const collectionMinimalCall = (uid: string): Call<CollectionDetail> => ({
  ...collectionCall(uid),
  target: toMinimalTarget(uid),
});

const environmentsCall = (workspaceId: string | null): Call<readonly EnvironmentSummary[]> => ({
  route: routes.environments,
  target: withQuery('/environments', { workspace: workspaceId }),
  parse: parseEnvironments,
  shows: environmentsShown,
  sizes: ({ length }) => ({ workspaceId, environments: length }),
});

const environmentCall = (uid: string): Call<EnvironmentDetail> => ({
  route: routes.environment,
  target: toEnvironmentTarget(uid),
  parse: (body) => parseEnvironmentDetail(body, uid),
  updatedAtOf,
});

const toCollectionTarget = (uid: string) => `/collections/${toSegment(uid)}`;
const toMinimalTarget = (uid: string) => `${toCollectionTarget(uid)}?model=minimal`;
const toEnvironmentTarget = (uid: string) => `/environments/${toSegment(uid)}`;

const toWorkspaceCount = ({ items, nextCursor }: WorkspacePage) => ({
  workspaces: items.map(({ id, visibility, createdBy }) => ({ id, visibility, createdBy })),
  hasMoreWorkspaces: nextCursor !== null,
});

function updatedAtOf({ updatedAt }: { readonly updatedAt: string | null }): string | null {
  return updatedAt;
}

function collectionsShown({ items }: CollectionPage) {
  return items.flatMap(({ uid, updatedAt }) => [
    [toCollectionTarget(uid), updatedAt] as const,
    [toMinimalTarget(uid), updatedAt] as const,
  ]);
}

function environmentsShown(items: readonly EnvironmentSummary[]) {
  return items.map(({ uid, updatedAt }) => [toEnvironmentTarget(uid), updatedAt] as const);
}

/** One path segment, whatever the identifier holds: it can come from upstream's own data, and a dot has no encoding of its own. */
function toSegment(identifier: string): string {
  return /^\.{1,2}$/.test(identifier) ? identifier.replaceAll('.', '%2E') : encodeURIComponent(identifier);
}

function withQuery(path: string, parameters: Readonly<Record<string, string | null | undefined>>): string {
  const query = Object.entries(parameters).flatMap(([name, value]) =>
    // Half a surrogate pair, which JSON can carry and a URL cannot, is read as what it is printed as.
    value == null ? [] : [`${name}=${encodeURIComponent(value.replace(/\p{Cs}/gu, '\uFFFD'))}`],
  );
  return query.length === 0 ? path : `${path}?${query.join('&')}`;
}

import type { Call, Calls, Route } from './calls.ts';
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
  /** `GET /workspaces/{id}`. */
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

// The documented maximum of GET /workspaces.
const WORKSPACE_PAGE_SIZE = 100;

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

/**
 * Binds the Postman API to one operation.
 *
 * @param operation - A function in its place makes the error that every method throws instead of making a call.
 */
export function createPostmanApi(
  calls: Calls,
  operation: Operation | ((routeTemplate: string) => UpstreamError),
): PostmanApi {
  const get = <T>(route: Route, target: string, parse: Call<T>['parse']): Promise<T> =>
    typeof operation === 'function'
      ? Promise.reject(operation(route.template))
      : calls.make({ route, target, parse }, operation);
  const getIfExists = async <T>(route: Route, target: string, parse: Call<T>['parse']): Promise<T | null> => {
    try {
      return await get(route, target, parse);
    } catch (error) {
      if (error instanceof UpstreamError && error.kind === 'notFound') return null;
      throw error;
    }
  };

  return {
    async getMe() {
      const user = await get(routes.me, '/me', parseUser);
      if (typeof operation !== 'function') operation.belongsTo(user.id);
      return user;
    },

    getWorkspaces: ({ visibility, createdBy }, cursor) =>
      get(
        routes.workspaces,
        withQuery('/workspaces', { type: visibility, createdBy, limit: String(WORKSPACE_PAGE_SIZE), cursor }),
        parseWorkspacePage,
      ),

    getWorkspace: (id) => getIfExists(routes.workspace, `/workspaces/${toSegment(id)}`, parseWorkspaceDetail),

    getGlobalVariables: (workspaceId) =>
      getIfExists(routes.globalVariables, `/workspaces/${toSegment(workspaceId)}/global-variables`, parseGlobals),

    getWorkspacesOfCollection: (uid) =>
      getIfExists(
        routes.workspaces,
        withQuery('/workspaces', { elementType: 'collection', elementId: uid }),
        parseWorkspacePage,
      ),

    getCollections: (workspaceId, offset) =>
      get(
        routes.collections,
        withQuery('/collections', {
          workspace: workspaceId,
          limit: String(COLLECTION_PAGE_SIZE),
          offset: String(offset),
        }),
        parseCollectionPage,
      ),

    // Upstream refuses a name together with limit and offset.
    getCollectionsByName: (name, workspaceId) =>
      get(routes.collections, withQuery('/collections', { workspace: workspaceId, name }), parseCollectionPage),

    getCollection: (uid) =>
      getIfExists(routes.collection, `/collections/${toSegment(uid)}`, (body) => parseCollectionDetail(body, uid)),

    getCollectionMinimal: (uid) =>
      getIfExists(routes.collection, `/collections/${toSegment(uid)}?model=minimal`, (body) =>
        parseCollectionDetail(body, uid),
      ),

    getEnvironments: (workspaceId) =>
      get(routes.environments, withQuery('/environments', { workspace: workspaceId }), parseEnvironments),

    getEnvironment: (uid) =>
      getIfExists(routes.environment, `/environments/${toSegment(uid)}`, (body) => parseEnvironmentDetail(body, uid)),
  };
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

import {
  type Account,
  type StoredCollection,
  type StoredEnvironment,
  type StoredWorkspace,
  toUid,
} from './account/account.ts';
import { findByUids, findElement } from './account/find-elements.ts';
import { toCollectionV20 } from './collection-v20.ts';
import { type ServiceResponse, type Behavior, toData, toFlatError, toNamedError, toNaturalError } from './behaviors.ts';
import { isJsonObject, type JsonObject, toList } from './json.ts';
import { getMock, listMocks, toMockRefs } from './mock-routes.ts';

/** The largest page of `GET /workspaces`. */
const maxWorkspacesPage = 100;

/** Whether calls of this path count in the burst window as well as in the general one. */
export function isBurstRoute(path: string): boolean {
  return /^\/(?:workspaces(?:\/[^/]+)?|collections)\/?$/.test(path);
}

/** Serves an authenticated GET. Rate limits are checked elsewhere. */
export function serveGet(account: Account, behavior: Behavior, path: string, query: URLSearchParams): ServiceResponse {
  const segments = path.split('/').filter((segment) => segment !== '');
  const [kind, id, child] = segments.map(decodeSegment);
  if (segments.length === 1) {
    if (kind === 'me') return toData({ user: account.user, operations: account.operations });
    if (kind === 'users') return listUsers(account, behavior);
    if (kind === 'workspaces') return listWorkspaces(account, behavior, query);
    if (kind === 'collections') return listCollections(account, behavior, query);
    if (kind === 'environments')
      return toData({ environments: inWorkspace(account, 'environments', query).map(toEnvironmentRow) });
    if (kind === 'mocks') return listMocks(account, query);
  }
  if (segments.length === 2 && id !== undefined) {
    if (kind === 'workspaces') return getWorkspace(account, behavior, id, query);
    if (kind === 'collections') return getCollection(account, behavior, id, query);
    if (kind === 'environments') return getEnvironment(account, behavior, id);
    if (kind === 'mocks') return getMock(account, behavior, id);
  }
  if (segments.length === 3 && id !== undefined && kind === 'workspaces' && child === 'global-variables') {
    const workspace = account.workspaces.find((candidate) => candidate.id === id);
    return workspace === undefined ? toWorkspaceNotFound(behavior) : toData({ values: workspace.globals });
  }
  return toNaturalError(behavior, 404);
}

/** Lists the team. Only its members may: the response to everybody else is a 403. */
function listUsers({ team, user }: Account, behavior: Behavior): ServiceResponse {
  return team?.some(({ id }) => id === user.id) ? toData({ data: team }) : toNaturalError(behavior, 403);
}

function listWorkspaces(account: Account, behavior: Behavior, query: URLSearchParams): ServiceResponse {
  const type = query.get('type');
  if (type !== null && !['personal', 'team', 'private', 'public', 'partner'].includes(type)) {
    return toInvalidParams(behavior, `"${type}" is not a visibilityStatus.`);
  }
  const elementType = query.get('elementType');
  const elementId = query.get('elementId');
  if ((elementType === null) !== (elementId === null)) {
    return toFlatError(behavior, 400, 'invalidParamsError', 'elementType and elementId go together.');
  }
  if (elementType !== null && elementType !== 'collection' && elementType !== 'specification') {
    return toFlatError(behavior, 400, 'invalidParamsError', 'elementType is collection or specification.');
  }
  const creators = query.get('createdBy')?.split(',');
  const rows = account.workspaces
    .filter((workspace) => type === null || workspace.visibility === type)
    .filter((workspace) => creators === undefined || creators.includes(workspace.createdBy))
    .filter(
      (workspace) => elementId === null || (elementType === 'collection' && workspace.collections.includes(elementId)),
    )
    .map(toWorkspaceRow);

  const limitText = query.get('limit');
  if (behavior === 'v2017' || limitText === null) return toData({ workspaces: rows });
  const limit = toWholeNumber(limitText);
  if (limit === undefined || limit < 1 || limit > maxWorkspacesPage) {
    return toInvalidParams(behavior, `limit is a whole number from 1 to ${maxWorkspacesPage}.`);
  }
  const cursor = query.get('cursor');
  const offset = cursor === null || cursor === '' ? 0 : parseCursor(cursor);
  if (offset === undefined) return toInvalidParams(behavior, 'The cursor is not one of ours.');
  const end = offset + limit;
  return toData({ workspaces: rows.slice(offset, end), meta: end < rows.length ? { nextCursor: toCursor(end) } : {} });
}

function getWorkspace(account: Account, behavior: Behavior, id: string, query: URLSearchParams): ServiceResponse {
  const workspace = account.workspaces.find((candidate) => candidate.id === id);
  if (workspace === undefined) return toWorkspaceNotFound(behavior);
  const include = query.get('include')?.split(',') ?? [];
  if (
    new Set(include).size !== include.length ||
    include.some((part) => !['team', 'scim', 'mocks:deactivated'].includes(part))
  ) {
    return toInvalidParams(behavior, 'include takes team, scim and mocks:deactivated, each at most once.');
  }
  const elements = {
    collections: findByUids(account.collections, workspace.collections).map(toRef),
    environments: findByUids(account.environments, workspace.environments).map(toRef),
    mocks: toMockRefs(account, behavior, workspace, include),
    monitors: [],
    specs: [],
  };
  const { teamId } = account.user;
  return toData({
    workspace: {
      ...toWorkspaceRow(workspace),
      description: workspace.description,
      updatedBy: workspace.updatedBy,
      ...(include.includes('team') ? { team: teamId === 0 ? null : String(teamId) } : {}),
      ...(behavior === 'current'
        ? elements
        : Object.fromEntries(Object.entries(elements).filter(([, refs]) => refs.length > 0))),
    },
  });
}

function listCollections(account: Account, behavior: Behavior, query: URLSearchParams): ServiceResponse {
  const name = query.get('name');
  const limitText = behavior === 'v2017' ? null : query.get('limit');
  const offsetText = behavior === 'v2017' ? null : query.get('offset');
  if (name !== null && (limitText !== null || offsetText !== null)) {
    return toInvalidParams(behavior, 'name cannot be combined with limit and offset.');
  }
  const rows = inWorkspace(account, 'collections', query)
    .filter((collection) => name === null || collection.name === name)
    .map(toCollectionRow);
  if (limitText === null) return toData({ collections: rows });
  const limit = toWholeNumber(limitText);
  const offset = toWholeNumber(offsetText ?? '0');
  if (limit === undefined || limit < 1 || offset === undefined) {
    return toInvalidParams(behavior, 'limit is a whole number from 1, offset one from 0.');
  }
  return toData({ collections: rows.slice(offset, offset + limit), meta: { total: rows.length, offset, limit } });
}

function getCollection(account: Account, behavior: Behavior, id: string, query: URLSearchParams): ServiceResponse {
  const collection = findElement(account, account.collections, id);
  if (collection === undefined) return toInstanceNotFound(behavior, 'collection');
  const { info, item, auth, event, variable } = collection.document;
  const fullInfo = {
    schema: 'https://schema.postman.com/json/collection/v2.1.0/collection.json',
    ...(isJsonObject(info) ? info : {}),
    _postman_id: collection.id,
    uid: toUid(collection),
    createdAt: collection.createdAt,
    updatedAt: collection.updatedAt,
    lastUpdatedBy: collection.lastUpdatedBy,
    fork: collection.fork,
  };
  // In 2017 there was no minimal model: the unknown parameter is ignored, and the response is the whole collection.
  if (behavior === 'v2017') return toData({ collection: toCollectionV20({ ...collection.document, info: fullInfo }) });
  if (query.get('model') !== 'minimal') return toData({ collection: { ...collection.document, info: fullInfo } });
  const nodes = toList(item).filter(isJsonObject);
  const folders = nodes.filter((node) => Array.isArray(node.item));
  const requests = nodes.filter((node) => !Array.isArray(node.item));
  return toData({
    collection: {
      info: { ...fullInfo, schema: undefined },
      variable,
      auth,
      events: event,
      rootLevelRequests: requests.map((node) => node.uid),
      rootLevelFolders: folders.map((node) => node.uid),
    },
  });
}

function getEnvironment(account: Account, behavior: Behavior, id: string): ServiceResponse {
  const environment = findElement(account, account.environments, id);
  if (environment === undefined) return toInstanceNotFound(behavior, 'environment');
  const { uid: _uid, ...row } = toEnvironmentRow(environment);
  return toData({ environment: { ...row, values: environment.values } });
}

/** The elements of the workspace that the query names: none if it is unknown. Without a name, all elements. */
function inWorkspace<K extends 'collections' | 'environments'>(
  account: Account,
  kind: K,
  query: URLSearchParams,
): readonly Account[K][number][] {
  const workspaceId = query.get('workspace');
  if (workspaceId === null) return account[kind];
  const uids = account.workspaces.find((workspace) => workspace.id === workspaceId)?.[kind] ?? [];
  return findByUids<Account[K][number]>(account[kind], uids);
}

function toWorkspaceRow(workspace: StoredWorkspace) {
  const { id, name, type, visibility, createdBy, about, createdAt, updatedAt } = workspace;
  return { id, name, type, visibility, createdBy, about, createdAt, updatedAt };
}

function toCollectionRow(collection: StoredCollection<JsonObject>) {
  const { id, name, owner, createdAt, updatedAt, isPublic, fork } = collection;
  return { id, name, owner, createdAt, updatedAt, uid: toUid(collection), fork, isPublic };
}

function toEnvironmentRow(environment: StoredEnvironment) {
  const { id, name, owner, createdAt, updatedAt, isPublic } = environment;
  return { id, name, owner, createdAt, updatedAt, uid: toUid(environment), isPublic };
}

function toRef(element: { owner: string; id: string; name: string }) {
  return { id: element.id, name: element.name, uid: toUid(element) };
}

function toWorkspaceNotFound(behavior: Behavior): ServiceResponse {
  return toNamedError(behavior, 404, 'workspaceNotFoundError', 'There is no such workspace.', { statusCode: 404 });
}

function toInstanceNotFound(behavior: Behavior, kind: string): ServiceResponse {
  return toNamedError(behavior, 400, 'instanceNotFoundError', `We could not find the ${kind}.`);
}

function toInvalidParams(behavior: Behavior, message: string): ServiceResponse {
  return toNamedError(behavior, 400, 'invalidParamsError', message);
}

function toCursor(offset: number): string {
  return Buffer.from(JSON.stringify({ offset })).toString('base64');
}

function parseCursor(cursor: string): number | undefined {
  const match = /^\{"offset":(\d+)\}$/.exec(Buffer.from(cursor, 'base64').toString());
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

function toWholeNumber(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** A segment with invalid percent-encoding stays as it is, and then matches no id. */
function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

import { isJsonObject, type JsonObject } from '../../collection-format/syntax/json.ts';
import { listAt, objectAt, toBoolean, toMoment, toPlainText } from './body.ts';
import type { ChildResource, ChildSummary } from './child-resource.ts';
import type { PostmanCall, PostmanRoute } from '../postman-call.ts';
import { checkIsRequested, toListedRef, uidOf } from './ref.ts';
import { shownList, shownObject } from '../subjects.ts';
import { SimulatedItem, toSimulatedItems } from '../simulated-world.ts';
import { toSegment, withQuery } from '../target.ts';

/** An item of `GET /environments`. */
export interface EnvironmentSummary extends ChildSummary {
  readonly isPublic: boolean | null;
}

/** `GET /environments/{uid}`. */
export interface EnvironmentDetail extends EnvironmentSummary {
  /** As Postman sent it. */
  readonly values: unknown;
}

/** `GET /environments`. */
export const environmentsRoute = {
  template: '/environments',
  routeClass: 'general',
  carries: [{ type: 'Environment', levels: ['summary'] }],
} as const satisfies PostmanRoute;

/** `GET /environments/{uid}`. */
export const environmentRoute = {
  template: '/environments/{uid}',
  routeClass: 'general',
  carries: [{ type: 'Environment', levels: ['detail'] }],
} as const satisfies PostmanRoute;

/**
 * Requests a list of environments. An unknown workspace has an empty list.
 *
 * @param workspaceId - null: everything the API key can see.
 */
export const environmentsCall = (workspaceId: string | null): PostmanCall<readonly EnvironmentSummary[]> => ({
  route: environmentsRoute,
  target: withQuery('/environments', { workspace: workspaceId }),
  parse: parseEnvironments,
  listedUpdates: (items) => items.map(({ uid, updatedAt }) => [toTarget(uid), updatedAt] as const),
  subjects: (items) => shownList('environments', workspaceId, items),
  sizes: ({ length }) => ({ workspaceId, environments: length }),
  contents: (items) => (workspaceId === null ? [] : [{ workspaceId, list: 'environments', items, isComplete: true }]),
  simulate: (world) => toSimulatedItems(world.uidsIn('environments', workspaceId), world),
});

/** Requests one environment with its values. */
export const environmentCall = (uid: string): PostmanCall<EnvironmentDetail, null> => ({
  route: environmentRoute,
  target: toTarget(uid),
  parse: (body) => parseEnvironmentDetail(body, uid),
  whenMissing: null,
  updatedAtOf: ({ updatedAt }) => updatedAt,
  subjects: (environment) => shownObject(uid, environment?.uid),
  simulate(world) {
    if (!world.exists) return null;
    const item = new SimulatedItem(uid, world);
    return {
      uid: item.uid,
      name: item.name,
      createdAt: item.createdAt,
      updatedAt: item.updatedAt,
      isPublic: item.isPublic,
      values: [],
    };
  },
  withoutContents: (environment) => ({ ...environment, values: [] }),
});

/** How environments are read. */
export const environmentResource: ChildResource<EnvironmentSummary, EnvironmentDetail> = {
  listCall: environmentsCall,
  detailCall: environmentCall,
};

const toTarget = (uid: string) => `/environments/${toSegment(uid)}`;

/** Reads `GET /environments`. @throws {UnexpectedShapeError} */
function parseEnvironments(body: unknown): readonly EnvironmentSummary[] {
  return listAt(body, 'environments').flatMap((item) => {
    if (!isJsonObject(item)) return [];
    // V8 would turn an object built by spreading into a hash table: three times as large, and five times as slow.
    const { uid, name } = toListedRef(item);
    const { createdAt, updatedAt, isPublic } = toFacts(item);
    return { uid, name, createdAt, updatedAt, isPublic };
  });
}

/**
 * Reads `GET /environments/{uid}`, whose response has the id and the owner but no uid.
 *
 * @param uid - The requested uid.
 * @throws {UnexpectedShapeError} Also for the response of another environment.
 */
function parseEnvironmentDetail(body: unknown, uid: string): EnvironmentDetail {
  const environment = objectAt(body, 'environment');
  const responseId = toPlainText(environment['id']);
  const responseUid = uidOf(environment);
  checkIsRequested(responseUid ?? responseId, uid);
  return {
    uid: responseUid ?? uid,
    name: toPlainText(environment['name']),
    ...toFacts(environment),
    values: environment['values'],
  };
}

function toFacts(environment: JsonObject) {
  return {
    createdAt: toMoment(environment['createdAt']),
    updatedAt: toMoment(environment['updatedAt']),
    isPublic: toBoolean(environment['isPublic']),
  };
}

import { isJsonObject, type JsonObject, toList } from '../../collection-format/syntax/json.ts';
import { listAt, objectAt, toBoolean, toMoment, toPlainText } from './body.ts';
import type { ChildResource, ChildSummary } from './child-resource.ts';
import type { PostmanCall, PostmanRoute } from '../postman-call.ts';
import { checkIsRequested, type Ref, toListedRef, uidOf, toRefs } from './ref.ts';
import { shownList, shownObject } from '../subjects.ts';
import { SimulatedItem, type SimulatedWorld } from '../simulated-world.ts';
import { toSegment, withQuery } from '../target.ts';

/** Which parts of a request, besides method and path, decide which example a mock server returns. */
export interface MockMatching {
  readonly body: boolean;
  /** Names of headers. */
  readonly headers: readonly string[];
  readonly queryParams: boolean;
  readonly wildcards: boolean;
}

/** A mock server as a workspace lists it. */
export interface MockRef extends Ref {
  readonly isActive: boolean;
}

/** A mock server, in lists and single reads alike. */
export interface Mock extends ChildSummary, MockRef {
  readonly url: string | null;
  readonly collectionUid: string | null;
  readonly environmentUid: string | null;
  readonly isPublic: boolean | null;
  readonly matching: MockMatching | null;
  /** Whole milliseconds. */
  readonly delayMs: number | null;
}

/** `GET /mocks`. */
export const mocksRoute = {
  template: '/mocks',
  routeClass: 'general',
  carries: [{ type: 'Mock', levels: ['summary'] }],
} as const satisfies PostmanRoute;

/** `GET /mocks/{uid}`. */
export const mockRoute = {
  template: '/mocks/{uid}',
  routeClass: 'general',
  carries: [{ type: 'Mock', levels: ['detail'] }],
} as const satisfies PostmanRoute;

/**
 * Requests a list of active mock servers. An unknown workspace has an empty list.
 *
 * @param workspaceId - null: those that the API key's user created.
 */
export const mocksCall = (workspaceId: string | null): PostmanCall<readonly Mock[]> => ({
  route: mocksRoute,
  target: withQuery('/mocks', { workspace: workspaceId }),
  parse: (body) => listAt(body, 'mocks').flatMap((item) => (isJsonObject(item) ? toMock(item, toListedRef(item)) : [])),
  listedUpdates: (items) => items.map(({ uid, updatedAt }) => [toTarget(uid), updatedAt] as const),
  subjects: (items) => shownList('mocks', workspaceId, items),
  sizes: ({ length }) => ({ workspaceId, mocks: length }),
  simulate: (world) => world.uidsIn('mocks', workspaceId).map((uid) => new SimulatedMock(uid, world)),
});

/** Requests one mock server. */
export const mockCall = (uid: string): PostmanCall<Mock, null> => ({
  route: mockRoute,
  target: toTarget(uid),
  parse: (body) => parseMock(body, uid),
  whenMissing: null,
  simulate: (world) => (world.exists ? new SimulatedMock(uid, world) : null),
  updatedAtOf: ({ updatedAt }) => updatedAt,
  subjects: (mock) => shownObject(uid, mock?.uid),
});

/** How mock servers are read. */
export const mockResource: ChildResource<Mock, Mock> = {
  listCall: mocksCall,
  detailCall: mockCall,
  omitsOtherUsers: true,
};

/**
 * Reads a workspace's refs to mock servers.
 *
 * @param isActive - Which of them: active ones, as `GET /mocks` lists them, or deactivated ones.
 */
export function toMockRefs(value: unknown, isActive: boolean): readonly MockRef[] | null {
  const refs = toRefs(Array.isArray(value) ? value.filter((item) => isDeactivated(item) !== isActive) : value);
  return refs && refs.map((ref) => ({ isActive, ...ref }));
}

const toTarget = (uid: string) => `/mocks/${toSegment(uid)}`;

const isDeactivated = (item: unknown) => isJsonObject(item) && item['deactivated'] === true;

function parseMock(body: unknown, uid: string): Mock {
  const mock = objectAt(body, 'mock');
  const responseId = toPlainText(mock['id']);
  const responseUid = uidOf(mock);
  checkIsRequested(responseUid ?? responseId, uid);
  return toMock(mock, { uid: responseUid ?? uid, name: toPlainText(mock['name']) });
}

function toMock(mock: JsonObject, { uid, name }: Ref): Mock {
  const config = isJsonObject(mock['config']) ? mock['config'] : undefined;
  return {
    uid,
    name,
    isActive: !isDeactivated(mock),
    url: toPlainText(mock['mockUrl']),
    // Some responses have an empty string instead of null.
    collectionUid: toPlainText(mock['collection']) || null,
    environmentUid: toPlainText(mock['environment']) || null,
    isPublic: toBoolean(mock['isPublic']),
    createdAt: toMoment(mock['createdAt']),
    updatedAt: toMoment(mock['updatedAt']),
    matching: config ? toMatching(config) : null,
    delayMs: config ? toDelayMs(config['delay']) : null,
  };
}

const toMatching = (config: JsonObject): MockMatching => ({
  body: config['matchBody'] === true,
  headers: toList(config['headers']).filter((name) => typeof name === 'string'),
  queryParams: config['matchQueryParams'] === true,
  wildcards: config['matchWildcards'] === true,
});

// Milliseconds of the delays that the Postman app offers as presets.
const PRESET_DELAYS: ReadonlyMap<unknown, number> = new Map([
  ['1', 300],
  ['2', 100],
]);
const MAX_DELAY_MS = 2 ** 31 - 1;

function toDelayMs(delay: unknown): number | null {
  if (!isJsonObject(delay)) return null;
  const delayMs = delay['duration'] ?? PRESET_DELAYS.get(delay['preset']);
  return typeof delayMs === 'number' && delayMs >= 0 && delayMs <= MAX_DELAY_MS ? Math.round(delayMs) : null;
}

class SimulatedMock extends SimulatedItem implements Mock {
  readonly isActive = true;
  readonly url = null;
  readonly matching = null;
  readonly delayMs = null;
  readonly #world: SimulatedWorld;

  constructor(uid: string, world: SimulatedWorld) {
    super(uid, world);
    this.#world = world;
  }

  get collectionUid(): string | null {
    return this.#world.linkOf(this.uid, 'collections');
  }

  get environmentUid(): string | null {
    return this.#world.linkOf(this.uid, 'environments');
  }
}

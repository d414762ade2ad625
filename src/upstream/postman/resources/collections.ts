import { isJsonObject, type JsonObject, toId } from '../../collection-format/syntax/json.ts';
import { listAt, metaOf, objectAt, toBoolean, toMoment, toPlainText } from './body.ts';
import type { ChildResource, ChildSummary, ListPage } from './child-resource.ts';
import type { PostmanCall, PostmanRoute, ShownContents } from '../postman-call.ts';
import { checkIsRequested, toListedRef } from './ref.ts';
import { shownList, shownObject } from '../subjects.ts';
import { SIMULATED_OWNER, SimulatedItem, toSimulatedItems } from '../simulated-world.ts';
import { toSegment, withQuery } from '../target.ts';

/** Where a collection was forked from. */
export interface Fork {
  readonly label: string | null;
  readonly createdAt: string | null;
  readonly parentUid: string | null;
}

/** The fields of a collection that both lists and single reads carry. */
export interface CollectionSummary extends ChildSummary {
  readonly fork: Fork | null;
  /** Only in lists; absent from single reads. */
  readonly isPublic?: boolean | null;
}

/** `GET /collections/{uid}`, also with `model=minimal`. */
export interface CollectionDetail extends CollectionSummary {
  readonly description: unknown;
  readonly lastUpdatedBy: string | null;
  /** The collection as Postman sent it; with `model=minimal` it has no `item` tree. */
  readonly document: JsonObject;
  /** The uid or bare id with which it was requested. */
  readonly readAs: string;
}

/** One page of `GET /collections`. */
export type CollectionPage = ListPage<CollectionSummary>;

/** Page size of `GET /collections`. Postman documents no maximum; its own client requests this many. */
export const COLLECTION_PAGE_SIZE = 99;

/** `GET /collections`. */
export const collectionsRoute = {
  template: '/collections',
  routeClass: 'burst',
  carries: [{ type: 'Collection', levels: ['summary'] }],
} as const satisfies PostmanRoute;

/** `GET /collections/{uid}`. */
export const collectionRoute = {
  template: '/collections/{uid}',
  routeClass: 'general',
  carries: [{ type: 'Collection', levels: ['minimal', 'detail'] }],
} as const satisfies PostmanRoute;

/**
 * Requests one page of up to 99 collections. An unknown workspace has an empty page.
 *
 * @param workspaceId - null: everything the API key can see.
 */
export const collectionsCall = (workspaceId: string | null, offset: number): PostmanCall<CollectionPage> => ({
  route: collectionsRoute,
  target: withQuery('/collections', {
    workspace: workspaceId,
    limit: String(COLLECTION_PAGE_SIZE),
    offset: String(offset),
  }),
  parse: parseCollectionPage,
  listedUpdates: toListedUpdates,
  subjects: (page) => shownList('collections', workspaceId, page?.items),
  sizes: ({ items, total }) => ({
    workspaceId,
    collections: total ?? items.length,
    forks: { count: items.filter(({ fork }) => fork !== null).length, total: items.length },
  }),
  contents: ({ items, total }) => toContents(workspaceId, items, total === null || items.length >= total),
  simulate(world) {
    const { uids, total } = world.pageOf('collections', workspaceId, offset, COLLECTION_PAGE_SIZE);
    return { items: toSimulatedItems(uids, world), total };
  },
});

/** Requests all collections with exactly this name. Postman rejects a name combined with limit and offset. */
export const collectionsByNameCall = (name: string, workspaceId: string | null): PostmanCall<CollectionPage> => ({
  route: collectionsRoute,
  target: withQuery('/collections', { workspace: workspaceId, name }),
  parse: parseCollectionPage,
  listedUpdates: toListedUpdates,
  subjects: (page) => shownList('collections', workspaceId, page?.items),
  contents: ({ items }) => toContents(workspaceId, items, false),
  simulate: (world) => ({
    items: toSimulatedItems(world.uidsNamed('collections', name, workspaceId), world),
    total: null,
  }),
});

/** Requests one collection with its whole tree. */
export const collectionCall = (uid: string): PostmanCall<CollectionDetail, null> => ({
  route: collectionRoute,
  target: toTarget(uid),
  parse: (body) => parseCollectionDetail(body, uid),
  whenMissing: null,
  updatedAtOf: ({ updatedAt }) => updatedAt,
  subjects: (collection) => shownObject(uid, collection?.uid),
  simulate(world) {
    if (!world.exists) return null;
    const item = new SimulatedItem(uid, world);
    return {
      uid: item.uid,
      name: item.name,
      createdAt: item.createdAt,
      updatedAt: item.updatedAt,
      fork: item.fork,
      description: null,
      lastUpdatedBy: SIMULATED_OWNER,
      document: {},
      readAs: uid,
    };
  },
  // An empty document saves traversing the tree.
  withoutContents: (collection) => ({ ...collection, description: null, document: {} }),
});

/** Requests one collection without its tree. */
export const collectionMinimalCall = (uid: string): PostmanCall<CollectionDetail, null> => ({
  ...collectionCall(uid),
  target: toMinimalTarget(uid),
});

/** How collections are read. */
export const collectionResource: ChildResource<CollectionSummary, CollectionDetail> = {
  listCall: collectionsCall,
  detailCall: collectionCall,
  minimalCall: collectionMinimalCall,
  paging: { size: COLLECTION_PAGE_SIZE, byNameCall: collectionsByNameCall },
};

const toContents = (
  workspaceId: string | null,
  items: readonly CollectionSummary[],
  isComplete: boolean,
): readonly ShownContents[] => (workspaceId === null ? [] : [{ workspaceId, list: 'collections', items, isComplete }]);

const toTarget = (uid: string) => `/collections/${toSegment(uid)}`;
const toMinimalTarget = (uid: string) => `${toTarget(uid)}?model=minimal`;

function toListedUpdates({ items }: CollectionPage) {
  return items.flatMap(({ uid, updatedAt }) => [
    [toTarget(uid), updatedAt] as const,
    [toMinimalTarget(uid), updatedAt] as const,
  ]);
}

/** Reads one page of `GET /collections`. @throws {UnexpectedShapeError} */
function parseCollectionPage(body: unknown): CollectionPage {
  const { total } = metaOf(body);
  return {
    items: listAt(body, 'collections').flatMap((item) => toCollectionSummary(item) ?? []),
    total: typeof total === 'number' && Number.isSafeInteger(total) && total >= 0 ? total : null,
  };
}

/**
 * Reads `GET /collections/{uid}`, with or without `model=minimal`. The tree stays as Postman sent it.
 *
 * @param uid - The requested uid, for responses that lack their own.
 * @throws {UnexpectedShapeError} Also for the response of another collection.
 */
function parseCollectionDetail(body: unknown, uid: string): CollectionDetail {
  const document = objectAt(body, 'collection');
  const info = objectAt(document, 'info');
  const responseUid = toPlainText(info['uid']);
  const responseId = toPlainText(info['_postman_id']);
  // Copies can share an id, so the id is compared only where there is no uid.
  checkIsRequested(responseUid ?? responseId, uid);
  return {
    uid: responseUid ?? uid,
    name: toPlainText(info['name']),
    createdAt: toMoment(info['createdAt']),
    updatedAt: toMoment(info['updatedAt']),
    fork: toFork(info['fork']),
    description: info['description'],
    lastUpdatedBy: toId(info['lastUpdatedBy']),
    document,
    readAs: uid,
  };
}

function toCollectionSummary(value: unknown): CollectionSummary | null {
  if (!isJsonObject(value)) return null;
  // V8 would turn an object built by spreading into a hash table: three times as large, and ten times as slow.
  const { uid, name } = toListedRef(value);
  return {
    uid,
    name,
    createdAt: toMoment(value['createdAt']),
    updatedAt: toMoment(value['updatedAt']),
    fork: toFork(value['fork']),
    isPublic: toBoolean(value['isPublic']),
  };
}

function toFork(value: unknown): Fork | null {
  if (!isJsonObject(value)) return null;
  return {
    label: toPlainText(value['label']),
    createdAt: toMoment(value['createdAt']),
    parentUid: toPlainText(value['from']),
  };
}

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';

const { rides, openDataFork, openData } = ids.collections;
const READ = `GET /collections/${rides}`;

let facade: Facade;
beforeAll(async () => {
  facade = await startFacade({ CACHE_TTL_MS: '0' });
});
afterAll(() => facade.close());
beforeEach(() => facade.postman.reset());

/** The result of an operation, and its GETs; fails unless the dry run bounds their number. */
async function ask(fields: string) {
  const dry = await facade.query(`{ rateLimit(dryRun: true) { costAtLeast cost } ${fields} }`);
  expect(facade.postman.calls).toEqual([]);
  const { data, errors } = await facade.query(`{ ${fields} }`);
  expect(errors).toEqual([]);
  const { costAtLeast, cost } = dry.data.rateLimit;
  return { data, calls: [...facade.postman.calls].sort(), bounds: [costAtLeast, cost] };
}

describe('the collection of an item', () => {
  it('costs nothing for what the read of the tree carries', async () => {
    const item = 'name collection { uid id name updatedAt variables { key } requests { totalCount } }';
    const collection = {
      uid: rides,
      id: `Collection:${rides}`,
      name: 'Rides API',
      updatedAt: '2026-03-02T15:40:09.000Z',
      variables: [{ key: 'apiVersion' }, { key: 'rideId' }, { key: 'supportCode' }],
      requests: { totalCount: 12 },
    };
    expect(
      await ask(`collection(uid: "${rides}") {
        folders(first: 1) { nodes { ${item} } } requests(filter: { search: "refund" }) { nodes { ${item} } } items { __typename } }`),
    ).toEqual({
      data: {
        collection: {
          folders: { nodes: [{ name: 'Sign in', collection }] },
          requests: { nodes: [{ name: 'Refund a ride', collection }] },
          items: ['Folder', 'Folder', 'Folder'].map((__typename) => ({ __typename })),
        },
      },
      calls: [READ],
      bounds: [1, 1],
    });
  });

  it('costs nothing either if the collection was read with its bare id', async () => {
    const item = 'items { collection { uid name isPublic } }';
    expect(await ask(`collection(uid: "${rides.slice(9)}") { ${item} }`)).toEqual({
      data: {
        collection: {
          items: [1, 2, 3].map(() => ({ collection: { uid: rides, name: 'Rides API', isPublic: false } })),
        },
      },
      calls: [`GET /collections/${rides.slice(9)}`, 'GET /collections?name=Rides%20API'],
      bounds: [1, 2],
    });
  });

  it('costs what it costs on any collection for the rest, at any depth and behind any filter', async () => {
    const below = 'collection { isPublic workspace { id } fork { parent { uid name } } }';
    const workspace = { id: ids.workspaces.personal };
    const { data, calls, bounds } = await ask(
      `collection(uid: "${openDataFork}") { requests(first: 1, filter: { method: "GET" }) { nodes { parent { ${below} } ${below} } } }`,
    );
    expect(data.collection.requests.nodes).toEqual([
      {
        parent: null,
        collection: { isPublic: false, workspace, fork: { parent: { uid: openData, name: 'Open Data API' } } },
      },
    ]);
    expect(calls).toEqual([
      `GET /collections/${openDataFork}`,
      // It also shows the collection that this one was forked from, which has the same name.
      'GET /collections?name=Open%20Data%20API',
      `GET /workspaces?elementType=collection&elementId=${openDataFork}`,
    ]);
    expect(bounds).toEqual([1, 4]);
  });
});

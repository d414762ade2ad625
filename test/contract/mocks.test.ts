import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';

const { workspaces, collections, environments, mocks } = ids;
const platform = workspaces.riderPlatform;
const UNKNOWN = '41829063-00000000-0000-4000-8000-000000000000';

const workspaceRead = (id: string) => `GET /workspaces/${id}?include=team,mocks:deactivated`;
const mockList = (workspace: string) => `GET /mocks?workspace=${workspace}`;
const mockRead = (uid: string) => `GET /mocks/${uid}`;
const minimalRead = (uid: string) => `GET /collections/${uid}?model=minimal`;
const environmentRead = (uid: string) => `GET /environments/${uid}`;

const rides = {
  id: `Mock:${mocks.rides}`,
  uid: mocks.rides,
  name: 'Rides API for the app team',
  ownerId: '41829063',
  isActive: true,
  isPublic: false,
  url: `https://${mocks.rides.slice(9)}.mock.pstmn.io`,
  createdAt: '2025-04-11T07:20:15.000Z',
  updatedAt: '2026-02-02T12:03:44.000Z',
  delayMs: 300,
  matching: { body: false, headers: ['x-city'], queryParams: true, wildcards: true },
  collectionUid: collections.rides,
  environmentUid: environments.staging,
};
const stations = {
  id: `Mock:${mocks.stations}`,
  uid: mocks.stations,
  name: 'Stations, always out of order',
  ownerId: '55301274',
  isActive: true,
  isPublic: true,
  url: `https://${mocks.stations.slice(9)}.mock.pstmn.io`,
  createdAt: '2026-01-19T10:11:00.000Z',
  updatedAt: '2026-01-19T10:11:00.000Z',
  delayMs: null,
  matching: { body: false, headers: [], queryParams: false, wildcards: false },
  collectionUid: collections.stations,
  environmentUid: null,
};
const everything = `
  id uid name ownerId isActive isPublic url createdAt updatedAt delayMs collectionUid environmentUid
  matching { body headers queryParams wildcards }
`;

// Without a cache, so that a call saved is saved by the plan.
let facade: Facade;
beforeAll(async () => {
  facade = await startFacade({ CACHE_TTL_MS: '0' });
});
afterAll(() => facade.close());
beforeEach(() => facade.postman.reset());

type Plan = [what: string, query: string, data: unknown, gets: readonly string[]];

/** Asks a dry run first: its bounds hold. */
async function expectPlan(_what: string, query: string, data: unknown, gets: readonly string[]) {
  const dryRun = await facade.query(query.replace('{', '{ rateLimit(dryRun: true) { costAtLeast cost }'));
  const { costAtLeast, cost } = dryRun.data.rateLimit;
  expect(facade.postman.calls).toEqual([]);
  expect(costAtLeast).toBeLessThanOrEqual(gets.length);
  expect(cost).toBeGreaterThanOrEqual(gets.length);
  const answer = await facade.query(query);
  expect({ data: answer.data, errors: answer.errors }).toEqual({ data, errors: [] });
  expect([...facade.postman.calls].sort()).toEqual([...gets].sort());
  expect(answer.upstream).toMatchObject({ calls: gets.length, cached: 0, coalesced: 0 });
}

describe('mock servers of a workspace', () => {
  it.each<Plan>([
    [
      'are those that are active, with all there is to know of them, by one list',
      `{ workspace(id: "${platform}") { mocks { totalCount nodes { ${everything} } } } }`,
      { workspace: { mocks: { totalCount: 2, nodes: [rides, stations] } } },
      [mockList(platform)],
    ],
    [
      'cost nothing beside the workspace where only names are asked',
      `{ workspace(id: "${platform}") { description mocks { totalCount nodes { uid name isActive } } } }`,
      {
        workspace: {
          description: expect.any(String),
          mocks: {
            totalCount: 2,
            nodes: [rides, stations].map(({ uid, name, isActive }) => ({
              uid,
              name,
              isActive,
            })),
          },
        },
      },
      [workspaceRead(platform)],
    ],
    [
      'are none where there is none, which the workspace says',
      `{ workspace(id: "${workspaces.archive}") { mocks { nodes { url } } } }`,
      { workspace: { mocks: { nodes: [] } } },
      [mockList(workspaces.archive), workspaceRead(workspaces.archive)],
    ],
    [
      'are none where there is none, which any other list of the workspace says',
      `{ workspace(id: "${workspaces.openData}") { mocks { nodes { url } } } collections(workspaceId: "${workspaces.openData}", first: 1) { nodes { isPublic } } }`,
      { workspace: { mocks: { nodes: [] } }, collections: { nodes: [{ isPublic: true }] } },
      [mockList(workspaces.openData), `GET /collections?workspace=${workspaces.openData}&limit=99&offset=0`],
    ],
    [
      'are not asked for in a workspace that has none, once it is known',
      `{ workspace(id: "${workspaces.archive}") { description mocks { nodes { url } } } }`,
      { workspace: { description: null, mocks: { nodes: [] } } },
      [workspaceRead(workspaces.archive)],
    ],
    [
      'lead to their collections and environments',
      `{ workspace(id: "${platform}") { mocks { nodes { collection { uid name } environment { uid name } } } } }`,
      {
        workspace: {
          mocks: {
            nodes: [
              {
                collection: { uid: collections.rides, name: 'Rides API' },
                environment: { uid: environments.staging, name: 'Staging' },
              },
              { collection: { uid: collections.stations, name: 'Stations API' }, environment: null },
            ],
          },
        },
      },
      [mockList(platform), 'GET /collections?limit=99&offset=0', environmentRead(environments.staging)],
    ],
  ])('%s', expectPlan);

  it('come page by page', async () => {
    const query = `query ($after: String) { workspace(id: "${platform}") { mocks(first: 1, after: $after) { nodes { url } pageInfo { hasNextPage endCursor } } } }`;
    const first = await facade.query(query);
    const { nodes, pageInfo } = first.data.workspace.mocks;
    expect({ nodes, hasNextPage: pageInfo.hasNextPage }).toEqual({ nodes: [{ url: rides.url }], hasNextPage: true });
    const second = await facade.query(query, { variables: { after: pageInfo.endCursor } });
    expect(second.data.workspace.mocks).toMatchObject({
      nodes: [{ url: stations.url }],
      pageInfo: { hasNextPage: false },
    });
    expect(facade.postman.calls).toEqual([mockList(platform), mockList(platform)]);
  });
});

describe('one mock server', () => {
  it.each<Plan>([
    ['is one read', `{ mock(uid: "${mocks.rides}") { ${everything} } }`, { mock: rides }, [mockRead(mocks.rides)]],
    [
      'is found by its bare id',
      `{ mock(uid: "${mocks.rides.slice(9)}") { uid ownerId name } }`,
      {
        mock: { uid: mocks.rides, ownerId: '41829063', name: rides.name },
      },
      [mockRead(mocks.rides.slice(9))],
    ],
    [
      'may be deactivated',
      `{ mock(uid: "${mocks.pricing}") { name isActive environmentUid } }`,
      { mock: { name: 'Prices of last year', isActive: false, environmentUid: environments.local } },
      [mockRead(mocks.pricing)],
    ],
    ['is null where there is none', `{ mock(uid: "${UNKNOWN}") { name url } }`, { mock: null }, [mockRead(UNKNOWN)]],
    [
      'has no collection where that is gone',
      `{ mock(uid: "${mocks.nightly}") { name collection { name } } }`,
      { mock: { name: 'Nightly stand-in', collection: null } },
      [mockRead(mocks.nightly), minimalRead('41829063-0a6f3c58-41de-4b7a-9c90-6d1b2e85f374')],
    ],
  ])('%s', expectPlan);
});

describe('many mock servers', () => {
  it.each<Plan>([
    [
      'are one list, and one read for each that is not the own',
      `{ a: mock(uid: "${mocks.rides}") { name } b: mock(uid: "${mocks.nightly}") { url } c: mock(uid: "${mocks.payments}") { isPublic } }`,
      {
        a: { name: rides.name },
        b: { url: `https://${mocks.nightly.slice(9)}.mock.pstmn.io` },
        c: { isPublic: false },
      },
      ['GET /mocks', mockRead(mocks.payments)],
    ],
  ])('%s', expectPlan);

  it('are found for a gateway', async () => {
    const { data, errors } = await facade.query(
      'query ($of: [_Any!]!) { _entities(representations: $of) { __typename ... on Mock { uid url } } }',
      { variables: { of: [mocks.rides, UNKNOWN].map((uid) => ({ __typename: 'Mock', uid })) } },
    );
    expect({ data, errors }).toEqual({
      data: { _entities: [{ __typename: 'Mock', uid: mocks.rides, url: rides.url }, null] },
      errors: [],
    });
    expect([...facade.postman.calls].sort()).toEqual(['GET /mocks', mockRead(UNKNOWN)]);
  });
});

it('are told in the cost of a dry run, with the fields they are for', async () => {
  const { data, errors } = await facade.query(
    `{ rateLimit(dryRun: true) { costAtLeast likelyCost cost plan { path atLeast atMost forFields } } mock(uid: "${mocks.rides}") { name collection { name } } }`,
  );
  expect({ data, errors }).toEqual({
    data: {
      rateLimit: {
        costAtLeast: 1,
        likelyCost: 2,
        cost: 2,
        plan: [
          {
            path: '/collections/{uid}',
            atLeast: 0,
            atMost: 1,
            forFields: ['Collection.name', 'Mock.collection'],
          },
          { path: '/mocks/{uid}', atLeast: 1, atMost: 1, forFields: ['Mock.collection', 'Mock.name', 'Query.mock'] },
        ],
      },
    },
    errors: [],
  });
  expect(facade.postman.calls).toEqual([]);
});

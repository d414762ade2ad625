import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from '../../src/sandbox/account/account.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { createGridAccount } from '../support/grid-account.ts';

// Two workspaces of 120 collections and 3 environments each, and one whose id is the word that means no workspace
// elsewhere.
const grid = createGridAccount(2, 120, 3);
const [one = '', other = ''] = grid.workspaceIds;
const [uid = '', otherUid = ''] = grid.collectionUids;
const [environmentUid = ''] = grid.environmentUids;
const OTHER_USER = '27182818';

/** Every third collection is called `Shared`; the second workspace is public, and another user created it. */
function toAccount(): Account {
  const { account } = grid;
  const collections = account.collections.map((collection, index) =>
    index % 60 === 0 ? { ...collection, name: 'Shared' } : collection,
  );
  const [first, second] = account.workspaces;
  if (!first || !second) throw new TypeError('The grid has two workspaces');
  return {
    ...account,
    collections,
    workspaces: [
      first,
      { ...second, visibility: 'public', createdBy: OTHER_USER },
      { ...first, id: 'null', name: 'Null', collections: [otherUid], environments: [environmentUid] },
    ],
  };
}

let facade: Facade;
beforeAll(async () => {
  facade = await startFacade({ CACHE_TTL_MS: '0' }, { account: toAccount() });
});
afterEach(() => facade.postman.reset());
afterAll(() => facade.close());

const list = (workspace: string | null, offset = 0) =>
  `GET /collections?${workspace === null ? '' : `workspace=${workspace}&`}limit=99&offset=${offset}`;
const names = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => ({
    name: (from + index) % 60 === 0 ? 'Shared' : `Collection ${from + index}`,
  }));
const dated = (from: number, to: number) =>
  grid.collectionUids.slice(from, to).map((collectionUid) => ({ uid: collectionUid, isPublic: expect.any(Boolean) }));

/** A cursor, in the form in which clients send it. */
const cursor = (page: string, index: number, id: string) =>
  Buffer.from(JSON.stringify([page, index, id])).toString('base64url');

interface Case {
  readonly what: string;
  readonly query: string;
  readonly data: unknown;
  readonly gets: readonly string[];
}

describe('two fields of one operation that differ in one argument get separate results', () => {
  it.each<Case>([
    {
      what: 'workspaces: visibility',
      query:
        '{ a: workspaces(visibility: TEAM) { nodes { name } } b: workspaces(visibility: PUBLIC) { nodes { name } } }',
      data: { a: { nodes: [{ name: 'Workspace 0' }, { name: 'Null' }] }, b: { nodes: [{ name: 'Workspace 1' }] } },
      gets: ['GET /workspaces?type=public&limit=100', 'GET /workspaces?type=team&limit=100'],
    },
    {
      what: 'workspaces: creatorId',
      query: `{ a: workspaces(creatorId: "${grid.account.user.id}") { nodes { name } } b: workspaces(creatorId: "${OTHER_USER}") { nodes { name } } }`,
      data: { a: { nodes: [{ name: 'Workspace 0' }, { name: 'Null' }] }, b: { nodes: [{ name: 'Workspace 1' }] } },
      gets: [
        `GET /workspaces?createdBy=${OTHER_USER}&limit=100`,
        `GET /workspaces?createdBy=${grid.account.user.id}&limit=100`,
      ],
    },
    {
      what: 'workspaces: first',
      query: '{ a: workspaces(first: 1) { nodes { name } } b: workspaces(first: 2) { nodes { name } } }',
      data: {
        a: { nodes: [{ name: 'Workspace 0' }] },
        b: { nodes: [{ name: 'Workspace 0' }, { name: 'Workspace 1' }] },
      },
      gets: ['GET /workspaces?limit=100'],
    },
    {
      what: 'workspaces: after',
      query: `{ a: workspaces(after: "${cursor('', 0, one)}") { nodes { name } } b: workspaces(after: "${cursor('', 1, other)}") { nodes { name } } }`,
      data: { a: { nodes: [{ name: 'Workspace 1' }, { name: 'Null' }] }, b: { nodes: [{ name: 'Null' }] } },
      gets: ['GET /workspaces?limit=100'],
    },
    {
      what: 'collections: workspaceId',
      query: `{ a: collections(workspaceId: "${one}", first: 2) { nodes { uid isPublic } } b: collections(workspaceId: "${other}", first: 2) { nodes { uid isPublic } } }`,
      data: { a: { nodes: dated(0, 2) }, b: { nodes: dated(120, 122) } },
      gets: [list(one), list(other)],
    },
    {
      what: 'collections: workspaceId, and none',
      query: `{ a: collections(workspaceId: "null", first: 2) { totalCount nodes { uid isPublic } } b: collections(first: 2) { totalCount nodes { uid isPublic } } }`,
      data: { a: { totalCount: 1, nodes: dated(1, 2) }, b: { totalCount: 240, nodes: dated(0, 2) } },
      gets: [list('null'), list(null)],
    },
    {
      what: 'collections: name',
      query:
        '{ a: collections(name: "Shared", first: 1) { totalCount } b: collections(name: "Collection 7", first: 1) { totalCount } }',
      data: { a: { totalCount: 4 }, b: { totalCount: 1 } },
      gets: ['GET /collections?name=Collection%207', 'GET /collections?name=Shared'],
    },
    {
      what: 'collections of one name: workspaceId',
      query: `{ a: collections(name: "Shared", workspaceId: "${one}") { nodes { uid } } b: collections(name: "Shared", workspaceId: "${other}") { nodes { uid } } c: collections(name: "Shared") { totalCount } }`,
      data: {
        a: { nodes: [0, 60].map((index) => ({ uid: grid.collectionUids[index] })) },
        b: { nodes: [120, 180].map((index) => ({ uid: grid.collectionUids[index] })) },
        c: { totalCount: 4 },
      },
      gets: [
        'GET /collections?name=Shared',
        `GET /collections?workspace=${one}&name=Shared`,
        `GET /collections?workspace=${other}&name=Shared`,
      ],
    },
    {
      what: 'collections: first, over two pages of the list',
      query: `{ a: collections(workspaceId: "${one}", first: 1) { nodes { uid isPublic } } b: collections(workspaceId: "${one}", first: 100) { nodes { uid isPublic } } }`,
      data: { a: { nodes: dated(0, 1) }, b: { nodes: dated(0, 100) } },
      gets: [list(one), list(one, 99)],
    },
    {
      what: 'collections: after, on either page of the list',
      query: `{ a: collections(workspaceId: "${one}", first: 2, after: "${cursor('', 3, grid.collectionUids[3] ?? '')}") { nodes { uid isPublic } } b: collections(workspaceId: "${one}", first: 2, after: "${cursor('', 103, grid.collectionUids[103] ?? '')}") { nodes { uid isPublic } } }`,
      data: { a: { nodes: dated(4, 6) }, b: { nodes: dated(104, 106) } },
      gets: [list(one), list(one, 99)],
    },
    {
      what: 'the lists of a workspace: what they have to carry',
      query: `{ workspace(id: "${one}") { a: collections(first: 1) { nodes { name } } b: collections(first: 1) { nodes { uid isPublic } } environments(first: 1) { nodes { name } } } }`,
      data: {
        workspace: {
          a: { nodes: names(0, 1) },
          b: { nodes: dated(0, 1) },
          environments: { nodes: [{ name: 'Environment 0' }] },
        },
      },
      gets: [`GET /environments?workspace=${one}`, list(one)],
    },
    {
      what: 'environments: workspaceId',
      query: `{ a: environments(workspaceId: "${one}") { nodes { name isPublic } } b: environments(workspaceId: "${other}") { nodes { name isPublic } } }`,
      data: {
        a: { nodes: [0, 1, 2].map((index) => ({ name: `Environment ${index}`, isPublic: false })) },
        b: { nodes: [3, 4, 5].map((index) => ({ name: `Environment ${index}`, isPublic: false })) },
      },
      gets: [`GET /environments?workspace=${one}`, `GET /environments?workspace=${other}`],
    },
    {
      what: 'environments: workspaceId, and none',
      query: `{ a: environments(workspaceId: "null") { totalCount nodes { name isPublic } } b: environments(first: 1) { totalCount nodes { isPublic } } }`,
      data: {
        a: { totalCount: 1, nodes: [{ name: 'Environment 0', isPublic: false }] },
        b: { totalCount: 6, nodes: [{ isPublic: false }] },
      },
      gets: ['GET /environments', 'GET /environments?workspace=null'],
    },
    {
      what: 'environment: uid',
      query: `{ a: environment(uid: "${environmentUid}") { values { text } } b: environment(uid: "${grid.environmentUids[4]}") { values { text } } }`,
      data: { a: { values: [{ text: '0' }] }, b: { values: [{ text: '4' }] } },
      gets: [`GET /environments/${environmentUid}`, `GET /environments/${grid.environmentUids[4]}`],
    },
    {
      what: 'collection: uid',
      query: `{ a: collection(uid: "${uid}") { description } b: collection(uid: "${otherUid}") { description } }`,
      data: { a: { description: 'About Collection 0' }, b: { description: 'About Collection 1' } },
      gets: [`GET /collections/${uid}?model=minimal`, `GET /collections/${otherUid}?model=minimal`],
    },
    {
      what: 'workspace: id',
      query: `{ a: workspace(id: "${one}") { name } b: workspace(id: "${other}") { name } }`,
      data: { a: { name: 'Workspace 0' }, b: { name: 'Workspace 1' } },
      gets: [`GET /workspaces/${one}`, `GET /workspaces/${other}`],
    },
  ])('$what', async ({ query, data, gets }) => {
    const answer = await facade.query(query);
    expect({ data: answer.data, errors: answer.errors }).toEqual({ data, errors: [] });
    // Every read of a single workspace has the same `include`.
    const calls = facade.postman.calls.map((call) => call.replace(/\?include=.*$/, ''));
    expect(calls.sort()).toEqual([...gets].sort());
  });
});

describe('fields of one object that different responses carry come each from one that carries it', () => {
  it('of collections: by the list, by the short read and by the whole one', async () => {
    const { data, errors } = await facade.query(
      `{ collections(workspaceId: "${one}", first: 2) { nodes { isPublic description formatVersion updatedAt } } }`,
    );
    expect(errors).toEqual([]);
    expect(data.collections.nodes).toEqual(
      [0, 1].map((index) => ({
        isPublic: index % 2 === 0,
        description: `About Collection ${index}`,
        formatVersion: '2.1.0',
        updatedAt: '2026-01-02T03:04:05.000Z',
      })),
    );
    expect([...facade.postman.calls].sort()).toEqual(
      [...grid.collectionUids.slice(0, 2).map((each) => `GET /collections/${each}`), list(one)].sort(),
    );
  });

  it('of two collections: dates of both and the text of one', async () => {
    const { data, errors } = await facade.query(
      `{ a: collection(uid: "${uid}") { updatedAt } b: collection(uid: "${otherUid}") { isPublic } c: collection(uid: "${otherUid}") { description } }`,
    );
    expect({ data, errors }).toEqual({
      data: {
        a: { updatedAt: '2026-01-02T03:04:05.000Z' },
        b: { isPublic: false },
        c: { description: 'About Collection 1' },
      },
      errors: [],
    });
  });

  it('of environments: dates of all and the values of one', async () => {
    const { data, errors } = await facade.query(
      `{ ${grid.environmentUids.map((each, index) => `e${index}: environment(uid: "${each}") { updatedAt }`).join(' ')} values: environment(uid: "${environmentUid}") { values { text } } }`,
    );
    expect(errors).toEqual([]);
    expect(data).toEqual({
      ...Object.fromEntries(
        grid.environmentUids.map((_, index) => [`e${index}`, { updatedAt: '2026-01-02T03:04:05.000Z' }]),
      ),
      values: { values: [{ text: '0' }] },
    });
    expect([...facade.postman.calls].sort()).toEqual(['GET /environments', `GET /environments/${environmentUid}`]);
  });

  it('of a collection in a list that is being read: by that list, not by a separate read', async () => {
    facade.postman.fail('?model=minimal', { kind: 'delay', delayMs: 200 });
    facade.postman.fail('/collections?', { kind: 'delay', delayMs: 1_000 });
    const { data, errors } = await facade.query(
      `{ collection(uid: "${uid}") { isPublic } workspaces(first: 1) { nodes { collections(first: 1) { nodes { isPublic } } } } }`,
    );
    expect({ data, errors }).toEqual({
      data: {
        collection: { isPublic: true },
        workspaces: { nodes: [{ collections: { nodes: [{ isPublic: true }] } }] },
      },
      errors: [],
    });
    expect([...facade.postman.calls].sort()).toEqual([
      `GET /collections/${uid}?model=minimal`,
      list(one),
      'GET /workspaces?limit=100',
    ]);
  });

  it('of collections in a list that cannot be read yet: by that list', async () => {
    const { data, errors } = await facade.query(
      `{ workspaces(first: 1) { nodes { name } } workspace(id: "${one}") { name collections(first: 2) { nodes { uid isPublic } } }
         a: collection(uid: "${uid}") { updatedAt } b: collection(uid: "${otherUid}") { updatedAt } }`,
    );
    expect({ data, errors }).toEqual({
      data: {
        workspaces: { nodes: [{ name: 'Workspace 0' }] },
        workspace: { name: 'Workspace 0', collections: { nodes: dated(0, 2) } },
        a: { updatedAt: '2026-01-02T03:04:05.000Z' },
        b: { updatedAt: '2026-01-02T03:04:05.000Z' },
      },
      errors: [],
    });
    expect([...facade.postman.calls].sort()).toEqual([list(one), 'GET /workspaces?limit=100']);
  });
});

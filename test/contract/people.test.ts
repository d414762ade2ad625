import { afterEach, describe, expect, it } from 'vitest';
import type { Account } from '../../src/sandbox/account/account.ts';
import { createDemoAccount } from '../../src/sandbox/account/demo.ts';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';

const { users, workspaces, collections, environments, mocks } = ids;

const ines = {
  id: users.ines,
  username: 'ines-aldana',
  fullName: 'Ines Aldana',
  email: 'ines.aldana@kestrel-bikes.example',
  roles: ['admin', 'user'],
  joinedAt: '2023-02-14T08:00:00.000Z',
  avatarUrl: 'https://kestrel-bikes.example/people/ines.png',
  teamId: String(ids.team),
  teamName: 'Kestrel Bikes',
};
const jonas = {
  id: users.jonas,
  username: 'jonas-weidner',
  fullName: 'Jonas Weidner',
  email: 'jonas.weidner@kestrel-bikes.example',
  roles: ['user'],
  joinedAt: '2023-02-20T10:00:00.000Z',
  avatarUrl: null,
  teamId: null,
  teamName: null,
};
const mara = {
  id: users.mara,
  username: null,
  fullName: null,
  email: null,
  roles: null,
  joinedAt: null,
  avatarUrl: null,
  teamId: null,
  teamName: null,
};
const everything = 'id username fullName email roles joinedAt avatarUrl teamId teamName';
const forbidden = {
  code: 'FORBIDDEN',
  retryable: false,
  upstream: { status: 403, name: 'forbidden', method: 'GET', route: '/users' },
};

const allCollections = 'GET /collections?limit=99&offset=0';
const minimalRead = (uid: string) => `GET /collections/${uid}?model=minimal`;
const workspaceRead = (id: string) => `GET /workspaces/${id}?include=team,mocks:deactivated`;
const uidsOf = (account: Account) => account.collections.map(({ owner, id }) => `${owner}-${id}`);
const ownerOf = (uid: string) => uid.slice(0, uid.indexOf('-'));

let facade: Facade;
afterEach(() => facade.close());

/** The account of a user without a team. */
function createAccountWithoutTeam(): Account {
  const { team: _, ...account } = createDemoAccount();
  return account;
}

type Plan = [what: string, query: string, data: unknown, gets: readonly string[]];

/** Runs a dry run first: its bounds hold. */
async function expectPlan(_what: string, query: string, data: unknown, gets: readonly string[]) {
  facade = await startFacade({ CACHE_TTL_MS: '0' });
  const dryRun = await facade.query(query.replace('{', '{ rateLimit(dryRun: true) { costAtLeast likelyCost cost }'));
  const { costAtLeast, likelyCost, cost } = dryRun.data.rateLimit;
  expect(facade.postman.calls).toEqual([]);
  const result = await facade.query(query);
  expect({ data: result.data, errors: result.errors }).toEqual({ data, errors: [] });
  expect([...facade.postman.calls].sort()).toEqual([...gets].sort());
  expect(costAtLeast).toBeLessThanOrEqual(gets.length);
  expect(cost).toBeGreaterThanOrEqual(gets.length);
  expect(likelyCost).toBeGreaterThanOrEqual(costAtLeast);
}

describe('the users that objects name', () => {
  it.each<Plan>([
    [
      'have their ids without a call',
      `{ collection(uid: "${collections.payments}") { ownerId owner { id } updaterId updater { id } }
        environment(uid: "${environments.local}") { ownerId owner { id } } mock(uid: "${mocks.rides}") { ownerId owner { id } }
        workspace(id: "${workspaces.openData}") { creatorId creator { id } updaterId updater { id } } }`,
      {
        collection: {
          ownerId: users.jonas,
          owner: { id: users.jonas },
          updaterId: users.jonas,
          updater: { id: users.jonas },
        },
        environment: { ownerId: users.ines, owner: { id: users.ines } },
        mock: { ownerId: users.ines, owner: { id: users.ines } },
        workspace: {
          creatorId: users.ines,
          creator: { id: users.ines },
          updaterId: users.jonas,
          updater: { id: users.jonas },
        },
      },
      [
        minimalRead(collections.payments),
        `GET /environments/${environments.local}`,
        `GET /mocks/${mocks.rides}`,
        workspaceRead(workspaces.openData),
      ],
    ],
    [
      'have names for one call, however many they are; those of a former member are null',
      '{ collections(first: 100) { nodes { uid owner { id fullName email } } } }',
      {
        collections: {
          nodes: uidsOf(createDemoAccount()).map((uid) => {
            const { id, fullName, email } = [ines, jonas, mara].find((user) => user.id === ownerOf(uid))!;
            return { uid, owner: { id, fullName, email } };
          }),
        },
      },
      [allCollections, 'GET /users'],
    ],
    [
      'have names for one call, whatever their role',
      `{ workspaces(first: 2) { nodes { creator { fullName } } }
        collection(uid: "${collections.smoke}") { owner { fullName } updater { fullName } }
        environment(uid: "${environments.paymentsLive}") { owner { username } } }`,
      {
        workspaces: { nodes: [{ creator: { fullName: ines.fullName } }, { creator: { fullName: jonas.fullName } }] },
        collection: { owner: { fullName: ines.fullName }, updater: { fullName: jonas.fullName } },
        environment: { owner: { username: jonas.username } },
      },
      [
        'GET /workspaces?limit=100',
        minimalRead(collections.smoke),
        `GET /environments/${environments.paymentsLive}`,
        'GET /users',
      ],
    ],
    [
      'have a picture and a team for the call that describes the owner of the key, and no other user has them',
      `{ collections(first: 100, workspaceId: "${workspaces.payments}") { nodes { owner { id avatarUrl teamId teamName } } }
        collection(uid: "${collections.rides}") { owner { id avatarUrl teamId teamName } } }`,
      {
        collections: {
          nodes: [jonas, jonas, jonas, mara].map(({ id, avatarUrl, teamId, teamName }) => ({
            owner: { id, avatarUrl, teamId, teamName },
          })),
        },
        collection: {
          owner: { id: ines.id, avatarUrl: ines.avatarUrl, teamId: ines.teamId, teamName: ines.teamName },
        },
      },
      [workspaceRead(workspaces.payments), minimalRead(collections.rides), 'GET /me'],
    ],
    [
      'are not listed if all of them are the owner of the key, whom another field reads',
      `{ me { id } collection(uid: "${collections.rides}") { owner { fullName roles } updater { email } } }`,
      {
        me: { id: ines.id },
        collection: { owner: { fullName: ines.fullName, roles: ines.roles }, updater: { email: ines.email } },
      },
      ['GET /me', minimalRead(collections.rides)],
    ],
    [
      'are not listed for the owner of the key, whose picture is selected too',
      `{ collection(uid: "${collections.rides}") { owner { fullName avatarUrl } } }`,
      { collection: { owner: { fullName: ines.fullName, avatarUrl: ines.avatarUrl } } },
      ['GET /me', minimalRead(collections.rides)],
    ],
    [
      'have the same values wherever they are selected',
      `{ me { ${everything} } user(id: "${ines.id}") { ${everything} } users { totalCount nodes { ${everything} } }
        collections(first: 100, workspaceId: "${workspaces.payments}") { nodes { owner { ${everything} } } }
        workspace(id: "${workspaces.openData}") { creator { ${everything} } updater { ${everything} } } }`,
      {
        me: ines,
        user: ines,
        users: { totalCount: 2, nodes: [jonas, ines] },
        collections: { nodes: [jonas, jonas, jonas, mara].map((owner) => ({ owner })) },
        workspace: { creator: ines, updater: jonas },
      },
      ['GET /me', 'GET /users', workspaceRead(workspaces.openData), workspaceRead(workspaces.payments)],
    ],
  ])('%s', expectPlan);
});

describe('the users that a client names', () => {
  it.each<Plan>([
    [
      'are looked for in the team',
      `{ a: user(id: "${users.jonas}") { id fullName joinedAt } b: user(id: "${users.ines}") { fullName } }`,
      { a: { id: jonas.id, fullName: jonas.fullName, joinedAt: jonas.joinedAt }, b: { fullName: ines.fullName } },
      ['GET /users'],
    ],
    [
      'are null if nobody of the team has the id',
      `{ a: user(id: "${users.mara}") { id } b: user(id: "0") { id } }`,
      { a: null, b: null },
      ['GET /users'],
    ],
    [
      'cost the call that describes the owner of the key, if it is the owner',
      `{ user(id: "${users.ines}") { id fullName avatarUrl } }`,
      { user: { id: ines.id, fullName: ines.fullName, avatarUrl: ines.avatarUrl } },
      ['GET /me'],
    ],
    [
      'cost both calls, if it is somebody else with a picture',
      `{ user(id: "${users.jonas}") { fullName avatarUrl } }`,
      { user: { fullName: jonas.fullName, avatarUrl: null } },
      ['GET /me', 'GET /users'],
    ],
    [
      'are found by node, which needs no team for the owner of the key',
      `{ a: node(id: "${users.ines}") { id ... on User { fullName } } b: node(id: "${users.ines}") { ... on User { email } } }`,
      { a: { id: ines.id, fullName: ines.fullName }, b: { email: ines.email } },
      ['GET /me'],
    ],
    [
      'are found by node in the team',
      `{ node(id: "${users.jonas}") { id ... on User { fullName teamName } } }`,
      { node: { id: jonas.id, fullName: jonas.fullName, teamName: null } },
      ['GET /me', 'GET /users'],
    ],
    [
      'come in pages',
      '{ users(first: 1) { totalCount pageInfo { hasNextPage } edges { node { username } } } }',
      { users: { totalCount: 2, pageInfo: { hasNextPage: true }, edges: [{ node: { username: jonas.username } }] } },
      ['GET /users'],
    ],
  ])('%s', expectPlan);

  it('come from the cache', async () => {
    facade = await startFacade();
    const query = `{ collection(uid: "${collections.rides}") { owner { fullName } } }`;
    await facade.query(`{ me { id } ${query.slice(1)}`);
    facade.postman.reset();
    const again = await facade.query(query);
    expect(again.data).toEqual({ collection: { owner: { fullName: ines.fullName } } });
    const listed = await facade.query(`{ collection(uid: "${collections.smoke}") { updater { fullName } } }`);
    expect(listed.data).toEqual({ collection: { updater: { fullName: jonas.fullName } } });
    const other = await facade.query(`{ user(id: "${users.jonas}") { email } users { nodes { id } } }`);
    expect(other.data).toEqual({ user: { email: jonas.email }, users: { nodes: [{ id: jonas.id }, { id: ines.id }] } });
    expect(facade.postman.calls).toEqual([minimalRead(collections.smoke), 'GET /users']);
  });
});

describe('a key that may not list its team', () => {
  const owners = '{ collections(first: 100) { nodes { owner { id fullName email } } } }';
  const idsOnly = {
    collections: {
      nodes: uidsOf(createDemoAccount()).map((uid) => ({ owner: { id: ownerOf(uid), fullName: null, email: null } })),
    },
  };

  it('gets the ids and one error; the refusal is cached for minutes', async () => {
    facade = await startFacade({}, { account: createAccountWithoutTeam() });
    const error = { message: expect.any(String), path: ['collections', 'nodes', 0, 'owner', 'fullName'] };
    const first = await facade.query(owners);
    expect({ data: first.data, errors: first.errors }).toMatchObject({
      data: idsOnly,
      errors: [{ ...error, extensions: forbidden }],
    });
    expect(first.errors).toHaveLength(1);
    expect(facade.postman.calls).toEqual([allCollections, 'GET /users']);
    facade.postman.reset();

    const again = await facade.query(owners);
    expect([again.data, again.errors]).toEqual([first.data, first.errors]);
    expect(facade.postman.calls).toEqual([]);
    facade.skip(290_000);
    const later = await facade.query(owners);
    expect([later.data, later.errors]).toEqual([first.data, first.errors]);
    expect(facade.postman.calls).not.toContain('GET /users');
    facade.skip(20_000);
    await facade.query(owners);
    expect(facade.postman.calls).toContain('GET /users');
  });

  it('gets the owner of the key by the call that describes them', async () => {
    facade = await startFacade({}, { account: createAccountWithoutTeam() });
    const { data, errors } = await facade.query(
      `{ me { fullName } collection(uid: "${collections.rides}") { owner { fullName } } }`,
    );
    expect({ data, errors }).toEqual({
      data: { me: { fullName: ines.fullName }, collection: { owner: { fullName: ines.fullName } } },
      errors: [],
    });
    expect([...facade.postman.calls].sort()).toEqual([minimalRead(collections.rides), 'GET /me']);
  });

  it('gets no list of users, and an error for each field that asks for one', async () => {
    facade = await startFacade({}, { account: createAccountWithoutTeam() });
    const { data, errors } = await facade.query(
      `{ users { nodes { id } } user(id: "${users.jonas}") { id }
        collection(uid: "${collections.payments}") { owner { id fullName roles } } }`,
    );
    expect(data).toEqual({
      users: null,
      user: null,
      collection: { owner: { id: users.jonas, fullName: null, roles: null } },
    });
    expect(errors.map(({ path, extensions }) => ({ path, extensions }))).toEqual([
      { path: ['users'], extensions: forbidden },
      { path: ['user'], extensions: forbidden },
    ]);
    expect([...facade.postman.calls].sort()).toEqual([minimalRead(collections.payments), 'GET /users']);
  });
});

describe('a failure of the list of users', () => {
  it('costs the names alone, and each field that lacks its value says so', async () => {
    facade = await startFacade({ CACHE_TTL_MS: '0' });
    facade.postman.fail('/users', { kind: 'status', status: 503, headers: { 'retry-after': '7' } });
    const { data, errors } = await facade.query(
      `{ me { fullName } a: collection(uid: "${collections.payments}") { name owner { id fullName avatarUrl } }
        b: collection(uid: "${collections.rides}") { owner { fullName avatarUrl } } }`,
    );
    expect(data).toEqual({
      me: { fullName: ines.fullName },
      a: { name: 'Payments', owner: { id: users.jonas, fullName: null, avatarUrl: null } },
      b: { owner: { fullName: ines.fullName, avatarUrl: ines.avatarUrl } },
    });
    expect(errors).toMatchObject([
      { path: ['a', 'owner', 'fullName'], extensions: { code: 'UPSTREAM_UNAVAILABLE', retryable: true } },
    ]);
    facade.postman.heal();
    expect((await facade.query(`{ user(id: "${users.jonas}") { fullName } }`)).data).toEqual({
      user: { fullName: jonas.fullName },
    });
  });
});

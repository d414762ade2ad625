import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Facade, startFacade } from '../support/facade.ts';
import { startStubUpstream, type StubUpstream } from '../support/stub-upstream.ts';

const W = '9b1f2c1e-0000-4000-8000-000000000001';
const C = 'ec29121c-5203-409f-9e84-e83ffc10f226';
const HEX = '64f1c0a2b7e93d5a1c0e4f22';
const OWNER = '41829063';
const workspaceTarget = `/workspaces/${W}?include=team,mocks:deactivated`;
const collectionList = `/collections?workspace=${W}&limit=99&offset=0`;
const environmentList = `/environments?workspace=${W}`;

let upstream: StubUpstream;
let facade: Facade;
beforeEach(async () => {
  upstream = await startStubUpstream();
  facade = await startFacade({ POSTMAN_API_BASE_URL: upstream.origin });
});
afterEach(async () => {
  await facade.close();
  upstream.close();
});

const ask = async (query: string) => {
  upstream.calls.length = 0;
  const { data, errors } = await facade.query(query);
  return { data, codes: errors.map(({ extensions }) => extensions?.['code']), gets: [...upstream.calls].sort() };
};
const gets = (...targets: string[]) => targets.map((target) => `GET ${target}`).sort();

describe('the team of a workspace', () => {
  it.each([
    ['as the schema says', { workspace: { id: W, team: '90417' } }],
    ['as the example says', { id: W, teamId: 90417 }],
  ])('is read %s', async (_, body) => {
    upstream.bodies.set(workspaceTarget, body);
    expect(await ask(`{ workspace(id: "${W}") { teamId } }`)).toEqual({
      data: { workspace: { teamId: '90417' } },
      codes: [],
      gets: gets(workspaceTarget),
    });
  });

  it.each([0, '0', '', null, true, {}])('is none where it is %j', async (team) => {
    upstream.bodies.set(workspaceTarget, { workspace: { id: W, team } });
    expect((await ask(`{ workspace(id: "${W}") { teamId } }`)).data).toEqual({ workspace: { teamId: null } });
  });
});

describe('refs inside a workspace', () => {
  const rows = [
    { id: C, uid: `${OWNER}-${C}`, name: 'Rides' },
    { id: HEX, uid: `${OWNER}-${HEX}`, name: 'Rows' },
  ];
  const all = `{ workspace(id: "${W}") { name collections { nodes { id uid name ownerId } } environments { nodes { id uid name ownerId } } } }`;
  const nodesOf = (type: string) => rows.map(({ uid, name }) => ({ id: `${type}:${uid}`, uid, name, ownerId: OWNER }));
  const whole = {
    workspace: {
      name: 'Own',
      collections: { nodes: nodesOf('Collection') },
      environments: { nodes: nodesOf('Environment') },
    },
  };
  beforeEach(() => {
    upstream.bodies.set(collectionList, { collections: rows, meta: { total: 2, offset: 0, limit: 99 } });
    upstream.bodies.set(environmentList, { environments: rows });
  });
  const serve = (collections: unknown, environments: unknown = collections) =>
    upstream.bodies.set(workspaceTarget, { workspace: { id: W, name: 'Own', collections, environments } });

  it('that are complete need no read of the list', async () => {
    serve(rows);
    expect(await ask(all)).toEqual({ data: whole, codes: [], gets: gets(workspaceTarget) });
  });

  it('that name owner and id have a uid', async () => {
    serve(rows.map(({ id, name }) => ({ id, name, owner: Number(OWNER) })));
    expect(await ask(all)).toEqual({ data: whole, codes: [], gets: gets(workspaceTarget) });
  });

  it.each([
    ['an id alone', rows.map(({ id }) => ({ id }))],
    ['no uid, one of them', [rows[0], { id: HEX, name: 'Rows' }]],
    ['no name', rows.map(({ id, uid }) => ({ id, uid }))],
    ['nothing', [{}, null, 7, 'text']],
  ])('with %s cause one read of the list', async (_, refs) => {
    serve(refs);
    expect(await ask(all)).toEqual({
      data: whole,
      codes: [],
      gets: gets(workspaceTarget, collectionList, environmentList),
    });
    expect(await ask(all)).toEqual({ data: whole, codes: [], gets: [] });
  });

  it('that are not a list do not count as empty', async () => {
    serve({ 0: rows[0] });
    expect((await ask(all)).data).toEqual(whole);
  });

  it.each([[undefined], [null], [[]]])('that are %j are none', async (none) => {
    serve(none);
    expect(await ask(all)).toEqual({
      data: { workspace: { name: 'Own', collections: { nodes: [] }, environments: { nodes: [] } } },
      codes: [],
      gets: gets(workspaceTarget),
    });
  });

  it('without a name suffice if the name is not selected', async () => {
    serve(rows.map(({ id, uid }) => ({ id, uid })));
    expect(await ask(`{ workspace(id: "${W}") { name collections { nodes { uid } } } }`)).toEqual({
      data: { workspace: { name: 'Own', collections: { nodes: rows.map(({ uid }) => ({ uid })) } } },
      codes: [],
      gets: gets(workspaceTarget),
    });
  });

  it('without a name suffice if each object is read anyway', async () => {
    serve(rows.map(({ id, uid }) => ({ id, uid })));
    for (const { uid, name } of rows)
      upstream.bodies.set(`/collections/${uid}?model=minimal`, {
        collection: { info: { uid, name, description: `About ${name}` } },
      });
    expect(await ask(`{ workspace(id: "${W}") { about collections { nodes { name description } } } }`)).toEqual({
      data: {
        workspace: {
          about: null,
          collections: { nodes: rows.map(({ name }) => ({ name, description: `About ${name}` })) },
        },
      },
      codes: [],
      gets: gets(workspaceTarget, ...rows.map(({ uid }) => `/collections/${uid}?model=minimal`)),
    });
  });

  it('are unknown if the list has no uid either', async () => {
    serve(rows.map(({ id }) => ({ id })));
    upstream.bodies.set(collectionList, { collections: rows.map(({ id, name }) => ({ id, name })) });
    upstream.bodies.set(environmentList, { environments: rows.map(({ id, name }) => ({ id, name })) });
    expect(await ask(all)).toEqual({
      data: { workspace: { name: 'Own', collections: null, environments: null } },
      codes: ['UPSTREAM_BAD_RESPONSE', 'UPSTREAM_BAD_RESPONSE'],
      gets: gets(workspaceTarget, collectionList, environmentList),
    });
  });

  it('that are known to have no uids add the reads of their lists to the estimate', async () => {
    serve(rows.map(({ id }) => ({ id })));
    await ask(`{ workspace(id: "${W}") { description } }`);
    const { data } = await ask(
      `{ rateLimit(dryRun: true) { cost costAtLeast } workspace(id: "${W}") { collections { nodes { name } } environments { nodes { name } } } }`,
    );
    expect(data).toEqual({ rateLimit: { cost: 2, costAtLeast: 2 } });
  });
});

describe('a response about another object than the requested one', () => {
  const other = `${OWNER}-00000000-0000-4000-8000-000000000000`;
  const refused = (field: string) => ({ data: { [field]: null }, codes: ['UPSTREAM_BAD_RESPONSE'] });
  it.each([
    ['workspace', `workspace(id: "${W}") { name }`, workspaceTarget, { workspace: { id: C, name: 'Foreign' } }],
    [
      'collection',
      `collection(uid: "${OWNER}-${C}") { items { name } }`,
      `/collections/${OWNER}-${C}`,
      { collection: { info: { uid: other, name: 'Foreign' }, item: [{ name: 'Ping' }] } },
    ],
    [
      'collection',
      `collection(uid: "${OWNER}-${C}") { name }`,
      `/collections/${OWNER}-${C}?model=minimal`,
      { collection: { info: { _postman_id: HEX, name: 'Foreign' } } },
    ],
    [
      'collection',
      `collection(uid: "${C}") { name }`,
      `/collections/${C}?model=minimal`,
      { collection: { info: { uid: other, name: 'Foreign' } } },
    ],
    [
      'environment',
      `environment(uid: "${OWNER}-${C}") { values { key } }`,
      `/environments/${OWNER}-${C}`,
      { environment: { id: HEX, owner: OWNER, values: [{ key: 'foreign' }] } },
    ],
    [
      'environment',
      `environment(uid: "${OWNER}-${C}") { values { key } }`,
      `/environments/${OWNER}-${C}`,
      { environment: { id: C, owner: '7', values: [{ key: 'foreign' }] } },
    ],
  ])('is not shown, and not cached: %s, %s', async (field, query, target, body) => {
    upstream.bodies.set(target, body);
    for (const _ of [1, 2]) expect(await ask(`{ ${query} }`)).toEqual({ ...refused(field), gets: gets(target) });
  });

  it.each([
    ['a bare id', C, { uid: `${OWNER}-${C}` }, `${OWNER}-${C}`],
    ['other case', `${OWNER}-${C.toUpperCase()}`, { uid: `${OWNER}-${C}` }, `${OWNER}-${C}`],
    ['no name of its own', `${OWNER}-${C}`, {}, `${OWNER}-${C}`],
    ['an id of older answers', `${OWNER}-${C}`, { _postman_id: C }, `${OWNER}-${C}`],
    ['an id shared with a copy', `${OWNER}-${C}`, { uid: `${OWNER}-${C}`, _postman_id: HEX }, `${OWNER}-${C}`],
    ['24 hexadecimal digits', `${OWNER}-${HEX}`, { uid: `${OWNER}-${HEX}`, _postman_id: HEX }, `${OWNER}-${HEX}`],
  ])('is none with %s', async (_, asked, info, uid) => {
    upstream.bodies.set(`/collections/${asked}?model=minimal`, { collection: { info: { ...info, name: 'Own' } } });
    expect((await ask(`{ collection(uid: "${asked}") { id uid ownerId name } }`)).data).toEqual({
      collection: { id: `Collection:${uid}`, uid, ownerId: OWNER, name: 'Own' },
    });
  });
});

describe('a list in which one uid has half a surrogate pair', () => {
  const half = `${OWNER}-a\uD800`;
  const replaced = `/environments/${OWNER}-a%EF%BF%BD`;
  const whole = `${OWNER}-${C}`;
  beforeEach(() => {
    upstream.bodies.set('/environments', {
      environments: [
        { uid: half, name: 'Half' },
        { uid: whole, name: 'Whole' },
      ],
    });
    upstream.bodies.set(`/environments/${whole}`, { environment: { id: C, owner: OWNER, values: [{ key: 'a' }] } });
  });

  it('has all its items, but that one cannot be read singly', async () => {
    expect(await ask('{ environments { nodes { name valueCount values { key } } } }')).toEqual({
      data: {
        environments: {
          nodes: [
            { name: 'Half', valueCount: null, values: null },
            { name: 'Whole', valueCount: 1, values: [{ key: 'a' }] },
          ],
        },
      },
      codes: ['UPSTREAM_BAD_RESPONSE', 'UPSTREAM_BAD_RESPONSE'],
      gets: gets('/environments', replaced, `/environments/${whole}`),
    });
  });

  it('has a cost that can be estimated', async () => {
    await ask('{ environments { nodes { name } } }');
    const { data, codes } = await ask('{ rateLimit(dryRun: true) { cost } environments { nodes { values { key } } } }');
    expect({ data, codes }).toEqual({ data: { rateLimit: { cost: 2 } }, codes: [] });
  });
});

describe('the list of workspaces', () => {
  const workspacesOf = (...ids: string[]) => ids.map((id) => ({ id, name: id }));
  const page = (cursor?: string) => `/workspaces?limit=100${cursor === undefined ? '' : `&cursor=${cursor}`}`;
  const walk = (args = '') =>
    ask(`{ workspaces${args} { totalCount nodes { id } pageInfo { hasNextPage endCursor } } }`);

  it.each([[''], [null], [undefined], [7], [{}]])('ends where the next cursor is %j', async (nextCursor) => {
    upstream.bodies.set(page(), { workspaces: workspacesOf('a', 'b'), meta: { nextCursor } });
    const { data, gets: made } = await walk();
    expect(data.workspaces).toMatchObject({ totalCount: 2, pageInfo: { hasNextPage: false } });
    expect(made).toEqual(gets(page()));
  });

  it('ends when a cursor repeats, also after a cursor from a client', async () => {
    upstream.bodies.set(page(), { workspaces: workspacesOf('a'), meta: { nextCursor: 'x' } });
    upstream.bodies.set(page('x'), { workspaces: workspacesOf('b'), meta: { nextCursor: 'x' } });
    const whole = await walk();
    expect(whole.data.workspaces).toMatchObject({ totalCount: 2, nodes: [{ id: 'a' }, { id: 'b' }] });
    expect(whole.gets).toEqual(gets(page(), page('x')));
    const { data } = await walk('(first: 2)');
    const behind = await walk(`(after: "${data.workspaces.pageInfo.endCursor}")`);
    expect(behind.data.workspaces).toMatchObject({ nodes: [], pageInfo: { hasNextPage: false } });
  });

  it('knows its length once all pages are read, whatever cursor paging started from', async () => {
    upstream.bodies.set(page(), { workspaces: workspacesOf('a', 'b'), meta: { nextCursor: 'x' } });
    upstream.bodies.set(page('x'), { workspaces: workspacesOf('c') });
    const first = (await walk('(first: 1)')).data.workspaces;
    expect(first.totalCount).toBeNull();
    const rest = (await walk(`(after: "${first.pageInfo.endCursor}")`)).data.workspaces;
    expect(rest).toMatchObject({ totalCount: 3, nodes: [{ id: 'b' }, { id: 'c' }] });
    const behind = (await walk(`(after: "${rest.pageInfo.endCursor}")`)).data.workspaces;
    expect(behind).toMatchObject({ totalCount: null, nodes: [] });
  });
});

it('forgets a limit that was announced once, after two windows of responses without it', async () => {
  await facade.close();
  facade = await startFacade({ POSTMAN_API_BASE_URL: upstream.origin, RATE_LIMIT: '', CACHE_TTL_MS: '0' });
  upstream.bodies.set('/me', { user: { id: 1 } });
  const limit = async () => {
    await facade.query('{ me { id } }');
    return (await facade.query('{ rateLimit { limit } }')).data.rateLimit.limit as number;
  };
  upstream.headers = { 'x-ratelimit-limit': '1' };
  expect(await limit()).toBe(1);
  upstream.headers = {};
  for (const skippedMs of [60_500, 60_500]) {
    facade.skip(skippedMs);
    expect(await limit()).toBe(1);
  }
  facade.skip(60_500);
  expect(await limit()).toBe(60);
});

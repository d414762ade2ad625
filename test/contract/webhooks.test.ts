import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Facade, startFacade } from '../support/facade.ts';
import { createGridAccount, type GridAccount } from '../support/grid-account.ts';

const SECRET = 'c0ffee5ecret0fTheHook';
const TTL_MS = 60_000;
const FIELDS = `workspaces { nodes { name about
  collections { nodes { name updatedAt description } }
  environments { nodes { name updatedAt values { value } } }
  mocks { nodes { name url } }
} }`;
const EVERYTHING = `{ ${FIELDS} }`;

let grid: GridAccount;
let facade: Facade;

async function start(env: Record<string, string> = {}): Promise<void> {
  grid = createGridAccount(2, 2, 2, 1);
  facade = await startFacade(
    { WEBHOOK_SECRET: SECRET, CACHE_TTL_MS: String(TTL_MS), CACHE_SWR_MS: '0', LOG_LEVEL: 'trace', ...env },
    { account: grid.account },
  );
}

const hookUrl = (query = '') => new URL(`/hooks/postman${query}`, facade.url);

/** Posts an event like Postman's, with the secret. Returns the status. */
async function post(
  event: unknown,
  {
    headers = { authorization: `Bearer ${SECRET}` },
    query = '',
  }: { headers?: Record<string, string>; query?: string } = {},
): Promise<number> {
  const body = typeof event === 'string' ? event : JSON.stringify(event);
  const response = await fetch(hookUrl(query), { method: 'POST', headers, body });
  expect(await response.text()).toBe('');
  return response.status;
}

const event = (action: string, model: string, modelUid: string | undefined, collectionUid?: string) => ({
  action,
  model,
  model_uid: modelUid,
  model_name: 'A name',
  collection_uid: collectionUid,
  collection_name: 'A name',
  user_id: '31415926',
  user_name: 'Grid',
  message: 'Grid has done something',
});

/** The result of a query that must not fail, and its GETs, sorted. */
async function ask(query: string, headers: Record<string, string> = {}) {
  const before = facade.postman.calls.length;
  const { data, errors } = await facade.query(query, { headers });
  expect(errors).toEqual([]);
  return { data, gets: facade.postman.calls.slice(before).toSorted() };
}

const getsOf = async (query: string) => (await ask(query)).gets;

const workspaceRead = (index: number) => `GET /workspaces/${grid.workspaceIds[index]}?include=team,mocks:deactivated`;
const listRead = (list: string, index: number) => `GET /${list}?workspace=${grid.workspaceIds[index]}`;
const collectionList = (index: number) => `${listRead('collections', index)}&limit=99&offset=0`;
const collectionRead = (index: number) => `GET /collections/${grid.collectionUids[index]}`;
const minimalRead = (index: number) => `${collectionRead(index)}?model=minimal`;
const environmentRead = (index: number) => `GET /environments/${grid.environmentUids[index]}`;

/** Collections, environments and mock servers of a workspace, which tests change. */
const contentsOf = (index: number) =>
  grid.account.workspaces[index] as unknown as Record<'collections' | 'environments' | 'mocks', string[]>;

const uidAt = (uids: readonly string[], index: number) => uids[index] ?? '';

afterEach(() => facade.close());

describe('an event of a team', () => {
  beforeEach(async () => {
    await start();
    await ask(EVERYTHING);
  });

  type Case = readonly [what: string, event: () => unknown, gets: () => readonly string[]];
  const collection = (index: number) => uidAt(grid.collectionUids, index);
  const environment = (index: number) => uidAt(grid.environmentUids, index);
  const cases: readonly Case[] = [
    [
      'about a collection',
      () => event('update', 'collection', collection(1), collection(1)),
      () => [minimalRead(1), workspaceRead(0)],
    ],
    [
      'about a collection that it names once',
      () => ({ collection_uid: collection(1), action: 'update' }),
      () => [minimalRead(1), workspaceRead(0)],
    ],
    [
      'about a request in a collection',
      () => event('create', 'request', '31415926-00000009-0000-4000-8000-000000000000', collection(1)),
      () => [minimalRead(1)],
    ],
    [
      'with an identifier in upper case, or without the owner',
      () => ({ model: 'environment', action: 'update', model_uid: environment(3).replace(/^\d+-/, '').toUpperCase() }),
      () => [environmentRead(3), workspaceRead(1)],
    ],
    [
      'about an environment',
      () => event('update', 'environment', environment(0)),
      () => [environmentRead(0), workspaceRead(0)],
    ],
    [
      'about a mock server',
      () => event('update', 'mock', uidAt(grid.mockUids, 1), collection(2)),
      () => [minimalRead(2), listRead('mocks', 1), workspaceRead(1)],
    ],
    [
      'about a workspace',
      () => event('update', 'workspace', grid.workspaceIds[1]),
      () => [listRead('mocks', 1), workspaceRead(1), 'GET /workspaces?limit=100'],
    ],
    [
      'about a new collection, which no response shows',
      () => event('create', 'collection', '31415926-00000002-0000-4000-8000-000000000009'),
      () => [workspaceRead(0), workspaceRead(1)],
    ],
    [
      'about a new workspace',
      () => event('create', 'workspace', 'f530cdf9-e9c0-4add-b319-ea783a25cb93'),
      () => ['GET /workspaces?limit=100'],
    ],
    ['about something else', () => event('update', 'api', '31415926-00000007-0000-4000-8000-000000000000'), () => []],
  ];

  it.each(cases)('%s costs the reads that show it, at the next read alone', async (_what, toEvent, toGets) => {
    expect(await post(toEvent())).toBe(204);
    const dryRun = await ask(`{ rateLimit(dryRun: true) { costAtLeast cost } ${FIELDS} }`);
    expect(dryRun.gets).toEqual([]);
    expect(await getsOf(EVERYTHING)).toEqual(toGets());
    const { costAtLeast, cost } = dryRun.data.rateLimit;
    expect(costAtLeast).toBeLessThanOrEqual(toGets().length);
    expect(cost).toBeGreaterThanOrEqual(toGets().length);
    expect(await getsOf(EVERYTHING)).toEqual([]);
  });

  it('about a collection shows its edit, its removal, and where it has moved', async () => {
    const namesOf = async () => {
      const { data } = await ask(EVERYTHING);
      return data.workspaces.nodes.map(({ collections }: { collections: { nodes: { description: string }[] } }) =>
        collections.nodes.map(({ description }) => description),
      );
    };
    const [uid = '', other = ''] = grid.collectionUids;
    grid.editCollection(1, 'Edited');
    await post(event('update', 'request', '31415926-00000009-0000-4000-8000-000000000000', other));
    expect(await namesOf()).toEqual([
      ['About Collection 0', 'Edited'],
      ['About Collection 2', 'About Collection 3'],
    ]);
    contentsOf(0).collections.shift();
    contentsOf(1).collections.push(uid);
    await post(event('move', 'collection', uid, uid));
    expect(await namesOf()).toEqual([['Edited'], ['About Collection 2', 'About Collection 3', 'About Collection 0']]);
    contentsOf(1).collections.pop();
    facade.skip(10_000);
    await post(event('delete', 'collection', uid, uid));
    expect(await namesOf()).toEqual([['Edited'], ['About Collection 2', 'About Collection 3']]);
  });

  it('outdates lists, wherever they show the object', async () => {
    const lists = `{ workspaces { nodes { collections { nodes { isPublic } } } } }`;
    const all = `{ collections { nodes { uid isPublic } } environments { nodes { uid } } }`;
    await ask(lists);
    await ask(all);
    await post(event('update', 'collection', collection(1), collection(1)));
    expect(await getsOf(lists)).toEqual([collectionList(0), collectionList(1)]);
    expect(await getsOf(all)).toEqual(['GET /collections?limit=99&offset=0']);
  });

  it('makes lists renew no tree that it has outdated, and all others', async () => {
    facade.skip(TTL_MS + 1);
    grid.editCollection(1, 'Edited');
    await post(event('update', 'collection', collection(1), collection(1)));
    expect((await getsOf('{ collections { nodes { description } } }')).toSorted()).toEqual([
      minimalRead(1),
      'GET /collections?limit=99&offset=0',
    ]);
  });

  it('lets the old response be served if Postman fails, marked as stale', async () => {
    await post(event('update', 'collection', collection(1), collection(1)));
    facade.postman.fail('/', { kind: 'status', status: 500 });
    const { data, errors, upstream } = await facade.query(EVERYTHING);
    expect([errors, data.workspaces.nodes[0].collections.nodes[1].description]).toEqual([[], 'About Collection 1']);
    expect(upstream.stale).toBeDefined();
  });
});

describe('a call in flight', () => {
  it('when its object changes is served to those who wait, and not from the cache', async () => {
    await start();
    const [uid = ''] = grid.collectionUids;
    const description = `{ collection(uid: "${uid}") { description } }`;
    facade.postman.fail('/collections/', { kind: 'delay', delayMs: 200 }, 1);
    const first = facade.query(description);
    await vi.waitFor(() => expect(facade.postman.calls).toEqual([minimalRead(0)]), { interval: 2 });
    await post(event('update', 'collection', uid, uid));
    expect((await first).errors).toEqual([]);
    expect(await getsOf(description)).toEqual([minimalRead(0)]);
    expect(await getsOf(description)).toEqual([]);
  });
});

describe('events that come all the time', () => {
  beforeEach(() => start());

  it('cost two reads of a response in ten seconds, and none of them is lost', async () => {
    const [uid = ''] = grid.collectionUids;
    const description = `{ collection(uid: "${uid}") { description } }`;
    await ask(description);
    facade.postman.reset();
    for (let index = 0; index < 20; index++) {
      await post(event('update', 'collection', uid, uid));
      await ask(description);
    }
    expect(facade.postman.calls).toEqual([minimalRead(0)]);
    facade.postman.fail('/collections/', { kind: 'delay', delayMs: 50 });
    facade.skip(10_000);
    facade.postman.reset();
    for (let index = 0; index < 20; index++) {
      const asked = ask(description);
      await post(event('update', 'collection', uid, uid));
      await asked;
    }
    expect(facade.postman.calls).toEqual([minimalRead(0), minimalRead(0)]);
    facade.skip(10_000);
    expect(await getsOf(description)).toEqual([minimalRead(0)]);
    expect(await getsOf(description)).toEqual([]);
  });
});

describe('the secret', () => {
  const other = 'f0rmer-5ecret-0123456789';
  beforeEach(() => start({ WEBHOOK_SECRET: `${SECRET},${other}`, ACCESS_TOKEN: 'token-of-clients' }));

  const body = { model: 'x', action: 'update' };
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });

  it.each([
    ['in Authorization: Bearer', { headers: { authorization: `Bearer ${SECRET}` } }],
    ['the one before it', { headers: { authorization: `bearer ${other}` } }],
    ['as the password of a URL', { headers: basic(`postman:${SECRET}`) }],
    ['as the user name of a URL', { headers: basic(`${SECRET}:`) }],
    ['in the query', { query: `?secret=${SECRET}`, headers: {} }],
  ])('is accepted %s', async (_where, given) => {
    expect(await post(body, given)).toBe(204);
  });

  it.each([
    ['if there is none', { headers: {} }],
    ['if it is the token of clients', { headers: { authorization: 'Bearer token-of-clients' } }],
    ['in part', { headers: { authorization: `Bearer ${SECRET.slice(1)}` } }],
    ['both at once', { headers: { authorization: `Bearer ${SECRET},${other}` } }],
    ['in a query beside a wrong header', { headers: { authorization: 'Bearer wrong' }, query: `?secret=${SECRET}` }],
    ['under another name', { headers: {}, query: `?token=${SECRET}` }],
    ['if the password is wrong', { headers: basic(`${SECRET}:wrong`) }],
  ])('is refused %s', async (_why, given) => {
    expect(await post(body, given)).toBe(401);
  });

  it('gives no access to data, and is in no log line', async () => {
    await post(event('update', 'collection', grid.collectionUids[0]), { query: `?secret=${SECRET}`, headers: {} });
    await post(body, { query: `?secret=${SECRET}&x`, headers: { authorization: 'Basic %' } });
    const { status } = await facade.query('{ me { id } }', { headers: { authorization: `Bearer ${SECRET}` } });
    expect(status).toBe(401);
    const log = facade.log.join('');
    expect(log).toContain('"webhook"');
    for (const hidden of [SECRET, other, uidAt(grid.collectionUids, 0), 'A name', 'has done something'])
      expect(log).not.toContain(hidden);
  });
});

describe('the hook', () => {
  it.each([
    ['no JSON', '{"model_uid": '],
    ['nothing', ''],
    ['null', 'null'],
    ['a list', [event('update', 'collection', '1-00000002-0000-4000-8000-000000000000')]],
    ['no identifier', { model_uid: 'all of them', collection_uid: { $ne: '' }, action: 7, model: [] }],
    ['an identifier that is too long', { model_uid: '1'.repeat(65) }],
    [
      'the result of a monitor',
      { monitor_uid: '1-2', collection_uid: '31415926-00000002-0000-4000-8000-000000000000' },
    ],
    ['a backup', { collection: { info: { _postman_id: '00000002-0000-4000-8000-000000000000' } } }],
    ['nested lists without end', '['.repeat(60_000)],
  ])('ignores a body with %s', async (_what, given) => {
    await start();
    await ask(EVERYTHING);
    expect(await post(given)).toBe(204);
    expect(await getsOf(EVERYTHING)).toEqual([]);
  });

  it('refuses large bodies and other methods, and serves the next request of the connection', async () => {
    await start();
    expect(await post('x'.repeat(65_537))).toBe(413);
    const get = await fetch(hookUrl(), { headers: { authorization: `Bearer ${SECRET}` } });
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
    expect(await post({})).toBe(204);
  });

  it('does not exist without a secret', async () => {
    await start({ WEBHOOK_SECRET: '' });
    expect(await post(event('update', 'x', '1-2'), { headers: {} })).toBe(404);
    expect(await post(event('update', 'x', '1-2'), { headers: { authorization: 'Bearer ' } })).toBe(404);
  });

  it('outdates the responses of all API keys', async () => {
    await start();
    const [uid = ''] = grid.collectionUids;
    const description = `{ collection(uid: "${uid}") { description } }`;
    const keys = ['PMAK-one', 'PMAK-two'];
    await facade.close();
    facade = await startFacade(
      { WEBHOOK_SECRET: SECRET, CACHE_TTL_MS: String(TTL_MS) },
      { account: grid.account, otherApiKeys: keys },
    );
    const askAll = async () => {
      const gets: string[][] = [];
      for (const key of keys) gets.push((await ask(description, { 'x-api-key': key })).gets);
      return gets;
    };
    await askAll();
    expect(await askAll()).toEqual([[], []]);
    await post(event('update', 'collection', uid, uid));
    expect(await askAll()).toEqual([[minimalRead(0)], [minimalRead(0)]]);
  });
});

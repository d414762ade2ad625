import { afterEach, describe, expect, it } from 'vitest';
import { type FacadeResponse, type Facade, startFacade } from '../support/facade.ts';
import { createGridAccount, type GridAccount } from '../support/grid-account.ts';

const TTL_MS = 60_000;
const SWR_MS = 60_000;

let facade: Facade;
let grid: GridAccount;
afterEach(() => facade.close());

const NAMES = '{ workspaces { nodes { name collections { nodes { name } } environments { nodes { name } } } } }';
const DATES = '{ workspaces { nodes { collections { nodes { uid updatedAt } } } } }';
const DESCRIPTIONS = '{ workspaces { nodes { collections { nodes { uid description } } } } }';

async function startGrid(
  [workspaces, collections, environments]: readonly [number, number, number] = [20, 10, 5],
  env: Record<string, string> = {},
): Promise<void> {
  grid = createGridAccount(workspaces, collections, environments);
  facade = await startFacade(
    { MAX_CALLS_PER_OPERATION: '1000', CACHE_TTL_MS: String(TTL_MS), CACHE_SWR_MS: '0', ...env },
    { account: grid.account },
  );
}

/** Runs a query that must not fail, and counts its calls. */
async function ask(
  query: string,
  headers: Record<string, string> = {},
): Promise<{ answer: FacadeResponse; gets: number }> {
  const before = facade.postman.calls.length;
  const answer = await facade.query(query, { headers });
  expect(answer.errors).toEqual([]);
  const gets = facade.postman.calls.length - before;
  expect(answer.upstream.calls).toBe(gets);
  return { answer, gets };
}

const getsOf = async (query: string, headers: Record<string, string> = {}) => (await ask(query, headers)).gets;

/** Waits until the facade has revalidated what it served stale: until it has made no calls for a while. */
async function settled(): Promise<void> {
  for (let before = -1; before !== facade.postman.calls.length; ) {
    before = facade.postman.calls.length;
    await new Promise((resolve) => void setTimeout(resolve, 100));
  }
}

describe('an account of 20 workspaces with 10 collections and 5 environments each', () => {
  it('costs 21 calls for all names, none while they are fresh, and 21 after', async () => {
    await startGrid();
    expect(await getsOf(NAMES)).toBe(21);
    expect(await getsOf(NAMES)).toBe(0);
    facade.skip(TTL_MS + 1);
    expect(await getsOf(NAMES)).toBe(21);
  });

  it('costs 21 calls for the dates of all collections', async () => {
    await startGrid();
    expect(await getsOf(DATES)).toBe(21);
  });

  it('costs 221 calls for all descriptions, then 21, and one more for each that was edited', async () => {
    await startGrid();
    const cold = await ask(DESCRIPTIONS);
    expect(cold.gets).toBe(221);
    expect(await getsOf(DESCRIPTIONS)).toBe(0);
    facade.skip(TTL_MS + 1);
    const warm = await ask(DESCRIPTIONS);
    expect([warm.gets, warm.answer.data]).toEqual([21, cold.answer.data]);
    expect(warm.answer.upstream.stale).toBeUndefined();
    grid.editCollection(117, 'Edited');
    facade.skip(TTL_MS + 1);
    const edited = await ask(DESCRIPTIONS);
    expect(edited.gets).toBe(22);
    expect(JSON.stringify(edited.answer.data)).toBe(
      JSON.stringify(cold.answer.data).replace('About Collection 117"', 'Edited"'),
    );
  });

  it('sees an edit at once when a list shows it, though the description counts as fresh', async () => {
    await startGrid([1, 3, 0]);
    await ask(DESCRIPTIONS);
    grid.editCollection(1, 'Edited');
    expect(await getsOf(DESCRIPTIONS)).toBe(0);
    expect(await getsOf(`{ collections { nodes { updatedAt } } }`)).toBe(1);
    const { answer, gets } = await ask(DESCRIPTIONS);
    expect([gets, answer.data.workspaces.nodes[0].collections.nodes[1].description]).toEqual([1, 'Edited']);
  });

  it('revalidates nothing indefinitely', async () => {
    await startGrid([1, 3, 0], { CACHE_RENEW_MS: '100000' });
    expect(await getsOf(DESCRIPTIONS)).toBe(5);
    facade.skip(TTL_MS + 1);
    expect(await getsOf(DESCRIPTIONS)).toBe(2);
    facade.skip(TTL_MS + 1);
    expect(await getsOf(DESCRIPTIONS)).toBe(5);
  });

  it('costs as much for 20 equal operations at once as for one, and nothing for 20 others over the same data', async () => {
    await startGrid();
    await Promise.all(Array.from({ length: 20 }, () => facade.query(DATES)));
    expect(facade.postman.calls).toHaveLength(21);
    const fields = ['name', 'ownerId', 'isPublic', 'createdAt', 'id'];
    for (let index = 0; index < 20; index++) {
      const field = fields[index % fields.length] ?? '';
      expect(await getsOf(`{ workspaces(first: ${index + 1}) { nodes { collections { nodes { ${field} } } } } }`)).toBe(
        0,
      );
    }
  });
});

describe('collections looked up by uid', () => {
  const byUid = (uids: readonly string[], fields: string) =>
    `{ ${uids.map((uid, index) => `c${index}: collection(uid: "${uid}") { ${fields} }`).join(' ')} }`;

  it.each([10, 50])('cost 3 lists for the dates of %i, where there are 200', async (count) => {
    await startGrid();
    const step = 200 / count;
    const spread = grid.collectionUids.filter((_, index) => index % step === step - 1);
    expect(await getsOf(byUid(spread, 'updatedAt'))).toBe(3);
  });

  it('cost 1 list where there are 60', async () => {
    await startGrid([6, 10, 0]);
    expect(await getsOf(byUid(grid.collectionUids.slice(5, 15), 'updatedAt'))).toBe(1);
  });

  it('cost 1 list where their descriptions are cached, but too old', async () => {
    await startGrid([6, 10, 0]);
    const query = byUid(grid.collectionUids.slice(5, 15), 'description');
    const cold = await ask(query);
    expect(cold.gets).toBe(10);
    facade.skip(TTL_MS + 1);
    const warm = await ask(query);
    expect([warm.gets, warm.answer.data]).toEqual([1, cold.answer.data]);
  });

  it('cost nothing if a larger cached read or list has them', async () => {
    await startGrid([1, 3, 3]);
    const [uid = ''] = grid.collectionUids;
    await ask(`{ collection(uid: "${uid}") { items { id } } }`);
    expect(await getsOf(`{ collection(uid: "${uid}") { name description updatedAt } }`)).toBe(0);
    await ask('{ collections { nodes { updatedAt } } }');
    expect(await getsOf(byUid(grid.collectionUids, 'updatedAt isPublic'))).toBe(0);
  });
});

describe('environments', () => {
  it('cost one list for their values where these are cached, but too old', async () => {
    await startGrid([1, 0, 5]);
    const query = '{ workspaces { nodes { environments { nodes { values { value } } } } } }';
    expect(await getsOf(query)).toBe(7);
    facade.skip(TTL_MS + 1);
    expect(await getsOf(query)).toBe(2);
    const byUid = `{ ${grid.environmentUids.map((uid, index) => `e${index}: environment(uid: "${uid}") { values { value } }`).join(' ')} }`;
    facade.skip(TTL_MS + 1);
    expect(await getsOf(byUid)).toBe(1);
  });

  it('and collections cost nothing for names that a cached list has', async () => {
    await startGrid([1, 3, 3]);
    const [id = ''] = grid.workspaceIds;
    await ask(
      `{ workspace(id: "${id}") { collections { nodes { updatedAt } } environments { nodes { updatedAt } } } }`,
    );
    expect(
      await getsOf(`{ workspace(id: "${id}") { collections { nodes { name } } environments { nodes { name } } } }`),
    ).toBe(0);
  });
});

describe('a response that is slightly stale', () => {
  it('is served at once, marked as stale, and revalidated by lists before reads, one of each', async () => {
    await startGrid([2, 3, 0], { CACHE_SWR_MS: String(SWR_MS) });
    const cold = await ask(DESCRIPTIONS);
    expect(cold.gets).toBe(9);
    facade.skip(TTL_MS + 5_000);
    facade.postman.reset();
    const stale = await facade.query(DESCRIPTIONS);
    expect(stale.data).toEqual(cold.answer.data);
    expect(stale.upstream).toMatchObject({ calls: 0, cached: 9, coalesced: 0 });
    expect(stale.upstream.stale?.map(({ path }) => path.join('.')).sort()).toEqual([
      'workspaces',
      ...[0, 1].flatMap((index) => [
        `workspaces.nodes.${index}.collections`,
        ...[0, 1, 2].map((node) => `workspaces.nodes.${index}.collections.nodes.${node}`),
      ]),
    ]);
    for (const { ageSeconds } of stale.upstream.stale ?? []) expect([65, 66]).toContain(ageSeconds);
    expect(['65', '66']).toContain(stale.headers.get('age'));
    await settled();
    expect([...facade.postman.calls].sort()).toEqual([
      ...grid.workspaceIds.map((id) => `GET /collections?workspace=${id}&limit=99&offset=0`),
      'GET /workspaces?limit=100',
    ]);
    const { answer, gets } = await ask(DESCRIPTIONS);
    expect([gets, answer.upstream.stale, answer.data]).toEqual([0, undefined, cold.answer.data]);
  });

  it('is revalidated once for many requests, also where no list can do it', async () => {
    await startGrid([1, 1, 0], { CACHE_SWR_MS: String(SWR_MS) });
    const query = `{ collection(uid: "${grid.collectionUids[0]}") { description } }`;
    await ask(query);
    grid.editCollection(0, 'Edited');
    facade.skip(TTL_MS + 1);
    facade.postman.reset();
    const answers = await Promise.all(Array.from({ length: 10 }, () => facade.query(query)));
    expect(answers[0]?.data).toEqual({ collection: { description: 'About Collection 0' } });
    await settled();
    expect(facade.postman.calls).toEqual([`GET /collections/${grid.collectionUids[0]}?model=minimal`]);
    const { answer } = await ask(query);
    expect(answer.data.collection.description).toBe('Edited');
  });

  it('is not revalidated after half of the budget is used, which leaves the rest to clients', async () => {
    await startGrid([1, 8, 0], {
      CACHE_SWR_MS: String(SWR_MS),
      RATE_LIMIT: '10',
      RATE_LIMIT_WINDOW_MS: '20000',
      BURST_LIMIT: '0',
      RESERVED_CALLS: '0',
    });
    const kept = grid.collectionUids.slice(0, 3).map((uid) => `{ collection(uid: "${uid}") { description } }`);
    for (const query of kept) await ask(query);
    facade.skip(TTL_MS + 1);
    for (const uid of grid.collectionUids.slice(3)) await ask(`{ collection(uid: "${uid}") { description } }`);
    facade.postman.reset();
    for (const query of kept) expect((await facade.query(query)).upstream).toMatchObject({ calls: 0, cached: 1 });
    await settled();
    expect(facade.postman.calls).toEqual([]);
  });
});

describe('Cache-Control of a request', () => {
  const query = '{ workspaces { nodes { name } } }';
  const start = () => startGrid([2, 1, 0], { CACHE_SWR_MS: String(SWR_MS) });

  it('no-cache reads again, and the response is cached', async () => {
    await start();
    await ask(query);
    expect(await getsOf(query, { 'cache-control': 'no-cache' })).toBe(1);
    expect(await getsOf(query)).toBe(0);
  });

  it('max-age accepts nothing older, and nothing stale', async () => {
    await start();
    await ask(query);
    facade.skip(10_000);
    expect(await getsOf(query, { 'cache-control': 'max-age=11' })).toBe(0);
    expect(await getsOf(query, { 'cache-control': 'max-age=9' })).toBe(1);
    facade.skip(TTL_MS + 1_000);
    expect(await getsOf(query, { 'cache-control': 'max-age=3600' })).toBe(1);
  });

  it('max-stale accepts stale responses up to that age, and does not revalidate them', async () => {
    await start();
    await ask(query);
    facade.skip(TTL_MS + SWR_MS + 100_000);
    expect(await getsOf(query, { 'cache-control': 'max-stale=300' })).toBe(0);
    expect(await getsOf(query, { 'cache-control': 'max-stale' })).toBe(0);
    await settled();
    expect(facade.postman.calls).toHaveLength(1);
    expect(await getsOf(query, { 'cache-control': 'max-stale=100' })).toBe(1);
  });

  it('only-if-cached makes no call, whatever is cached', async () => {
    await start();
    const cold = await facade.query(query, { headers: { 'cache-control': 'only-if-cached' } });
    expect(cold).toMatchObject({
      status: 200,
      data: { workspaces: null },
      errors: [
        {
          message: 'No cached response is fresh enough, and `Cache-Control: only-if-cached` forbids calling Postman.',
          path: ['workspaces'],
          extensions: { code: 'NOT_CACHED', retryable: false, upstream: { method: 'GET', route: '/workspaces' } },
        },
      ],
      upstream: { calls: 0 },
    });
    await ask(query);
    facade.skip(TTL_MS + SWR_MS + 100_000);
    const kept = await ask(query, { 'cache-control': 'only-if-cached' });
    expect([kept.gets, kept.answer.upstream.stale?.map(({ path }) => path)]).toEqual([0, [['workspaces']]]);
    facade.skip(3_600_000);
    const tooOld = await facade.query(query, { headers: { 'cache-control': 'only-if-cached' } });
    expect(tooOld.errors.map(({ extensions }) => extensions?.['code'])).toEqual(['NOT_CACHED']);
    await settled();
    expect(facade.postman.calls).toHaveLength(1);
  });
});

describe('while upstream fails', () => {
  const names = '{ workspaces { nodes { name collections { nodes { name } } } } }';

  it.each([
    ['is down', {}, () => facade.postman.goDown()],
    ['answers 500', {}, () => facade.postman.fail('/', { kind: 'status', status: 500 }, 1_000)],
    ['answers 503', {}, () => facade.postman.fail('/', { kind: 'status', status: 503 }, 1_000)],
    ['answers 429', {}, () => facade.postman.fail('/', { kind: 'status', status: 429 }, 1_000)],
    ['does not answer', { UPSTREAM_TIMEOUT_MS: '2000' }, () => facade.postman.fail('/', { kind: 'hang' }, 1_000)],
  ])('(it %s) earlier responses are served, marked, with their age', async (_, env, breakDown) => {
    await startGrid([2, 2, 0], { OPERATION_TIMEOUT_MS: '5000', ...env });
    const before = await ask(names);
    await Promise.resolve(breakDown());
    facade.skip(TTL_MS + 240_000);
    const during = await facade.query(names);
    expect([during.data, during.errors]).toEqual([before.answer.data, []]);
    expect(during.upstream.stale?.map(({ path }) => path.join('.')).sort()).toEqual([
      'workspaces',
      'workspaces.nodes.0.collections',
      'workspaces.nodes.1.collections',
    ]);
    expect(during.headers.get('age')).toMatch(/^3[0-2]\d$/);
    const unknown = await facade.query('{ me { username } }');
    expect(unknown.errors).toMatchObject([
      { path: ['me'], extensions: { retryable: true, retryAt: expect.any(String) } },
    ]);
    const strict = await facade.query(names, { headers: { 'cache-control': 'no-cache' } });
    expect([strict.data, strict.errors.length]).toEqual([{ workspaces: null }, 1]);
    facade.skip(3_600_000);
    expect((await facade.query(names)).data).toEqual({ workspaces: null });
  });

  it('an operation without calls left gets stale data', async () => {
    await startGrid([5, 1, 0], { MAX_CALLS_PER_OPERATION: '6', CACHE_RENEW_MS: '0' });
    for (const id of grid.workspaceIds)
      await ask(`{ workspace(id: "${id}") { collections { nodes { description } } } }`);
    facade.skip(TTL_MS + 1);
    const answer = await facade.query(DESCRIPTIONS);
    expect([answer.errors, answer.upstream.calls]).toEqual([[], 6]);
    expect(answer.upstream.stale).toHaveLength(5);
  });
});

describe('a read that upstream refuses', () => {
  it('is repeated once in ten seconds, except for requests that accept nothing cached', async () => {
    await startGrid([1, 1, 0]);
    const query = '{ collection(uid: "31415926-99999999-0000-4000-8000-000000000000") { name } }';
    for (let index = 0; index < 5; index++) expect((await facade.query(query)).data).toEqual({ collection: null });
    expect(facade.postman.calls).toHaveLength(1);
    await facade.query(query, { headers: { 'cache-control': 'no-cache' } });
    expect(facade.postman.calls).toHaveLength(2);
    facade.skip(10_001);
    await facade.query(query);
    expect(facade.postman.calls).toHaveLength(3);
  });

  it('with 403 is no longer served from the cache, and everything else is', async () => {
    await startGrid([1, 2, 0]);
    const [one, other] = grid.collectionUids.map((uid) => `{ collection(uid: "${uid}") { description } }`);
    for (const query of [one, other]) await ask(query ?? '');
    facade.skip(TTL_MS + 1);
    facade.postman.fail(`/collections/${grid.collectionUids[0]}`, { kind: 'status', status: 403 }, 1);
    const refused = await facade.query(one ?? '');
    expect(refused).toMatchObject({ data: { collection: null }, errors: [{ extensions: { code: 'FORBIDDEN' } }] });
    await facade.postman.goDown();
    const again = await facade.query(one ?? '', { headers: { 'cache-control': 'only-if-cached' } });
    expect(again.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    expect((await facade.query(other ?? '')).data).toEqual({ collection: { description: 'About Collection 1' } });
  });

  it('with 401 removes everything cached for its key', async () => {
    await startGrid([1, 2, 0]);
    await ask(DESCRIPTIONS);
    facade.postman.fail('/me', { kind: 'status', status: 401 }, 1);
    expect((await facade.query('{ me { username } }')).errors).toMatchObject([
      { extensions: { code: 'UNAUTHENTICATED' } },
    ]);
    await facade.postman.goDown();
    const after = await facade.query(DESCRIPTIONS);
    expect([after.data, after.errors.length]).toEqual([{ workspaces: null }, 1]);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { createGridAccount, type GridAccount } from '../support/grid-account.ts';
import { type RedisServer, skipsRedis, startRedis } from '../support/redis-server.ts';
import { scrape } from '../support/scrape.ts';
import { ageSharedCache, countShared, toTenantSecret } from '../support/shared-cache.ts';

const secret = toTenantSecret(7);
const TTL_MS = 60_000;
const DESCRIPTIONS = '{ workspaces { nodes { collections { nodes { uid description } } } } }';

describe.skipIf(skipsRedis)(`Instances that share cached responses${skipsRedis && ` (${skipsRedis})`}`, () => {
  let redis: RedisServer;
  let facades: Facade[] = [];
  let postman: Sandbox;
  let grid: GridAccount;

  /** Starts an instance. All instances have the Postman of the first one. */
  const start = async (env: Record<string, string> = {}): Promise<Facade> => {
    const facade = await startFacade(
      {
        CACHE_REDIS_URL: redis.url,
        TENANT_SECRET: secret.reveal(),
        CACHE_REDIS_TIMEOUT_MS: '5000',
        MAX_CALLS_PER_OPERATION: '1000',
        CACHE_SWR_MS: '0',
        ...(facades.length > 0 && { POSTMAN_API_BASE_URL: postman.origin, POSTMAN_API_KEY: postman.apiKey }),
        ...env,
      },
      { account: grid.account },
    );
    if (facades.length === 0) ({ postman } = facade);
    facades.push(facade);
    return facade;
  };
  const startGrid = async (size: Parameters<typeof createGridAccount>, env: Record<string, string> = {}) => {
    grid = createGridAccount(...size);
    return start(env);
  };
  /** Runs a query that must not fail. Returns its data and the GETs that Postman got. */
  const ask = async (facade: Facade, query: string, headers: Record<string, string> = {}) => {
    const before = postman.calls.length;
    const { data, errors, upstream } = await facade.query(query, { headers });
    const gets = postman.calls.slice(before);
    expect([errors, upstream.calls]).toEqual([[], gets.length]);
    return { data, gets };
  };
  const stored = async (count: number) => {
    await expect.poll(() => countShared(redis, postman.apiKey, secret), { timeout: 20_000 }).toBe(count);
  };
  const age = (ms: number) => ageSharedCache(redis, postman.apiKey, secret, ms);

  beforeAll(async () => {
    redis = await startRedis();
  });
  beforeEach(() => redis.command('FLUSHALL'));
  afterEach(async () => {
    await Promise.all(facades.map((facade) => facade.close()));
    facades = [];
  });
  afterAll(() => redis?.stop());

  it('make 40 reads once, also after a restart, and later only those of lists', async () => {
    const one = await startGrid([3, 12, 0]);
    const cold = await ask(one, DESCRIPTIONS);
    expect(cold.gets).toHaveLength(40);
    await stored(40);
    expect(await ask(await start(), DESCRIPTIONS)).toEqual({ data: cold.data, gets: [] });
    const restarted = await start();
    expect(await ask(restarted, DESCRIPTIONS)).toEqual({ data: cold.data, gets: [] });
    await age(TTL_MS + 1);
    const later = await ask(await start(), DESCRIPTIONS);
    expect(later.data).toEqual(cold.data);
    expect(later.gets.map((call) => call.replace(/[\w-]{30,}/, 'id')).toSorted()).toEqual([
      'GET /collections?workspace=id&limit=99&offset=0',
      'GET /collections?workspace=id&limit=99&offset=0',
      'GET /collections?workspace=id&limit=99&offset=0',
      'GET /workspaces?limit=100',
    ]);
    // The lists have renewed the other reads for all instances.
    await stored(40);
    expect(await ask(await start(), DESCRIPTIONS)).toEqual({ data: cold.data, gets: [] });
  }, 120_000);

  it('need 22 of 221 reads after a restart in which one collection was edited', async () => {
    const one = await startGrid([20, 10, 5]);
    const cold = await ask(one, DESCRIPTIONS);
    expect(cold.gets).toHaveLength(221);
    await stored(221);
    await age(TTL_MS + 1);
    grid.editCollection(117, 'Edited');
    const warm = await ask(await start(), DESCRIPTIONS);
    expect(warm.gets).toHaveLength(22);
    expect(JSON.stringify(warm.data)).toBe(JSON.stringify(cold.data).replace('About Collection 117"', 'Edited"'));
  }, 120_000);

  it('plan an operation as a warm instance does, and dry runs agree', async () => {
    const setUp = async (facade: Facade) => {
      await ask(facade, '{ workspaces { nodes { name } } }');
      await ask(facade, `{ collection(uid: "${grid.collectionUids[2]}") { description } }`);
      await ask(facade, `{ workspace(id: "${grid.workspaceIds[1]}") { environments { nodes { name } } } }`);
      await ask(facade, `{ workspace(id: "${grid.workspaceIds[1]}") { collections { nodes { isPublic } } } }`);
    };
    const toQueries = () => [
      `{ collection(uid: "${grid.collectionUids[7]}") { name isPublic } }`,
      `{ collection(uid: "${grid.collectionUids[7]}") { workspace { name } } }`,
      `{ environment(uid: "${grid.environmentUids[4]}") { name updatedAt } }`,
      `{ node(id: "Environment:${grid.environmentUids[4]}") { ... on Environment { name } } }`,
      DESCRIPTIONS,
      `{ ${grid.collectionUids.map((uid, index) => `c${index}: collection(uid: "${uid}") { updatedAt }`).join(' ')} }`,
      '{ workspaces { nodes { collections { nodes { name } } environments { nodes { name ownerId } } } } }',
      `{ collection(uid: "${grid.collectionUids[2]}") { description workspace { name } } }`,
    ];
    await startGrid([4, 5, 3]);
    for (const query of toQueries()) {
      const seen = [];
      for (const isWarm of [true, false]) {
        await redis.command('FLUSHALL');
        const reader = await start();
        const before = postman.calls.length;
        await setUp(reader);
        await stored(postman.calls.length - before);
        const facade = isWarm ? reader : await start();
        const dryRun = query.replace('{', '{ rateLimit(dryRun: true) { cost costAtLeast }');
        const { rateLimit } = (await ask(facade, dryRun)).data;
        const { gets } = await ask(facade, query);
        expect(gets.length).toBeGreaterThanOrEqual(rateLimit.costAtLeast);
        expect(gets.length).toBeLessThanOrEqual(rateLimit.cost);
        seen.push({ rateLimit, gets: gets.toSorted() });
        // They write what is pending.
        for (const one of facades.splice(1)) await one.close();
      }
      expect(seen[1]).toEqual(seen[0]);
    }
  }, 300_000);

  it('count reads by where the response came from, and show whether they share', async () => {
    const one = await startGrid([1, 2, 0], { METRICS_PORT: '0' });
    const query = `{ collection(uid: "${grid.collectionUids[0]}") { description } }`;
    await ask(one, query);
    await stored(1);
    const two = await start({ METRICS_PORT: '0' });
    await ask(two, query);
    await ask(two, query);
    const readsOf = async (facade: Facade) => {
      const { text, value } = await scrape(facade);
      const modes = [...text.matchAll(/^postman_graphql_shared_cache_mode\{mode="(\w+)"\} 1$/gm)].map(
        ([, mode]) => mode,
      );
      const count = (outcome: string) => value(`postman_graphql_cache_requests_total{outcome="${outcome}"}`);
      return { modes, miss: count('miss'), shared: count('shared'), hit: count('hit') };
    };
    expect(await readsOf(one)).toEqual({ modes: ['shared'], miss: 1, shared: 0, hit: 0 });
    expect(await readsOf(two)).toEqual({ modes: ['shared'], miss: 0, shared: 1, hit: 1 });
    redis.child().kill('SIGSTOP');
    try {
      const three = await start({ METRICS_PORT: '0', CACHE_REDIS_TIMEOUT_MS: '50' });
      expect(await readsOf(three)).toMatchObject({ modes: ['off'] });
    } finally {
      redis.child().kill('SIGCONT');
    }
  }, 60_000);

  it('accept the same responses for each Cache-Control as one instance does', async () => {
    const one = await startGrid([1, 2, 0]);
    const query = `{ collection(uid: "${grid.collectionUids[0]}") { description } }`;
    const { data } = await ask(one, query);
    await stored(1);
    const getsOf = async (cacheControl: string) =>
      (await ask(await start(), query, { 'cache-control': cacheControl })).gets.length;
    expect([await getsOf('only-if-cached'), await getsOf('max-age=600'), await getsOf('no-cache')]).toEqual([0, 0, 1]);
    await age(TTL_MS + 10_000);
    expect(await getsOf('max-stale=600')).toBe(0);
    const { data: none, errors } = await (await start()).query(query, {
      headers: { 'cache-control': 'only-if-cached, max-age=30' },
    });
    expect([none, errors.map(({ extensions }) => extensions?.['code'])]).toEqual([
      { collection: null },
      ['NOT_CACHED'],
    ]);
    expect(await getsOf('max-stale=1')).toBe(1);
    expect((await ask(await start(), query)).data).toEqual(data);
  }, 120_000);

  it('remember that an object does not exist', async () => {
    const one = await startGrid([1, 1, 0]);
    const query = '{ collection(uid: "31415926-00000002-0000-4000-8000-999999999999") { description } }';
    expect((await ask(one, query)).gets).toHaveLength(1);
    await stored(1);
    expect(await ask(await start(), query)).toEqual({ data: { collection: null }, gets: [] });
  }, 60_000);

  it('drop everything of a refused key on all instances within two seconds', async () => {
    const one = await startGrid([1, 2, 0]);
    const query = `{ collection(uid: "${grid.collectionUids[0]}") { description } }`;
    await ask(one, query);
    await stored(1);
    const two = await start();
    expect((await ask(two, query)).gets).toEqual([]);
    postman.fail('/me', { kind: 'status', status: 401 }, 1);
    await one.query('{ me { username } }');
    await expect
      .poll(async () => (await two.query(query, { headers: { 'cache-control': 'only-if-cached' } })).data, {
        timeout: 5_000,
        interval: 100,
      })
      .toEqual({ collection: null });
    await stored(0);
  }, 60_000);

  it('show Redis neither keys nor targets nor contents', async () => {
    const persistent = await startRedis('--rdbcompression', 'no');
    try {
      const one = await startGrid([2, 3, 2], { CACHE_REDIS_URL: persistent.url, REDIS_URL: persistent.url });
      await ask(one, DESCRIPTIONS);
      await ask(one, '{ me { username fullName } environments { nodes { values { key value } } } }');
      await expect
        .poll(() => countShared(persistent, postman.apiKey, secret), { timeout: 20_000 })
        .toBe(postman.calls.length);
      const names = (await persistent.command('KEYS', '*')) as string[];
      const dumps = await Promise.all(
        names.map((name) => persistent.command('EVAL', "return redis.call('DUMP', KEYS[1])", '1', name)),
      );
      await persistent.command('SAVE');
      const { dir: folder = '' } = (await persistent.command('CONFIG', 'GET', 'dir')) as { readonly dir?: string };
      const text = [...names, ...dumps.map(String), readFileSync(join(folder, 'dump.rdb'), 'latin1')].join('\n');
      const targets = postman.calls.map((call) => call.replace(/^GET /, ''));
      const hidden = [
        ...[postman.apiKey, secret.reveal(), 'About Collection', 'Collection 1', 'collections', 'workspaces?'],
        ...[...targets, ...grid.collectionUids, ...grid.workspaceIds, ...grid.environmentUids],
        ...grid.collectionUids.map((uid) => uid.slice(-36)),
      ];
      expect(names.length).toBeGreaterThan(10);
      expect(hidden.filter((one_) => text.includes(one_))).toEqual([]);
    } finally {
      await Promise.all(facades.splice(0).map((facade) => facade.close()));
      await persistent.stop();
    }
  }, 120_000);

  it('serve their own responses without a command, and calls after one wait, while Redis hangs', async () => {
    const one = await startGrid([1, 2, 0], { CACHE_REDIS_TIMEOUT_MS: '50' });
    const [first, second] = grid.collectionUids.map((uid) => `{ collection(uid: "${uid}") { description } }`);
    await ask(one, first ?? '');
    await stored(1);
    redis.child().kill('SIGSTOP');
    try {
      expect((await ask(one, first ?? '')).gets).toEqual([]);
      expect((await ask(one, second ?? '')).gets).toHaveLength(1);
      expect((await ask(one, second ?? '')).gets).toEqual([]);
    } finally {
      redis.child().kill('SIGCONT');
    }
  }, 60_000);
});

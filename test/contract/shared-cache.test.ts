import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { createGridAccount, type GridAccount } from '../support/grid-account.ts';
import { type RedisServer, skipsRedis, startRedis } from '../support/redis-server.ts';
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
});

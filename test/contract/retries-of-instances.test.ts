import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Facade, startFacade } from '../support/facade.ts';
import { createGridAccount } from '../support/grid-account.ts';
import { type RedisServer, skipsRedis, startRedis } from '../support/redis-server.ts';
import { ageSharedCache, countShared, toTenantSecret } from '../support/shared-cache.ts';

const secret = toTenantSecret(10);
const TTL_MS = 60_000;
const MAX_CALLS = 4;

describe.skipIf(skipsRedis)(`The retry of an operation that was cut off${skipsRedis && ` (${skipsRedis})`}`, () => {
  let redis: RedisServer;
  let one: Facade;
  let other: Facade;

  beforeAll(async () => {
    redis = await startRedis();
  });
  beforeEach(async () => {
    await redis.command('FLUSHALL');
    const env = {
      CACHE_REDIS_URL: redis.url,
      TENANT_SECRET: secret.reveal(),
      CACHE_REDIS_TIMEOUT_MS: '5000',
      CACHE_TTL_MS: String(TTL_MS),
      CACHE_SWR_MS: '0',
      MAX_CALLS_PER_OPERATION: String(MAX_CALLS),
    };
    one = await startFacade(env, { account: createGridAccount(6, 0, 0).account });
    const { origin, apiKey } = one.postman;
    other = await startFacade({ ...env, POSTMAN_API_BASE_URL: origin, POSTMAN_API_KEY: apiKey });
  });
  afterEach(async () => {
    await other.close();
    await one.close();
  });
  afterAll(() => redis?.stop());

  /** Reads a list and six workspaces. Returns the GETs, and how many workspaces are missing. */
  const run = async (facade: Facade) => {
    one.postman.reset();
    const { errors } = await facade.query('{ workspaces { nodes { description } } }');
    return { gets: [...one.postman.calls], missing: errors.length };
  };
  /** The operation is cut off at the first instance, and other instances can read what it has read. */
  const cutOff = async () => {
    const { gets, missing } = await run(one);
    expect([gets.length, missing]).toEqual([MAX_CALLS, 3]);
    await expect.poll(() => countShared(redis, one.postman.apiKey, secret), { timeout: 20_000 }).toBe(MAX_CALLS);
    return gets;
  };
  const expire = async () => {
    for (const facade of [one, other]) facade.skip(TTL_MS + 1_000);
    await ageSharedCache(redis, one.postman.apiKey, secret, TTL_MS + 1_000);
  };

  it('reads the rest at another instance while the responses are fresh', async () => {
    const before = await cutOff();
    const { gets, missing } = await run(other);
    expect([gets.length, missing]).toEqual([3, 0]);
    expect(gets.filter((get) => before.includes(get))).toEqual([]);
  });

  it('reads the rest at the same instance also when they have expired', async () => {
    const before = await cutOff();
    await expire();
    const { gets, missing } = await run(one);
    expect([gets.length, missing]).toEqual([3, 0]);
    expect(gets.filter((get) => before.includes(get))).toEqual([]);
  });

  it('reads the list again at another instance when they have expired, and the rest before what Redis has', async () => {
    const before = await cutOff();
    await expire();
    const { gets, missing } = await run(other);
    expect([gets.length, missing]).toEqual([MAX_CALLS, 0]);
    // The other three workspaces are served stale, because the operation may make no further call.
    expect(gets.filter((get) => before.includes(get))).toEqual(['GET /workspaces?limit=100']);
  });
});

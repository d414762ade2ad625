import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { createBuiltServer, type RunningServer } from '../support/built-server.ts';
import { createGridAccount, type GridAccount } from '../support/grid-account.ts';
import { type RedisServer, skipsRedis, startRedis } from '../support/redis-server.ts';
import { ageSharedCache, countShared, toTenantSecret } from '../support/shared-cache.ts';

const built = createBuiltServer('shared-cache-processes-test');
const secret = toTenantSecret(7);
const TTL_MS = 60_000;
const DESCRIPTIONS = '{ workspaces { nodes { collections { nodes { uid description } } } } }';

describe.skipIf(skipsRedis)(`Processes that share cached responses${skipsRedis && ` (${skipsRedis})`}`, () => {
  let redis: RedisServer;
  let postman: Sandbox;
  let grid: GridAccount;
  let servers: RunningServer[] = [];

  const startPostman = async (size: Parameters<typeof createGridAccount>) => {
    grid = createGridAccount(...size);
    postman = await startSandbox({ limits: 'off', account: grid.account });
  };
  /** Starts a process that shares its cached responses. */
  const start = async (): Promise<RunningServer> => {
    const server = await built.start({
      POSTMAN_API_BASE_URL: postman.origin,
      POSTMAN_API_KEY: postman.apiKey,
      CACHE_REDIS_URL: redis.url,
      TENANT_SECRET: secret.reveal(),
      // The tests share the CPU.
      CACHE_REDIS_TIMEOUT_MS: '5000',
      CACHE_TTL_MS: String(TTL_MS),
      CACHE_SWR_MS: '0',
      // A call that fails must fail the test.
      CACHE_STALE_IF_ERROR_MS: '0',
      MAX_CALLS_PER_OPERATION: '1000',
      RATE_LIMIT: '10000',
      BURST_LIMIT: '10000',
      COLD_START: 'off',
    });
    servers.push(server);
    return server;
  };
  const stopAll = async () => {
    expect(await Promise.all(servers.map((server) => server.stop()))).toEqual(servers.map(() => 0));
    servers = [];
  };
  /** Runs a query that must not fail. Returns its data and the GETs that Postman got. */
  const ask = async ({ url }: RunningServer, query: string) => {
    const before = postman.calls.length;
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    const body = (await response.json()) as {
      data: unknown;
      errors?: unknown;
      extensions: { upstream: { calls: number } };
    };
    const gets = postman.calls.slice(before);
    expect([body.errors, body.extensions.upstream.calls]).toEqual([undefined, gets.length]);
    return { data: body.data, gets };
  };
  /** The GETs of all lists that the query needs. */
  const lists = () => [
    'GET /workspaces?limit=100',
    ...grid.workspaceIds.map((id) => `GET /collections?workspace=${id}&limit=99&offset=0`),
  ];
  const age = (ms: number) => ageSharedCache(redis, postman.apiKey, secret, ms);
  const stored = () => countShared(redis, postman.apiKey, secret);

  beforeAll(async () => {
    built.build();
    redis = await startRedis();
  });
  beforeEach(() => redis.command('FLUSHALL'));
  afterEach(async () => {
    await stopAll();
    await postman.close();
  });
  afterAll(async () => {
    built.remove();
    await redis?.stop();
  });

  it('make 40 reads once: at a second one, after all were restarted, and later only the lists', async () => {
    await startPostman([3, 12, 0]);
    const [one, two] = [await start(), await start()];
    const cold = await ask(one, DESCRIPTIONS);
    expect(cold.gets).toHaveLength(40);
    await expect.poll(stored, { timeout: 20_000 }).toBe(40);
    expect(await ask(two, DESCRIPTIONS)).toEqual({ data: cold.data, gets: [] });
    await stopAll();

    const restarted = [await start(), await start()];
    for (const server of restarted) expect(await ask(server, DESCRIPTIONS)).toEqual({ data: cold.data, gets: [] });
    await stopAll();

    await age(TTL_MS + 1);
    const later = await ask(await start(), DESCRIPTIONS);
    expect(later.data).toEqual(cold.data);
    expect(later.gets.toSorted()).toEqual(lists().toSorted());
    await stopAll();
    // The lists have renewed the other reads for the processes to come.
    expect(await ask(await start(), DESCRIPTIONS)).toEqual({ data: cold.data, gets: [] });
  }, 180_000);

  it('need 22 of 221 reads after a restart in which one collection was edited', async () => {
    await startPostman([20, 10, 5]);
    const one = await start();
    const cold = await ask(one, DESCRIPTIONS);
    expect(cold.gets).toHaveLength(221);
    await expect.poll(stored, { timeout: 20_000 }).toBe(221);
    await stopAll();

    await age(TTL_MS + 1);
    grid.editCollection(117, 'Edited');
    const two = await start();
    const warm = await ask(two, DESCRIPTIONS);
    expect(warm.gets.toSorted()).toEqual(
      [...lists(), `GET /collections/${grid.collectionUids[117]}?model=minimal`].toSorted(),
    );
    expect(JSON.stringify(warm.data)).toBe(JSON.stringify(cold.data).replace('About Collection 117"', 'Edited"'));
  }, 180_000);
});

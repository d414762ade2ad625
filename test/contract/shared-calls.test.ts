import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { createBuiltServer } from '../support/built-server.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { createGridAccount, type GridAccount } from '../support/grid-account.ts';
import { type RedisServer, skipsRedis, startRedis } from '../support/redis-server.ts';
import { toTenantSecret } from '../support/shared-cache.ts';

const built = createBuiltServer('shared-calls-test');
const secret = toTenantSecret(7).reveal();
const DESCRIPTIONS = '{ workspaces { nodes { collections { nodes { uid description } } } } }';

describe.skipIf(skipsRedis)(`Equal operations at several instances${skipsRedis && ` (${skipsRedis})`}`, () => {
  let redis: RedisServer;
  let grid: GridAccount;
  let facades: Facade[] = [];
  let postman: Sandbox;

  const start = async (env: Record<string, string> = {}): Promise<Facade> => {
    const facade = await startFacade(
      {
        CACHE_REDIS_URL: redis.url,
        TENANT_SECRET: secret,
        CACHE_REDIS_TIMEOUT_MS: '5000',
        MAX_CALLS_PER_OPERATION: '1000',
        ...(facades.length > 0 && { POSTMAN_API_BASE_URL: postman.origin, POSTMAN_API_KEY: postman.apiKey }),
        ...env,
      },
      { account: grid.account },
    );
    if (facades.length === 0) ({ postman } = facade);
    facades.push(facade);
    return facade;
  };

  beforeAll(async () => {
    redis = await startRedis();
  });
  beforeEach(async () => {
    await redis.command('FLUSHALL');
    grid = createGridAccount(3, 4, 0);
    for (let index = 0; index < 3; index++) await start();
  });
  afterEach(async () => {
    await Promise.all(facades.map((facade) => facade.close()));
    facades = [];
  });
  afterAll(async () => {
    built.remove();
    await redis?.stop();
  });

  const askAll = (count: number, query = DESCRIPTIONS) =>
    Promise.all(Array.from({ length: count }, async (_, index) => facades[index % facades.length]?.query(query)));

  it('make the calls of one, 20 of them at once', async () => {
    postman.fail('/', { kind: 'delay', delayMs: 50 });
    const responses = await askAll(20);
    const [first] = responses;
    for (const response of responses) expect([response?.errors, response?.data]).toEqual([[], first?.data]);
    expect(postman.calls.toSorted()).toEqual([...new Set(postman.calls)].toSorted());
    // One list of workspaces, three lists of collections, twelve single reads.
    expect(postman.calls).toHaveLength(16);
  });

  it('share a refusal of Postman, too', async () => {
    const [uid = ''] = grid.collectionUids;
    postman.fail(uid, { kind: 'status', status: 403 }, 1);
    const responses = await askAll(3, `{ collection(uid: "${uid}") { description } }`);
    expect(postman.calls).toHaveLength(1);
    for (const response of responses) expect(response?.errors).toHaveLength(1);
  });

  it('replace an instance that is killed while it makes the call', async () => {
    built.build();
    const leader = await built.start({
      POSTMAN_API_BASE_URL: postman.origin,
      POSTMAN_API_KEY: postman.apiKey,
      CACHE_REDIS_URL: redis.url,
      TENANT_SECRET: secret,
      COLD_START: 'off',
    });
    const query = `{ collection(uid: "${grid.collectionUids[0]}") { description } }`;
    postman.fail('/collections/', { kind: 'hang' }, 1);
    const body = JSON.stringify({ query });
    const lost = fetch(leader.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    await Promise.all([
      lost.catch(() => undefined),
      (async () => {
        await expect.poll(() => postman.calls.length, { timeout: 20_000 }).toBe(1);
        const waiting = askAll(6, query);
        leader.child.kill('SIGKILL');
        for (const response of await waiting)
          expect(response).toMatchObject({ errors: [], data: { collection: { description: 'About Collection 0' } } });
        expect(postman.calls).toHaveLength(2);
      })(),
    ]);
  });

  it('make their own calls with no-cache', async () => {
    const query = `{ collection(uid: "${grid.collectionUids[0]}") { description } }`;
    await Promise.all(facades.map((facade) => facade.query(query, { headers: { 'cache-control': 'no-cache' } })));
    expect(postman.calls).toHaveLength(3);
  });

  it('make their own calls while Redis does not reply', async () => {
    redis.child().kill('SIGSTOP');
    try {
      const [one, two] = await Promise.all([
        start({ CACHE_REDIS_TIMEOUT_MS: '20' }),
        start({ CACHE_REDIS_TIMEOUT_MS: '20' }),
      ]);
      const query = `{ collection(uid: "${grid.collectionUids[0]}") { description } }`;
      for (const facade of [one, two]) expect((await facade.query(query)).errors).toEqual([]);
      expect(postman.calls).toHaveLength(2);
    } finally {
      redis.child().kill('SIGCONT');
    }
  });
});

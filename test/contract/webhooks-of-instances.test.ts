import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Facade, startFacade } from '../support/facade.ts';
import { createGridAccount, type GridAccount } from '../support/grid-account.ts';
import { type RedisServer, skipsRedis, startRedis } from '../support/redis-server.ts';

const SECRET = 'c0ffee5ecret0fTheHook';
const former = randomBytes(32).toString('base64');
const current = randomBytes(32).toString('base64');

describe.skipIf(skipsRedis)(`An event that one instance receives${skipsRedis && ` (${skipsRedis})`}`, () => {
  let redis: RedisServer;
  let grid: GridAccount;
  let instances: Facade[];

  beforeEach(async () => {
    redis = await startRedis();
    grid = createGridAccount(1, 3, 0);
    // The first of them already seals with the new secret.
    const secrets = [`${current},${former}`, `${former},${current}`, `${former},${current}`];
    const env = {
      WEBHOOK_SECRET: SECRET,
      REDIS_URL: redis.url,
      CACHE_TTL_MS: '600000',
      // Without Redis nothing is sent for as long.
      RATE_LIMIT_WINDOW_MS: '500',
      BURST_LIMIT_WINDOW_MS: '500',
    };
    instances = await Promise.all(
      secrets.map((secret) => startFacade({ ...env, TENANT_SECRET: secret }, { account: grid.account })),
    );
    for (const instance of instances) await describeAll(instance);
  });

  afterEach(async () => {
    await Promise.all(instances.map((instance) => instance.close()));
    await redis.stop();
  });

  async function describeAll(instance: Facade | undefined): Promise<readonly string[]> {
    if (!instance) return [];
    const before = instance.postman.calls.length;
    const aliases = grid.collectionUids.map((uid, index) => `c${index}: collection(uid: "${uid}") { description }`);
    const { errors } = await instance.query(`{ ${aliases.join(' ')} }`);
    expect(errors).toEqual([]);
    return instance.postman.calls.slice(before);
  }

  async function report(index: number): Promise<void> {
    const uid = grid.collectionUids[index];
    const { status } = await fetch(new URL('/hooks/postman', instances[0]?.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${SECRET}` },
      body: JSON.stringify({ action: 'update', model: 'collection', model_uid: uid, collection_uid: uid }),
    });
    expect(status).toBe(204);
  }

  const readOf = (index: number) => `GET /collections/${grid.collectionUids[index]}?model=minimal`;

  /** The GETs of an instance once it makes any. */
  const learned = (instance: Facade | undefined) =>
    vi.waitFor(
      async () => {
        const gets = await describeAll(instance);
        expect(gets).not.toEqual([]);
        return gets;
      },
      { interval: 20, timeout: 30_000 },
    );

  it('costs each of them the read of the changed object, once', async () => {
    const [one, two, three] = instances;
    await report(1);
    expect(await describeAll(one)).toEqual([readOf(1)]);
    expect(await learned(two)).toEqual([readOf(1)]);
    expect(await learned(three)).toEqual([readOf(1)]);
    // A further event has come to all of them, when one of them has it.
    await report(2);
    for (const instance of instances) expect(await learned(instance)).toEqual([readOf(2)]);
    for (const instance of instances) expect(await describeAll(instance)).toEqual([]);
  });

  it('comes to the others as soon as Redis is back', async () => {
    const [one, two] = instances;
    redis.child().kill('SIGKILL');
    await report(1);
    expect(await learned(one)).toEqual([readOf(1)]);
    expect(await describeAll(two)).toEqual([]);
    await redis.restart();
    expect(await learned(two)).toEqual([readOf(1)]);
  });

  it('is in Redis for a limited time, encrypted', async () => {
    await report(1);
    await learned(instances[1]);
    const keys = (await redis.command('KEYS', '*')) as string[];
    const log = JSON.stringify(await redis.command('XRANGE', '{postman-graphql}:changes', '-', '+'));
    expect(JSON.parse(log)).toHaveLength(1);
    const id = grid.collectionUids[1]?.replace(/^\d+-/, '') ?? '';
    for (const text of [keys.join(), log]) {
      for (const hidden of [id, id.slice(-12), 'update', SECRET, 'subjects']) expect(text).not.toContain(hidden);
    }
    const leftMs = Number(await redis.command('PTTL', '{postman-graphql}:changes'));
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(3_600_000);
  });
});

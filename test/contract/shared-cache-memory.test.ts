import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/upstream/http/secret.ts';
import { deriveCacheKeys } from '../../src/upstream/shared-cache/sealed/cache-keys.ts';
import { startFacade } from '../support/facade.ts';
import { createGridAccount } from '../support/grid-account.ts';
import { type RedisServer, skipsRedis, startRedis } from '../support/redis-server.ts';
import { countShared, type OpenedCache, openSharedCache, toTenantSecret } from '../support/shared-cache.ts';

const MIB = 1_048_576;
const UPDATED_AT = '2026-01-01T00:00:00.000Z';
const secret = toTenantSecret(1);
const owner = { keyHash: 'one', apiKey: new Secret('PMAK-one') };
const other = { keyHash: 'two', apiKey: new Secret('PMAK-two') };

describe.skipIf(skipsRedis)(`The memory that shared responses take${skipsRedis && ` (${skipsRedis})`}`, () => {
  let redis: RedisServer;
  let opened: { close(): Promise<void> }[] = [];

  const open = async (): Promise<OpenedCache> => {
    const cache = await openSharedCache(redis);
    opened.push(cache);
    return cache;
  };
  const write = (cache: OpenedCache, target: string, body = '"small"', of = owner) =>
    cache.write(of, target, {
      version: target,
      route: '/collections/{uid}',
      body,
      heapBytes: 10,
      updatedAt: UPDATED_AT,
      sentAtMs: performance.now(),
    });
  /** Uses Redis' memory up to a part of `maxmemory`, or all of it. */
  const fill = async (fraction: number) => {
    const info = String(await redis.command('INFO', 'memory'));
    const read = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]);
    // As one text: Redis accepts it while less than everything is used.
    const bytes = Math.ceil(fraction * read('maxmemory') - read('used_memory'));
    await redis.command('EVAL', "return redis.call('SETRANGE', 'filler', ARGV[1], 'x')", '0', String(bytes));
  };

  afterEach(async () => {
    await Promise.all(opened.map((one) => one.close()));
    opened = [];
    await redis.stop();
  });

  it('is at most 64 MiB for an API key: those that changed longest ago go, and none of other keys', async () => {
    redis = await startRedis();
    const one = await open();
    await write(one, '/other', '"small"', other);
    // Random text takes three quarters of its size.
    const body = () => JSON.stringify(randomBytes(6 * MIB - 100).toString('base64'));
    const targets = Array.from({ length: 10 }, (_, index) => `/collections/${index}`);
    for (const target of targets) await write(one, target, body());
    expect(await countShared(redis, owner.apiKey.reveal(), secret)).toBe(10);
    const { indexKey, bodyKeyOf, fieldOf } = deriveCacheKeys(owner.apiKey, secret);
    const bytes = async () => Number(await redis.command('HGET', indexKey, 'bytes'));
    expect(await bytes()).toBeGreaterThan(58 * MIB);
    const first = Number(await redis.command('STRLEN', bodyKeyOf(fieldOf('/collections/0'))));
    expect(await bytes()).toBeCloseTo(10 * first, -5);

    // A list confirms the first one, so that the second one is the oldest.
    await expect
      .poll(async () => {
        one.renew(owner, [['/collections/0', UPDATED_AT]]);
        const { orderKey } = deriveCacheKeys(owner.apiKey, secret);
        return redis.command('ZRANGE', orderKey, '-1', '-1');
      })
      .toEqual([fieldOf('/collections/0')]);
    for (const target of ['/collections/10', '/collections/11']) await write(one, target, body());
    expect(await bytes()).toBeLessThanOrEqual(64 * MIB);
    const left = await Promise.all(
      [...targets, '/collections/10', '/collections/11'].map((target) =>
        redis.command('EXISTS', bodyKeyOf(fieldOf(target))),
      ),
    );
    expect(left).toEqual([1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    const two = await open();
    await two.prepare(owner, false);
    expect([two.find(owner, '/collections/0'), two.find(owner, '/collections/1')]).toEqual([
      expect.objectContaining({ version: '/collections/0' }),
      undefined,
    ]);
    expect((await two.get(other, '/other'))?.text).toBe('"small"');
  }, 120_000);

  it('grows only up to four fifths of a Redis that evicts nothing, which still renews and drops', async () => {
    redis = await startRedis('--maxmemory', '16mb', '--maxmemory-policy', 'noeviction');
    const before = await open();
    await write(before, '/stored');
    expect(before.isStoring()).toBe(true);
    await fill(0.82);
    const one = await open();
    expect([one.isOn(), one.isStoring()]).toEqual([true, false]);
    await one.prepare(owner, false);
    await write(one, '/late');
    expect([one.find(owner, '/stored')?.version, one.find(owner, '/late')]).toEqual(['/stored', undefined]);
    one.renew(owner, [['/stored', '2026-01-02T00:00:00.000Z']]);
    await expect.poll(async () => (await before.get(owner, '/stored'))?.isOutdated).toBe(true);
    await redis.command('DEL', 'filler');
    await expect.poll(one.isStoring, { timeout: 10_000 }).toBe(true);
    await write(one, '/late');
    expect((await before.get(owner, '/late'))?.version).toBe('/late');
  }, 60_000);

  it('has an end at which writes fail, and nothing else', async () => {
    redis = await startRedis('--maxmemory', '16mb', '--maxmemory-policy', 'noeviction');
    const [one, two] = [await open(), await open()];
    await write(one, '/stored');
    await two.prepare(owner, false);
    await fill(1.01);
    await expect(redis.command('SET', 'more', 'x')).rejects.toThrow('OOM');
    await write(one, '/late');
    expect([one.find(owner, '/late'), (await two.get(owner, '/stored'))?.text]).toEqual([undefined, '"small"']);
    one.renew(owner, [['/stored', '2026-01-02T00:00:00.000Z']]);
    await expect.poll(async () => (await two.get(owner, '/stored'))?.isOutdated).toBe(true);
    one.dropKey(owner, true);
    await expect.poll(() => two.dropped, { timeout: 5_000 }).toEqual(['one']);
    expect(await redis.command('ZCARD', '{postman-graphql:cache}:dropped')).toBe(1);
    expect(await two.get(owner, '/stored')).toBeUndefined();
    expect(one.isOn()).toBe(true);
  }, 60_000);

  it.each([
    ['four fifths', 0.85],
    ['all', 1.01],
  ])(
    'fails no operation when %s of it is used, and no call waits for that of another instance',
    async (_, fraction) => {
      redis = await startRedis('--maxmemory', '16mb', '--maxmemory-policy', 'noeviction');
      await fill(fraction);
      const { account, collectionUids } = createGridAccount(1, 2, 0);
      const env = { CACHE_REDIS_URL: redis.url, TENANT_SECRET: secret.reveal(), CACHE_REDIS_TIMEOUT_MS: '5000' };
      const one = await startFacade(env, { account });
      const { postman } = one;
      const address = { POSTMAN_API_BASE_URL: postman.origin, POSTMAN_API_KEY: postman.apiKey };
      const two = await startFacade({ ...env, ...address });
      opened.push(two, one);
      const query = `{ collection(uid: "${collectionUids[0]}") { description } }`;
      postman.fail('/collections/', { kind: 'hang' }, 1);
      const client = new AbortController();
      const lost = one.query(query, { signal: client.signal }).catch(() => undefined);
      await expect.poll(() => postman.calls.length, { timeout: 20_000 }).toBe(1);
      const served = { data: { collection: { description: 'About Collection 0' } }, errors: [] };
      expect(await two.query(query)).toMatchObject({ ...served, upstream: { calls: 1 } });
      expect(await two.query(query)).toMatchObject({ ...served, upstream: { calls: 0 } });
      client.abort();
      await lost;
    },
    60_000,
  );
});

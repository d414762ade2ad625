import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/upstream/http/secret.ts';
import { deriveCacheKeys } from '../../src/upstream/shared-cache/sealed/cache-keys.ts';
import type { NewSharedResponse } from '../../src/upstream/shared-cache/shared-cache.ts';
import { type RedisServer, skipsRedis, startRedis } from '../support/redis-server.ts';
import { type OpenedCache, openSharedCache, toTenantSecret } from '../support/shared-cache.ts';

const owner = { keyHash: 'one', apiKey: new Secret('PMAK-one') };
const other = { keyHash: 'two', apiKey: new Secret('PMAK-two') };
const UUID = '3f2a1b00-1111-4222-8333-444455556666';
const target = `/collections/123-${UUID}`;
const route = '/collections/{uid}';

let versions = 0;
const response = (body: NewSharedResponse['body'], more: Partial<NewSharedResponse> = {}): NewSharedResponse => ({
  version: `v${versions++}`,
  route,
  body,
  heapBytes: 10,
  updatedAt: '2026-01-01T00:00:00.000Z',
  sentAtMs: performance.now(),
  ...more,
});

describe.skipIf(skipsRedis)(`The second level of the cache${skipsRedis && ` (${skipsRedis})`}`, () => {
  let redis: RedisServer;
  let opened: OpenedCache[] = [];
  const open = async (...args: Parameters<typeof openSharedCache> extends [unknown, ...infer Rest] ? Rest : never) => {
    const cache = await openSharedCache(redis, ...args);
    opened.push(cache);
    return cache;
  };
  /** Writes a response, and waits until another instance can read it. */
  const written = async (cache: OpenedCache, to = target, body: NewSharedResponse['body'] = '{"a":1}') => {
    const given = response(body);
    await cache.write(owner, to, given);
    expect(cache.find(owner, to)?.version).toBe(given.version);
  };

  beforeAll(async () => {
    redis = await startRedis();
  });
  beforeEach(async () => {
    await Promise.all(opened.map((cache) => cache.close()));
    opened = [];
    await redis.command('FLUSHALL');
  });
  afterAll(async () => {
    await Promise.all(opened.map((cache) => cache.close()));
    await redis?.stop();
  });

  it('gives a response to other instances with the same API key, and to no others', async () => {
    const [one, two] = [await open(), await open()];
    await written(one);
    expect(await two.get(owner, target)).toMatchObject({ text: '{"a":1}', route, isOutdated: false, heapBytes: 10 });
    expect(two.find(owner, target)?.confirmedAgeMs).toBeLessThan(5_000);
    expect(await two.get(other, target)).toBeUndefined();
    expect(await two.get(owner, `${target}0`)).toBeUndefined();
    const foreign = await open([toTenantSecret(2)]);
    expect(await foreign.get(owner, target)).toBeUndefined();
  });

  it('knows after `prepare` which responses there are, and has read the small ones', async () => {
    const one = await open();
    await written(one);
    void one.write(owner, '/me', response({ kind: 'notFound', message: 'gone' }, { failureTtlMs: 9, updatedAt: null }));
    await expect.poll(() => one.find(owner, '/me')).toBeDefined();
    const two = await open();
    expect([two.hasAny(owner), two.find(owner, target)]).toEqual([false, undefined]);
    await two.prepare(owner, false);
    expect(two.hasAny(owner)).toBe(true);
    expect(two.find(owner, target)).toMatchObject({ updatedAt: '2026-01-01T00:00:00.000Z', isFailure: false });
    expect(two.prepare(owner, false)).toBeUndefined();
    expect(two.take(owner, '/me')).toMatchObject({
      text: '{"kind":"notFound","message":"gone"}',
      isFailure: true,
      failureTtlMs: 9,
    });
    expect(two.take(owner, '/me')).toBeUndefined();
    await expect.poll(() => two.find(owner, '/late')).toBeUndefined();
    await written(one, '/late');
    await expect.poll(() => two.find(owner, '/late'), { timeout: 3_000 }).toBeDefined();
  });

  it('never replaces a response by that of an earlier call', async () => {
    const [one, two] = [await open(), await open()];
    const sentAtMs = performance.now();
    await written(one, target, '"new"');
    void two.write(owner, target, response('"old"', { sentAtMs: sentAtMs - 1_000 }));
    await written(two, '/another');
    expect(await two.get(owner, target)).toMatchObject({ text: '"new"' });
  });

  it('renews and outdates by lists, on all instances', async () => {
    const [one, two] = [await open(), await open()];
    await written(one);
    await two.prepare(owner, false);
    two.renew(owner, [[target, '2025-01-01T00:00:00.000Z']]);
    expect(two.find(owner, target)?.isOutdated).toBe(false);
    two.renew(owner, [[target, '2026-01-02T00:00:00.000Z']]);
    expect(two.find(owner, target)?.isOutdated).toBe(true);
    await expect.poll(async () => (await one.get(owner, target))?.isOutdated).toBe(true);
    one.renew(owner, [[target, '2026-01-01T00:00:00.000Z']]);
    await written(one, '/another');
    expect((await two.get(owner, target))?.isOutdated).toBe(true);
    await written(one, target, '"read again"');
    expect(await two.get(owner, target)).toMatchObject({ isOutdated: false, text: '"read again"' });
  });

  it('drops everything of a refused API key on all instances within two seconds, and late responses too', async () => {
    const [one, two] = [await open(), await open()];
    const sentAtMs = performance.now();
    await written(one);
    await two.prepare(owner, false);
    const droppedAtMs = performance.now();
    one.dropKey(owner, true);
    await expect.poll(() => two.dropped, { timeout: 5_000, interval: 20 }).toEqual(['one']);
    expect(performance.now() - droppedAtMs).toBeLessThan(2_000 * (process.env.CI ? 2 : 1));
    expect([one.find(owner, target), two.find(owner, target)]).toEqual([undefined, undefined]);
    void one.write(owner, target, response('"late"', { sentAtMs }));
    await written(one, '/another');
    expect(await two.get(owner, target)).toBeUndefined();
    expect(await redis.command('DBSIZE')).toBe(5);
    expect(one.dropped).toEqual([]);
  });

  it('stores nothing for an invented API key', async () => {
    const one = await open();
    await one.prepare(other, false);
    expect(await one.get(other, target)).toBeUndefined();
    one.dropKey(other, false);
    await written(one);
    expect(await redis.command('DBSIZE')).toBe(3);
  });

  it('reads what was written under the secret before, and writes under the new one', async () => {
    const [former, current] = [toTenantSecret(1), toTenantSecret(2)];
    const old = await open([former]);
    await written(old);
    const rotated = await open([current, former]);
    await rotated.prepare(owner, false);
    expect(await rotated.get(owner, target)).toMatchObject({ text: '{"a":1}' });
    rotated.renew(owner, [[target, '2027-01-01T00:00:00.000Z']]);
    await expect.poll(async () => (await old.get(owner, target))?.isOutdated).toBe(true);
    await written(rotated, target, '"new"');
    expect(await rotated.get(owner, target)).toMatchObject({ text: '"new"' });
    const later = await open([current]);
    expect(await later.get(owner, target)).toMatchObject({ text: '"new"' });
  });

  it('has at most a thousand responses of an API key, and drops those that changed longest ago', async () => {
    const one = await open();
    for (let index = 0; index < 1_010; index++) {
      if (index % 50 === 0) await written(one, `/mocks/${index}`, '1');
      else void one.write(owner, `/mocks/${index}`, response('1'));
    }
    await written(one, '/mocks/last', '1');
    const { indexKey, bodyKeyOf, fieldOf } = deriveCacheKeys(owner.apiKey, toTenantSecret(1));
    expect(await redis.command('HLEN', indexKey)).toBe(1_001);
    expect(await redis.command('DBSIZE')).toBe(1_002);
    expect(await redis.command('EXISTS', bodyKeyOf(fieldOf('/mocks/0')))).toBe(0);
    expect(Number(await redis.command('PTTL', bodyKeyOf(fieldOf('/mocks/last'))))).toBeGreaterThan(3_000_000);
  });

  it('stores no response of more than 8 MiB', async () => {
    const one = await open();
    void one.write(owner, target, response('"'.padEnd(8 * 1_048_576 + 1, 'a')));
    await written(one, '/another', '"'.padEnd(8 * 1_048_576, 'a'));
    expect(await one.get(owner, target)).toBeUndefined();
    expect((await one.get(owner, '/another'))?.text).toHaveLength(8 * 1_048_576);
  });

  it('never opens a body or row that was moved, cut off or changed', async () => {
    const one = await open();
    await written(one, '/a', '"a"');
    await written(one, '/b', '"b"');
    const { indexKey, bodyKeyOf, fieldOf } = deriveCacheKeys(owner.apiKey, toTenantSecret(1));
    const [a, b] = [fieldOf('/a'), fieldOf('/b')];
    const read = async (path: string) => (await (await open()).get(owner, path))?.text;
    expect([await read('/a'), await read('/b')]).toEqual(['"a"', '"b"']);
    await redis.command('COPY', bodyKeyOf(a), bodyKeyOf(b), 'REPLACE');
    expect(await read('/b')).toBeUndefined();
    const row = String(await redis.command('HGET', indexKey, a));
    await redis.command('HSET', indexKey, b, row);
    expect(await read('/b')).toBeUndefined();
    await redis.command('SETRANGE', bodyKeyOf(a), '20', 'x');
    expect(await read('/a')).toBeUndefined();
    await written(one, '/a', '"a"');
    await redis.command('HSET', indexKey, a, String(await redis.command('HGET', indexKey, a)).slice(0, -4));
    expect(await read('/a')).toBeUndefined();
    await redis.command('SET', bodyKeyOf(a), '');
    expect(await read('/a')).toBeUndefined();
  });

  it('is off while Redis does not respond, and on again afterwards', async () => {
    const one = await open([toTenantSecret(1)], 100);
    await written(one);
    redis.child().kill('SIGSTOP');
    await expect.poll(() => one.find(owner, target), { timeout: 10_000, interval: 100 }).toBeUndefined();
    expect([one.isOn(), one.read(owner, target, async () => {}), one.prepare(owner, false)]).toEqual([
      false,
      undefined,
      undefined,
    ]);
    redis.child().kill('SIGCONT');
    await expect.poll(() => one.find(owner, target), { timeout: 15_000 }).toBeDefined();
  }, 30_000);
});

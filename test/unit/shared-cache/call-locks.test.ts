import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/upstream/http/secret.ts';
import { type CallLocks, LOCK_LEASE_MS, createCallLocks } from '../../../src/upstream/shared-cache/locks/call-locks.ts';
import { type CacheRedis, connectCacheRedis } from '../../../src/upstream/shared-cache/store/cache-redis.ts';
import { createMovingClock } from '../../support/moving-clock.ts';
import { type RedisServer, skipsRedis, startRedis } from '../../support/redis-server.ts';
import { toTenantSecret } from '../../support/shared-cache.ts';

const owner = { keyHash: 'hash', apiKey: new Secret('PMAK-canary-key') };
const TARGET = '/collections/1-canary-target';

describe.skipIf(skipsRedis)(`Locks of calls${skipsRedis && ` (${skipsRedis})`}`, () => {
  let server: RedisServer;
  const connections: CacheRedis[] = [];

  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(async () => {
    for (const redis of connections) redis.close();
    await server.stop();
  });

  async function open(clock = createMovingClock()): Promise<CallLocks & { readonly redis: CacheRedis }> {
    const redis = await connectCacheRedis(new Secret(server.url), (cause) => new Error('not installed', { cause }));
    connections.push(redis);
    return { redis, ...createCallLocks({ redis, clock, secret: toTenantSecret(1), timeoutMs: 5_000 }) };
  }

  /** Repeats an attempt until it has this result. */
  async function until(locks: CallLocks, is: string, target: string, mark?: string) {
    for (;;) {
      const lock = await locks.lock(owner, target, mark);
      if (lock.is === is) return lock;
      expect(lock.is).toBe('elsewhere');
    }
  }

  it('belong to one instance, until it releases them; then the others look into the cache before they lock', async () => {
    const [one, two, three] = [await open(), await open(), await open()];
    const lock = await one.lock(owner, TARGET);
    expect(lock.is).toBe('mine');
    expect([(await two.lock(owner, TARGET)).is, (await three.lock(owner, TARGET)).is]).toEqual([
      'elsewhere',
      'elsewhere',
    ]);
    if (lock.is === 'mine') lock.release();
    const ended = await until(two, 'ended', TARGET);
    const mark = ended.is === 'ended' ? ended.mark : '';
    expect((await three.lock(owner, TARGET)).is).toBe('ended');
    expect((await two.lock(owner, TARGET, mark)).is).toBe('mine');
    expect((await three.lock(owner, TARGET, mark)).is).toBe('elsewhere');
  });

  it('are separate for each API key and target, and name neither in Redis', async () => {
    const [one, two] = [await open(), await open()];
    const other = { keyHash: 'other', apiKey: new Secret('PMAK-canary-other') };
    expect((await one.lock(owner, '/canary-a')).is).toBe('mine');
    expect((await two.lock(owner, '/canary-b')).is).toBe('mine');
    expect((await two.lock(other, '/canary-a')).is).toBe('mine');
    expect(String(await server.command('KEYS', '*'))).not.toMatch(/canary|PMAK|hash/);
  });

  it('are extended while their instance lives, and taken over within the lease when it is dead', async () => {
    const clock = createMovingClock();
    const [one, two] = [await open(clock), await open()];
    expect((await one.lock(owner, '/lease')).is).toBe('mine');
    const [key = ''] = ((await server.command('KEYS', '*:lock:*')) as string[]).slice(-1);
    expect(Number(await server.command('PTTL', key))).toBeLessThanOrEqual(LOCK_LEASE_MS);
    // As if most of the lease had passed.
    for (const each of (await server.command('KEYS', '*:lock:*')) as string[])
      await server.command('PEXPIRE', each, '1500');
    clock.skip(2_000);
    for (;;) {
      const lefts = await Promise.all(
        ((await server.command('KEYS', '*:lock:*')) as string[]).map(async (each) =>
          Number(await server.command('PTTL', each)),
        ),
      );
      if (Math.max(...lefts) > 1_500) break;
    }
    one.redis.close();
    expect((await until(two, 'mine', '/lease')).is).toBe('mine');
  });

  it('are unknown without Redis', async () => {
    const one = await open();
    one.redis.close();
    expect(await one.lock(owner, '/lost')).toMatchObject({ is: 'unknown' });
  });
});

import { createSystemClock } from '../../src/upstream/clock.ts';
import { Secret } from '../../src/upstream/http/secret.ts';
import { deriveCacheKeys } from '../../src/upstream/shared-cache/sealed/cache-keys.ts';
import { readRow, writeRow } from '../../src/upstream/shared-cache/sealed/index-row.ts';
import { type CacheRedis, connectCacheRedis } from '../../src/upstream/shared-cache/store/cache-redis.ts';
import { createSharedCache } from '../../src/upstream/shared-cache/create-shared-cache.ts';
import type { ResponseOwner, SharedCache, SharedText } from '../../src/upstream/shared-cache/shared-cache.ts';
import type { RedisServer } from './redis-server.ts';

/** One instance's second level of the cache. */
export interface OpenedCache extends SharedCache {
  readonly redis: CacheRedis;
  /** Key hashes of the API keys that other instances have dropped. */
  readonly dropped: string[];
  /** Reads a response from Redis. */
  get(owner: ResponseOwner, target: string): Promise<SharedText | undefined>;
}

/** Makes a secret for `TENANT_SECRET`. */
export const toTenantSecret = (byte: number) => new Secret(Buffer.alloc(32, byte).toString('base64'));

/** Opens the second level of the cache as one instance does. The time that a call waits is long: tests share the CPU. */
export async function openSharedCache(
  server: Pick<RedisServer, 'url'>,
  secrets: readonly [Secret, Secret?] = [toTenantSecret(1)],
  timeoutMs = 5_000,
): Promise<OpenedCache> {
  const clock = createSystemClock();
  const redis = await connectCacheRedis(new Secret(server.url), (cause) => new Error('not installed', { cause }));
  const dropped: string[] = [];
  const cache = await createSharedCache({
    redis,
    clock,
    secrets,
    timeoutMs,
    servedForMs: 120_000,
    storedForMs: 3_600_000,
    renewMs: 3_600_000,
    onKeyDropped: (keyHash) => void dropped.push(keyHash),
    onChange() {},
  });
  return {
    ...cache,
    redis,
    dropped,
    async get(owner, target) {
      let found: SharedText | undefined;
      await cache.read(owner, target, async (response) => void (found = response));
      return found;
    },
  };
}

/** Makes everything cached in Redis for an API key older, as if this much time had passed. */
export async function ageSharedCache(server: RedisServer, apiKey: string, secret: Secret, ms: number): Promise<void> {
  const keys = deriveCacheKeys(new Secret(apiKey), secret);
  const fields = (await server.command('HKEYS', keys.indexKey)) as string[];
  for (const field of fields) {
    const row = readRow(keys, field, String(await server.command('HGET', keys.indexKey, field)));
    if (!row) continue;
    const { sentAtMs, readAtMs, confirmedAtMs } = row;
    const aged = { sentAtMs: sentAtMs - ms, readAtMs: readAtMs - ms, confirmedAtMs: confirmedAtMs - ms };
    await server.command('HSET', keys.indexKey, field, writeRow(keys, field, { ...row, ...aged }));
  }
}

/** Counts the responses that Redis has for an API key. */
export async function countShared(server: RedisServer, apiKey: string, secret: Secret): Promise<number> {
  const { orderKey } = deriveCacheKeys(new Secret(apiKey), secret);
  return Number(await server.command('ZCARD', orderKey));
}

import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { Clock } from '../upstream/clock.ts';
import { REDIS_CLIENT } from '../upstream/rate-limiter/redis/redis-connection.ts';
import { type CallLocks, createCallLocks } from '../upstream/shared-cache/locks/call-locks.ts';
import { createSharedCache, type SharedCacheOptions } from '../upstream/shared-cache/create-shared-cache.ts';
import type { SharedCache } from '../upstream/shared-cache/shared-cache.ts';
import { connectCacheRedis } from '../upstream/shared-cache/store/cache-redis.ts';

/**
 * Whether responses are cached in this `process` alone, because there is no Redis for them; `shared` in Redis; only read
 * there, because it is `full`; or, while it does not reply in time, not shared (`off`).
 */
export type SharedCacheMode = 'process' | 'shared' | 'full' | 'off';

/** The cached responses that all instances share, and which of them makes which call. */
export interface SharedResponses {
  readonly sharedCache: SharedCache;
  readonly locks: CallLocks;
}

/**
 * Opens the cached responses that all instances share, if there are any. A Redis that cannot be reached delays the
 * start by a second at most.
 *
 * @param options - `onKeyDropped` is called when another instance has learned that an API key is no longer valid.
 *   While `isCurrent` returns false, changes may be unknown, and nothing is read. Default: it is always true.
 * @throws {Error} The Redis client is not installed.
 */
export async function openSharedResponses(
  { cache }: Pick<Config, 'cache'>,
  logger: Logger,
  clock: Clock,
  { onKeyDropped, isCurrent }: Pick<SharedCacheOptions, 'onKeyDropped' | 'isCurrent'>,
): Promise<SharedResponses | undefined> {
  const { shared, ttlMs, swrMs, staleIfErrorMs, renewMs } = cache;
  if (!shared || ttlMs === 0) return undefined;
  const toMissing = (cause: unknown) =>
    new Error(`CACHE_REDIS_URL needs a package that is not installed: npm install ${REDIS_CLIENT}`, { cause });
  const redis = await connectCacheRedis(shared.url, toMissing);
  const cached = await createSharedCache({
    redis,
    clock,
    secrets: shared.secrets,
    timeoutMs: shared.timeoutMs,
    servedForMs: ttlMs + swrMs,
    storedForMs: Math.max(ttlMs + swrMs, staleIfErrorMs, renewMs),
    renewMs,
    onKeyDropped,
    isCurrent,
    onChange(isOn, reason) {
      if (isOn) logger.info('cached responses are shared through Redis');
      else logger.warn({ reason }, 'Redis does not reply in time: cached responses are not shared');
    },
  });
  if (!cached.isOn()) logger.warn('Redis does not reply: cached responses are not shared until it does');
  const locks = createCallLocks({ redis, clock, secret: shared.secrets[0], timeoutMs: shared.timeoutMs });
  return { sharedCache: cached, locks };
}

/** @param sharedCache - undefined: there is none. */
export function toSharedCacheMode(sharedCache: SharedCache | undefined): SharedCacheMode {
  if (!sharedCache) return 'process';
  if (!sharedCache.isOn()) return 'off';
  return sharedCache.isStoring() ? 'shared' : 'full';
}

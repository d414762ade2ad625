import type { CacheRedis } from './cache-redis.ts';
import type { Clock } from '../../clock.ts';

const CHECK_MS = 10_000;
const MAX_FRACTION = 0.8;

/**
 * Creates the check of Redis' memory. A Redis that evicts nothing may also have the slots of the limiter, which fails
 * when that Redis is full.
 */
export function createMemoryCheck(redis: Pick<CacheRedis, 'memoryInfo'>, clock: Pick<Clock, 'nowMs'>) {
  let isFull = false;
  let checkAtMs = Number.NEGATIVE_INFINITY;
  return {
    /** Whether the cache must not store more: Redis evicts nothing and has used four fifths of its memory. */
    isFull: () => isFull,
    /** Asks Redis, every ten seconds. */
    async check(): Promise<void> {
      const nowMs = clock.nowMs();
      if (nowMs < checkAtMs) return;
      checkAtMs = nowMs + CHECK_MS;
      // A user of Redis may not be allowed to read it.
      const info = await redis.memoryInfo().catch(() => '');
      const read = (name: string) => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1];
      const maxBytes = Number(read('maxmemory') ?? 0);
      const evictsNothing = read('maxmemory_policy') === 'noeviction';
      isFull = evictsNothing && maxBytes > 0 && Number(read('used_memory')) > MAX_FRACTION * maxBytes;
    },
  };
}

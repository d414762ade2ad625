import type { CacheRedis } from './cache-redis.ts';
import type { Clock } from '../../clock.ts';

const CHECK_MS = 10_000;
const MAX_FRACTION = 0.8;
// From here on it is checked more often, so that the instances cannot fill the rest between two checks.
const WATCHED_FRACTION = 0.5;
const WATCH_MS = 1_000;

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
    /** Asks Redis, every ten seconds, and every second if more than half of its memory is used. */
    async check(): Promise<void> {
      const nowMs = clock.nowMs();
      if (nowMs < checkAtMs) return;
      // While no reply comes, no second command is sent.
      checkAtMs = nowMs + CHECK_MS;
      // A user of Redis may not be allowed to read it.
      const info = await redis.memoryInfo().catch(() => '');
      const read = (name: string) => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1];
      const maxBytes = Number(read('maxmemory') ?? 0);
      const evictsNothing = read('maxmemory_policy') === 'noeviction';
      const fraction = evictsNothing && maxBytes > 0 ? Number(read('used_memory')) / maxBytes : 0;
      isFull = fraction > MAX_FRACTION;
      if (fraction > WATCHED_FRACTION) checkAtMs = nowMs + WATCH_MS;
    },
  };
}

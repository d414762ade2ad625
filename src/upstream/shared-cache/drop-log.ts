import type { CacheRedis } from './store/cache-redis.ts';
import type { Clock } from '../clock.ts';
import { LOG_SCRIPT, READ_LOG_SCRIPT } from './store/scripts.ts';
import type { RedisTime } from './store/redis-time.ts';
import type { Owners } from './owners.ts';

/** What `createDropLog` needs. */
export interface DropLogOptions {
  readonly redis: Pick<CacheRedis, 'run'>;
  readonly clock: Clock;
  readonly time: RedisTime;
  readonly owners: Owners;
  readonly onKeyDropped: (keyHash: string) => void;
}

/** Which API keys were refused last, for all instances. */
export interface DropLog {
  /** Reads what has been added since the last time. */
  read(): Promise<void>;
  /** Adds an API key by its name. */
  add(tag: string): Promise<void>;
}

const KEY = '{postman-graphql:cache}:dropped';
const MAX_TAGS = 10_000;
const LOGGED_FOR_MS = 600_000;
// A reply that took longer says too little about the time now.
const MAX_ROUND_TRIP_MS = 1_000;

/**
 * Creates the log of API keys that were refused. Each instance reads it every second, so that it drops its own cached
 * responses of the key, and no cached response ever waits for Redis.
 */
export function createDropLog({ redis, clock, time, owners, onKeyDropped }: DropLogOptions): DropLog {
  let sinceMs = 0;

  const indexOf = (tag: string) => owners.byTag(tag)?.indexes.find(({ keys }) => keys.tag === tag);

  return {
    async read() {
      const sentAtMs = clock.nowMs();
      const isFirst = sinceMs === 0;
      const [now, ...parts] = await redis.run(READ_LOG_SCRIPT, [KEY], [String(sinceMs)]);
      if (clock.nowMs() - sentAtMs <= MAX_ROUND_TRIP_MS) time.read(Number(now));
      sinceMs = Number(now);
      // A new instance has nothing to drop.
      if (isFirst) return;
      for (let position = 0; position < parts.length; position += 2) {
        const tag = String(parts[position]);
        const droppedAtMs = Number(String(parts[position + 1]));
        const state = owners.byTag(tag);
        const index = indexOf(tag);
        if (!state || !index || droppedAtMs <= index.droppedAtMs) continue;
        index.droppedAtMs = droppedAtMs;
        onKeyDropped(state.keyHash);
      }
    },
    async add(tag) {
      const [now] = await redis.run(LOG_SCRIPT, [KEY], [String(LOGGED_FOR_MS), String(MAX_TAGS), tag]);
      // This instance has dropped its responses already.
      const index = indexOf(tag);
      if (index) index.droppedAtMs = Number(now);
    },
  };
}

import { type CacheRedis, deleteBodies } from './store/cache-redis.ts';
import type { DropLog } from './drop-log.ts';
import type { Owners } from './owners.ts';
import type { PendingWrites } from './store/pending-writes.ts';
import type { RedisTime } from './store/redis-time.ts';
import type { ResponseIndex } from './response-index.ts';
import { DROP_SCRIPT } from './store/scripts.ts';
import type { SharedCache } from './shared-cache.ts';

/** What `createKeyDrops` needs. */
export interface KeyDropsOptions {
  readonly redis: Pick<CacheRedis, 'run' | 'unlink'>;
  readonly time: RedisTime;
  readonly owners: Owners;
  readonly pending: PendingWrites;
  readonly log: Pick<DropLog, 'add'>;
}

// Longer than any call can take.
const DROPPED_FOR_MS = 600_000;
const MAX_FAILED_DROPS = 1_000;

/** Creates the drops of API keys that Postman has refused. Those that Redis does not confirm are repeated. */
export function createKeyDrops({ redis, time, owners, pending, log }: KeyDropsOptions) {
  const failedDrops = new Map<ResponseIndex, boolean>();

  const drop = async (index: ResponseIndex, hadAny: boolean) => {
    const { indexKey, orderKey, dropKey, tag } = index.keys;
    try {
      const args = [String(DROPPED_FOR_MS), hadAny ? '1' : '0'];
      const [, isDropped, ...fields] = await redis.run(DROP_SCRIPT, [indexKey, orderKey, dropKey], args);
      if (isDropped !== 1) return;
      await log.add(tag);
      await deleteBodies(redis, index.keys, fields.map(String));
    } catch {
      if (failedDrops.size < MAX_FAILED_DROPS) failedDrops.set(index, hadAny);
    }
  };
  const start = (index: ResponseIndex, hadAny: boolean) => void pending.add(0, () => drop(index, hadAny));

  const dropKey: SharedCache['dropKey'] = (owner, isCached) => {
    for (const index of owners.of(owner).indexes) {
      const hadAny = isCached || index.size > 0;
      index.droppedAtMs = Math.max(index.droppedAtMs, time.nowMs() ?? 0);
      index.clear();
      start(index, hadAny);
    }
  };
  return {
    dropKey,
    /** Repeats what failed. */
    retry() {
      const drops = [...failedDrops];
      failedDrops.clear();
      for (const [index, hadAny] of drops) start(index, hadAny);
    },
  };
}

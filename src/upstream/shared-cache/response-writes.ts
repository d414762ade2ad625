import { randomBytes } from 'node:crypto';
import { MAX_TEXT_BYTES, sealText } from './sealed/body-text.ts';
import { type CacheRedis, deleteBodies } from './store/cache-redis.ts';
import { type IndexRow, writeRow } from './sealed/index-row.ts';
import type { PendingWrites } from './store/pending-writes.ts';
import type { RedisTime } from './store/redis-time.ts';
import { RENEW_SCRIPT, WRITE_SCRIPT } from './store/scripts.ts';
import type { SharedCache } from './shared-cache.ts';
import type { ResponseIndex } from './response-index.ts';
import type { Owners } from './owners.ts';

/** What `createResponseWrites` needs. */
export interface ResponseWritesOptions {
  readonly redis: CacheRedis;
  /** Whether Redis has no memory left for the cache. Lists still renew what is stored. */
  readonly isFull: () => boolean;
  readonly time: RedisTime;
  readonly owners: Owners;
  readonly pending: PendingWrites;
  readonly storedForMs: number;
  readonly renewMs: number;
}

const MAX_ROWS = 1_000;
const MAX_BYTES = 64 * 1_048_576;
const CHUNK = 100;
// Failures are cached briefly.
const FAILURES_STORED_FOR_MS = 600_000;
// A second list within this time confirms nothing new.
const RENEW_AFTER_MS = 1_000;

/** Creates the writes of responses to Redis. No client waits for them. */
export function createResponseWrites(options: ResponseWritesOptions): Pick<SharedCache, 'write' | 'renew'> {
  const { redis, isFull, time, owners, pending, storedForMs, renewMs } = options;

  const store = async (index: ResponseIndex, field: string, row: Omit<IndexRow, 'sealedBytes'>, text: string) => {
    const { keys } = index;
    const body = await sealText(keys, field, row.version, text);
    const complete = { ...row, sealedBytes: body.length };
    const lifeMs = row.isFailure ? Math.min(storedForMs, FAILURES_STORED_FOR_MS) : storedForMs;
    const [, isStored, ...evicted] = await redis.run(
      WRITE_SCRIPT,
      [keys.indexKey, keys.orderKey, keys.dropKey, keys.bodyKeyOf(field)],
      [field, writeRow(keys, field, complete), body, ...[lifeMs, storedForMs, MAX_ROWS, MAX_BYTES].map(String)],
    );
    if (isStored !== 1) return;
    index.set(field, complete);
    const fields = evicted.map(String);
    for (const one of fields) index.delete(one);
    await deleteBodies(redis, index.keys, fields);
  };

  const renewRows = async ({ keys }: ResponseIndex, rows: readonly (readonly [field: string, row: IndexRow])[]) => {
    for (let start = 0; start < rows.length; start += CHUNK) {
      const chunk = rows.slice(start, start + CHUNK);
      await redis.run(
        RENEW_SCRIPT,
        [keys.indexKey, keys.orderKey, ...chunk.map(([field]) => keys.bodyKeyOf(field))],
        [String(storedForMs), ...chunk.flatMap(([field, row]) => [field, writeRow(keys, field, row)])],
      );
    }
  };

  /** The state of a row after a list has shown the time of the last change; undefined: the same as before. */
  const toRenewed = (row: IndexRow, updatedAt: string, nowMs: number): IndexRow | undefined => {
    if (row.updatedAt === null || row.isOutdated) return undefined;
    if (updatedAt > row.updatedAt) return { ...row, isOutdated: true };
    const canRenew = updatedAt === row.updatedAt && nowMs - row.readAtMs <= renewMs;
    return canRenew && nowMs - row.confirmedAtMs > RENEW_AFTER_MS ? { ...row, confirmedAtMs: nowMs } : undefined;
  };

  return {
    async write(owner, target, { version, route, isList, body, heapBytes, updatedAt, sentAtMs, failureTtlMs }) {
      const readAtMs = time.nowMs();
      const sentAtRedisMs = time.toRedisMs(sentAtMs);
      if (isFull() || readAtMs === undefined || sentAtRedisMs === undefined) return;
      const isFailure = typeof body !== 'string';
      const text = isFailure ? JSON.stringify(body) : body;
      const textBytes = text.length > MAX_TEXT_BYTES ? text.length : Buffer.byteLength(text);
      if (textBytes > MAX_TEXT_BYTES) return;
      const [index] = owners.of(owner).indexes;
      const times = { sentAtMs: sentAtRedisMs, readAtMs, confirmedAtMs: readAtMs, isOutdated: false };
      const row = {
        ...{ version, route, ...times, updatedAt, heapBytes, textBytes, isFailure },
        ...(failureTtlMs !== undefined && { failureTtlMs }),
        ...(isList && !isFailure && { target }),
      };
      await pending.add(textBytes, () => store(index, index.keys.fieldOf(target), row, text));
    },

    renew(owner, listed) {
      const nowMs = time.nowMs();
      const { indexes } = owners.of(owner);
      if (nowMs === undefined || indexes.every(({ size }) => size === 0)) return;
      const renewed = new Map<ResponseIndex, (readonly [string, IndexRow])[]>();
      for (const [target, updatedAt] of listed) {
        if (updatedAt === null) continue;
        for (const index of indexes) {
          const field = index.keys.fieldOf(target);
          const before = index.get(field);
          const row = before && toRenewed(before, updatedAt, nowMs);
          if (!row) continue;
          index.set(field, row);
          renewed.set(index, [...(renewed.get(index) ?? []), [field, row]]);
        }
      }
      for (const [index, rows] of renewed) void pending.add(rows.length * CHUNK, () => renewRows(index, rows));
    },
  };
}

/** Makes the version of a new response. */
export function createVersion(): string {
  return randomBytes(9).toString('base64url');
}

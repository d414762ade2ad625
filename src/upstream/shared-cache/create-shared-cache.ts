import { createDropLog } from './drop-log.ts';
import { createKeyDrops } from './key-drops.ts';
import { createMemoryCheck } from './store/redis-memory.ts';
import { createChangesReader, startPolling } from './polling.ts';
import { createBodyReads, type ReadText } from './body-reads.ts';
import { NoReplyError, waitAtMost } from './store/bounded-wait.ts';
import type { CacheRedis } from './store/cache-redis.ts';
import type { Clock } from '../clock.ts';
import type { IndexRow } from './sealed/index-row.ts';
import { createPendingWrites } from './store/pending-writes.ts';
import { createRedisHealth } from './store/redis-health.ts';
import { createRedisTime } from './store/redis-time.ts';
import { createResponseWrites } from './response-writes.ts';
import type { Secret } from '../http/secret.ts';
import type { SharedCache, SharedResponse } from './shared-cache.ts';
import { createOwners, type OwnerState } from './owners.ts';

/** Options of `createSharedCache`. */
export interface SharedCacheOptions {
  readonly redis: CacheRedis;
  readonly clock: Clock;
  /** Base64: the secret that writes, and the one before it, which is only read. */
  readonly secrets: readonly [Secret, Secret?];
  /** How long a call waits for Redis. */
  readonly timeoutMs: number;
  /** How long responses are served without a call after they were confirmed. */
  readonly servedForMs: number;
  /** How long responses stay in Redis after they were read or confirmed. */
  readonly storedForMs: number;
  /** How long after it was read a response can be renewed by lists. */
  readonly renewMs: number;
  /** Another instance has learned that an API key is no longer valid. */
  readonly onKeyDropped: (keyHash: string) => void;
  /** While it returns false, changes of objects may be unknown, and nothing is read. Default: it is always true. */
  readonly isCurrent?: (() => boolean) | undefined;
  /** The second level is turned on or off. */
  readonly onChange: (isOn: boolean, reason: string) => void;
}

// The polls of active API keys are a second apart.
const CURRENT_MS = 2_500;
const CLOSE_MS = 250;
const START_MS = 1_000;

/** Creates the second level of the cache. Resolves after the first reply of Redis, or after it has not come in time. */
export async function createSharedCache(options: SharedCacheOptions): Promise<SharedCache> {
  const { redis, clock, timeoutMs, servedForMs, isCurrent = () => true } = options;
  const health = createRedisHealth(clock, options.onChange);
  const time = createRedisTime(clock);
  const owners = createOwners(options.secrets);
  const pending = createPendingWrites();
  const bodies = createBodyReads(redis);
  const log = createDropLog({ ...options, owners, time });
  const drops = createKeyDrops({ redis, owners, time, pending, log });
  const memory = createMemoryCheck(redis, clock);
  const writes = createResponseWrites({ ...options, owners, time, pending, isFull: memory.isFull });

  let isStarting = true;
  const waitMs = () => (isStarting ? Math.max(timeoutMs, START_MS) : timeoutMs);
  const { inTime, isOverdue } = createTimedWait(waitMs, clock, health.failed);
  const isOn = () => health.isOn() && !isOverdue();

  const readChanges = createChangesReader({ ...options, owners });
  const load = async (state: OwnerState) => {
    const isNew = state.knownAtMs === Number.NEGATIVE_INFINITY;
    await readChanges(state);
    if (isNew) await Promise.all(state.indexes.map(bodies.prefetch));
  };

  const upkeep = { log, drops, memory, readChanges };
  const stopPolling = await startPolling({ ...options, ...upkeep, owners, health, inTime });
  isStarting = false;

  const toShared = (row: IndexRow) => toSharedResponse(row, time.nowMs() ?? Number.POSITIVE_INFINITY);
  const toSharedText = ({ row, text }: ReadText) => ({ ...toShared(row), text });

  const isReadable = () => health.isOn() && isCurrent();

  return {
    isOn,
    isStoring: () => isOn() && !memory.isFull(),

    prepare(owner, hasCached) {
      if (!health.isOn()) return undefined;
      const state = owners.of(owner);
      const nowMs = clock.nowMs();
      const idleMs = nowMs - state.usedAtMs;
      state.usedAtMs = nowMs;
      if (nowMs - state.knownAtMs <= CURRENT_MS || isOverdue()) return undefined;
      state.loading ??= load(state).finally(() => (state.loading = undefined));
      const loaded = inTime(state.loading);
      // Cached responses must never wait for Redis.
      return hasCached && idleMs <= servedForMs ? undefined : loaded;
    },

    changesOf: (owner) => owners.of(owner).indexes.reduce((sum, { changes }) => sum + changes, 0),

    hasAny: (owner) => isReadable() && owners.of(owner).indexes.some(({ size }) => size > 0),

    find(owner, target) {
      const found = isReadable() ? latest(owners.of(owner), target) : undefined;
      return found && toShared(found.row);
    },

    listsOf: (owner) => (isReadable() ? listsOf(owners.of(owner)) : undefined),

    take(owner, target) {
      const found = isReadable() ? latest(owners.of(owner), target) : undefined;
      const taken = found && bodies.take(found.index, found.field);
      return taken && toSharedText(taken);
    },

    read(owner, target, use) {
      if (!isReadable() || isOverdue()) return undefined;
      const state = owners.of(owner);
      const [current] = state.indexes;
      const { index, field } = latest(state, target) ?? { index: current, field: current.keys.fieldOf(target) };
      const read = async () => {
        const sentAtMs = clock.nowMs();
        const body = await inTime(bodies.request(index, field));
        const waitedMs = clock.nowMs() - sentAtMs;
        if (body) await bodies.open(index, field, body, (text) => use(toSharedText(text)));
        return waitedMs;
      };
      return read();
    },

    write: async (owner, target, response) => {
      if (health.isOn()) await writes.write(owner, target, response);
    },
    renew(owner, listed) {
      if (health.isOn()) writes.renew(owner, listed);
    },
    dropKey: drops.dropKey,

    async close() {
      stopPolling();
      await waitAtMost(pending.settled(), CLOSE_MS, clock).catch(() => undefined);
      redis.close();
    },
  };
}

/**
 * Makes `inTime`, which waits for Redis as long as a call may, and longer before the first client comes. It returns
 * undefined, and reports the failure, if there is no reply. `isOverdue`: a reply has not come in time, and is still to
 * come. One connection has all commands, so other replies would be late, too.
 */
function createTimedWait(waitMs: () => number, clock: Clock, onFailure: (message: string) => void) {
  let overdue = 0;
  return {
    isOverdue: () => overdue > 0,
    inTime: <Value>(reply: Promise<Value>): Promise<Value | undefined> =>
      waitAtMost(reply, waitMs(), clock).catch((error: unknown) => {
        onFailure(error instanceof Error ? error.message : String(error));
        if (error instanceof NoReplyError) {
          overdue++;
          const end = () => void overdue--;
          reply.then(end, end);
        }
        return undefined;
      }),
  };
}

/** The index that has the response to the latest call of a target. */
function latest({ indexes }: OwnerState, target: string) {
  const found = indexes.flatMap((index) => {
    const field = index.keys.fieldOf(target);
    const row = index.get(field);
    return row ? [{ index, field, row }] : [];
  });
  return found.reduce<(typeof found)[number] | undefined>(
    (one, other) => (one && one.row.sentAtMs >= other.row.sentAtMs ? one : other),
    undefined,
  );
}

/** The lists of all indexes, the one to the earliest call first. */
const listsOf = ({ indexes }: OwnerState) =>
  indexes.flatMap((index) => index.lists()).toSorted((one, other) => one.sentAtMs - other.sentAtMs);

function toSharedResponse(row: IndexRow, nowMs: number): SharedResponse {
  const { version, route, sentAtMs, readAtMs, confirmedAtMs, isOutdated, updatedAt, heapBytes, isFailure } = row;
  const { failureTtlMs } = row;
  const ageOf = (atMs: number) => Math.max(0, nowMs - atMs);
  return {
    version,
    route,
    sentAgeMs: ageOf(sentAtMs),
    readAgeMs: ageOf(readAtMs),
    confirmedAgeMs: ageOf(confirmedAtMs),
    isOutdated,
    updatedAt,
    heapBytes,
    isFailure,
    ...(failureTtlMs !== undefined && { failureTtlMs }),
  };
}

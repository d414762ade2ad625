import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { BudgetRegistryOptions } from '../upstream/rate-limiter/budget-registry.ts';
import type { Clock } from '../upstream/clock.ts';
import { waitForFirstReply } from '../upstream/rate-limiter/redis/first-reply.ts';
import { observeConnection } from '../upstream/rate-limiter/redis/observed-connection.ts';
import { connectRedis, type RedisConnection } from '../upstream/rate-limiter/redis/redis-connection.ts';
import { RedisSlots } from '../upstream/rate-limiter/redis/redis-slots.ts';
import { SlotStore } from '../upstream/rate-limiter/redis/slot-store.ts';
import type { UpstreamObserver } from '../upstream/observer.ts';

// Until its first reply, Redis counts as unreachable. An operation that comes before it would be refused, or wait until
// this instance may use its fraction of the limits (75 s with the default window).
const FIRST_REPLY_TIMEOUT_MS = 1_000;

/**
 * Where slots are counted: in this `process`, because there is no `REDIS_URL`; `shared` in Redis; or, while Redis cannot
 * be reached, `local`, in this instance's part of each limit, or nowhere (`closed`): no call is made.
 */
export type LimiterMode = 'process' | 'shared' | 'local' | 'closed';

/** The slots that this instance shares with others through Redis. */
export interface SharedSlots {
  /** undefined without `REDIS_URL`: each budget then has slots of its own, in this process. */
  readonly createSlots: BudgetRegistryOptions['createSlots'];
  /** Where other scripts than those of slots can run; absent without `REDIS_URL`. */
  readonly connection?: Pick<RedisConnection, 'run'>;
  mode(): LimiterMode;
  /** Sends Redis the remaining changes and signs this instance off. Takes 250 ms at most. */
  close(): Promise<void>;
}

/**
 * Connects to Redis and waits for its first reply, one second at most. Until it replies, Redis counts as unreachable.
 * Without `REDIS_URL` there is nothing to connect to.
 *
 * @param observer - Gets the duration of each script. Default: nobody observes.
 * @throws {Error} Redis cannot be used; the message says why and is meant for the operator.
 */
export async function openSharedSlots(
  config: Config,
  logger: Logger,
  clock: Clock,
  observer?: UpstreamObserver,
): Promise<SharedSlots> {
  const { redis, budget } = config;
  if (!redis) return { createSlots: undefined, mode: () => 'process', close: async () => {} };
  const [secret] = redis.tenantSecrets;
  const connection = await connectRedis(redis.url);
  const store = new SlotStore({
    connection: observer ? observeConnection(connection, observer, clock) : connection,
    clock,
    secret,
    withoutStore: redis.withoutRedis,
    limits: budget,
    onReach(isReached, reason) {
      if (isReached) logger.info('Redis can be reached again: the budget is shared');
      else
        logger.warn({ reason, budgetWithoutRedis: redis.withoutRedis }, 'Redis cannot be reached: no slots are shared');
    },
  });
  await waitForFirstReply(store, clock, FIRST_REPLY_TIMEOUT_MS);
  const options = { ...budget, clock, processStartedAtMs: clock.nowMs() };
  return {
    connection,
    createSlots: (owner) => (onDelay) =>
      'userId' in owner
        ? new RedisSlots(store, store.toName(`user ${owner.userId}`), options, onDelay)
        : new RedisSlots(store, owner.keyHash, options, onDelay, owner.formerKeyHash),
    mode() {
      if (store.isUp()) return 'shared';
      return redis.withoutRedis === 'share' && clock.nowMs() >= store.localLimiterFromMs() ? 'local' : 'closed';
    },
    close: () => store.close(),
  };
}

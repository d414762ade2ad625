import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { BudgetRegistryOptions } from '../upstream/rate-limiter/budget-registry.ts';
import type { Clock } from '../upstream/clock.ts';
import { connectRedis } from '../upstream/rate-limiter/redis/redis-connection.ts';
import { RedisSlots } from '../upstream/rate-limiter/redis/redis-slots.ts';
import { SlotStore } from '../upstream/rate-limiter/redis/slot-store.ts';

/** The slots that this instance shares with others. */
export interface SharedSlots {
  readonly createSlots: BudgetRegistryOptions['createSlots'];
  /** Tells the store what is left to tell, and takes leave of it; a quarter of a second at most. */
  close(): Promise<void>;
}

/**
 * Connects to the store of slots.
 *
 * @returns Without `REDIS_URL` what shares nothing.
 * @throws {Error} Whose message tells people why Redis cannot be used.
 */
export async function openSharedSlots(config: Config, logger: Logger, clock: Clock): Promise<SharedSlots> {
  const { redis, budget } = config;
  if (!redis) return { createSlots: undefined, close: async () => {} };
  const [secret] = redis.tenantSecrets;
  const connection = await connectRedis(redis.url);
  const store = new SlotStore({
    connection,
    clock,
    secret,
    withoutStore: redis.withoutRedis,
    limits: budget,
    onReach(isReached, reason) {
      if (isReached) logger.info('Redis is there again: the budget is shared');
      else
        logger.warn({ reason, budgetWithoutRedis: redis.withoutRedis }, 'Redis cannot be reached: no slots are shared');
    },
  });
  const options = { ...budget, clock, processStartedAtMs: clock.nowMs() };
  return {
    createSlots: (owner) => (onDelay) =>
      'userId' in owner
        ? new RedisSlots(store, store.toName(`user ${owner.userId}`), options, onDelay)
        : new RedisSlots(store, owner.keyHash, options, onDelay, owner.formerKeyHash),
    close: () => store.close(),
  };
}

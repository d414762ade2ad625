import { afterAll, beforeAll, describe } from 'vitest';
import { RedisSlots } from '../../src/upstream/redis-slots/redis-slots.ts';
import { type RedisServer, skipsRedis, startRedis } from '../support/redis-server.ts';
import { describeSlotSource } from '../support/slot-source-conformance.ts';
import { connectVirtualRedis, type VirtualRedis } from '../support/virtual-redis.ts';

const limits = {
  general: { limit: 6, windowMs: 1_000, isCap: false },
  burst: { limit: 2, windowMs: 200 },
  reservedCalls: 1,
  maxConcurrentCalls: 4,
  coldStart: 'off',
} as const;

describe.skipIf(skipsRedis)(`Redis${skipsRedis && ` (${skipsRedis})`}`, () => {
  let server: RedisServer;
  let connection: Awaited<ReturnType<typeof connectVirtualRedis>>;
  let redis: VirtualRedis;

  beforeAll(async () => {
    server = await startRedis();
    connection = await connectVirtualRedis(server);
  });

  afterAll(async () => {
    await connection?.close();
    await server?.stop();
  });

  describe('in simulated time', () => {
    let store: ReturnType<VirtualRedis['open']>['store'];
    let names = 0;
    describeSlotSource(
      'RedisSlots',
      (clock) => (onDelay) =>
        new RedisSlots(store, `tenant ${names++}`, { ...limits, clock, processStartedAtMs: clock.nowMs() }, onDelay),
      async () => {
        redis = await connection.begin();
        ({ store } = redis.open({ limits }));
        await redis.clock.settle();
        return redis.clock;
      },
    );
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

  it('names neither keys nor calls in Redis', async () => {
    redis = await connection.begin();
    const { store } = redis.open({ limits });
    await redis.clock.settle();
    const options = { ...limits, clock: redis.clock, processStartedAtMs: 0 };
    const slots = new RedisSlots(store, store.toName('user 17'), options, () => {});
    slots.take({ routeClass: 'general', key: '/collections/17-1', virtualTime: 1, usesReserve: true }, () => {});
    slots.reserve({ routeClass: 'general', key: '/collections/17-2', virtualTime: 1, usesReserve: true }, 40, () => {});
    await redis.clock.settle();
    const keys = (await server.command('KEYS', '*')) as string[];
    const values = await Promise.all(keys.map((key) => server.command('DUMP', key)));
    expect(keys.map((key) => key.replace(/[\w-]{43}/, 'name')).sort()).toEqual([
      '{postman-graphql}:generation',
      '{postman-graphql}:instances',
      '{postman-graphql}:name:calls',
      '{postman-graphql}:name:reserved',
      '{postman-graphql}:name:state',
    ]);
    expect([...keys, ...values.map(String)].join()).not.toMatch(/collections|user/);
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

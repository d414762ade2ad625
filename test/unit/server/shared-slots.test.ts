import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/config.ts';
import { openSharedSlots } from '../../../src/server/shared-slots.ts';
import { createSystemClock } from '../../../src/upstream/clock.ts';
import { type RedisServer, skipsRedis, startRedis } from '../../support/redis-server.ts';

describe.skipIf(skipsRedis)(`Shared slots of a server that starts${skipsRedis && ` (${skipsRedis})`}`, () => {
  let redis: RedisServer;

  beforeAll(async () => {
    redis = await startRedis();
  });

  afterAll(async () => {
    await redis?.stop();
  });

  it('are open once Redis has replied, so that the first operation can use them', async () => {
    const config = parseConfig({
      REDIS_URL: redis.url,
      TENANT_SECRET: Buffer.alloc(32, 7).toString('base64'),
      POSTMAN_API_KEY: 'PMAK-1',
      COLD_START: 'off',
    });
    const sharedSlots = await openSharedSlots(config, pino({ level: 'silent' }), createSystemClock());
    try {
      const slots = sharedSlots.createSlots?.({ keyHash: 'key' })(() => {});
      expect(slots?.view.freeSlots('general').forFirstCalls).toBe(true);
    } finally {
      await sharedSlots.close();
    }
  });
});

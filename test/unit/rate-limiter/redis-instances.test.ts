import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createFairShare } from '../../../src/upstream/rate-limiter/queue/fair-share.ts';
import { createInstances, type Instances } from '../../support/instances.ts';
import { type RedisServer, skipsRedis, startRedis } from '../../support/redis-server.ts';
import { connectVirtualRedis, type VirtualRedis } from '../../support/virtual-redis.ts';

const WINDOW_MS = 60_000;
const limits = {
  general: { limit: 60, windowMs: WINDOW_MS, isCap: false },
  burst: { limit: 10, windowMs: 10_000 },
  reservedCalls: 0,
  maxConcurrentCalls: 10,
  coldStart: 'off',
} as const;

/** Numbers from 0 to below 1, the same in every run. */
function createRandom(seed: number) {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

describe.skipIf(skipsRedis)(`Instances that share one key${skipsRedis && ` (${skipsRedis})`}`, () => {
  let server: RedisServer;
  let connection: Awaited<ReturnType<typeof connectVirtualRedis>>;
  let redis: VirtualRedis;
  let instances: Instances;

  beforeAll(async () => {
    server = await startRedis();
    connection = await connectVirtualRedis(server);
  });

  beforeEach(async () => {
    redis = await connection.begin();
    const random = createRandom(3);
    instances = createInstances(redis, limits, () => 100 + 400 * random(), random);
  });

  afterAll(async () => {
    await connection?.close();
    await server?.stop();
  });

  const start = async (count: number) => {
    const started = await Promise.all(Array.from({ length: count }, () => instances.start()));
    for (const { setRoundTripMs } of started) setRoundTripMs(1);
    return started;
  };
  /** Number of calls of each operation since a moment. */
  const countSince = (sinceMs: number) => {
    const counts: Record<string, number> = {};
    for (const { name, atMs } of instances.seen) if (atMs > sinceMs) counts[name] = (counts[name] ?? 0) + 1;
    return counts;
  };
  const total = (counts: Record<string, number>) => Object.values(counts).reduce((sum, count) => sum + count, 0);

  it.each([1, 3, 10])('%i use the whole limit, never exceed it, and send few commands', async (count) => {
    const started = await start(count);
    for (const [index, instance] of started.entries()) instance.run(`operation ${index}`);
    await redis.clock.advance(WINDOW_MS);
    const [sinceMs, before] = [redis.clock.nowMs(), redis.commands()];
    await redis.clock.advance(5 * WINDOW_MS);
    const calls = total(countSince(sinceMs));
    expect(instances.over(60, WINDOW_MS)).toBe(0);
    // Compared with the possible number: a response takes 300 ms.
    expect(calls / (5 * 60 * (WINDOW_MS / (WINDOW_MS + 300)))).toBeGreaterThan(0.98);
    expect((redis.commands() - before) / calls).toBeLessThanOrEqual(count <= 3 ? 4 : 10);
  });

  it('gives every operation the same number of slots, whichever instance it runs on', async () => {
    const [a, b] = await start(3);
    a?.run('a');
    for (const name of ['b1', 'b2', 'b3']) b?.run(name);
    const sinceMs = redis.clock.nowMs();
    await redis.clock.advance(10 * WINDOW_MS);
    const counts = Object.values(countSince(sinceMs));
    expect(counts).toHaveLength(4);
    expect(Math.max(...counts) / Math.min(...counts)).toBeLessThan(1.03);
  });

  it('serves a refused call at its retry time, at the instance where it returns', async () => {
    const [a, b] = await start(2);
    if (!a || !b) throw new TypeError('Two were started');
    const { clock } = redis;
    // Others use 60 % of the budget.
    const others = async () => {
      for (;;) {
        for (const { budget } of [a, b]) {
          const call = budget.enter('general', createFairShare(), `other ${clock.nowMs()}`, () => {});
          void call.admitted.then(() => clock.schedule(clock.nowMs() + 300, () => call.settle({ windows: [] })));
        }
        await new Promise<void>((resolve) => clock.schedule(clock.nowMs() + 3_300, resolve));
      }
    };
    void others();
    let served = 0;
    let refused = 0;
    const client = async (index: number) => {
      const key = `call ${index}`;
      const share = createFairShare();
      if (a.budget.expectedSlotAtMs('general', share, key) <= clock.nowMs() + 2_000) return;
      const reportedAtMs = Math.ceil(a.budget.reserveSlotAtMs('general', share, key) / 1_000) * 1_000;
      refused++;
      await new Promise<void>((resolve) => clock.schedule(reportedAtMs + 50, resolve));
      const again = createFairShare();
      await b.budget.redeemReservation('general', again, key, clock.nowMs() + 2_000);
      if (b.budget.expectedSlotAtMs('general', again, key) > clock.nowMs() + 2_000) return;
      served++;
      const call = b.budget.enter('general', again, key, () => {});
      await call.admitted;
      clock.schedule(clock.nowMs() + 300, () => call.settle({ windows: [] }));
    };
    a.run('what fills the window', 'general', 60)();
    await clock.advance(5_000);
    for (let index = 0; index < 150; index++) {
      void client(index);
      await clock.advance(2_500);
    }
    await clock.advance(3 * WINDOW_MS);
    expect(refused).toBeGreaterThanOrEqual(30);
    expect(served / refused).toBeGreaterThanOrEqual(0.97);
  });

  it('pauses all instances after a 429 at one of them', async () => {
    const [a, b] = await start(2);
    b?.run('b');
    await redis.clock.advance(1_000);
    a?.budget.slots.pause(redis.clock.nowMs() + 30_000);
    await redis.clock.advance(6_000);
    const sinceMs = redis.clock.nowMs();
    await redis.clock.advance(23_000);
    expect(countSince(sinceMs)).toEqual({});
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RouteClass } from '../../../src/upstream/postman/route-class.ts';
import { waitForFirstReply } from '../../../src/upstream/rate-limiter/redis/first-reply.ts';
import { RedisSlots } from '../../../src/upstream/rate-limiter/redis/redis-slots.ts';
import type { SlotStore } from '../../../src/upstream/rate-limiter/redis/slot-store.ts';
import type { SlotGrant, SlotRequest } from '../../../src/upstream/rate-limiter/slot-source.ts';
import { usedHeapBytes } from '../../support/heap.ts';
import { type RedisServer, skipsRedis, startRedis } from '../../support/redis-server.ts';
import { describeSlotSource } from '../../support/slot-source-conformance.ts';
import { connectVirtualRedis, type VirtualRedis } from '../../support/virtual-redis.ts';

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

  describe('under another name', () => {
    const begin = async () => {
      redis = await connection.begin();
      const { clock } = redis;
      const stores = [redis.open({ limits }).store, redis.open({ limits }).store] as const;
      await clock.settle();
      const open = (store: SlotStore, name: string, former?: string) =>
        new RedisSlots(store, name, { ...limits, clock, processStartedAtMs: 0 }, () => {}, former);
      /** Takes all free slots, settles each at once, and counts them. */
      const drain = async (slots: RedisSlots, most = Number.POSITIVE_INFINITY) => {
        for (let count = 0; ; count++) {
          if (count === most) return count;
          let grant: SlotGrant | undefined;
          const request = { routeClass: 'general', key: 'a call', virtualTime: 1, usesReserve: true } as const;
          slots.take(request, (given) => (grant = given));
          await clock.settle();
          if (!grant) return count;
          slots.settle(grant);
        }
      };
      return { clock, stores, open, drain };
    };

    it('are shared by all keys of a user, also at an instance that does not know the user yet', async () => {
      const { clock, stores, open, drain } = await begin();
      const [here, there] = [open(stores[0], 'a key'), open(stores[1], 'a key')];
      expect([await drain(here, 1), await drain(there, 1)]).toEqual([1, 1]);
      const user = open(stores[0], 'a user');
      user.absorb(here);
      const other = open(stores[0], 'another key');
      expect(await drain(other, 1)).toBe(1);
      user.absorb(other);
      await clock.settle();
      expect(await drain(user, 1)).toBe(1);
      // It requests once under the old name; the reply says the new one.
      expect([await drain(there), await drain(there), await drain(user)]).toEqual([0, 2, 0]);
      await clock.advance(1_000);
      expect([await drain(there, 2), await drain(user)]).toEqual([2, 4]);
    });

    it('move from the name under the previous secret, also for instances that still use it', async () => {
      const { clock, stores, open, drain } = await begin();
      const before = open(stores[0], 'former');
      expect(await drain(before, 2)).toBe(2);
      const after = open(stores[1], 'current', 'former');
      expect(await drain(after, 3)).toBe(3);
      expect([await drain(before), await drain(before)]).toEqual([0, 1]);
      await clock.advance(1_000);
      expect([await drain(before, 2), await drain(after)]).toEqual([2, 4]);
    });

    it('refuse a reservation at once while they cannot be moved', async () => {
      redis = await connection.begin();
      const instance = redis.open({ limits });
      await redis.clock.settle();
      const options = { ...limits, clock: redis.clock, processStartedAtMs: 0 };
      const slots = new RedisSlots(instance.store, 'current', options, () => {}, 'former');
      instance.cut();
      const redeemed: (SlotGrant | undefined)[] = [];
      const request = { routeClass: 'general', key: 'a call', virtualTime: 1, usesReserve: true } as const;
      slots.redeem(request, (grant) => void redeemed.push(grant));
      await redis.clock.settle();
      expect(redeemed).toEqual([undefined]);
    });
  });

  describe('of an instance that stops', () => {
    const call = { routeClass: 'general', key: 'a call', virtualTime: 1, usesReserve: true } as const;
    const begin = async () => {
      redis = await connection.begin();
      const { clock } = redis;
      const [stopping, staying] = [redis.open({ limits }), redis.open({ limits })];
      await clock.settle();
      const open = ({ store }: typeof staying) =>
        new RedisSlots(store, 'a key', { ...limits, clock, processStartedAtMs: 0 }, () => {});
      const take = async (slots: RedisSlots, request: SlotRequest = call) => {
        let grant: SlotGrant | undefined;
        slots.take(request, (given) => (grant = given));
        await clock.settle();
        return grant;
      };
      return { clock, stopping, staying, here: open(stopping), there: open(staying), take };
    };

    it('are free a window after the last responses, and its part of the limits goes to the others at once', async () => {
      const { clock, stopping, staying, here, there, take } = await begin();
      const grants = [await take(here), await take(here), await take(here), await take(here)];
      for (const grant of grants) if (grant) here.settle(grant);
      await stopping.store.close();
      expect(await take(there)).toBeDefined();
      expect(staying.store.instances).toBe(1);
      expect(await take(there)).toBeDefined();
      expect(await take(there)).toBeUndefined();
      await clock.advance(limits.general.windowMs);
      expect([await take(there), await take(there)]).not.toContain(undefined);
    });

    it('are not left to calls that waited there', async () => {
      const { stopping, here, there, take } = await begin();
      await take(here, { ...call, virtualTime: 1, next: { virtualTime: 2, usesReserve: true } });
      const waits = () => server.command('HKEYS', '{postman-graphql}:a key:waits');
      expect(await waits()).toHaveLength(1);
      await stopping.store.close();
      expect(await waits()).toEqual([]);
      expect(await take(there, { ...call, virtualTime: 3 })).toBeDefined();
    });

    it('delay its stop no longer than a reply may take', async () => {
      const { clock, stopping, here, take } = await begin();
      await take(here, { ...call, next: { virtualTime: 2, usesReserve: true } });
      stopping.setRoundTripMs(60_000);
      let isClosed = false;
      const close = async () => {
        await stopping.store.close();
        isClosed = true;
      };
      void close();
      await clock.advance(200);
      expect(isClosed).toBe(false);
      await clock.advance(100);
      expect(isClosed).toBe(true);
    });
  });

  it('give back a grant whose reply was lost in the class of its call', async () => {
    redis = await connection.begin();
    const { store, setRoundTripMs } = redis.open({ limits });
    await redis.clock.settle();
    const options = { ...limits, clock: redis.clock, processStartedAtMs: 0 };
    const slots = new RedisSlots(store, 'current', options, () => {});
    const grants: (SlotGrant | undefined)[] = [];
    const take = (routeClass: RouteClass) =>
      slots.take({ routeClass, key: routeClass, virtualTime: 1, usesReserve: true }, (grant) => grants.push(grant));
    take('burst');
    await redis.clock.advance(10);
    setRoundTripMs(600);
    take('general');
    await redis.clock.advance(1_000);
    expect(grants).toEqual([expect.objectContaining({ routeClass: 'burst' }), undefined]);
    setRoundTripMs(0);
    await redis.clock.advance(2_000);
    expect(store.isUp()).toBe(true);
    expect(await redis.state('current')).toMatchObject({ 'taken:general': '1', 'taken:burst': '1' });
  });

  it('refuse to redeem a reservation if Redis is lost before the request was sent', async () => {
    redis = await connection.begin();
    const { store, cut, setRoundTripMs } = redis.open({ limits });
    await redis.clock.settle();
    setRoundTripMs(100);
    const options = { ...limits, clock: redis.clock, processStartedAtMs: 0 };
    // Nothing else is sent before the slots under the former name have been taken over.
    const slots = new RedisSlots(store, 'current', options, () => {}, 'former');
    const grants: (SlotGrant | undefined)[] = [];
    slots.redeem({ routeClass: 'general', key: 'a call', virtualTime: 1, usesReserve: true }, (grant) =>
      grants.push(grant),
    );
    await redis.clock.settle();
    cut();
    await redis.clock.advance(300);
    expect(grants).toEqual([undefined]);
  });

  describe('while the first reply of Redis is awaited', () => {
    const wait = async (isCut: boolean) => {
      redis = await connection.begin();
      const { store, cut } = redis.open({ limits });
      if (isCut) cut();
      let isOver = false;
      void waitForFirstReply(store, redis.clock, 1_000).then(() => (isOver = true));
      return { clock: redis.clock, store, isOver: () => isOver };
    };

    it('are available as soon as it is there', async () => {
      const { clock, store, isOver } = await wait(false);
      expect([isOver(), store.isUp()]).toEqual([false, false]);
      await clock.settle();
      expect([isOver(), store.isUp()]).toEqual([true, true]);
      const startedAtMs = clock.nowMs();
      await waitForFirstReply(store, clock, 1_000);
      expect(clock.nowMs()).toBe(startedAtMs);
    });

    it('hold up the start for the given time at most', async () => {
      const { clock, store, isOver } = await wait(true);
      await clock.advance(999);
      expect(isOver()).toBe(false);
      await clock.advance(1);
      expect([isOver(), store.isUp()]).toEqual([true, false]);
    });
  });

  it('take no memory for keys that are no longer used, however long Redis is unreachable', async () => {
    redis = await connection.begin();
    const { store, cut } = redis.open({ limits });
    cut();
    await redis.clock.advance(1_000);
    const options = { ...limits, clock: redis.clock, processStartedAtMs: 0 };
    const count = 2_000;
    const before = await usedHeapBytes();
    for (let index = 0; index < count; index++) {
      const slots = new RedisSlots(store, `key ${index}`, options, () => {});
      expect(slots.view.freeSlots('general').forFirstCalls).toBe(false);
    }
    expect(((await usedHeapBytes()) - before) / count).toBeLessThan(1_000);
  });

  describe('in simulated time', () => {
    let store: ReturnType<VirtualRedis['open']>['store'];
    let names = 0;
    describeSlotSource(
      'RedisSlots',
      (clock) => (onDelay) =>
        new RedisSlots(store, `key ${names++}`, { ...limits, clock, processStartedAtMs: clock.nowMs() }, onDelay),
      async () => {
        redis = await connection.begin();
        ({ store } = redis.open({ limits }));
        await redis.clock.settle();
        return redis.clock;
      },
    );
  });
});

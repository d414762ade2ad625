import { array, assert, asyncProperty, constantFrom, integer, oneof, record } from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisSlots } from '../../../src/upstream/rate-limiter/redis/redis-slots.ts';
import { LEASE_MS } from '../../../src/upstream/rate-limiter/redis/exchange.ts';
import type { RouteClass } from '../../../src/upstream/postman/route-class.ts';
import type { SlotGrant } from '../../../src/upstream/rate-limiter/slot-source.ts';
import { type RedisServer, skipsRedis, startRedis } from '../../support/redis-server.ts';
import { connectVirtualRedis, type VirtualInstance, type VirtualRedis } from '../../support/virtual-redis.ts';

const WINDOW_MS = 3_000;
const LIMIT = 20;
const BURST_WINDOW_MS = 1_000;
const BURST_LIMIT = 4;
const RUNS = Number(process.env.RUNS ?? 60);

const limits = {
  general: { limit: LIMIT, windowMs: WINDOW_MS, isCap: false },
  burst: { limit: BURST_LIMIT, windowMs: BURST_WINDOW_MS },
  reservedCalls: 1,
  maxConcurrentCalls: 15,
  coldStart: 'probe',
} as const;

/** A call. Postman may count it at any moment from its grant to its end. */
interface Call {
  readonly routeClass: RouteClass;
  readonly fromMs: number;
  toMs: number;
}

interface Simulated extends VirtualInstance {
  readonly slots: RedisSlots;
  readonly out: { readonly grant: SlotGrant; readonly call: Call }[];
  readonly reserved: SlotGrant[];
  isCut: boolean;
}

const any = integer({ min: 0, max: 4 });
const one = (weight: number, ...does: string[]) => ({
  weight,
  arbitrary: record({ does: constantFrom(...does), at: any }),
});
const wait = (weight: number, max: number) => ({
  weight,
  arbitrary: record({ does: constantFrom('wait'), at: integer({ min: 1, max }) }),
});
const calm = [
  one(30, 'take', 'take', 'burst'),
  one(10, 'settle'),
  one(4, 'giveBack', 'reserve', 'unreserve', 'redeem'),
  one(2, 'kill'),
  one(1, 'pause'),
  wait(8, 3_000),
  wait(1, 20_000),
] as const;
const withLosses = oneof(...calm, one(1, 'cut', 'mend', 'mend', 'flush', 'restart'));
const withOutages = oneof(...calm, one(3, 'cutAll', 'mendAll'), wait(2, 40_000));

/** Instances that execute the steps of a test, and the calls that Postman may have counted. */
function createModel(redis: VirtualRedis, withoutStore: 'share' | 'refuse') {
  const { clock } = redis;
  const calls: Call[] = [];
  const instances: Simulated[] = [];
  let run = 0;
  let kills = 0;
  let isCutOff = false;

  const open = async () => {
    const instance = redis.open({ limits, withoutStore }, `run ${run}`);
    await clock.settle();
    const options = { ...limits, clock, processStartedAtMs: clock.nowMs() };
    const slots = new RedisSlots(instance.store, 'the key', options, () => {});
    return { ...instance, slots, out: [], reserved: [], isCut: false } satisfies Simulated;
  };

  const ask = async (how: (done: (grant: SlotGrant | undefined) => void) => void) => {
    let answer: SlotGrant | undefined;
    how((grant) => (answer = grant));
    await clock.settle();
    return answer;
  };

  const take = async ({ slots, out }: Simulated, routeClass: RouteClass) => {
    const request = { routeClass, key: 'a call', virtualTime: 1, usesReserve: true };
    const grant = await ask((done) => slots.take(request, done));
    if (!grant) return false;
    const call = { routeClass, fromMs: clock.nowMs(), toMs: Number.POSITIVE_INFINITY };
    calls.push(call);
    out.push({ grant, call });
    return true;
  };

  const settle = ({ slots, out }: Simulated) => {
    const first = out.shift();
    if (!first) return;
    slots.settle(first.grant, { windows: [] });
    first.call.toMs = clock.nowMs();
  };

  /** Lets time pass; settles calls before their lease ends. */
  const wait = async (ms: number) => {
    for (let leftMs = ms; leftMs > 0; leftMs -= 1_000) {
      await clock.advance(Math.min(1_000, leftMs));
      for (const one of instances)
        while (one.out[0] && one.out[0].call.fromMs < clock.nowMs() - LEASE_MS + 2_000) settle(one);
    }
  };

  return {
    calls,
    instances,
    take,
    settle,
    wait,
    kills: () => kills,
    async start(count: number) {
      for (let index = 0; index < count; index++) instances.push(await open());
    },
    async does(what: string, at: number) {
      if (what === 'wait') return wait(at);
      const index = at % instances.length;
      const one = instances[index]!;
      if (what === 'take') await take(one, 'general');
      if (what === 'burst') await take(one, 'burst');
      if (what === 'settle') settle(one);
      if (what === 'pause') one.slots.pause(clock.nowMs() + 50);
      if (what === 'giveBack') {
        const first = one.out.shift();
        if (first) {
          one.slots.giveBack(first.grant);
          calls.splice(calls.indexOf(first.call), 1);
        }
      }
      const request = { routeClass: 'general', key: `call ${at}`, virtualTime: 1, usesReserve: true } as const;
      if (what === 'reserve' || what === 'redeem') {
        const grant = await ask((done) =>
          what === 'redeem' ? one.slots.redeem(request, done) : one.slots.reserve(request, 40, done),
        );
        if (grant) one.reserved.push(grant);
      }
      const reserved = what === 'unreserve' && one.reserved.shift();
      if (reserved) one.slots.giveBack(reserved);
      if (what === 'cutAll') for (const each of instances) each.cut();
      if (what === 'cutAll') isCutOff = true;
      if (what === 'mendAll' && isCutOff) {
        isCutOff = false;
        // One after the other, so that each can take slots before the next one recovers.
        for (const each of instances) {
          each.mend();
          await wait(600);
          await take(each, 'general');
          await take(each, 'general');
        }
      }
      if (what === 'kill' && !isCutOff) {
        kills++;
        // Calls that it has sent are in flight for one lease at most.
        for (const { call } of one.out) call.toMs = Math.min(call.fromMs + LEASE_MS, clock.nowMs() + LEASE_MS);
        one.cut();
        await one.store.close();
        instances[index] = await open();
      }
      if (what === 'cut') one.cut();
      if (what === 'mend') one.mend();
      if (what === 'flush' || what === 'restart') await redis.flush();
      if (what === 'restart') {
        run++;
        for (const each of instances) each.setRunId(`run ${run}`);
      }
      return undefined;
    },
    /** Most calls that one window may have counted. */
    counted: (windowMs: number, routeClass?: RouteClass) =>
      calls.filter(
        ({ fromMs, toMs, routeClass: own }) =>
          fromMs <= clock.nowMs() && toMs > clock.nowMs() - windowMs && (!routeClass || own === routeClass),
      ).length,
  };
}

describe.skipIf(skipsRedis)(`Slots that instances share in Redis${skipsRedis && ` (${skipsRedis})`}`, () => {
  let server: RedisServer;
  let connection: Awaited<ReturnType<typeof connectVirtualRedis>>;

  beforeAll(async () => {
    server = await startRedis();
    connection = await connectVirtualRedis(server);
  });

  afterAll(async () => {
    await connection?.close();
    await server?.stop();
  });

  it('are never more than there are, whatever instances do and whatever happens to them and to Redis', async () => {
    let kills = 0;
    let granted = 0;
    await assert(
      asyncProperty(
        integer({ min: 1, max: 5 }),
        array(withLosses, { minLength: 40, maxLength: 150 }),
        async (count, steps) => {
          const redis = await connection.begin();
          const model = createModel(redis, 'refuse');
          await model.start(count);
          await model.wait(7_000);
          for (const { does, at } of steps) {
            await model.does(does, at);
            expect(model.counted(WINDOW_MS)).toBeLessThanOrEqual(LIMIT);
            expect(model.counted(BURST_WINDOW_MS, 'burst')).toBeLessThanOrEqual(BURST_LIMIT);
          }
          kills += model.kills();
          granted += model.calls.length;
          // After a lease and a window all slots are free again.
          for (const one of model.instances) {
            one.mend();
            while (one.out.length > 0) model.settle(one);
            for (const grant of one.reserved) one.slots.giveBack(grant);
          }
          await model.wait(10_000);
          await model.wait(LEASE_MS + WINDOW_MS + 8_000);
          const [one] = model.instances;
          let served = 0;
          if (!one) throw new TypeError('There is always one');
          while (served <= LIMIT && (await model.take(one, 'general'))) {
            model.settle(one);
            served++;
          }
          expect(served).toBe(LIMIT);
          for (const { store } of model.instances) await store.close();
        },
      ),
      { numRuns: RUNS, seed: 11, endOnFailure: true },
    );
    // The runs contained enough grants and kills.
    expect(granted).toBeGreaterThan(10 * RUNS);
    expect(kills).toBeGreaterThan(RUNS);
  }, 3_600_000);

  it('are never more than there are while no instance can reach Redis, nor when all can again', async () => {
    let local = 0;
    await assert(
      asyncProperty(
        integer({ min: 2, max: 4 }),
        array(withOutages, { minLength: 40, maxLength: 150 }),
        async (count, steps) => {
          const redis = await connection.begin();
          const model = createModel(redis, 'share');
          await model.start(count);
          await model.wait(7_000);
          for (const { does, at } of steps) {
            const before = model.calls.length;
            await model.does(does, at);
            if (model.instances.every(({ store }) => !store.isUp())) local += Math.max(0, model.calls.length - before);
            expect(model.counted(WINDOW_MS)).toBeLessThanOrEqual(LIMIT);
            expect(model.counted(BURST_WINDOW_MS, 'burst')).toBeLessThanOrEqual(BURST_LIMIT);
          }
          for (const { store } of model.instances) await store.close();
        },
      ),
      { numRuns: RUNS, seed: 5, endOnFailure: true },
    );
    expect(local).toBeGreaterThan(RUNS);
  }, 3_600_000);
});

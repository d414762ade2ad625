import { Budget } from '../../src/upstream/rate-limiter/budget.ts';
import { RedisSlots } from '../../src/upstream/rate-limiter/redis/redis-slots.ts';
import type { SlotLimits } from '../../src/upstream/rate-limiter/redis/exchange.ts';
import type { RouteClass } from '../../src/upstream/postman/route-class.ts';
import { createFairShare } from '../../src/upstream/rate-limiter/queue/fair-share.ts';
import type { VirtualInstance, VirtualRedis } from './virtual-redis.ts';

/** A call as Postman counted it. */
export interface SeenCall {
  readonly name: string;
  readonly routeClass: RouteClass;
  readonly atMs: number;
}

/** One instance in simulated time: its store, and the budget of the only key. */
export interface Instance extends VirtualInstance {
  readonly budget: Budget;
  /** Always has so many calls of an operation waiting. Returns a function that ends it. */
  run(name: string, routeClass?: RouteClass, waiting?: number): () => void;
  /** Kills the process: only its calls in flight still arrive. */
  kill(): void;
}

/** Simulated instances with one upstream, which counts each call at some moment between sending and response. */
export interface Instances {
  readonly seen: SeenCall[];
  start(): Promise<Instance>;
  /** Number of arrivals beyond the limit in any window. */
  over(limit: number, windowMs: number, routeClass?: RouteClass): number;
}

/** @param latencyMs - Draws the latency of one call. */
export function createInstances(
  redis: VirtualRedis,
  limits: SlotLimits,
  latencyMs: () => number,
  random: () => number,
): Instances {
  const { clock } = redis;
  const seen: SeenCall[] = [];
  return {
    seen,
    async start() {
      const instance = redis.open({ limits });
      await clock.settle();
      let isGone = false;
      const options = { ...limits, clock, processStartedAtMs: clock.nowMs() };
      const budget = new Budget({
        ...options,
        createSlots: (onDelay) => new RedisSlots(instance.store, 'the key', options, onDelay),
      });
      const run: Instance['run'] = (name, routeClass = 'general', waiting = 10) => {
        const fairShare = createFairShare();
        let isOver = false;
        let calls = 0;
        const next = () => {
          const call = budget.enter(routeClass, fairShare, `${name} ${calls++}`, () => {});
          const send = async () => {
            await call.admitted;
            if (isGone) return;
            const tookMs = latencyMs();
            const arrivesMs = tookMs * random();
            clock.schedule(clock.nowMs() + arrivesMs, () => seen.push({ name, routeClass, atMs: clock.nowMs() }));
            clock.schedule(clock.nowMs() + tookMs, () => {
              if (isGone) return;
              call.settle({ windows: [] });
            });
            if (!isOver) next();
          };
          void send();
        };
        for (let index = 0; index < waiting; index++) next();
        return () => void (isOver = true);
      };
      return {
        ...instance,
        budget,
        run,
        kill() {
          isGone = true;
          instance.cut();
          void instance.store.close();
        },
      };
    },
    over(limit, windowMs, routeClass) {
      const times = seen
        .filter((call) => !routeClass || call.routeClass === routeClass)
        .map(({ atMs }) => atMs)
        .sort((a, b) => a - b);
      return times.filter((atMs, index) => (times[index - limit] ?? Number.NEGATIVE_INFINITY) > atMs - windowMs).length;
    },
  };
}

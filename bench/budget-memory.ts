/**
 * Measures the heap size of a key's budget, unused and busy, with slots in this process and in Redis. Also measures how
 * long the cache takes to evict an entry when many keys have entries.
 * `npm run bench:budget-memory -- [budgets] [keys]`, by default 5000 and 50000. Needs `redis-server`.
 */
import { createResponseStore } from '../src/upstream/cache/response-store.ts';
import { Budget, type BudgetOptions } from '../src/upstream/rate-limiter/budget.ts';
import { createSystemClock } from '../src/upstream/clock.ts';
import { connectRedis } from '../src/upstream/rate-limiter/redis/redis-connection.ts';
import { RedisSlots } from '../src/upstream/rate-limiter/redis/redis-slots.ts';
import { SlotStore } from '../src/upstream/rate-limiter/redis/slot-store.ts';
import { Secret } from '../src/upstream/http/secret.ts';
import { createFairShare } from '../src/upstream/rate-limiter/queue/fair-share.ts';
import { usedHeapBytes } from '../test/support/heap.ts';
import { startRedis } from '../test/support/redis-server.ts';

const [budgets = 5_000, keyCount = 50_000] = process.argv.slice(2).map(Number);
const CALLS = 60;
const clock = createSystemClock();
const options: BudgetOptions = {
  general: { limit: 60, windowMs: 60_000, isCap: false },
  burst: { limit: 10, windowMs: 10_000 },
  reservedCalls: 5,
  maxConcurrentCalls: 10,
  coldStart: 'off',
  processStartedAtMs: clock.nowMs(),
  clock,
};

async function use(budget: Budget, calls: number) {
  for (let index = 0; index < calls; index++) {
    const call = budget.enter('general', createFairShare(), `call ${index}`, () => {});
    await call.admitted;
    call.settle({ windows: [] });
  }
}

/** Measures the bytes of one budget before its first call, after it, and after a window full of calls. */
async function measure(create: (index: number) => Budget) {
  const before = await usedHeapBytes();
  const made: Budget[] = [];
  const bytes: number[] = [];
  const weigh = async () => bytes.push(Math.round(((await usedHeapBytes()) - before) / budgets));
  for (let index = 0; index < budgets; index++) made.push(create(index));
  await weigh();
  for (const calls of [1, CALLS - 1]) {
    // Run enough at a time that round trips overlap.
    for (let from = 0; from < made.length; from += 100)
      await Promise.all(made.slice(from, from + 100).map((budget) => use(budget, calls)));
    await weigh();
  }
  made.length = 0;
  return bytes;
}

const redis = await startRedis();
const store = new SlotStore({
  connection: await connectRedis(new Secret(redis.url)),
  clock,
  secret: new Secret('s'.repeat(44)),
  withoutStore: 'share',
  limits: options,
  onReach: () => {},
});
const usedMemory = async () => Number(/used_memory:(\d+)/.exec(String(await redis.command('INFO', 'memory')))?.[1]);

console.log(`| bytes a budget, of ${budgets} | made | one call | ${CALLS} calls |`);
console.log('| --- | --- | --- | --- |');
console.log(`| slots of this process | ${(await measure(() => new Budget(options))).join(' | ')} |`);
const redisBefore = await usedMemory();
const createSlots = (index: number) => (onDelay: () => void) =>
  new RedisSlots(store, store.toName(String(index)), options, onDelay);
const shared = await measure((index) => new Budget({ ...options, createSlots: createSlots(index) }));
console.log(`| slots in Redis | ${shared.join(' | ')} |`);
console.log(`| of those in Redis itself | | | ${Math.round(((await usedMemory()) - redisBefore) / budgets)} |`);
await store.close();
await redis.stop();

// Two entries per key fill the cache. Each further entry evicts one.
const responseStore = createResponseStore<{ readonly bytes: number }, never>(keyCount * 2 * 2_048);
const fill = (round: number) => {
  const startedMs = performance.now();
  for (let index = 0; index < keyCount; index++)
    responseStore.set(`tenant ${index}`, `/me ${round}`, { bytes: 1_000 + (index % 7) });
  return ((performance.now() - startedMs) / keyCount) * 1_000;
};
const [first, second, third] = [fill(1), fill(2), fill(3)];
console.log(
  `\nAn entry in a cache of ${keyCount} keys: ${first.toFixed(1)}, ${second.toFixed(1)} µs with room, ${third.toFixed(1)} µs with an eviction`,
);

/**
 * Shares slots on a Redis Cluster of three nodes on loopback. Prints where the keys are, and the result of an instance
 * that connects to a node without them. `npm run bench:redis-cluster`. Needs `redis-server` 7 or newer. Exits with 1 if
 * the keys of a budget are on more than one node.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createSystemClock } from '../src/upstream/clock.ts';
import { keysOf } from '../src/upstream/rate-limiter/redis/exchange.ts';
import { connectRedis } from '../src/upstream/rate-limiter/redis/redis-connection.ts';
import { RedisSlots } from '../src/upstream/rate-limiter/redis/redis-slots.ts';
import { SlotStore } from '../src/upstream/rate-limiter/redis/slot-store.ts';
import { Secret } from '../src/upstream/http/secret.ts';
import type { SlotGrant } from '../src/upstream/rate-limiter/slot-source.ts';
import { startRedis } from '../test/support/redis-server.ts';

const BUDGETS = 100;
const SLOTS = 16_384;
const clock = createSystemClock();
const limits = {
  general: { limit: 60, windowMs: 60_000, isCap: false },
  burst: { limit: 10, windowMs: 10_000 },
  reservedCalls: 5,
  maxConcurrentCalls: 10,
  coldStart: 'off',
} as const;

const nodes = await Promise.all([0, 1, 2].map(() => startRedis('--cluster-enabled', 'yes')));
const [first] = nodes;
for (const [index, node] of nodes.entries()) {
  const range = [Math.floor((SLOTS * index) / 3), Math.floor((SLOTS * (index + 1)) / 3) - 1].map(String);
  await node.command('CLUSTER', 'ADDSLOTSRANGE', ...range);
  await first?.command('CLUSTER', 'MEET', '127.0.0.1', String(node.port));
}
const isReady = async () => {
  const infos = await Promise.all(nodes.map((node) => node.command('CLUSTER', 'INFO')));
  return infos.every(
    (info) => String(info).includes('cluster_state:ok') && String(info).includes('cluster_known_nodes:3'),
  );
};
while (!(await isReady())) await sleep(100);

/** Connects one instance to one node, and takes and settles a slot of many keys. */
async function useSlots(url: string): Promise<string> {
  const lost = { reason: '' };
  const store = new SlotStore({
    connection: await connectRedis(new Secret(url)),
    clock,
    secret: new Secret('s'.repeat(44)),
    withoutStore: 'refuse',
    limits,
    onReach: (_, reason) => (lost.reason = reason),
  });
  while (!store.isUp() && lost.reason === '') await sleep(50);
  let granted = 0;
  for (let index = 0; index < BUDGETS; index++) {
    const options = { ...limits, clock, processStartedAtMs: clock.nowMs() };
    const slots = new RedisSlots(store, store.toName(`key ${index}`), options, () => {});
    const request = { routeClass: 'burst', key: 'a call', virtualTime: 1, usesReserve: true } as const;
    const grant = await new Promise<SlotGrant | undefined>((resolve) => slots.take(request, resolve));
    if (grant) slots.settle(grant);
    if (grant) granted++;
  }
  await store.close();
  return `${granted} slots granted${lost.reason && `; ${lost.reason.replace(/:\d+$/, '')}`}`;
}

const names = Array.from({ length: BUDGETS }, (_, index) => `key ${index}`);
const hashed = await Promise.all(
  names.flatMap(keysOf).map(async (key) => Number(await first?.command('CLUSTER', 'KEYSLOT', key))),
);
console.log(`${hashed.length} keys of ${BUDGETS} budgets hash to ${new Set(hashed).size} slot of ${SLOTS}`);
for (const [index, node] of nodes.entries())
  console.log(`an instance at node ${index + 1}: ${await useSlots(node.url)}`);
const sizes = await Promise.all(nodes.map((node) => node.command('DBSIZE')));
console.log(`keys on each node: ${sizes.join(', ')}`);
process.exitCode = new Set(hashed).size === 1 && sizes.filter((size) => Number(size) > 0).length === 1 ? 0 : 1;
for (const node of nodes) await node.stop();

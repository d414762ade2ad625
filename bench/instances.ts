/**
 * Measures several instances that use one key: how much of the budget they use, and what that costs.
 *
 * - `npm run bench:instances -- [seconds]`: in simulated time with a real Redis, then as processes. By default 60 s per
 *   measurement.
 * - `-- processes [seconds] [window]`: as processes only. The window is in seconds, by default 10.
 * - `-- chaos [minutes]`: three processes through kills, pauses and losses of Redis, by default for 10 minutes, then
 *   with one process cut off from Redis.
 *
 * Needs `redis-server`. Exits with 1 if a call exceeded a limit or was refused.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startSandbox } from '../src/sandbox/sandbox.ts';
import type { RouteClass } from '../src/upstream/postman/route-class.ts';
import { createInstances } from '../test/support/instances.ts';
import type { Limits } from '../test/support/instances-under-load.ts';
import { startRedis } from '../test/support/redis-server.ts';
import { connectVirtualRedis } from '../test/support/virtual-redis.ts';
import { runChaos, runCutOff } from './instances-chaos.ts';
import { judge, latency, scriptsOf, startLoaded } from './instances-load.ts';

const MINUTE_MS = 60_000;
const MINUTES = 10;
const LATENCY_MS = 300;
const simulated = {
  general: { limit: 60, windowMs: MINUTE_MS, isCap: false },
  burst: { limit: 10, windowMs: 10_000 },
  reservedCalls: 0,
  maxConcurrentCalls: 10,
  coldStart: 'off',
} as const;
const [first, second, third] = process.argv.slice(2);
const real: Limits = {
  general: { limit: 60, windowMs: Number(third ?? 10) * 1_000 },
  burst: { limit: 1_000, windowMs: 1_000 },
};

const percent = (part: number) => `${(100 * part).toFixed(2)} %`;
let over = 0;

type VirtualConnection = Awaited<ReturnType<typeof connectVirtualRedis>>;

/** Runs instances whose demand exceeds the budget, for ten minutes of simulated time. */
async function simulate(
  connection: VirtualConnection,
  label: string,
  operations: readonly (readonly string[])[],
  roundTripMs: number,
) {
  const redis = await connection.begin();
  const latencyMs = () => LATENCY_MS * (1 / 3 + (4 / 3) * Math.random());
  const instances = createInstances(redis, simulated, latencyMs, Math.random);
  for (const names of operations) {
    const instance = await instances.start();
    instance.setRoundTripMs(roundTripMs);
    for (const name of names) instance.run(name, name.startsWith('burst') ? 'burst' : ('general' satisfies RouteClass));
  }
  await redis.clock.advance(MINUTE_MS);
  const [sinceMs, before] = [redis.clock.nowMs(), redis.commands()];
  await redis.clock.advance(MINUTES * MINUTE_MS);
  const counts: Record<string, number> = {};
  for (const { name, atMs } of instances.seen) if (atMs > sinceMs) counts[name] = (counts[name] ?? 0) + 1;
  const calls = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const tooMany = instances.over(60, MINUTE_MS) + instances.over(10, 10_000, 'burst');
  over += tooMany;
  // A slot is used again after a window and a response at the earliest.
  const times = instances.seen.map(({ atMs }) => atMs).filter((atMs) => atMs > sinceMs);
  const cycles = times.slice(60).map((atMs, index) => atMs - (times[index] ?? 0));
  const use = ((MINUTE_MS + LATENCY_MS) * cycles.length) / cycles.reduce((sum, ms) => sum + ms, 0);
  const each = operations.flat().map((name) => counts[name] ?? 0);
  console.log(
    `| ${label} | ${tooMany} | ${percent(use)} | ${((redis.commands() - before) / calls).toFixed(2)} | ${each.join(' ')} |`,
  );
}

/** Runs processes whose clients have a demand above the budget, or a small one. */
async function run(seconds: number, label: string, servers: number, withRedis: boolean, isIdle = false) {
  const redis = withRedis ? await startRedis() : undefined;
  const postman = await startSandbox({ limits: real, latency });
  const loaded = await startLoaded(redis, postman, real, {
    servers,
    clients: isIdle ? 1 : 12,
    pauseMs: isIdle ? 1_000 : 0,
    environmentOf: () => ({ BURST_LIMIT: '0' }),
  });
  await sleep(2 * real.general.windowMs);
  const [fromMs, before] = [performance.now(), redis ? await scriptsOf(redis) : 0];
  await sleep(seconds * 1_000);
  const toMs = performance.now();
  const scripts = redis ? (await scriptsOf(redis)) - before : 0;
  await loaded.stop();
  const { calls, over: tooMany, refused, use } = judge(postman.arrivals, real, fromMs, toMs);
  over += tooMany + refused;
  const commands = redis ? (scripts / calls).toFixed(2) : '';
  console.log(`| ${label} | ${calls} | ${tooMany} | ${refused} | ${isIdle ? '' : percent(use)} | ${commands} |`);
  await postman.close();
  await redis?.stop();
}

async function runSimulated() {
  const redis = await startRedis();
  const connection = await connectVirtualRedis(redis);
  console.log(
    '| simulated, 60 calls in 60 s | over | use of the possible | commands a call | calls of each operation |',
  );
  console.log('| --- | --- | --- | --- | --- |');
  const ten = Array.from({ length: 10 }, (_, index) => [`operation ${index}`]);
  await simulate(connection, '1 instance, Redis 1 ms away', [['a']], 1);
  await simulate(connection, '3 instances', [['a'], ['b'], ['c']], 1);
  await simulate(connection, '10 instances', ten, 1);
  await simulate(connection, '3 instances with 1, 3 and no operations', [['a'], ['b', 'c', 'd'], []], 1);
  await simulate(connection, '3 instances, one of them with the burst class', [['a'], ['burst'], ['c']], 1);
  await simulate(connection, '3 instances, Redis 50 ms away', [['a'], ['b'], ['c']], 50);
  await connection.close();
  await redis.stop();
}

async function runProcesses(seconds: number) {
  console.log(
    `\n| processes, 60 calls in ${real.general.windowMs / 1_000} s | calls | over | 429 | use of the possible | commands a call |`,
  );
  console.log('| --- | --- | --- | --- | --- | --- |');
  // Run both at the same time, so that other load on the machine affects both.
  await Promise.all([run(seconds, '1 without Redis', 1, false), run(seconds, '1 with Redis', 1, true)]);
  await run(seconds, '3 with Redis', 3, true);
  await run(seconds, '3 with Redis, far from saturated', 3, true, true);
}

if (first === 'chaos') {
  over += await runChaos(Number(second ?? 10));
  console.log('\n| without Redis for 45 s | calls of all | most beyond the limit in a window |');
  console.log('| --- | --- | --- |');
  for (const withoutRedis of ['share', 'refuse'] as const) await runCutOff(withoutRedis);
} else if (first === 'processes') {
  await runProcesses(Number(second ?? 60));
} else {
  await runSimulated();
  await runProcesses(Number(first ?? 60));
}
process.exitCode = over === 0 ? 0 : 1;

/**
 * Several instances with one key, in simulated time before a real Redis and as processes: prints what they make of the budget, and what that costs.
 * `npm run bench:instances -- [seconds]`, by default 60 for each measurement of processes. Needs `redis-server`; ends with status 1 if a call came above
 * a limit or was refused.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startSandbox } from '../src/sandbox/sandbox.ts';
import type { RouteClass } from '../src/upstream/share.ts';
import { createInstances } from '../test/support/instances.ts';
import { type Limits, tooClose } from '../test/support/instances-under-load.ts';
import { startRedis } from '../test/support/redis-server.ts';
import { connectVirtualRedis } from '../test/support/virtual-redis.ts';
import { startProgram } from './program.ts';

const [seconds = 60] = process.argv.slice(2).map(Number);
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
const real: Limits = { general: { limit: 60, windowMs: 10_000 }, burst: { limit: 1_000, windowMs: 1_000 } };

const percent = (part: number) => `${(100 * part).toFixed(2)} %`;
let over = 0;

/** Instances that want more than there is, for ten minutes of simulated time. */
async function simulate(label: string, operations: readonly (readonly string[])[], roundTripMs: number) {
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
  // How long the same slot takes to be used again: no less than a window and an answer.
  const times = instances.seen.map(({ atMs }) => atMs).filter((atMs) => atMs > sinceMs);
  const cycles = times.slice(60).map((atMs, index) => atMs - (times[index] ?? 0));
  const use = ((MINUTE_MS + LATENCY_MS) * cycles.length) / cycles.reduce((sum, ms) => sum + ms, 0);
  const each = operations.flat().map((name) => counts[name] ?? 0);
  console.log(
    `| ${label} | ${tooMany} | ${percent(use)} | ${((redis.commands() - before) / calls).toFixed(2)} | ${each.join(' ')} |`,
  );
}

/** Processes whose clients want more than there is. */
async function run(label: string, count: number, withRedis: boolean) {
  const server = withRedis ? await startRedis() : undefined;
  const postman = await startSandbox({
    limits: real,
    latency: () => ({ requestMs: 20 + 60 * Math.random(), answerMs: 20 + 60 * Math.random() }),
  });
  const programs = await Promise.all(
    Array.from({ length: count }, () =>
      startProgram({
        POSTMAN_API_BASE_URL: postman.origin,
        POSTMAN_API_KEY: postman.apiKey,
        RATE_LIMIT: String(real.general.limit),
        RATE_LIMIT_WINDOW_MS: String(real.general.windowMs),
        BURST_LIMIT: '0',
        RESERVED_CALLS: '0',
        ...(server && { REDIS_URL: server.url, TENANT_SECRET: Buffer.alloc(32, 7).toString('base64') }),
      }),
    ),
  );
  const load = { isOver: false, asked: 0 };
  const client = async (port: number) => {
    while (!load.isOver) {
      const query = `{ environment(uid: "1-none-${load.asked++}") { name } }`;
      const request = {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      };
      await fetch(`http://127.0.0.1:${port}/graphql`, request).then(
        (response) => response.text(),
        () => sleep(100),
      );
    }
  };
  const clients = programs.flatMap(({ port }) => Array.from({ length: 12 }, () => client(port)));
  await sleep(2 * real.general.windowMs);
  const commandsNow = async () =>
    Number(/total_commands_processed:(\d+)/.exec(String(await server?.command('INFO', 'stats')))?.[1] ?? 0);
  const [from, before] = [postman.arrivals.length, await commandsNow()];
  await sleep(seconds * 1_000);
  const calls = postman.arrivals.length - from;
  // Commands inside of scripts are counted by Redis, too: those of instances are the calls of EVALSHA.
  const scripts = Number(
    /cmdstat_evalsha:calls=(\d+)/.exec(String(await server?.command('INFO', 'commandstats')))?.[1] ?? 0,
  );
  load.isOver = true;
  for (const { child } of programs) child.kill('SIGKILL');
  await Promise.all(clients);
  const tooMany = tooClose(postman.arrivals, real.general).length;
  const refused = postman.arrivals.filter(({ status }) => status === 429).length;
  over += tooMany + refused;
  const possible = ((seconds * 1_000) / (real.general.windowMs + 100)) * real.general.limit;
  console.log(
    `| ${label} | ${tooMany} | ${refused} | ${percent(calls / possible)} | ${before === 0 ? '' : (scripts / postman.arrivals.length).toFixed(2)} |`,
  );
  await postman.close();
  await server?.stop();
}

const redisServer = await startRedis();
const connection = await connectVirtualRedis(redisServer);
console.log('| simulated, 60 calls in 60 s | over | use of the possible | commands a call | calls of each operation |');
console.log('| --- | --- | --- | --- | --- |');
await simulate('1 instance, Redis 1 ms away', [['a']], 1);
await simulate('3 instances', [['a'], ['b'], ['c']], 1);
await simulate(
  '10 instances',
  Array.from({ length: 10 }, (_, index) => [`operation ${index}`]),
  1,
);
await simulate('3 instances with 1, 3 and no operations', [['a'], ['b', 'c', 'd'], []], 1);
await simulate('3 instances, one of them with the burst class', [['a'], ['burst'], ['c']], 1);
await simulate('3 instances, Redis 50 ms away', [['a'], ['b'], ['c']], 50);
await connection.close();
await redisServer.stop();

console.log('\n| processes, 60 calls in 10 s | over | 429 | use of the possible | commands a call |');
console.log('| --- | --- | --- | --- | --- |');
await run('1 without Redis', 1, false);
await run('1 with Redis', 1, true);
await run('3 with Redis', 3, true);
process.exitCode = over === 0 ? 0 : 1;

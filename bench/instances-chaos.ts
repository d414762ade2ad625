import { createServer, connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import { startSandbox } from '../src/sandbox/sandbox.ts';
import { type RedisServer, startRedis } from '../test/support/redis-server.ts';
import { judge, latency, type LoadedServers, scriptsOf, startLoaded } from './instances-load.ts';

// Postman's limits, ten times as fast.
const limits = { general: { limit: 60, windowMs: 6_000 }, burst: { limit: 10, windowMs: 1_000 } };
const load = { servers: 3, clients: 8, pauseMs: 0, burstEvery: 8 };

type Step = readonly [name: string, run: (servers: LoadedServers, redis: RedisServer) => Promise<unknown>];

const repeated = async (count: number, run: (index: number) => Promise<unknown>) => {
  for (let index = 0; index < count; index++) await run(index);
};

const steps: readonly Step[] = [
  ['calm', () => sleep(24_000)],
  [
    'an instance is killed, eight times',
    (servers) =>
      repeated(8, async (index) => {
        await servers.replace(index % 3, 'SIGKILL');
        await sleep(3_000);
      }),
  ],
  [
    'an instance stands still for 2.5 s, four times',
    ({ programs }) =>
      repeated(4, async (index) => {
        programs[index % 3]?.child.kill('SIGSTOP');
        await sleep(2_500);
        programs[index % 3]?.child.kill('SIGCONT');
        await sleep(2_500);
      }),
  ],
  [
    'each is replaced with SIGTERM',
    (servers) =>
      repeated(3, async (index) => {
        await servers.replace(index, 'SIGTERM');
        await sleep(2_000);
      }),
  ],
  [
    'FLUSHALL',
    async (_, redis) => {
      await redis.command('FLUSHALL');
      await sleep(28_000);
    },
  ],
  [
    'Redis stands still for 35 s',
    async (_, redis) => {
      redis.child().kill('SIGSTOP');
      await sleep(35_000);
    },
  ],
  [
    'after that',
    async (_, redis) => {
      redis.child().kill('SIGCONT');
      await sleep(28_000);
    },
  ],
  [
    'Redis is killed, and back after 2 s without data',
    async (_, redis) => {
      redis.child().kill('SIGKILL');
      await sleep(2_000);
      await redis.restart();
      await sleep(30_000);
    },
  ],
];

/**
 * Runs three real servers in front of a sandbox that judges them, through every failure of the servers and of Redis.
 * Runs for the given minutes, and until each failure has happened equally often. Prints a table.
 *
 * @returns The calls over the limit, and the refused calls.
 */
export async function runChaos(minutes: number): Promise<number> {
  const redis = await startRedis();
  const postman = await startSandbox({ limits, latency });
  const servers = await startLoaded(redis, postman, limits, load);
  await sleep(2 * limits.general.windowMs);
  const phases: { name: string; fromMs: number; scripts: number }[] = [];
  const startedMs = performance.now();
  const note = async (name: string) =>
    phases.push({ name, fromMs: performance.now(), scripts: name === 'calm' ? await scriptsOf(redis) : 0 });
  let calmScripts = 0;
  while (performance.now() - startedMs < minutes * 60_000) {
    for (const [name, run] of steps) {
      const from = await note(name).then(() => phases.at(-1));
      await run(servers, redis);
      if (name === 'calm') calmScripts += (await scriptsOf(redis)) - (from?.scripts ?? 0);
    }
  }
  const endedMs = performance.now();
  await servers.stop();
  console.log(
    '| three processes, 60 calls in 6 s and 10 in 1 s | s | calls | over the limit | 429 | use of the possible |',
  );
  console.log('| --- | --- | --- | --- | --- | --- |');
  let calmCalls = 0;
  for (const [name] of steps) {
    let [seconds, calls, over, refused] = [0, 0, 0, 0];
    const uses: number[] = [];
    for (const [index, phase] of phases.entries()) {
      if (phase.name !== name) continue;
      const toMs = phases[index + 1]?.fromMs ?? endedMs;
      const seen = judge(postman.arrivals, limits, phase.fromMs, toMs);
      seconds += (toMs - phase.fromMs) / 1_000;
      calls += seen.calls;
      over += seen.over;
      refused += seen.refused;
      uses.push(seen.use);
    }
    if (name === 'calm') calmCalls = calls;
    const use =
      name === 'calm' ? `${((100 * uses.reduce((sum, one) => sum + one, 0)) / uses.length).toFixed(1)} %` : '';
    console.log(`| ${name} | ${seconds.toFixed(0)} | ${calls} | ${over} | ${refused} | ${use} |`);
  }
  const all = judge(postman.arrivals, limits, 0);
  console.log(
    `| all | ${((endedMs - startedMs) / 1_000).toFixed(0)} | ${all.calls} | ${all.over} | ${all.refused} | |`,
  );
  console.log(`\n${(calmScripts / calmCalls).toFixed(2)} commands a call while calm`);
  await postman.close();
  await redis.stop();
  return all.over + all.refused;
}

/** A connection to Redis that can be cut. */
async function startCuttable(port: number) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const other = connect(port, '127.0.0.1');
    for (const one of [socket, other]) {
      sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => sockets.delete(one));
    }
    socket.pipe(other).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Cuts one of three instances off from Redis for 45 s. Prints the number of calls over the limit. */
export async function runCutOff(withoutRedis: 'share' | 'refuse'): Promise<void> {
  const redis = await startRedis();
  const way = await startCuttable(redis.port);
  const postman = await startSandbox({ limits: { ...limits, general: { ...limits.general, limit: 1_000 } }, latency });
  const environmentOf = (index: number): Record<string, string> =>
    index === 0 ? { REDIS_URL: way.url, BUDGET_WITHOUT_REDIS: withoutRedis } : {};
  const servers = await startLoaded(redis, postman, limits, { ...load, environmentOf, burstEvery: 1_000_000 });
  await sleep(2 * limits.general.windowMs);
  way.cut();
  const cutMs = performance.now();
  await sleep(45_000);
  await servers.stop();
  const { calls, mostOver } = judge(postman.arrivals, limits, cutMs);
  console.log(`| one of three cut off, ${withoutRedis} | ${calls} | ${mostOver} |`);
  await postman.close();
  await redis.stop();
}

import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Arrival, type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { startServer } from '../../src/server.ts';
import { parseConfig } from '../../src/config/config.ts';
import { createBuiltServer } from '../support/built-server.ts';
import {
  type InstancesUnderLoad,
  instanceEnvironment,
  isBurst,
  startUnderLoad,
  tooClose,
} from '../support/instances-under-load.ts';
import { startFacade } from '../support/facade.ts';
import { findPort, type RedisServer, skipsRedis, startRedis } from '../support/redis-server.ts';

const built = createBuiltServer('instances-test');
const limits = { general: { limit: 30, windowMs: 3_000 }, burst: { limit: 5, windowMs: 1_000 } };
const [one, two, three] = [0, 1, 2];

const secret = Buffer.alloc(32, 7).toString('base64');

describe.skipIf(skipsRedis)(`One instance with Redis${skipsRedis && ` (${skipsRedis})`}`, () => {
  it('serves cached data without Redis, also while Redis does not respond', async () => {
    const redis = await startRedis();
    const facade = await startFacade({ REDIS_URL: redis.url, CACHE_REDIS_URL: 'off', TENANT_SECRET: secret });
    const scripts = async () =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(String(await redis.command('INFO', 'commandstats')))?.[1]);
    try {
      const first = await facade.query('{ me { username } }');
      const second = await facade.query('{ me { username } }');
      expect([first.errors, first.upstream.calls, second.data, second.upstream.calls]).toEqual([[], 1, first.data, 0]);
      // The call of the first query may still be reported to Redis meanwhile.
      const scriptsOfQuery = async () => {
        const before = await scripts();
        await facade.query('{ me { username } }');
        return (await scripts()) - before;
      };
      await expect.poll(scriptsOfQuery).toBe(0);
      redis.child().kill('SIGSTOP');
      const third = await facade.query('{ me { username } }');
      expect([third.data, third.errors, facade.postman.calls]).toEqual([first.data, [], ['GET /me']]);
    } finally {
      await facade.close();
      await redis.stop();
    }
  });

  it('does not start if Redis may evict keys or does not respond, and says so without the password', async () => {
    const redis = await startRedis('--maxmemory-policy', 'allkeys-lru');
    const start = async (url: string) => {
      const config = { PORT: '0', REDIS_URL: url, TENANT_SECRET: secret, POSTMAN_API_KEY: 'PMAK-1' };
      return startServer(parseConfig(config), pino({ level: 'silent' })).catch(String);
    };
    expect(await start(redis.url)).toBe(
      'Error: REDIS_URL names a Redis that may forget slots in use: its maxmemory-policy is allkeys-lru; allowed: noeviction',
    );
    await redis.stop();
    expect(await start(redis.url.replace('//', '//user:hidden@'))).toBe(
      'Error: REDIS_URL names a Redis that cannot be reached: ECONNREFUSED',
    );
  });
});

describe.skipIf(skipsRedis)(`Three instances with one key and one Redis${skipsRedis && ` (${skipsRedis})`}`, () => {
  let redis: RedisServer;
  let postman: Sandbox;
  let instances: InstancesUnderLoad;

  beforeAll(async () => {
    built.build();
    redis = await startRedis();
    postman = await startSandbox({
      limits,
      latency: () => ({ requestMs: Math.random() * 40, responseMs: Math.random() * 40 }),
    });
    instances = await startUnderLoad(built, instanceEnvironment(redis, postman, limits), 3, 8);
  });

  afterAll(async () => {
    built.remove();
    await postman?.close();
    await redis?.stop();
  });

  it('reach Redis over TLS, if they trust its certificate', async () => {
    const certificate = fileURLToPath(new URL('../support/redis.test.pem', import.meta.url));
    const port = String(await findPort());
    const files = ['--tls-cert-file', certificate, '--tls-key-file', certificate, '--tls-ca-cert-file', certificate];
    const secured = await startRedis('--tls-port', port, ...files, '--tls-auth-clients', 'no');
    const account = await startSandbox();
    const environment = {
      ...instanceEnvironment(secured, account, limits),
      REDIS_URL: `rediss://127.0.0.1:${port}`,
      COLD_START: 'off',
    };
    try {
      const server = await built.start({ ...environment, NODE_EXTRA_CA_CERTS: certificate });
      const response = await fetch(server.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"query":"{ me { username } }"}',
      });
      expect(await response.json()).toMatchObject({ data: { me: { username: expect.any(String) } } });
      expect(await secured.command('EXISTS', '{postman-graphql}:generation')).toBe(1);
      expect(await server.stop()).toBe(0);
      expect(await secured.command('ZCARD', '{postman-graphql}:instances')).toBe(0);
      await expect(built.start(environment)).rejects.toThrow('cannot be reached: DEPTH_ZERO_SELF_SIGNED_CERT');
    } finally {
      await account.close();
      await secured.stop();
    }
  }, 60_000);

  const phases: [name: string, atMs: number][] = [];
  const begin = (name: string) => phases.push([name, performance.now()]);
  const phaseOf = ({ atMs }: Arrival) => phases.findLast(([, sinceMs]) => sinceMs <= atMs)?.[0];
  const arrived = () => postman.arrivals.length;
  /** Waits until upstream has received that many more calls. */
  const served = async (count: number) => {
    const from = arrived();
    await expect.poll(arrived, { interval: 50 }).toBeGreaterThan(from + count);
  };
  const lines = () => instances.servers.map((server) => server.stderr().match(/"msg":"Redis[^"]*"/g) ?? []);

  it('use all slots, and never more, through kills, pauses and losses of Redis', async () => {
    begin('calm');
    await served(60);
    begin('kills');
    for (const index of [one, two, three, one]) {
      await instances.replace(index);
      await served(10);
    }
    begin('a process that stands still');
    instances.servers[two]?.child.kill('SIGSTOP');
    await sleep(2_500);
    instances.servers[two]?.child.kill('SIGCONT');
    await served(30);
    begin('FLUSHALL');
    await redis.command('FLUSHALL');
    await served(60);
    expect(lines()).toEqual([[], [], []]);

    begin('a Redis that stands still');
    redis.child().kill('SIGSTOP');
    // Long enough for every instance to use its fraction of the limits.
    await sleep(6_000);
    await served(15);
    begin('after it');
    redis.child().kill('SIGCONT');
    await served(60);
    const [told] = lines();
    expect(told).toEqual([
      '"msg":"Redis cannot be reached: no slots are shared"',
      '"msg":"Redis can be reached again: the budget is shared"',
    ]);

    begin('a Redis that is killed');
    redis.child().kill('SIGKILL');
    await sleep(500);
    await redis.restart();
    await served(60);
    await instances.stop();

    const { arrivals } = postman;
    expect({
      refused: arrivals.filter(({ status }) => status === 429).map(phaseOf),
      aboveGeneral: tooClose(arrivals, limits.general).map(phaseOf),
      aboveBurst: tooClose(arrivals.filter(isBurst), limits.burst).map(phaseOf),
      isAnswered: instances.counts.served > 200,
    }).toEqual({ refused: [], aboveGeneral: [], aboveBurst: [], isAnswered: true });
  }, 900_000);
});

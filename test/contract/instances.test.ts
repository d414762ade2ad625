import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Arrival, type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { createBuiltServer } from '../support/built-server.ts';
import {
  type InstancesUnderLoad,
  instanceEnvironment,
  isBurst,
  startUnderLoad,
  tooClose,
} from '../support/instances-under-load.ts';
import { type RedisServer, skipsRedis, startRedis } from '../support/redis-server.ts';

const built = createBuiltServer('instances-test');
const limits = { general: { limit: 30, windowMs: 3_000 }, burst: { limit: 5, windowMs: 1_000 } };
const [one, two, three] = [0, 1, 2];

describe.skipIf(skipsRedis)(`Three instances with one key and one Redis${skipsRedis && ` (${skipsRedis})`}`, () => {
  let redis: RedisServer;
  let postman: Sandbox;
  let instances: InstancesUnderLoad;

  beforeAll(async () => {
    built.build();
    redis = await startRedis();
    postman = await startSandbox({
      limits,
      latency: () => ({ requestMs: Math.random() * 40, answerMs: Math.random() * 40 }),
    });
    instances = await startUnderLoad(built, instanceEnvironment(redis, postman, limits), 3, 8);
  });

  afterAll(async () => {
    built.remove();
    await postman?.close();
    await redis?.stop();
  });

  const phases: [name: string, atMs: number][] = [];
  const begin = (name: string) => phases.push([name, performance.now()]);
  const phaseOf = ({ atMs }: Arrival) => phases.findLast(([, sinceMs]) => sinceMs <= atMs)?.[0];
  const arrived = () => postman.arrivals.length;
  /** Waits until upstream has seen so many more calls. */
  const served = async (count: number) => {
    const from = arrived();
    await expect.poll(arrived, { interval: 50 }).toBeGreaterThan(from + count);
  };
  const lines = () => instances.servers.map((server) => server.stderr().match(/"msg":"Redis[^"]*"/g) ?? []);

  it('use what there is, and never more, through kills, pauses and losses of Redis', async () => {
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
    // Long enough for every instance to live on its part of the limits.
    await sleep(6_000);
    await served(15);
    begin('after it');
    redis.child().kill('SIGCONT');
    await served(60);
    const [told] = lines();
    expect(told).toEqual([
      '"msg":"Redis cannot be reached: no slots are shared"',
      '"msg":"Redis is there again: the budget is shared"',
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

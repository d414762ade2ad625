import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Arrival, Sandbox } from '../src/sandbox/sandbox.ts';
import { instanceEnvironment, isBurst, type Limits, tooClose } from '../test/support/instances-under-load.ts';
import type { RedisServer } from '../test/support/redis-server.ts';
import { type Program, startProgram } from './program.ts';

/** Real servers, each with clients of its own that ask for something that nobody has asked for, one call at a time. */
export interface LoadedServers {
  readonly programs: Program[];
  /** Ends a server with a signal, and starts another in its place; with SIGTERM the other one comes first. */
  replace(index: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  stop(): Promise<void>;
}

/** How servers are loaded. */
export interface Load {
  readonly servers: number;
  /** Of each server. */
  readonly clients: number;
  /** Between two calls of a client. */
  readonly pauseMs: number;
  /** Every so many calls one is of the burst class. Default: none. */
  readonly burstEvery?: number;
  /** Of one server alone. */
  readonly environmentOf?: (index: number) => Record<string, string>;
}

/** On its way for 20 to 80 ms, and as long back. */
export const latency = () => ({ requestMs: 20 + 60 * Math.random(), responseMs: 20 + 60 * Math.random() });
const LATENCY_MS = 100;

/** Starts them before one upstream and one Redis, or none. */
export async function startLoaded(
  redis: RedisServer | undefined,
  postman: Sandbox,
  limits: Limits,
  { servers, clients, pauseMs, burstEvery = Number.POSITIVE_INFINITY, environmentOf = () => ({}) }: Load,
): Promise<LoadedServers> {
  const start = (index: number) =>
    startProgram({ ...instanceEnvironment(redis, postman, limits), ...environmentOf(index) });
  const programs = await Promise.all(Array.from({ length: servers }, (_, index) => start(index)));
  const run = { isOver: false, queryCount: 0 };
  const sendQuery = async (index: number) => {
    const id = run.queryCount++;
    const name = id % burstEvery === 1 ? `workspace(id: "none-${id}")` : `environment(uid: "1-none-${id}")`;
    try {
      const response = await fetch(`http://127.0.0.1:${programs[index]?.port}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: `{ ${name} { name } }` }),
      });
      // Refused with a time: to ask again at once would only take CPU.
      if ((await response.text()).includes('"errors"')) await sleep(250);
    } catch {
      await sleep(100);
    }
    await sleep(pauseMs);
  };
  const loops = programs.flatMap((_, index) =>
    Array.from({ length: clients }, async () => {
      while (!run.isOver) await sendQuery(index);
    }),
  );
  const end = async ({ child }: Program, signal: NodeJS.Signals) => {
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  return {
    programs,
    async replace(index, signal) {
      const former = programs[index];
      if (signal === 'SIGKILL' && former) await end(former, signal);
      programs[index] = await start(index);
      if (signal === 'SIGTERM' && former) await end(former, signal);
    },
    async stop() {
      run.isOver = true;
      await Promise.all(programs.map((program) => end(program, 'SIGKILL')));
      await Promise.all(loops);
    },
  };
}

/** What upstream saw in a stretch of time. */
export function judge(arrivals: readonly Arrival[], limits: Limits, fromMs: number, toMs = Number.POSITIVE_INFINITY) {
  const during = ({ atMs }: Arrival) => atMs >= fromMs && atMs < toMs;
  const seen = arrivals.filter(during);
  const { limit, windowMs } = limits.general;
  // How long the same slot takes to be used again: no less than a window and an answer. So no part of a window is counted.
  const cycles = seen.slice(limit).map(({ atMs }, index) => atMs - (seen[index]?.atMs ?? 0));
  return {
    calls: seen.length,
    over:
      tooClose(arrivals, limits.general).filter(during).length +
      tooClose(arrivals.filter(isBurst), limits.burst).filter(during).length,
    refused: seen.filter(({ status }) => status === 429).length,
    use: ((windowMs + LATENCY_MS) * cycles.length) / cycles.reduce((sum, ms) => sum + ms, 0),
    /** Calls beyond the limit in the window that has most of them. */
    mostOver: Math.max(
      0,
      ...seen.map(
        ({ atMs }) => arrivals.filter((one) => one.atMs <= atMs && one.atMs > atMs - windowMs).length - limit,
      ),
    ),
  };
}

/** Scripts that Redis has run: one for each time that an instance has asked it anything. */
export async function scriptsOf(redis: RedisServer): Promise<number> {
  const [, calls] = /cmdstat_evalsha:calls=(\d+)/.exec(String(await redis.command('INFO', 'commandstats'))) ?? [];
  return Number(calls ?? 0);
}

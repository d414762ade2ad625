import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Arrival, Sandbox } from '../src/sandbox/sandbox.ts';
import { instanceEnvironment, isBurst, type Limits, tooClose } from '../test/support/instances-under-load.ts';
import type { RedisServer } from '../test/support/redis-server.ts';
import { type Program, startProgram } from './program.ts';

/** Real servers, each with its own clients, which request new objects one call at a time. */
export interface LoadedServers {
  readonly programs: Program[];
  /** Ends a server with a signal and starts another one instead. With SIGTERM the other one starts first. */
  replace(index: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  stop(): Promise<void>;
}

/** The load on the servers. */
export interface Load {
  readonly servers: number;
  /** Clients per server. */
  readonly clients: number;
  /** Pause between two calls of a client. */
  readonly pauseMs: number;
  /** One call in so many is of the burst class. Default: none. */
  readonly burstEvery?: number;
  /** For one server alone. */
  readonly environmentOf?: (index: number) => Record<string, string>;
}

/** 20 to 80 ms each way. */
export const latency = () => ({ requestMs: 20 + 60 * Math.random(), responseMs: 20 + 60 * Math.random() });
const LATENCY_MS = 100;

/** Starts the servers with one upstream, and with one Redis or none. */
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
      // After a refusal an immediate retry would only take CPU.
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

/** Returns what upstream saw in a period. */
export function judge(arrivals: readonly Arrival[], limits: Limits, fromMs: number, toMs = Number.POSITIVE_INFINITY) {
  const during = ({ atMs }: Arrival) => atMs >= fromMs && atMs < toMs;
  const seen = arrivals.filter(during);
  const { limit, windowMs } = limits.general;
  // A slot is used again after a window and a response at the earliest. So count no partial windows.
  const cycles = seen.slice(limit).map(({ atMs }, index) => atMs - (seen[index]?.atMs ?? 0));
  return {
    calls: seen.length,
    over:
      tooClose(arrivals, limits.general).filter(during).length +
      tooClose(arrivals.filter(isBurst), limits.burst).filter(during).length,
    refused: seen.filter(({ status }) => status === 429).length,
    use: ((windowMs + LATENCY_MS) * cycles.length) / cycles.reduce((sum, ms) => sum + ms, 0),
    /** Calls over the limit in the window with most calls. */
    mostOver: Math.max(
      0,
      ...seen.map(
        ({ atMs }) => arrivals.filter((one) => one.atMs <= atMs && one.atMs > atMs - windowMs).length - limit,
      ),
    ),
  };
}

/** Returns the number of scripts that Redis has run: one per request of an instance. */
export async function scriptsOf(redis: RedisServer): Promise<number> {
  const [, calls] = /cmdstat_evalsha:calls=(\d+)/.exec(String(await redis.command('INFO', 'commandstats'))) ?? [];
  return Number(calls ?? 0);
}

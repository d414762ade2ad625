import { setTimeout as sleep } from 'node:timers/promises';
import type { Arrival, Sandbox } from '../../src/sandbox/sandbox.ts';
import type { BuiltServer, RunningServer } from './built-server.ts';
import type { RedisServer } from './redis-server.ts';

/** Limits of the simulated Postman; the instances are configured with the same. */
export interface Limits {
  readonly general: { readonly limit: number; readonly windowMs: number };
  readonly burst: { readonly limit: number; readonly windowMs: number };
}

/** Real servers with one upstream and one Redis, whose clients request more than the limits allow. */
export interface InstancesUnderLoad {
  readonly servers: RunningServer[];
  /** Kills a server, and starts another in its place. */
  replace(index: number, signal?: NodeJS.Signals): Promise<void>;
  /** Results of the clients: served, refused with a retry time, connection cut. */
  readonly counts: { served: number; refused: number; cut: number; slowestMs: number };
  stop(): Promise<void>;
}

/** The calls that exceed the limit: less than a window after the call `limit` calls earlier. */
export function tooClose(
  arrivals: readonly Arrival[],
  { limit, windowMs }: { readonly limit: number; readonly windowMs: number },
): readonly Arrival[] {
  return arrivals.slice(limit).filter(({ atMs }, index) => atMs - (arrivals[index]?.atMs ?? 0) < windowMs);
}

/** Whether a call counts against the burst window too. */
export const isBurst = ({ requestLine }: Arrival) => requestLine.startsWith('GET /workspaces');

/** Environment variables of an instance. */
export function instanceEnvironment(redis: RedisServer | undefined, postman: Sandbox, { general, burst }: Limits) {
  return {
    POSTMAN_API_BASE_URL: postman.origin,
    POSTMAN_API_KEY: postman.apiKey,
    RATE_LIMIT: String(general.limit),
    RATE_LIMIT_WINDOW_MS: String(general.windowMs),
    BURST_LIMIT: String(burst.limit),
    BURST_LIMIT_WINDOW_MS: String(burst.windowMs),
    RESERVED_CALLS: '0',
    ...(redis && {
      REDIS_URL: redis.url,
      CACHE_REDIS_URL: 'off',
      TENANT_SECRET: Buffer.alloc(32, 7).toString('base64'),
    }),
  };
}

/** Starts the servers, each with so many clients, which send a new uncached query after each response. */
export async function startUnderLoad(
  built: BuiltServer,
  environment: Record<string, string>,
  instances: number,
  clients: number,
): Promise<InstancesUnderLoad> {
  const servers = await Promise.all(Array.from({ length: instances }, () => built.start(environment)));
  const counts = { served: 0, refused: 0, cut: 0, slowestMs: 0 };
  const run = { isOver: false };
  let queryCount = 0;
  const sendQuery = async (index: number) => {
    const id = queryCount++;
    const query =
      id % 8 === 0 ? `{ workspace(id: "none-${id}") { name } }` : `{ environment(uid: "1-none-${id}") { name } }`;
    const startedMs = performance.now();
    try {
      const response = await fetch(servers[index]?.url ?? '', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      });
      const { errors } = (await response.json()) as { errors?: { extensions?: { code?: string } }[] };
      if (!errors) counts.served++;
      else counts.refused++;
      if (errors) await sleep(250);
    } catch {
      counts.cut++;
      await sleep(100);
    }
    counts.slowestMs = Math.max(counts.slowestMs, performance.now() - startedMs);
  };
  const loops = servers.flatMap((_, index) =>
    Array.from({ length: clients }, async () => {
      while (!run.isOver) await sendQuery(index);
    }),
  );
  return {
    servers,
    counts,
    async replace(index, signal = 'SIGKILL') {
      servers[index]?.child.kill(signal);
      await servers[index]?.ended();
      servers[index] = await built.start(environment);
    },
    async stop() {
      run.isOver = true;
      await Promise.all(servers.map((server) => server.stop()));
      await Promise.all(loops);
    },
  };
}

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';

/** A Redis for one test file, on loopback. */
export interface RedisServer {
  /** For `REDIS_URL`. */
  readonly url: string;
  readonly port: number;
  /** Its process: `kill`, `SIGSTOP`. */
  child(): ChildProcess;
  /** Sends one command and returns its reply. */
  command(...words: string[]): Promise<unknown>;
  /** Starts it again, empty, after it was killed. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const isInstalled = spawnSync('redis-server', ['--version']).status === 0;

/** Why tests that need Redis are skipped; empty: they run. In CI they always run, and fail without Redis. */
export const skipsRedis =
  isInstalled || process.env.CI ? '' : 'redis-server is not installed: apt-get install redis-server';

/** Starts Debian's `redis-server` on a free port. */
export async function startRedis(...settings: string[]): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'postman-graphql-redis-'));
  const port = await findPort();
  let child: ChildProcess;
  const start = async () => {
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder, ...settings];
    child = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    for await (const chunk of child.stdout ?? []) {
      text += String(chunk);
      if (text.includes('Ready to accept connections')) break;
    }
    child.stdout?.resume();
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    child: () => child,
    async command(...words) {
      const client = createClient({ url: `redis://127.0.0.1:${port}` });
      client.on('error', () => {});
      await client.connect();
      try {
        return await client.sendCommand(words);
      } finally {
        client.destroy();
      }
    },
    restart: start,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Finds a free port of at most 55,535: a cluster node also uses the port 10,000 above. */
export async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port <= 55_535 ? port : findPort();
}

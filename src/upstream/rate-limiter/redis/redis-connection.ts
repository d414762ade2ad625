import { createScriptRunner, toClientOptions } from '../../redis-client.ts';
import type { Secret } from '../../http/secret.ts';

/** A connection to Redis that reconnects by itself. */
export interface RedisConnection {
  /** Runs a script. Rejects at once while there is no connection, and when the connection breaks. */
  run(script: string, keys: readonly string[], argument: string): Promise<string>;
  /** `run_id` of the Redis server, which changes with each of its starts; undefined: there is no connection. */
  runId(): string | undefined;
  /** Calls `listener` after each connect, and now if connected. */
  onConnected(listener: () => void): void;
  close(): void;
}

/** The package to install, as the error of a start without it names it. A test compares it with package.json. */
export const REDIS_CLIENT = '@redis/client@6.3.1';

const CONNECT_TIMEOUT_MS = 5_000;
const LONGEST_RETRY_MS = 500;

/**
 * Connects to Redis, and reconnects whenever the connection breaks.
 *
 * @param url - `redis://` or `rediss://`, with user name and password if Redis needs them.
 * @throws {Error} The package is not installed, or Redis cannot be reached within five seconds, is older than 6.2 or
 *   may evict keys.
 */
export async function connectRedis(url: Secret): Promise<RedisConnection> {
  const { createClient } = await loadClient();
  const client = createClient(
    toClientOptions(url, { connectTimeoutMs: CONNECT_TIMEOUT_MS, longestRetryMs: LONGEST_RETRY_MS }),
  );
  let runId: string | undefined;
  let lastError: unknown;
  const listeners: (() => void)[] = [];
  client.on('error', (error: unknown) => (lastError = error));
  client.on('reconnecting', () => (runId = undefined));
  client.on('ready', () => {
    void readRunId();
  });
  const readRunId = async () => {
    try {
      runId = field(await client.info('server'), 'run_id');
      for (const listener of listeners) listener();
    } catch (error) {
      lastError = error;
    }
  };

  const connected = client.connect();
  const deadline = AbortSignal.timeout(CONNECT_TIMEOUT_MS);
  const timedOut = new Promise<never>((_, reject) => {
    deadline.addEventListener('abort', () => reject(toUnreachable(lastError)));
  });
  try {
    await Promise.race([connected, timedOut]);
    checkServer(await Promise.race([client.info(), timedOut]));
  } catch (error) {
    client.destroy();
    throw error;
  }

  const runScript = createScriptRunner((words) => client.sendCommand<string>([...words]));

  return {
    runId: () => runId,
    onConnected(listener) {
      listeners.push(listener);
      if (runId !== undefined) listener();
    },
    run: (script, keys, argument) => runScript(script, keys, [argument]),
    close: () => client.destroy(),
  };
}

async function loadClient() {
  try {
    return await import('@redis/client');
  } catch (error) {
    throw new Error(`REDIS_URL needs a package that is not installed: npm install ${REDIS_CLIENT}`, { cause: error });
  }
}

function field(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1];
}

function checkServer(info: string): void {
  const [major = 0, minor = 0] = (field(info, 'redis_version') ?? '').split('.').map(Number);
  if (major * 100 + minor < 602) throw new Error('REDIS_URL names a Redis older than 6.2');
  const policy = field(info, 'maxmemory_policy');
  if (policy === 'noeviction') return;
  throw new Error(
    `REDIS_URL names a Redis that may forget slots in use: its maxmemory-policy is ${policy ?? 'unknown'}; allowed: noeviction`,
  );
}

function toUnreachable(error: unknown): Error {
  const reason = error instanceof Error && 'code' in error ? `: ${String(error.code)}` : '';
  return new Error(`REDIS_URL names a Redis that cannot be reached${reason}`);
}

/** Why Redis did not reply, for the log. Messages of Node and Redis name host and port, never the URL's password. */
export function toReason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

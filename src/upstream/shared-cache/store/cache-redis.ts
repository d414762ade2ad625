import { createHash } from 'node:crypto';
import type { Secret } from '../../http/secret.ts';
import type { CacheKeys } from '../sealed/cache-keys.ts';

/** What a script replies: numbers, texts as bytes, and null for nothing. */
export type Reply = readonly (Buffer | number | null)[];

/** A connection to the Redis of the cache, which reconnects by itself. */
export interface CacheRedis {
  /** Runs a script. Rejects at once while there is no connection. */
  run(script: string, keys: readonly string[], args: readonly (string | Buffer)[]): Promise<Reply>;
  /** Deletes keys in the background of Redis. */
  unlink(keys: readonly string[]): Promise<unknown>;
  /** Reads the section `memory` of INFO. */
  memoryInfo(): Promise<string>;
  close(): void;
}

const CONNECT_TIMEOUT_MS = 1_000;
const LONGEST_RETRY_MS = 1_000;
// The log is read every second, so a connection without any reply for this long is dead.
const SILENCE_MS = 15_000;

/**
 * Connects to the Redis of the cache. If it cannot be reached within a second, it goes on trying in the background.
 *
 * @param url - `redis://` or `rediss://`, with user name and password if Redis needs them.
 * @param toMissing - Makes the error if the package `@redis/client` is not installed.
 */
export async function connectCacheRedis(url: Secret, toMissing: (cause: unknown) => Error): Promise<CacheRedis> {
  const { createClient, RESP_TYPES } = await import('@redis/client').catch((error: unknown) => {
    throw toMissing(error);
  });
  const client = createClient({
    url: url.reveal(),
    disableOfflineQueue: true,
    maintNotifications: 'disabled',
    disableClientInfo: true,
    socket: {
      connectTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: SILENCE_MS,
      reconnectStrategy: (retries) => Math.min(LONGEST_RETRY_MS, 25 * 2 ** retries),
    },
  });
  // Failed commands say why; without a listener, Node would end the process.
  client.on('error', () => {});
  const connected = client.connect().catch(() => undefined);
  const deadline = AbortSignal.timeout(CONNECT_TIMEOUT_MS);
  await Promise.race([connected, new Promise<void>((resolve) => deadline.addEventListener('abort', () => resolve()))]);

  const shas = new Map<string, string>();
  const shaOf = (script: string) => {
    const sha = shas.get(script) ?? createHash('sha1').update(script).digest('hex');
    shas.set(script, sha);
    return sha;
  };
  const inBytes = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };

  return {
    async run(script, keys, args) {
      const rest = [String(keys.length), ...keys, ...args];
      try {
        return await client.sendCommand<Reply>(['EVALSHA', shaOf(script), ...rest], inBytes);
      } catch (error) {
        if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
        return await client.sendCommand<Reply>(['EVAL', script, ...rest], inBytes);
      }
    },
    unlink: (keys) => client.sendCommand(['UNLINK', ...keys]),
    memoryInfo: () => client.sendCommand<string>(['INFO', 'memory']),
    close: () => client.destroy(),
  };
}

const BODIES_PER_COMMAND = 100;

/** Deletes the bodies of fields. */
export async function deleteBodies(
  redis: Pick<CacheRedis, 'unlink'>,
  { bodyKeyOf }: Pick<CacheKeys, 'bodyKeyOf'>,
  fields: readonly string[],
): Promise<void> {
  for (let start = 0; start < fields.length; start += BODIES_PER_COMMAND)
    await redis.unlink(fields.slice(start, start + BODIES_PER_COMMAND).map(bodyKeyOf));
}

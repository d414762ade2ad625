import { createScriptRunner, toClientOptions } from '../../redis-client.ts';
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
  const client = createClient(
    toClientOptions(url, { connectTimeoutMs: CONNECT_TIMEOUT_MS, longestRetryMs: LONGEST_RETRY_MS }),
  );
  // Failed commands say why; without a listener, Node would end the process.
  client.on('error', () => {});
  const connected = client.connect().catch(() => undefined);
  const deadline = AbortSignal.timeout(CONNECT_TIMEOUT_MS);
  await Promise.race([connected, new Promise<void>((resolve) => deadline.addEventListener('abort', () => resolve()))]);

  const inBytes = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };

  return {
    run: createScriptRunner((words) => client.sendCommand<Reply>([...words], inBytes)),
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

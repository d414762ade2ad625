import { createHash } from 'node:crypto';
import type { Secret } from './http/secret.ts';

/** How often and how patiently a client connects. */
export interface RedisClientOptions {
  readonly connectTimeoutMs: number;
  /** The longest pause between two attempts to connect again. */
  readonly longestRetryMs: number;
}

// Each instance sends a command every second or every five, so a connection without any reply for this long is dead.
const SILENCE_MS = 15_000;
const FIRST_RETRY_MS = 25;

/**
 * Makes the options of a client that rejects commands at once while it has no connection, and reconnects by itself.
 *
 * @param url - `redis://` or `rediss://`, with user name and password if Redis needs them.
 */
export function toClientOptions(url: Secret, { connectTimeoutMs, longestRetryMs }: RedisClientOptions) {
  return {
    url: url.reveal(),
    disableOfflineQueue: true,
    maintNotifications: 'disabled',
    disableClientInfo: true,
    socket: {
      connectTimeout: connectTimeoutMs,
      socketTimeout: SILENCE_MS,
      reconnectStrategy: (retries: number) => Math.min(longestRetryMs, FIRST_RETRY_MS * 2 ** retries),
    },
  } as const;
}

/**
 * Makes the function that runs scripts: by their hash, and by their text where Redis does not know them yet.
 *
 * @param send - Sends a command, and returns its reply.
 */
export function createScriptRunner<Reply>(send: (words: readonly (string | Buffer)[]) => Promise<Reply>) {
  const shas = new Map<string, string>();
  const shaOf = (script: string) => {
    const sha = shas.get(script) ?? createHash('sha1').update(script).digest('hex');
    shas.set(script, sha);
    return sha;
  };
  return async (script: string, keys: readonly string[], args: readonly (string | Buffer)[]): Promise<Reply> => {
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await send(['EVALSHA', shaOf(script), ...rest]);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return await send(['EVAL', script, ...rest]);
    }
  };
}

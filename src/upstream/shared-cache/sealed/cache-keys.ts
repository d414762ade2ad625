import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { Secret } from '../../http/secret.ts';

/** The key that one API key's cached responses are encrypted with, and their names in Redis. */
export interface CacheKeys {
  /** Stands for the API key in Redis: 24 characters that reveal nothing about it. */
  readonly tag: string;
  readonly encryptionKey: KeyObject;
  /** Hash with a row for each cached response. */
  readonly indexKey: string;
  /** Sorted set of the same rows, by the time of their last change. */
  readonly orderKey: string;
  /** When the API key was last refused. */
  readonly dropKey: string;
  /** Returns the name of a target in the index: 24 characters. */
  fieldOf(target: string): string;
  /** Returns the Redis key that has the body of a cached response. */
  bodyKeyOf(field: string): string;
  /** Returns the Redis key that says which instance makes the call. */
  lockKeyOf(field: string): string;
}

/** Names by API key and target. */
export type KnownNames = Pick<Map<string, string>, 'get'> & { set(text: string, name: string): unknown };

/** Version of everything that is derived and stored. Entries of another version are never found. */
export const FORMAT = 'postman-graphql/cache/v1';

const KEY_BYTES = 32;
// 144 bits: among a million names, two are equal with a probability below 10^-31.
const NAME_BYTES = 18;

/**
 * Derives the keys of one API key with HKDF-SHA-256, whose input is the API key and whose salt is the secret. Whoever
 * has Redis and the secret, but not the API key, can neither decrypt a response nor check a guess of its target.
 *
 * @param secret - Base64, `TENANT_SECRET`.
 * @param known - Names that were computed before, of any API key. Default: none are remembered.
 */
export function deriveCacheKeys(apiKey: Secret, secret: Secret, known?: KnownNames): CacheKeys {
  const derived = Buffer.from(
    hkdfSync('sha256', apiKey.reveal(), Buffer.from(secret.reveal(), 'base64'), FORMAT, 2 * KEY_BYTES + NAME_BYTES),
  );
  const encryptionKey = createSecretKey(derived.subarray(0, KEY_BYTES));
  const nameKey = createSecretKey(derived.subarray(KEY_BYTES, 2 * KEY_BYTES));
  const tag = derived.subarray(2 * KEY_BYTES).toString('base64url');
  // The part in braces puts all keys of one API key into one slot of a Redis Cluster.
  const prefix = `{postman-graphql:cache:${tag}}`;
  return {
    tag,
    encryptionKey,
    indexKey: `${prefix}:index`,
    orderKey: `${prefix}:order`,
    dropKey: `${prefix}:dropped`,
    bodyKeyOf: (field) => `${prefix}:body:${field}`,
    lockKeyOf: (field) => `${prefix}:lock:${field}`,
    fieldOf(target) {
      const text = `${tag} ${target}`;
      const field = known?.get(text) ?? toName(nameKey, target);
      known?.set(text, field);
      return field;
    },
  };
}

/** Returns the HMAC-SHA-256 of a text, cut to 24 characters. */
function toName(key: KeyObject, text: string): string {
  return createHmac('sha256', key).update(text).digest().subarray(0, NAME_BYTES).toString('base64url');
}

import { createHmac, randomBytes } from 'node:crypto';
import type { Secret } from '../../http/secret.ts';

/**
 * Returns the hash of an API key, which identifies the key without revealing it. Under one secret, equal keys have
 * equal hashes.
 */
export type KeyHasher = (apiKey: Secret) => string;

/**
 * Makes the function that hashes API keys. In every map that outlives an operation, the key of each entry begins with
 * such a hash.
 *
 * @param secret - Base64. Instances that share state need the same secret. Default: a random one.
 * @returns A function that returns the HMAC-SHA256 of an API key under the secret, so that a hash seen in a dump cannot
 *   be tested against guessed keys. It always has 43 characters, so that a map key that starts with one hash cannot be
 *   read as starting with another.
 */
export function createKeyHasher(secret?: Secret): KeyHasher {
  const hmacKey = secret ? Buffer.from(secret.reveal(), 'base64') : randomBytes(32);
  return (apiKey) => createHmac('sha256', hmacKey).update(apiKey.reveal()).digest('base64url');
}

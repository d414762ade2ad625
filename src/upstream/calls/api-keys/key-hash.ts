import { createHmac, randomBytes } from 'node:crypto';
import type { Secret } from '../../http/secret.ts';

/** Names the owner of an API key without giving the key away. Equal keys give equal names under one secret. */
export type KeyHasher = (apiKey: Secret) => string;

/**
 * Makes the function that turns an API key into the tenant: the first part of every key of every map that outlives an operation.
 *
 * @param secret - Base64; instances that share something name tenants under the same one. Default: one drawn at random.
 * @returns HMAC-SHA256 of the key under the secret, so that a tenant seen in a dump cannot be tested against guessed keys.
 *   Always 43 characters, so that a map key that starts with it cannot be read as another tenant's.
 */
export function createKeyHasher(secret?: Secret): KeyHasher {
  const key = secret ? Buffer.from(secret.reveal(), 'base64') : randomBytes(32);
  return (apiKey) => createHmac('sha256', key).update(apiKey.reveal()).digest('base64url');
}

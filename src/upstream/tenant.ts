import { createHmac, randomBytes } from 'node:crypto';
import type { Secret } from './secret.ts';

/** Names the owner of an API key without giving the key away. Equal keys give equal names, within one process. */
export type TenantOf = (apiKey: Secret) => string;

/**
 * Makes the function that turns an API key into the tenant: the first part of every key of every map that outlives an operation.
 *
 * @returns HMAC-SHA256 of the key under a secret drawn at random, so that a tenant seen in a dump cannot be tested against guessed keys.
 *   Always 43 characters, so that a map key that starts with it cannot be read as another tenant's.
 */
export function createTenantOf(): TenantOf {
  const processSecret = randomBytes(32);
  return (apiKey) => createHmac('sha256', processSecret).update(apiKey.reveal()).digest('base64url');
}

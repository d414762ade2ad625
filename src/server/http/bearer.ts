import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../upstream/http/secret.ts';

/**
 * Whether an `Authorization` header has one of these tokens (`Bearer <token>`).
 *
 * @param header - null or undefined: the request has none.
 */
export function isBearer(header: string | null | undefined, tokens: readonly Secret[]): boolean {
  return isOneOf(/^Bearer +(\S+)$/i.exec((header ?? '').slice(0, 1_024))?.[1] ?? '', tokens);
}

/** Whether a text is one of these secrets, in a time that does not depend on how much of it is right. */
export function isOneOf(given: string, secrets: readonly Secret[]): boolean {
  // Hash first: timingSafeEqual requires equal lengths, and the length of a secret must not leak.
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return secrets.filter((secret) => timingSafeEqual(hash(given), hash(secret.reveal()))).length > 0;
}

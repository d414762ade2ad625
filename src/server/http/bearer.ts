import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../upstream/http/secret.ts';

/**
 * Whether an `Authorization` header has one of these tokens (`Bearer <token>`).
 *
 * @param header - null or undefined: the request has none.
 */
export function isBearer(header: string | null | undefined, tokens: readonly Secret[]): boolean {
  const given = /^Bearer +(\S+)$/i.exec((header ?? '').slice(0, 1_024))?.[1] ?? '';
  // Hash first: timingSafeEqual requires equal lengths, and the length of a token must not leak.
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return tokens.filter((token) => timingSafeEqual(hash(given), hash(token.reveal()))).length > 0;
}

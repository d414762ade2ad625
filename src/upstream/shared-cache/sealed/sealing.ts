import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';
import { FORMAT, type CacheKeys } from './cache-keys.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** What a sealed text is: a row of the index, or the body of one version of a response. */
export type SealedPart = 'row' | `body ${string}`;

/**
 * Encrypts with AES-256-GCM under a random nonce. The result opens only as the same part of the same target, with the
 * same API key.
 *
 * @returns Nonce, ciphertext and authentication tag.
 */
export function seal({ encryptionKey, tag }: CacheKeys, field: string, part: SealedPart, plain: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, encryptionKey, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(toContext(tag, field, part));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Decrypts what `seal` made. Returns undefined if it was changed, cut off or moved, or belongs to another API key. */
export function open(
  { encryptionKey, tag }: { readonly encryptionKey: KeyObject; readonly tag: string },
  field: string,
  part: SealedPart,
  sealed: Buffer,
): Buffer | undefined {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const end = sealed.length - TAG_BYTES;
  try {
    const decipher = createDecipheriv(CIPHER, encryptionKey, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(toContext(tag, field, part));
    decipher.setAuthTag(sealed.subarray(end));
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, end)), decipher.final()]);
  } catch {
    return undefined;
  }
}

// No part contains the separator, so two different contexts never have the same text.
function toContext(tag: string, field: string, part: SealedPart): Buffer {
  return Buffer.from([FORMAT, tag, field, part].join('\n'));
}

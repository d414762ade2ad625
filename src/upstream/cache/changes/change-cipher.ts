import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { Secret } from '../../http/secret.ts';

/** Encrypts texts for other instances with the same secrets. */
export interface ChangeCipher {
  /** Returns base64. */
  seal(text: string): string;
  /** undefined: it was sealed with another secret, or altered. */
  open(sealed: string): string | undefined;
}

const PURPOSE = 'postman-graphql/changes/v1';
const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** @param secrets - Base64. The first seals, each opens. */
export function createChangeCipher([current, ...former]: readonly [Secret, ...(Secret | undefined)[]]): ChangeCipher {
  const toKey = (secret: Secret) =>
    Buffer.from(hkdfSync('sha256', Buffer.from(secret.reveal(), 'base64'), '', PURPOSE, 32));
  const key = toKey(current);
  const keys = [key, ...former.flatMap((secret) => (secret ? [toKey(secret)] : []))];
  return {
    seal(text) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, key, nonce);
      const sealed = Buffer.concat([cipher.update(text), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
    },
    open(sealed) {
      const bytes = Buffer.from(sealed, 'base64');
      for (const one of keys) {
        const text = tryOpen(one, bytes);
        if (text !== undefined) return text;
      }
      return undefined;
    },
  };
}

function tryOpen(key: Buffer, sealed: Buffer): string | undefined {
  try {
    const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    return decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    return undefined;
  }
}

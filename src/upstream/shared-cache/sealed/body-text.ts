import { promisify } from 'node:util';
import { constants, gunzip, gunzipSync, gzip } from 'node:zlib';
import type { IndexRow } from './index-row.ts';
import { open, seal } from './sealing.ts';
import type { CacheKeys } from './cache-keys.ts';

/** Longer responses are only in the memory of the instance that read them. */
export const MAX_TEXT_BYTES = 8 * 1_048_576;

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** Compresses and seals the text of one version of a response. */
export async function sealText(keys: CacheKeys, field: string, version: string, text: string): Promise<Buffer> {
  const compressed = await compress(text, { level: constants.Z_BEST_SPEED });
  return seal(keys, field, `body ${version}`, compressed);
}

/** Opens what `sealText` made, and returns the text; undefined if it is not the body of this row. */
export async function openText(
  keys: CacheKeys,
  field: string,
  { version, textBytes }: IndexRow,
  sealed: Buffer,
): Promise<string | undefined> {
  const compressed = open(keys, field, `body ${version}`, sealed);
  if (!compressed) return undefined;
  const text = await decompress(compressed, { maxOutputLength: textBytes }).catch(() => undefined);
  return text?.toString();
}

/** As `openText`, at once, for a short text. */
export function openTextNow(
  keys: CacheKeys,
  field: string,
  { version, textBytes }: IndexRow,
  sealed: Buffer,
): string | undefined {
  const compressed = open(keys, field, `body ${version}`, sealed);
  if (!compressed) return undefined;
  try {
    return gunzipSync(compressed, { maxOutputLength: textBytes }).toString();
  } catch {
    return undefined;
  }
}

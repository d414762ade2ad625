import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/**
 * Reads a text file in UTF-8, or in UTF-16 as PowerShell and editors on Windows write it. A byte order mark is removed.
 *
 * @throws {Error} Node's file system error, with its `code`.
 */
export function readText(path: string): string {
  return decode(readFileSync(path));
}

// Longer than any secret. The bound matters for devices, which have no end.
const MAX_SECRET_FILE_BYTES = 4_096;

/**
 * Reads the file of a secret.
 *
 * @throws {Error} Its message is a sentence without its subject, the name of the variable. It contains nothing that was
 *   read, nor the path, which may be the secret itself.
 */
export function readSecretFile(path: string): string {
  const bytes = readBeginning(path);
  if (typeof bytes === 'string') throw new Error(`names a file that cannot be read: ${bytes}`);
  if (bytes.length > MAX_SECRET_FILE_BYTES) throw new Error(`names a file of more than ${MAX_SECRET_FILE_BYTES} bytes`);
  const text = decode(bytes);
  if (text.trim() === '') throw new Error('names a file that is empty');
  return text;
}

/** Reads at most one byte more than a secret may have. @returns The bytes, or Node's code of the failure. */
function readBeginning(path: string): Buffer | string {
  const buffer = Buffer.alloc(MAX_SECRET_FILE_BYTES + 1);
  try {
    const file = openSync(path, 'r');
    try {
      let length = 0;
      for (let read = -1; read !== 0 && length < buffer.length; length += read)
        read = readSync(file, buffer, length, buffer.length - length, null);
      return buffer.subarray(0, length);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'it is not a path';
  }
}

function decode(bytes: Buffer): string {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-8';
  // TextDecoder removes the byte order mark.
  return new TextDecoder(encoding).decode(bytes);
}

import { readFileSync } from 'node:fs';
import { isRecord, type JsonRecord } from './json.ts';

/** Reads a file of a collection, an environment or globals. Removes the envelope of files saved from the API. */
export function readSource(path: string): JsonRecord {
  const value: unknown = JSON.parse(readFileSync(path, 'utf8').replace(/^\uFEFF/, ''));
  if (!isRecord(value)) throw new TypeError(`${path} holds no object`);
  if (Array.isArray(value.item) || Array.isArray(value.values)) return value;
  return [value.collection, value.environment].find(isRecord) ?? value;
}

import { open, seal } from './sealing.ts';
import type { CacheKeys } from './cache-keys.ts';

/** One cached response, as the index of its API key describes it. Times are in milliseconds of Redis' clock. */
export interface IndexRow {
  /** Random, different for each response. */
  readonly version: string;
  /** Template of the route. */
  readonly route: string;
  /** When the call was sent. The response to a later call replaces that to an earlier one. */
  readonly sentAtMs: number;
  readonly readAtMs: number;
  /** When it was read, or last shown unchanged by a list. */
  readonly confirmedAtMs: number;
  /** A list has shown a newer version. */
  readonly isOutdated: boolean;
  /** RFC 3339 in UTC; null where the response does not say. */
  readonly updatedAt: string | null;
  /** Size of the value on the heap. */
  readonly heapBytes: number;
  /** Length of the text. */
  readonly textBytes: number;
  /** Size of the sealed body. */
  readonly sealedBytes: number;
  /** The response is a failure, such as a 404. */
  readonly isFailure: boolean;
  readonly failureTtlMs?: number;
  /** Of lists, so that an instance that has not read them can find objects in them. */
  readonly target?: string;
}

// Scripts compare and add up the numbers in front; readers trust only the sealed part.
const ROW = /^(\d+) (\d+) ([01]) (\d+) ([\w-]+)$/;

/** Writes a row as the index has it: the numbers that scripts need, and everything sealed. */
export function writeRow(keys: CacheKeys, field: string, row: IndexRow): string {
  const sealed = seal(keys, field, 'row', Buffer.from(JSON.stringify(row))).toString('base64url');
  return [row.sentAtMs, row.confirmedAtMs, Number(row.isOutdated), row.sealedBytes, sealed].join(' ');
}

/** Reads what `writeRow` wrote; undefined if it does not open. */
export function readRow(keys: CacheKeys, field: string, text: string): IndexRow | undefined {
  const sealed = ROW.exec(text)?.[5];
  const plain = sealed === undefined ? undefined : open(keys, field, 'row', Buffer.from(sealed, 'base64url'));
  return plain && (JSON.parse(plain.toString()) as IndexRow);
}

/** Reads the numbers of a row that are not sealed; undefined if it is no row. */
export function readRowNumbers(text: string) {
  const [, , confirmedAtMs, isOutdated, sealedBytes] = ROW.exec(text) ?? [];
  if (sealedBytes === undefined) return undefined;
  return {
    confirmedAtMs: Number(confirmedAtMs),
    isOutdated: isOutdated === '1',
    sealedBytes: Number(sealedBytes),
  };
}

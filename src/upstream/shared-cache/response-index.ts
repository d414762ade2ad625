import { type IndexRow, readRow, readRowNumbers } from './sealed/index-row.ts';
import type { Reply } from './store/cache-redis.ts';
import type { CacheKeys } from './sealed/cache-keys.ts';

/** What this instance knows of the responses that Redis has for one API key, under one secret. */
export class ResponseIndex {
  readonly keys: CacheKeys;
  /** Redis' time of the last reply; 0: there was none. */
  sinceMs = 0;
  /** When the API key was last refused, by Redis' clock; 0: never. */
  droppedAtMs = 0;
  /** Counts the replies of Redis that showed a change. */
  changes = 0;
  // Rows are opened when they are used: most never are.
  readonly #rows = new Map<string, string | IndexRow>();

  constructor(keys: CacheKeys) {
    this.keys = keys;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** The row of a field; undefined: Redis has no response, as far as is known. */
  get(field: string): IndexRow | undefined {
    const known = this.#rows.get(field);
    if (known === undefined) return undefined;
    const row = typeof known === 'string' ? readRow(this.keys, field, known) : known;
    if (!row || row.sentAtMs <= this.droppedAtMs) {
      this.#rows.delete(field);
      return undefined;
    }
    this.#rows.set(field, row);
    return row;
  }

  set(field: string, row: IndexRow): void {
    this.#rows.set(field, row);
  }

  /** As `set`, with a row as Redis has it. */
  setText(field: string, text: string): void {
    this.#rows.set(field, text);
  }

  delete(field: string): void {
    this.#rows.delete(field);
  }

  /** Reads the reply of `CHANGES_SCRIPT`. Returns whether it shows a new refusal of the API key. */
  read([now, drop, ...parts]: Reply): boolean {
    const isFirst = this.sinceMs === 0;
    this.sinceMs = Number(now);
    for (let position = 0; position < parts.length; position += 2) {
      const field = String(parts[position]);
      const row = parts[position + 1];
      if (field === 'bytes') continue;
      if (row == null) this.#rows.delete(field);
      else this.#rows.set(field, String(row));
    }
    const isDropped = Number(drop) > this.droppedAtMs;
    if (isDropped || parts.length > 0) this.changes++;
    this.droppedAtMs = Math.max(this.droppedAtMs, Number(drop));
    return isDropped && !isFirst;
  }

  /** The rows of lists, with their targets. All rows that have not been used before are opened. */
  lists(): readonly (IndexRow & { readonly target: string })[] {
    return [...this.#rows.keys()].flatMap((field) => {
      const row = this.get(field);
      return row?.target === undefined ? [] : [{ ...row, target: row.target }];
    });
  }

  clear(): void {
    this.changes++;
    this.#rows.clear();
  }

  /** The fields whose bodies have at most so many bytes, those confirmed last first, up to a total size. */
  smallest(maxBytes: number, maxTotalBytes: number): readonly string[] {
    const rows = [...this.#rows].flatMap(([field, row]) => {
      const numbers = typeof row === 'string' ? readRowNumbers(row) : row;
      return numbers && !numbers.isOutdated && numbers.sealedBytes <= maxBytes ? [{ field, ...numbers }] : [];
    });
    rows.sort((a, b) => b.confirmedAtMs - a.confirmedAtMs);
    let total = 0;
    return rows.flatMap(({ field, sealedBytes }) => {
      total += sealedBytes;
      return total <= maxTotalBytes ? [field] : [];
    });
  }
}

import { LRUCache } from 'lru-cache';
import PQueue from 'p-queue';
import { openText, openTextNow } from './sealed/body-text.ts';
import type { CacheRedis } from './store/cache-redis.ts';
import type { IndexRow } from './sealed/index-row.ts';
import { READ_SCRIPT } from './store/scripts.ts';
import type { ResponseIndex } from './response-index.ts';

/** A row with its opened body. */
export interface ReadText {
  readonly row: IndexRow;
  readonly text: string;
}

interface Request {
  readonly field: string;
  resolve(body: Buffer | undefined): void;
  reject(error: unknown): void;
}

const MAX_FIELDS_PER_READ = 100;
// A new instance reads the small responses of an API key at once, so that its plans are those of the others.
const PREFETCHED_BODY_BYTES = 32 * 1_024;
const PREFETCHED_BYTES_PER_INDEX = 2 * 1_048_576;
const PREFETCHED_BYTES = 32 * 1_048_576;
// Opening a longer text would block other operations.
const SHORT_TEXT_BYTES = 256 * 1_024;
// Texts that are being opened and parsed are in memory twice.
const MAX_OPENING = 4;

/** Creates the reads of bodies. Those requested in one tick are one command. */
export function createBodyReads(redis: Pick<CacheRedis, 'run'>) {
  const requests = new Map<ResponseIndex, Request[]>();
  const opening = new PQueue({ concurrency: MAX_OPENING });
  const prefetched = new LRUCache<string, Buffer>({
    maxSize: PREFETCHED_BYTES,
    sizeCalculation: (body, name) => body.length + name.length,
  });
  const nameOf = ({ keys }: ResponseIndex, field: string) => `${keys.tag} ${field}`;

  /** Reads rows and bodies, and updates the index. Returns a body for each field. */
  const readFields = async (
    index: ResponseIndex,
    fields: readonly string[],
  ): Promise<readonly (Buffer | undefined)[]> => {
    const { keys } = index;
    const redisKeys = [keys.indexKey, keys.dropKey, ...fields.map(keys.bodyKeyOf)];
    const [, drop, ...parts] = await redis.run(READ_SCRIPT, redisKeys, fields);
    index.droppedAtMs = Math.max(index.droppedAtMs, Number(drop));
    return fields.map((field, position) => {
      const [row, body] = parts.slice(2 * position, 2 * position + 2);
      if (row != null && body instanceof Buffer) {
        index.setText(field, String(row));
        return body;
      }
      index.delete(field);
      return undefined;
    });
  };

  const flush = (index: ResponseIndex) => {
    const waiting = requests.get(index) ?? [];
    requests.delete(index);
    for (let start = 0; start < waiting.length; start += MAX_FIELDS_PER_READ) {
      const chunk = waiting.slice(start, start + MAX_FIELDS_PER_READ);
      readFields(
        index,
        chunk.map(({ field }) => field),
      ).then(
        (bodies) => chunk.forEach(({ resolve }, position) => resolve(bodies[position])),
        (error: unknown) => chunk.forEach(({ reject }) => reject(error)),
      );
    }
  };

  return {
    /** Requests a body. Rejects if the command fails. */
    request(index: ResponseIndex, field: string): Promise<Buffer | undefined> {
      return new Promise((resolve, reject) => {
        const waiting = requests.get(index) ?? [];
        if (waiting.length === 0) process.nextTick(flush, index);
        requests.set(index, [...waiting, { field, resolve, reject }]);
      });
    },

    /** Opens a body, and passes its text to `use`. Returns undefined if it is not the body of its row. */
    open<Value>(
      index: ResponseIndex,
      field: string,
      body: Buffer,
      use: (read: ReadText) => Promise<Value>,
    ): Promise<Value | undefined> {
      return opening.add(async () => {
        const row = index.get(field);
        const text = row && (await openText(index.keys, field, row, body));
        return row && text !== undefined ? use({ row, text }) : undefined;
      });
    },

    /** Reads the small bodies of an index, for `take`. */
    async prefetch(index: ResponseIndex): Promise<void> {
      const fields = index.smallest(PREFETCHED_BODY_BYTES, PREFETCHED_BYTES_PER_INDEX);
      for (let start = 0; start < fields.length; start += MAX_FIELDS_PER_READ) {
        const chunk = fields.slice(start, start + MAX_FIELDS_PER_READ);
        const bodies = await readFields(index, chunk);
        for (const [position, field] of chunk.entries()) {
          const body = bodies[position];
          if (body) prefetched.set(nameOf(index, field), body);
        }
      }
    },

    /** Opens a prefetched body, once; undefined: there is none, or its text is long. */
    take(index: ResponseIndex, field: string): ReadText | undefined {
      const name = nameOf(index, field);
      const body = prefetched.get(name);
      const row = body && index.get(field);
      if (!row || row.textBytes > SHORT_TEXT_BYTES) return undefined;
      prefetched.delete(name);
      const text = openTextNow(index.keys, field, row, body);
      return text === undefined ? undefined : { row, text };
    },
  };
}

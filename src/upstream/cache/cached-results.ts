import { type Clock, type Instant, readInstant, toAgeMs } from '../clock.ts';
import type { ChangeMarks } from './changes/change-marks.ts';
import type { ResponseStore } from './response-store.ts';

/** A result that was made of nothing but cached responses of one API key, all of them fresh. */
export interface CachedResult {
  /** What the server stores. The cache does not read it. */
  readonly value: object;
  /** Size on the heap. */
  readonly bytes: number;
  /** For how long all of these responses stay fresh, in milliseconds. */
  readonly freshForMs: number;
  /** `CachedResults.versionOf` before the first of them was read. */
  readonly version: number;
}

/** The results that were made of cached responses. */
export interface CachedResults {
  /** Marks cached responses as used, as reading them does. */
  touch(keyHash: string, targets: Iterable<string>): void;
  /**
   * Returns a result that was made of cached responses of this API key, and its age in milliseconds. Undefined as soon
   * as one of them is no longer fresh, or any cached response of the key has changed.
   */
  getResult(keyHash: string, id: string): { readonly value: object; readonly ageMs: number } | undefined;
  /** Stores a result, unless a cached response of the API key has changed since `version`. */
  setResult(keyHash: string, id: string, result: CachedResult): void;
  /** A number that changes whenever `getResult` may return no result of the API key that it returned before. */
  versionOf(keyHash: string): number;
}

/** A result as the store has it. */
export interface ResultEntry extends CachedResult {
  /** `ChangeMarks.version` when it was made. */
  readonly changes: number;
  readonly madeAt: Instant;
}

/** Makes the part of a response cache that stores results. */
export function createResults(
  store: ResponseStore<object, ResultEntry>,
  marks: ChangeMarks,
  clock: Clock,
): CachedResults {
  // Neither of them decreases.
  const versionOf = (keyHash: string) => store.versionOf(keyHash) + marks.version();
  return {
    versionOf,

    touch(keyHash, targets) {
      for (const target of targets) store.get(keyHash, target);
    },

    getResult(keyHash, id) {
      const result = store.getDerived(keyHash, id);
      if (!result || result.changes !== marks.version()) return undefined;
      const ageMs = toAgeMs(result.madeAt, clock);
      return ageMs <= result.freshForMs ? { value: result.value, ageMs } : undefined;
    },

    setResult(keyHash, id, result) {
      if (result.version !== versionOf(keyHash)) return;
      store.setDerived(keyHash, id, { ...result, madeAt: readInstant(clock), changes: marks.version() });
    },
  };
}

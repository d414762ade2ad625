import type { CachedResponse } from './cached-response.ts';

/** How old kept answers may be. */
export interface FreshnessOptions {
  /** An answer is fresh for so long; 0: nothing is kept. */
  readonly ttlMs: number;
  /** For so much longer it is served at once while it is refreshed. */
  readonly swrMs: number;
  /** Up to this age it is served where upstream gives no answer. */
  readonly staleIfErrorMs: number;
}

/** What a client wants of kept answers: the request directives of `Cache-Control`, RFC 9111 section 5.2.1. */
export interface CacheDirectives {
  /** Nothing that is kept will do. */
  readonly noCache?: boolean;
  /** Nothing older, and nothing stale unless `maxStaleMs` says so. */
  readonly maxAgeMs?: number;
  /** What has been stale for no longer will do. */
  readonly maxStaleMs?: number;
  /** Only what is kept will do. */
  readonly onlyIfCached?: boolean;
}

/** What becomes of a read: its kept answer is served, served while it is refreshed, or a call is made. */
export type Verdict = 'serve' | 'serveAndRefresh' | 'call';

/** Judges kept answers. */
export interface Freshness {
  judge(cached: CachedResponse, directives: CacheDirectives): Verdict;
  /** Whether it is better than an error. */
  servesOnError(cached: CachedResponse, directives: CacheDirectives): boolean;
  isFresh(cached: CachedResponse): boolean;
  /** Not fresh, but worth refreshing before somebody has to wait for it. */
  isInRevalidationPeriod(cached: CachedResponse): boolean;
}

// What does not exist, or may not be read, can come to exist or be shared: long enough to save the calls of a loop of wrong questions.
const REFUSAL_TTL_MS = 10_000;

/**
 * For how long an answer that is read now can do for the same request without being read again, in milliseconds; 0: not at all.
 *
 * @param directives - Of the request.
 */
export function toReusableMs({ ttlMs, swrMs, staleIfErrorMs }: FreshnessOptions, directives: CacheDirectives): number {
  const { noCache = false, maxAgeMs, maxStaleMs = 0 } = directives;
  if (ttlMs === 0 || noCache) return 0;
  if (maxAgeMs !== undefined) return Math.min(maxAgeMs, ttlMs + maxStaleMs);
  return Math.max(ttlMs + swrMs, staleIfErrorMs);
}

/** Makes the judge of kept answers. */
export function createFreshness({ ttlMs, swrMs, staleIfErrorMs }: FreshnessOptions): Freshness {
  const ttlOf = ({ outcome }: CachedResponse) => ('failure' in outcome ? Math.min(ttlMs, REFUSAL_TTL_MS) : ttlMs);
  const isFresh = (cached: CachedResponse) => !cached.isOutdated && cached.ageMs <= ttlOf(cached);
  const isInRevalidationPeriod = (cached: CachedResponse) =>
    !isFresh(cached) && !cached.isOutdated && !('failure' in cached.outcome) && cached.ageMs <= ttlMs + swrMs;
  const servesOnError = (cached: CachedResponse, { noCache = false, maxAgeMs }: CacheDirectives) =>
    !noCache && maxAgeMs === undefined && !('failure' in cached.outcome) && cached.ageMs <= staleIfErrorMs;

  return {
    isFresh,
    isInRevalidationPeriod,
    servesOnError,
    judge(cached, directives) {
      const { noCache = false, maxAgeMs = Number.POSITIVE_INFINITY, maxStaleMs, onlyIfCached = false } = directives;
      if (noCache || cached.ageMs > maxAgeMs) return 'call';
      if (isFresh(cached)) return 'serve';
      if (
        cached.isRetained &&
        !cached.isOutdated &&
        directives.maxAgeMs === undefined &&
        cached.ageMs <= staleIfErrorMs
      )
        return 'serve';
      if ('failure' in cached.outcome) return 'call';
      if (maxStaleMs !== undefined && cached.ageMs - ttlMs <= maxStaleMs) return 'serve';
      if (onlyIfCached) return servesOnError(cached, directives) ? 'serve' : 'call';
      return isInRevalidationPeriod(cached) && directives.maxAgeMs === undefined ? 'serveAndRefresh' : 'call';
    },
  };
}

import type { CachedResponse } from './cached-response.ts';

/** Up to which age cached responses are served. */
export interface FreshnessOptions {
  /** A response is fresh for this long; 0: nothing is cached. */
  readonly ttlMs: number;
  /** For this much longer, it is served at once while it is revalidated. */
  readonly swrMs: number;
  /** Up to this age, it is served if Postman cannot be reached or fails. */
  readonly staleIfErrorMs: number;
}

/** Which cached responses a client accepts: the request directives of `Cache-Control`, RFC 9111 section 5.2.1. */
export interface CacheDirectives {
  /** Accepts no cached response. */
  readonly noCache?: boolean;
  /** Accepts no older response, and no stale one unless `maxStaleMs` allows it. */
  readonly maxAgeMs?: number;
  /** Accepts responses that have been stale for up to this long. */
  readonly maxStaleMs?: number;
  /** Accepts only cached responses: no call may be made. */
  readonly onlyIfCached?: boolean;
}

/** How a read is served: from the cache, from the cache while it is revalidated, or by a call. */
export type Verdict = 'serve' | 'serveAndRevalidate' | 'call';

/** Decides whether cached responses may be served. */
export interface Freshness {
  judge(cached: CachedResponse, directives: CacheDirectives): Verdict;
  /** Whether the response may be served instead of an error. */
  servesOnError(cached: CachedResponse, directives: CacheDirectives): boolean;
  isFresh(cached: CachedResponse): boolean;
  /** For how much longer it is served as fresh, in milliseconds; below 0: it is not fresh, or not accepted. */
  freshForMs(cached: CachedResponse, directives: CacheDirectives): number;
  /** No longer fresh, but still served, so it should be revalidated before a client has to wait for it. */
  isInRevalidationPeriod(cached: CachedResponse): boolean;
}

// Failures such as a 404 or 403 are cached only briefly: the object may be created or shared, but a client that retries
// in a loop should cost one call.
const FAILURE_TTL_MS = 10_000;

/**
 * Computes for how long a response that is read now can serve the same request again, in milliseconds; 0: not at all.
 *
 * @param directives - The directives of the request.
 */
export function toReusableMs({ ttlMs, swrMs, staleIfErrorMs }: FreshnessOptions, directives: CacheDirectives): number {
  const { noCache = false, maxAgeMs, maxStaleMs = 0 } = directives;
  if (ttlMs === 0 || noCache) return 0;
  if (maxAgeMs !== undefined) return Math.min(maxAgeMs, ttlMs + maxStaleMs);
  return Math.max(ttlMs + swrMs, staleIfErrorMs);
}

/** Creates the rules by which cached responses are served. */
export function createFreshness({ ttlMs, swrMs, staleIfErrorMs }: FreshnessOptions): Freshness {
  const ttlOf = ({ outcome, failureTtlMs = Math.min(ttlMs, FAILURE_TTL_MS) }: CachedResponse) =>
    'failure' in outcome ? failureTtlMs : ttlMs;
  const isFresh = (cached: CachedResponse) => !cached.isOutdated && cached.ageMs <= ttlOf(cached);
  const isInRevalidationPeriod = (cached: CachedResponse) =>
    !isFresh(cached) && !cached.isOutdated && !('failure' in cached.outcome) && cached.ageMs <= ttlMs + swrMs;
  const servesOnError = (cached: CachedResponse, { noCache = false, maxAgeMs }: CacheDirectives) =>
    !noCache && maxAgeMs === undefined && !('failure' in cached.outcome) && cached.ageMs <= staleIfErrorMs;

  return {
    isFresh,
    freshForMs: (cached, { noCache = false, maxAgeMs = Number.POSITIVE_INFINITY }) =>
      noCache || cached.isOutdated
        ? -1
        : Math.min(Math.min(ttlOf(cached), maxAgeMs) - cached.ageMs, cached.outdatedInMs ?? Number.POSITIVE_INFINITY),
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
      return isInRevalidationPeriod(cached) && directives.maxAgeMs === undefined ? 'serveAndRevalidate' : 'call';
    },
  };
}

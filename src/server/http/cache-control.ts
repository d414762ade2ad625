import type { CacheDirectives } from '../../upstream/cache/freshness.ts';

const MAX_LENGTH = 1_000;
// A year. Longer times mean the same here, and might lose precision.
const MAX_SECONDS = 31_536_000;

/**
 * Reads the request directives `no-cache`, `max-age`, `max-stale` and `only-if-cached` of `Cache-Control` (RFC 9111,
 * section 5.2.1). `no-store` is treated like `no-cache`. Unknown and malformed directives are ignored, as the RFC
 * requires.
 *
 * @param header - The value of the header; null if there is none.
 */
export function parseCacheDirectives(header: string | null): CacheDirectives {
  if (header === null || header.length > MAX_LENGTH) return {};
  const given = new Map<string, string | undefined>();
  for (const part of header.split(',')) {
    const [name = '', value] = part.trim().toLowerCase().split('=', 2);
    given.set(name.trim(), value?.trim().replace(/^"(.*)"$/, '$1'));
  }
  const secondsOf = (name: string) => {
    const value = given.get(name);
    return value !== undefined && /^\d+$/.test(value) ? Math.min(Number(value), MAX_SECONDS) : undefined;
  };
  const maxAge = secondsOf('max-age');
  // Without a value, max-stale accepts any age.
  const maxStale =
    given.has('max-stale') && given.get('max-stale') === undefined ? MAX_SECONDS : secondsOf('max-stale');
  return {
    ...((given.has('no-cache') || given.has('no-store')) && { noCache: true }),
    ...(maxAge !== undefined && { maxAgeMs: maxAge * 1_000 }),
    ...(maxStale !== undefined && { maxStaleMs: maxStale * 1_000 }),
    ...(given.has('only-if-cached') && { onlyIfCached: true }),
  };
}

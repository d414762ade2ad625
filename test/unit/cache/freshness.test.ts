import { describe, expect, it } from 'vitest';
import { type CacheDirectives, createFreshness, type Verdict } from '../../../src/upstream/cache/freshness.ts';
import type { CachedResponse } from '../../../src/upstream/cache/cached-response.ts';

const SECOND_MS = 1_000;
/** Fresh for one minute, revalidated for 30 seconds more, and served up to ten minutes if Postman fails. */
const periods = { ttlMs: 60 * SECOND_MS, swrMs: 30 * SECOND_MS, staleIfErrorMs: 600 * SECOND_MS };

const cached = (ageMs: number, more: Partial<CachedResponse> = {}): CachedResponse => ({
  outcome: { value: {} },
  bytes: 1,
  ageMs,
  isRetained: false,
  isOutdated: false,
  isRenewable: false,
  ...more,
});
const refusal = { outcome: { failure: { kind: 'notFound', message: 'No.' } } } as const;

describe('the verdict on a cached response', () => {
  const at = (ageMs: number, directives: CacheDirectives = {}, more: Partial<CachedResponse> = {}) => {
    const freshness = createFreshness(periods);
    return [freshness.judge(cached(ageMs, more), directives), freshness.servesOnError(cached(ageMs, more), directives)];
  };

  it.each<[number, CacheDirectives, Verdict, boolean]>([
    [60_000, {}, 'serve', true],
    [60_001, {}, 'serveAndRevalidate', true],
    [90_000, {}, 'serveAndRevalidate', true],
    [90_001, {}, 'call', true],
    [600_000, {}, 'call', true],
    [600_001, {}, 'call', false],
    [0, { noCache: true }, 'call', false],
    [0, { noCache: true, onlyIfCached: true }, 'call', false],
    [10_000, { maxAgeMs: 10_000 }, 'serve', false],
    [10_001, { maxAgeMs: 10_000 }, 'call', false],
    [60_001, { maxAgeMs: 100_000 }, 'call', false],
    [60_001, { maxAgeMs: 100_000, maxStaleMs: 1 }, 'serve', false],
    [60_002, { maxAgeMs: 100_000, maxStaleMs: 1 }, 'call', false],
    [160_000, { maxStaleMs: 100_000 }, 'serve', true],
    [160_001, { maxStaleMs: 100_000 }, 'call', true],
    [600_000, { onlyIfCached: true }, 'serve', true],
    [600_001, { onlyIfCached: true }, 'call', false],
    [60_001, { onlyIfCached: true, maxAgeMs: 100_000 }, 'call', false],
  ])('%d ms old, for %j: %s', (ageMs, directives, verdict, servesOnError) => {
    expect(at(ageMs, directives)).toEqual([verdict, servesOnError]);
  });

  it.each<[number, CacheDirectives, Verdict]>([
    [10_000, {}, 'serve'],
    [10_001, {}, 'call'],
    [10_001, { maxStaleMs: 100_000 }, 'call'],
    [10_001, { onlyIfCached: true }, 'call'],
  ])('that is a failure, %d ms old, for %j: %s, and never instead of another error', (ageMs, directives, verdict) => {
    expect(at(ageMs, directives, refusal)).toEqual([verdict, false]);
  });

  it('that a list has shown to be outdated: a call, and only if that fails, the cached response', () => {
    expect(at(0, {}, { isOutdated: true })).toEqual(['call', true]);
    expect(at(70_000, {}, { isOutdated: true })).toEqual(['call', true]);
  });
});

describe('a cached failure', () => {
  it.each([
    [5_000, 5_000, true],
    [5_000, 5_001, false],
    [60_000, 10_000, true],
    [60_000, 10_001, false],
  ])(
    'is fresh for ten seconds, but no longer than other responses: with a TTL of %d ms, %d ms old',
    (ttlMs, ageMs, isFresh) => {
      expect(createFreshness({ ...periods, ttlMs }).isFresh(cached(ageMs, refusal))).toBe(isFresh);
    },
  );
});

describe('the revalidation period', () => {
  it.each([
    [60_000, {}, false],
    [60_001, {}, true],
    [90_000, {}, true],
    [90_001, {}, false],
    [70_000, { isOutdated: true }, false],
    [20_000, refusal, false],
  ])('%d ms old, %j: %s', (ageMs, more, isInPeriod) => {
    expect(createFreshness(periods).isInRevalidationPeriod(cached(ageMs, more))).toBe(isInPeriod);
  });
});

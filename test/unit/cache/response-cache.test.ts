import { describe, expect, it } from 'vitest';
import { createChangeMarks } from '../../../src/upstream/cache/changes/change-marks.ts';
import { createResponseCache } from '../../../src/upstream/cache/response-cache.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

const ENTRY_BYTES = 1_024;
const MOMENT = '2026-01-01T00:00:00.000Z';
const LATER = '2026-01-01T00:00:01.000Z';
const PERIODS = { ttlMs: 1_000, swrMs: 500, staleIfErrorMs: 10_000, renewMs: 5_000, maxBytes: 1_000_000 };

function createCache(periods: Partial<typeof PERIODS> = {}) {
  const clock = createVirtualClock();
  const cache = createResponseCache({ ...PERIODS, ...periods, clock });
  return {
    clock,
    cache,
    put: (keyHash: string, target: string, value: unknown, { bytes = 10, updatedAt = null as string | null } = {}) =>
      cache.set(keyHash, target, { outcome: { value }, bytes, updatedAt, sentAtMs: clock.nowMs() }),
    valueOf(keyHash: string, target: string) {
      const outcome = cache.get(keyHash, target)?.outcome;
      return outcome && 'value' in outcome ? outcome.value : undefined;
    },
  };
}

describe('createResponseCache', () => {
  it('caches a response as long as it is useful, and knows its age even if the wall clock is set back', async () => {
    const { clock, cache, put } = createCache();
    put('key', '/a', { a: 1 });
    clock.jumpWallClock(-3_600_000);
    await clock.advance(10_000);
    expect(cache.get('key', '/a')).toEqual({
      outcome: { value: { a: 1 } },
      bytes: 10,
      ageMs: 10_000,
      isRetained: false,
      isOutdated: false,
      isRenewable: false,
    });
    await clock.advance(1);
    expect(cache.get('key', '/a')).toBeUndefined();
  });

  it('knows the age after the machine has slept, which stops the monotonic clock', async () => {
    const { clock, cache, put } = createCache();
    put('key', '/a', 1, { updatedAt: MOMENT });
    clock.jumpWallClock(5_000);
    expect(cache.get('key', '/a')).toMatchObject({ ageMs: 5_000, isRenewable: true });
    cache.renew('key', '/a', MOMENT);
    expect(cache.get('key', '/a')).toMatchObject({ ageMs: 0, isRenewable: true });
    await clock.advance(1);
    expect(cache.get('key', '/a')).toMatchObject({ ageMs: 1, isRenewable: false });
    clock.jumpWallClock(10_000);
    expect(cache.get('key', '/a')).toBeUndefined();
  });

  it('caches it for the revalidation period if that is longer', async () => {
    const { clock, cache, put } = createCache({ swrMs: 20_000, renewMs: 0 });
    put('key', '/a', 1);
    await clock.advance(21_000);
    expect(cache.get('key', '/a')?.ageMs).toBe(21_000);
    await clock.advance(1);
    expect(cache.get('key', '/a')).toBeUndefined();
  });

  it('distinguishes a cached null from a missing response', () => {
    const { cache, put } = createCache();
    put('key', '/a', null);
    expect([cache.get('key', '/a')?.outcome, cache.get('key', '/b')]).toEqual([{ value: null }, undefined]);
  });

  it('caches nothing if it is turned off', () => {
    const { cache, put } = createCache({ ttlMs: 0 });
    put('key', '/a', 1);
    cache.dropKey('key');
    expect(cache.get('key', '/a')).toBeUndefined();
  });

  it('does not let the response to an earlier call replace that to a later one', () => {
    const { clock, cache, valueOf } = createCache();
    const set = (value: string, sentAtMs: number) =>
      cache.set('key', '/a', { outcome: { value }, bytes: 1, updatedAt: null, sentAtMs });
    set('new', clock.nowMs());
    set('old', clock.nowMs() - 1);
    expect(valueOf('key', '/a')).toBe('new');
    set('newer', clock.nowMs());
    expect(valueOf('key', '/a')).toBe('newer');
  });

  it('works with the smallest size that can be configured', () => {
    const { cache, put } = createCache({ maxBytes: 1 });
    put('key', '/a', 1, { bytes: 0 });
    expect(cache.get('key', '/a')).toBeUndefined();
  });

  it('never serves one API key the data of another', () => {
    const { put, valueOf } = createCache();
    put('one', '/a', 'of one');
    expect([valueOf('two', '/a'), valueOf('one', '/a')]).toEqual([undefined, 'of one']);
  });
});

describe('when it is full', () => {
  const targetsLeft = (cache: ReturnType<typeof createCache>, keyHash: string, targets: readonly string[]) =>
    targets.filter((target) => cache.valueOf(keyHash, target) !== undefined);

  it('never exceeds its size in bytes, and evicts the least recently used response', () => {
    const cache = createCache({ maxBytes: 3 * (3_000 + ENTRY_BYTES + 2) });
    for (const target of ['/a', '/b', '/c']) cache.put('key', target, target, { bytes: 3_000 });
    cache.valueOf('key', '/a');
    cache.put('key', '/d', '/d', { bytes: 3_000 });
    expect(targetsLeft(cache, 'key', ['/a', '/b', '/c', '/d'])).toEqual(['/a', '/c', '/d']);
  });

  it('evicts nothing for a response larger than the cache', () => {
    const cache = createCache({ maxBytes: 10_000 });
    cache.put('key', '/a', 1, { bytes: 3_000 });
    cache.put('key', '/huge', 2, { bytes: 10_000 });
    expect(targetsLeft(cache, 'key', ['/a', '/huge'])).toEqual(['/a']);
  });

  it('counts an overhead for each response, so that the number of small ones is limited, too', () => {
    const cache = createCache({ maxBytes: 10 * (ENTRY_BYTES + 4) });
    const targets = Array.from({ length: 1_000 }, (_, index) => `/${String(index).padStart(3, '0')}`);
    for (const target of targets) cache.put('key', target, target, { bytes: 0 });
    expect(targetsLeft(cache, 'key', targets)).toEqual(targets.slice(-10));
  });

  it('lets an API key that floods it evict its own responses, not those of others', () => {
    const cache = createCache({ maxBytes: 100 * (ENTRY_BYTES + 4) });
    const small = Array.from({ length: 20 }, (_, index) => `/s${index + 10}`);
    for (const target of small) cache.put('small', target, target, { bytes: 0 });
    const flood = Array.from({ length: 900 }, (_, index) => `/${index + 100}`);
    for (const target of flood) cache.put('flood', target, target, { bytes: 0 });
    expect([targetsLeft(cache, 'small', small), targetsLeft(cache, 'flood', flood)]).toEqual([small, flood.slice(-80)]);
  });

  it('evicts from the API key with the largest total, also when others are added, dropped or grow', () => {
    const cache = createCache({ maxBytes: 100 * (ENTRY_BYTES + 4) });
    const keyHashes = Array.from({ length: 60 }, (_, index) => `key-${index}`);
    for (const keyHash of keyHashes) cache.put(keyHash, '/100', keyHash, { bytes: 0 });
    for (let index = 100; index < 140; index++) cache.put('large', `/${index}`, index, { bytes: 0 });
    cache.cache.dropKey('key-0');
    cache.put('key-1', '/100', 'anew', { bytes: 20 * (ENTRY_BYTES + 4) });
    const counts = keyHashes.map((keyHash) => targetsLeft(cache, keyHash, ['/100']).length);
    expect(counts).toEqual([0, ...Array<number>(59).fill(1)]);
    expect(
      targetsLeft(
        cache,
        'large',
        Array.from({ length: 40 }, (_, index) => `/${index + 100}`),
      ),
    ).toHaveLength(21);
  });

  it('is divided equally between API keys that all flood it', () => {
    const cache = createCache({ maxBytes: 100 * (ENTRY_BYTES + 4) });
    const keyHashes = ['a', 'b', 'c', 'd'];
    const targets = Array.from({ length: 200 }, (_, index) => `/${index + 100}`);
    for (const target of targets) for (const keyHash of keyHashes) cache.put(keyHash, target, 1, { bytes: 0 });
    expect(keyHashes.map((keyHash) => targetsLeft(cache, keyHash, targets).length)).toEqual([25, 25, 25, 25]);
  });
});

describe('dropping', () => {
  it('removes everything of one API key and nothing of others', () => {
    const { cache, put, valueOf } = createCache();
    const keyHashes = ['one', 'one-more', 'two'];
    for (const keyHash of keyHashes) for (const target of ['/a', '/b']) put(keyHash, target, keyHash);
    cache.dropKey('one');
    expect(keyHashes.map((keyHash) => ['/a', '/b'].map((target) => valueOf(keyHash, target)))).toEqual([
      [undefined, undefined],
      ['one-more', 'one-more'],
      ['two', 'two'],
    ]);
  });

  it('also rejects the responses to calls that were sent before', async () => {
    const { clock, cache, put, valueOf } = createCache();
    put('key', '/a', 1);
    const sentAtMs = clock.nowMs();
    await clock.advance(10);
    cache.dropKey('key');
    cache.set('key', '/b', { outcome: { value: 'late' }, bytes: 1, updatedAt: null, sentAtMs });
    expect(valueOf('key', '/b')).toBeUndefined();
    put('key', '/b', 'new');
    expect(valueOf('key', '/b')).toBe('new');
  });

  it('is not caused by a 403, which replaces only the response that it concerns', () => {
    const { cache, put, valueOf } = createCache();
    for (const target of ['/a', '/b']) put('key', target, target);
    const failure = { kind: 'forbidden', message: 'No.', route: '/a' } as const;
    cache.set('key', '/a', { outcome: { failure }, bytes: 1, updatedAt: null, sentAtMs: Number.MAX_SAFE_INTEGER });
    expect([cache.get('key', '/a')?.outcome, valueOf('key', '/b')]).toEqual([{ failure }, '/b']);
  });
});

describe('a list', () => {
  it('that shows an unchanged object renews its response, until that was read too long ago', async () => {
    const { clock, cache, put } = createCache();
    put('key', '/a', 1, { updatedAt: MOMENT });
    await clock.advance(4_000);
    cache.renew('key', '/a', MOMENT);
    await clock.advance(1_000);
    expect(cache.get('key', '/a')).toEqual({
      outcome: { value: 1 },
      bytes: 10,
      ageMs: 1_000,
      isRetained: false,
      isOutdated: false,
      isRenewable: true,
    });
    cache.renew('key', '/a', MOMENT);
    await clock.advance(1);
    cache.renew('key', '/a', MOMENT);
    expect(cache.get('key', '/a')?.ageMs).toBe(1);
  });

  it('that shows a changed object outdates its response, until it is read again', () => {
    const { cache, put } = createCache();
    put('key', '/a', 1, { updatedAt: MOMENT });
    cache.renew('key', '/a', LATER);
    expect(cache.get('key', '/a')?.isOutdated).toBe(true);
    put('key', '/a', 2, { updatedAt: LATER });
    expect(cache.get('key', '/a')).toEqual({
      outcome: { value: 2 },
      bytes: 10,
      ageMs: 0,
      isRetained: false,
      isOutdated: false,
      isRenewable: true,
    });
  });

  it('has no effect if it is older than the response, or if the response has no time of its last change', async () => {
    const { clock, cache, put } = createCache();
    put('key', '/a', 1, { updatedAt: LATER });
    put('key', '/b', 1);
    await clock.advance(100);
    for (const target of ['/a', '/b', '/c']) cache.renew('key', target, MOMENT);
    expect(['/a', '/b', '/c'].map((target) => cache.get('key', target))).toEqual([
      { outcome: { value: 1 }, bytes: 10, ageMs: 100, isRetained: false, isOutdated: false, isRenewable: true },
      { outcome: { value: 1 }, bytes: 10, ageMs: 100, isRetained: false, isOutdated: false, isRenewable: false },
      undefined,
    ]);
  });

  it('renews nothing of another API key', async () => {
    const { clock, cache, put } = createCache();
    put('one', '/a', 1, { updatedAt: MOMENT });
    await clock.advance(100);
    cache.renew('two', '/a', MOMENT);
    expect(cache.get('one', '/a')?.ageMs).toBe(100);
  });
});

describe('results that were made of cached responses', () => {
  const marks = createChangeMarks();
  const setUp = () => {
    const clock = createVirtualClock();
    const cache = createResponseCache({ ...PERIODS, clock, marks });
    const put = (keyHash: string, target: string, updatedAt: string | null = null) =>
      cache.set(keyHash, target, { outcome: { value: {} }, bytes: 10, updatedAt, sentAtMs: clock.nowMs() });
    put('key', '/a', MOMENT);
    put('other', '/a');
    return { cache, put };
  };
  const result = { value: { made: true }, bytes: 10, freshForMs: 1_000 };

  it.each<[string, boolean, (of: ReturnType<typeof setUp>) => void]>([
    ['nothing', true, () => undefined],
    ['a response of another key', true, ({ put }) => put('other', '/b')],
    ['a response', false, ({ put }) => put('key', '/a')],
    ['what a list shows', false, ({ cache }) => cache.renew('key', '/a', LATER)],
    ['the validity of the key', false, ({ cache }) => cache.dropKey('key')],
    ['something that is reported', false, () => marks.mark(['a'], 1)],
  ])('are stored only if nothing changed while they were made: %s', (_what, isStored, change) => {
    const of = setUp();
    const version = of.cache.versionOf('key');
    change(of);
    of.cache.setResult('key', 'id', { ...result, version });
    expect(of.cache.getResult('key', 'id')?.value).toEqual(isStored ? result.value : undefined);
  });
});

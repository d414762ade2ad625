import { describe, expect, it } from 'vitest';
import { createResponseCache } from '../../../src/upstream/cache/response-cache.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

const ENTRY_BYTES = 1_024;
const MOMENT = '2026-01-01T00:00:00.000Z';
const LATER = '2026-01-01T00:00:01.000Z';

function createCache({
  ttlMs = 1_000,
  swrMs = 500,
  staleIfErrorMs = 10_000,
  renewMs = 5_000,
  maxBytes = 1_000_000,
} = {}) {
  const clock = createVirtualClock();
  const cache = createResponseCache({ ttlMs, swrMs, staleIfErrorMs, renewMs, maxBytes, clock });
  return {
    clock,
    cache,
    keep: (tenant: string, target: string, value: unknown, { bytes = 10, updatedAt = null as string | null } = {}) =>
      cache.set(tenant, target, { outcome: { value }, bytes, updatedAt, sentAtMs: clock.nowMs() }),
    valueOf(tenant: string, target: string) {
      const outcome = cache.get(tenant, target)?.outcome;
      return outcome && 'value' in outcome ? outcome.value : undefined;
    },
  };
}

describe('createAnswerCache', () => {
  it('keeps an answer for as long as it is of use, tells its age, also where the wall clock is set back', async () => {
    const { clock, cache, keep } = createCache();
    keep('tenant', '/a', { a: 1 });
    clock.jumpWallClock(-3_600_000);
    await clock.advance(10_000);
    expect(cache.get('tenant', '/a')).toEqual({
      outcome: { value: { a: 1 } },
      bytes: 10,
      ageMs: 10_000,
      isRetained: false,
      isOutdated: false,
      isRenewable: false,
    });
    await clock.advance(1);
    expect(cache.get('tenant', '/a')).toBeUndefined();
  });

  it('knows how old it is when the machine has slept, in which the monotonic clock stands still', async () => {
    const { clock, cache, keep } = createCache();
    keep('tenant', '/a', 1, { updatedAt: MOMENT });
    clock.jumpWallClock(5_000);
    expect(cache.get('tenant', '/a')).toMatchObject({ ageMs: 5_000, isRenewable: true });
    cache.renew('tenant', '/a', MOMENT);
    expect(cache.get('tenant', '/a')).toMatchObject({ ageMs: 0, isRenewable: true });
    await clock.advance(1);
    expect(cache.get('tenant', '/a')).toMatchObject({ ageMs: 1, isRenewable: false });
    clock.jumpWallClock(10_000);
    expect(cache.get('tenant', '/a')).toBeUndefined();
  });

  it('keeps it for the refresh period where that is longer', async () => {
    const { clock, cache, keep } = createCache({ swrMs: 20_000, renewMs: 0 });
    keep('tenant', '/a', 1);
    await clock.advance(21_000);
    expect(cache.get('tenant', '/a')?.ageMs).toBe(21_000);
    await clock.advance(1);
    expect(cache.get('tenant', '/a')).toBeUndefined();
  });

  it('tells a kept null from nothing kept', () => {
    const { cache, keep } = createCache();
    keep('tenant', '/a', null);
    expect([cache.get('tenant', '/a')?.outcome, cache.get('tenant', '/b')]).toEqual([{ value: null }, undefined]);
  });

  it('keeps nothing when it is turned off', () => {
    const { cache, keep } = createCache({ ttlMs: 0 });
    keep('tenant', '/a', 1);
    cache.dropKey('tenant');
    expect(cache.get('tenant', '/a')).toBeUndefined();
  });

  it('does not let the answer to an earlier call replace that to a later one', () => {
    const { clock, cache, valueOf } = createCache();
    const answer = (value: string, sentAtMs: number) =>
      cache.set('tenant', '/a', { outcome: { value }, bytes: 1, updatedAt: null, sentAtMs });
    answer('new', clock.nowMs());
    answer('old', clock.nowMs() - 1);
    expect(valueOf('tenant', '/a')).toBe('new');
    answer('newer', clock.nowMs());
    expect(valueOf('tenant', '/a')).toBe('newer');
  });

  it('works with the least size that can be configured', () => {
    const { cache, keep } = createCache({ maxBytes: 1 });
    keep('tenant', '/a', 1, { bytes: 0 });
    expect(cache.get('tenant', '/a')).toBeUndefined();
  });

  it('never answers one tenant with the data of another', () => {
    const { keep, valueOf } = createCache();
    keep('one', '/a', 'of one');
    expect([valueOf('two', '/a'), valueOf('one', '/a')]).toEqual([undefined, 'of one']);
  });
});

describe('when it is full', () => {
  const targetsLeft = (cache: ReturnType<typeof createCache>, tenant: string, targets: readonly string[]) =>
    targets.filter((target) => cache.valueOf(tenant, target) !== undefined);

  it('never holds more bytes than it may, and drops what was used least recently', () => {
    const cache = createCache({ maxBytes: 3 * (3_000 + ENTRY_BYTES + 2) });
    for (const target of ['/a', '/b', '/c']) cache.keep('tenant', target, target, { bytes: 3_000 });
    cache.valueOf('tenant', '/a');
    cache.keep('tenant', '/d', '/d', { bytes: 3_000 });
    expect(targetsLeft(cache, 'tenant', ['/a', '/b', '/c', '/d'])).toEqual(['/a', '/c', '/d']);
  });

  it('does not give up everything for an answer that is too large for it', () => {
    const cache = createCache({ maxBytes: 10_000 });
    cache.keep('tenant', '/a', 1, { bytes: 3_000 });
    cache.keep('tenant', '/huge', 2, { bytes: 10_000 });
    expect(targetsLeft(cache, 'tenant', ['/a', '/huge'])).toEqual(['/a']);
  });

  it('counts small answers for more than their text, so that their number is bounded, too', () => {
    const cache = createCache({ maxBytes: 10 * (ENTRY_BYTES + 4) });
    const targets = Array.from({ length: 1_000 }, (_, index) => `/${String(index).padStart(3, '0')}`);
    for (const target of targets) cache.keep('tenant', target, target, { bytes: 0 });
    expect(targetsLeft(cache, 'tenant', targets)).toEqual(targets.slice(-10));
  });

  it('lets a tenant that floods it push out its own answers, not those of others', () => {
    const cache = createCache({ maxBytes: 100 * (ENTRY_BYTES + 4) });
    const small = Array.from({ length: 20 }, (_, index) => `/s${index + 10}`);
    for (const target of small) cache.keep('small', target, target, { bytes: 0 });
    const flood = Array.from({ length: 900 }, (_, index) => `/${index + 100}`);
    for (const target of flood) cache.keep('flood', target, target, { bytes: 0 });
    expect([targetsLeft(cache, 'small', small), targetsLeft(cache, 'flood', flood)]).toEqual([small, flood.slice(-80)]);
  });

  it('gives up of many tenants that of the one that holds most, whoever comes, goes and grows', () => {
    const cache = createCache({ maxBytes: 100 * (ENTRY_BYTES + 4) });
    const tenants = Array.from({ length: 60 }, (_, index) => `tenant-${index}`);
    for (const tenant of tenants) cache.keep(tenant, '/100', tenant, { bytes: 0 });
    for (let index = 100; index < 140; index++) cache.keep('large', `/${index}`, index, { bytes: 0 });
    cache.cache.dropKey('tenant-0');
    cache.keep('tenant-1', '/100', 'anew', { bytes: 20 * (ENTRY_BYTES + 4) });
    const kept = tenants.map((tenant) => targetsLeft(cache, tenant, ['/100']).length);
    expect(kept).toEqual([0, ...Array<number>(59).fill(1)]);
    expect(
      targetsLeft(
        cache,
        'large',
        Array.from({ length: 40 }, (_, index) => `/${index + 100}`),
      ),
    ).toHaveLength(21);
  });

  it('shares itself among tenants that all flood it', () => {
    const cache = createCache({ maxBytes: 100 * (ENTRY_BYTES + 4) });
    const tenants = ['a', 'b', 'c', 'd'];
    const targets = Array.from({ length: 200 }, (_, index) => `/${index + 100}`);
    for (const target of targets) for (const tenant of tenants) cache.keep(tenant, target, 1, { bytes: 0 });
    expect(tenants.map((tenant) => targetsLeft(cache, tenant, targets).length)).toEqual([25, 25, 25, 25]);
  });
});

describe('what is dropped', () => {
  it('is everything of one tenant and nothing of others', () => {
    const { cache, keep, valueOf } = createCache();
    const tenants = ['one', 'one-more', 'two'];
    for (const tenant of tenants) for (const target of ['/a', '/b']) keep(tenant, target, tenant);
    cache.dropKey('one');
    expect(tenants.map((tenant) => ['/a', '/b'].map((target) => valueOf(tenant, target)))).toEqual([
      [undefined, undefined],
      ['one-more', 'one-more'],
      ['two', 'two'],
    ]);
  });

  it('stays dropped when a call that was out before is answered', async () => {
    const { clock, cache, keep, valueOf } = createCache();
    keep('tenant', '/a', 1);
    const sentAtMs = clock.nowMs();
    await clock.advance(10);
    cache.dropKey('tenant');
    cache.set('tenant', '/b', { outcome: { value: 'late' }, bytes: 1, updatedAt: null, sentAtMs });
    expect(valueOf('tenant', '/b')).toBeUndefined();
    keep('tenant', '/b', 'new');
    expect(valueOf('tenant', '/b')).toBe('new');
  });

  it('is one answer where the key may not read it any more', () => {
    const { cache, keep, valueOf } = createCache();
    for (const target of ['/a', '/b']) keep('tenant', target, target);
    const failure = { kind: 'forbidden', message: 'No.', route: '/a' } as const;
    cache.set('tenant', '/a', { outcome: { failure }, bytes: 1, updatedAt: null, sentAtMs: Number.MAX_SAFE_INTEGER });
    expect([cache.get('tenant', '/a')?.outcome, valueOf('tenant', '/b')]).toEqual([{ failure }, '/b']);
  });
});

describe('a list', () => {
  it('that shows an unchanged thing renews its answer, until it was read too long ago', async () => {
    const { clock, cache, keep } = createCache();
    keep('tenant', '/a', 1, { updatedAt: MOMENT });
    await clock.advance(4_000);
    cache.renew('tenant', '/a', MOMENT);
    await clock.advance(1_000);
    expect(cache.get('tenant', '/a')).toEqual({
      outcome: { value: 1 },
      bytes: 10,
      ageMs: 1_000,
      isRetained: false,
      isOutdated: false,
      isRenewable: true,
    });
    cache.renew('tenant', '/a', MOMENT);
    await clock.advance(1);
    cache.renew('tenant', '/a', MOMENT);
    expect(cache.get('tenant', '/a')?.ageMs).toBe(1);
  });

  it('that shows a changed thing outdates its answer, until it is read again', () => {
    const { cache, keep } = createCache();
    keep('tenant', '/a', 1, { updatedAt: MOMENT });
    cache.renew('tenant', '/a', LATER);
    expect(cache.get('tenant', '/a')?.isOutdated).toBe(true);
    keep('tenant', '/a', 2, { updatedAt: LATER });
    expect(cache.get('tenant', '/a')).toEqual({
      outcome: { value: 2 },
      bytes: 10,
      ageMs: 0,
      isRetained: false,
      isOutdated: false,
      isRenewable: true,
    });
  });

  it('from before a change says nothing, and neither does one about an answer without a moment', async () => {
    const { clock, cache, keep } = createCache();
    keep('tenant', '/a', 1, { updatedAt: LATER });
    keep('tenant', '/b', 1);
    await clock.advance(100);
    for (const target of ['/a', '/b', '/c']) cache.renew('tenant', target, MOMENT);
    expect(['/a', '/b', '/c'].map((target) => cache.get('tenant', target))).toEqual([
      { outcome: { value: 1 }, bytes: 10, ageMs: 100, isRetained: false, isOutdated: false, isRenewable: true },
      { outcome: { value: 1 }, bytes: 10, ageMs: 100, isRetained: false, isOutdated: false, isRenewable: false },
      undefined,
    ]);
  });

  it('renews nothing for another tenant', async () => {
    const { clock, cache, keep } = createCache();
    keep('one', '/a', 1, { updatedAt: MOMENT });
    await clock.advance(100);
    cache.renew('two', '/a', MOMENT);
    expect(cache.get('one', '/a')?.ageMs).toBe(100);
  });
});

import { describe, expect, it } from 'vitest';
import { createAnswerCache } from '../../src/upstream/answer-cache.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

function createCache({ ttlMs = 1_000, maxBytes = 100_000 } = {}) {
  const clock = createVirtualClock();
  return { clock, cache: createAnswerCache({ ttlMs, maxBytes, clock }) };
}

describe('createAnswerCache', () => {
  it('keeps an answer for as long as it is fresh, on the monotonic clock', async () => {
    const { clock, cache } = createCache();
    cache.set('tenant', '/a', { a: 1 }, 10);
    clock.jumpWallClock(3_600_000);
    await clock.advance(1_000);
    expect(cache.get('tenant', '/a')?.value).toEqual({ a: 1 });
    await clock.advance(1);
    expect(cache.get('tenant', '/a')).toBeUndefined();
  });

  it('does not keep an answer for longer because it is read', async () => {
    const { clock, cache } = createCache();
    cache.set('tenant', '/a', 1, 10);
    await clock.advance(900);
    expect(cache.get('tenant', '/a')?.value).toBe(1);
    await clock.advance(101);
    expect(cache.get('tenant', '/a')).toBeUndefined();
  });

  it('tells a kept null from nothing kept', () => {
    const { cache } = createCache();
    cache.set('tenant', '/a', null, 4);
    expect([cache.get('tenant', '/a')?.value, cache.get('tenant', '/b')]).toEqual([null, undefined]);
  });

  it('keeps nothing when it is turned off', () => {
    const { cache } = createCache({ ttlMs: 0 });
    cache.set('tenant', '/a', 1, 10);
    cache.dropTenant('tenant');
    expect(cache.get('tenant', '/a')).toBeUndefined();
  });

  it('never holds more bytes than it may, and drops what was used least recently', () => {
    const { cache } = createCache({ maxBytes: 10_000 });
    for (const target of ['/a', '/b', '/c']) cache.set('tenant', target, target, 3_000);
    cache.get('tenant', '/a');
    cache.set('tenant', '/d', '/d', 3_000);
    expect(['/a', '/b', '/c', '/d'].map((target) => cache.get('tenant', target)?.value)).toEqual([
      '/a',
      undefined,
      '/c',
      '/d',
    ]);
  });

  it('does not give up everything for an answer that is too large for it', () => {
    const { cache } = createCache({ maxBytes: 10_000 });
    cache.set('tenant', '/a', 1, 3_000);
    cache.set('tenant', '/huge', 2, 10_000);
    expect([cache.get('tenant', '/a')?.value, cache.get('tenant', '/huge')]).toEqual([1, undefined]);
  });

  it('counts small answers for more than their text, so that their number is bounded, too', () => {
    const { cache } = createCache({ maxBytes: 10_000 });
    for (let index = 0; index < 1_000; index++) cache.set('tenant', `/${index}`, index, 0);
    const kept = Array.from({ length: 1_000 }, (_, index) => cache.get('tenant', `/${index}`)).filter(Boolean);
    expect([kept.length > 30, kept.length < 40]).toEqual([true, true]);
  });

  it('works with the least size that can be configured', () => {
    const { cache } = createCache({ maxBytes: 1 });
    cache.set('tenant', '/a', 1, 0);
    expect(cache.get('tenant', '/a')).toBeUndefined();
  });

  it('never answers one tenant with the data of another', () => {
    const { cache } = createCache();
    cache.set('one', '/a', 'of one', 10);
    expect([cache.get('two', '/a'), cache.get('one', '/a')?.value]).toEqual([undefined, 'of one']);
  });

  it('drops everything of one tenant and nothing of others', () => {
    const { cache } = createCache();
    for (const tenant of ['one', 'one-more', 'two'])
      for (const target of ['/a', '/b']) cache.set(tenant, target, tenant, 10);
    cache.dropTenant('one');
    const left = ['one', 'one-more', 'two'].map((tenant) =>
      ['/a', '/b'].map((target) => cache.get(tenant, target)?.value),
    );
    expect(left).toEqual([
      [undefined, undefined],
      ['one-more', 'one-more'],
      ['two', 'two'],
    ]);
  });
});

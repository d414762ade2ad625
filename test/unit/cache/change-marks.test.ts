import { describe, expect, it } from 'vitest';
import { createChangeMarks, MAX_MARKS } from '../../../src/upstream/cache/changes/change-marks.ts';
import { createResponseCache } from '../../../src/upstream/cache/response-cache.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

describe('marks of changes', () => {
  it('concern responses to calls that were sent before, or at the same time', () => {
    const marks = createChangeMarks();
    marks.mark(['a'], 10);
    marks.mark(['a'], 5);
    expect([9, 10, 11].map((atMs) => marks.isChangedSince(['b', 'a'], atMs))).toEqual([true, true, false]);
    expect(marks.isChangedSince(['b'], 0)).toBe(false);
    expect(marks.isChangedSince([], 0)).toBe(false);
  });

  it('become one for all subjects where there are too many', () => {
    const marks = createChangeMarks();
    for (let index = 0; index < MAX_MARKS; index++) marks.mark([`subject ${index}`], 100 + index);
    expect(marks.isChangedSince(['other'], 0)).toBe(false);
    marks.mark(['subject 0', 'one more'], 1_000_000);
    expect(['other', 'subject 1', 'subject 2'].map((subject) => marks.isChangedSince([subject], 102))).toEqual([
      false,
      false,
      true,
    ]);
    expect([101, 102].map((atMs) => marks.isChangedSince([], atMs))).toEqual([true, false]);
  });

  it('have a version that changes with each new mark alone', () => {
    const marks = createChangeMarks();
    const versions = [marks.version()];
    for (const atMs of [5, 5, 4, 6]) {
      marks.mark(['a'], atMs);
      versions.push(marks.version());
    }
    expect(versions).toEqual([0, 1, 1, 1, 2]);
  });
});

describe('a cached response of a subject that has changed', () => {
  function createCache() {
    const clock = createVirtualClock();
    const marks = createChangeMarks();
    const periods = { ttlMs: 60_000, swrMs: 60_000, staleIfErrorMs: 3_600_000, renewMs: 3_600_000 };
    const cache = createResponseCache({ ...periods, maxBytes: 1_000_000, marks, clock });
    const updatedAt = '2026-01-01T00:00:00.000Z';
    return {
      clock,
      cache,
      change: () => marks.mark(['a'], clock.nowMs()),
      put: (sentAtMs: number) =>
        cache.set('key', '/a', { outcome: { value: 1 }, bytes: 1, updatedAt, sentAtMs, subjects: () => ['a'] }),
      verdict() {
        const cached = cache.get('key', '/a');
        return cached && cache.freshness.judge(cached, {});
      },
      updatedAt,
    };
  }

  it('is outdated at once, and no list renews it', async () => {
    const { clock, cache, change, put, verdict, updatedAt } = createCache();
    put(clock.nowMs());
    await clock.advance(1);
    expect(verdict()).toBe('serve');
    change();
    expect(verdict()).toBe('call');
    cache.retainForRetry('key', ['/a'], clock.nowMs() + 1_000);
    cache.renew('key', '/a', updatedAt);
    expect(cache.get('key', '/a')).toMatchObject({ isOutdated: true, isRenewable: false });
    expect(verdict()).toBe('call');
  });

  it('is outdated if the change came while its call was in flight', async () => {
    const { clock, change, put, verdict } = createCache();
    const sentAtMs = clock.nowMs();
    await clock.advance(100);
    change();
    await clock.advance(100);
    put(sentAtMs);
    expect(verdict()).toBe('call');
  });

  it('is read again for a change at most twice in ten seconds', async () => {
    const { clock, change, put, verdict } = createCache();
    put(clock.nowMs());
    const reads: number[] = [];
    for (let atMs = 1; atMs < 30_000; atMs += 100) {
      await clock.advance(50);
      change();
      await clock.advance(50);
      if (verdict() !== 'call') continue;
      const sentAtMs = clock.nowMs();
      await clock.advance(10);
      change();
      put(sentAtMs);
      reads.push(Math.round(sentAtMs / 1_000));
    }
    expect(reads.length).toBeLessThanOrEqual(6);
    expect(reads.length).toBeGreaterThanOrEqual(3);
    await clock.advance(10_000);
    expect(verdict()).toBe('call');
  });
});

import { expect, it } from 'vitest';
import { parseCacheDirectives } from '../../../src/server/http/cache-control.ts';

it.each([
  [null, {}],
  ['', {}],
  ['no-cache', { noCache: true }],
  ['NO-Cache', { noCache: true }],
  ['no-store', { noCache: true }],
  ['max-age=0', { maxAgeMs: 0 }],
  ['max-age=30', { maxAgeMs: 30_000 }],
  ['max-age="30"', { maxAgeMs: 30_000 }],
  ['max-age = 30', { maxAgeMs: 30_000 }],
  ['max-age=99999999999999999999', { maxAgeMs: 31_536_000_000 }],
  ['max-stale', { maxStaleMs: 31_536_000_000 }],
  ['max-stale=60', { maxStaleMs: 60_000 }],
  ['only-if-cached', { onlyIfCached: true }],
  ['only-if-cached,max-age=5 , max-stale=7', { onlyIfCached: true, maxAgeMs: 5_000, maxStaleMs: 7_000 }],
  ['max-age', {}],
  ['max-age=', {}],
  ['max-age=-1', {}],
  ['max-age=1.5', {}],
  ['max-age=1e3', {}],
  ['max-stale=soon', {}],
  ['min-fresh=5, no-transform, ,=,;', {}],
  [`${' '.repeat(2_000)}no-cache`, {}],
])('reads %j', (header, directives) => {
  expect(parseCacheDirectives(header)).toEqual(directives);
});

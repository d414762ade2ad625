import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/upstream/http/secret.ts';
import { openText, openTextNow, sealText } from '../../../src/upstream/shared-cache/sealed/body-text.ts';
import {
  type IndexRow,
  readRow,
  readRowNumbers,
  writeRow,
} from '../../../src/upstream/shared-cache/sealed/index-row.ts';
import { open, seal } from '../../../src/upstream/shared-cache/sealed/sealing.ts';
import { deriveCacheKeys } from '../../../src/upstream/shared-cache/sealed/cache-keys.ts';
import { toTenantSecret } from '../../support/shared-cache.ts';

const secret = toTenantSecret(1);
const keys = deriveCacheKeys(new Secret('PMAK-one'), secret);
const field = keys.fieldOf('/collections/1');
const row: IndexRow = {
  version: 'v1',
  route: '/collections/{uid}',
  sentAtMs: 1_000,
  readAtMs: 1_100,
  confirmedAtMs: 1_200,
  isOutdated: false,
  updatedAt: '2026-01-01T00:00:00.000Z',
  heapBytes: 10,
  textBytes: 100,
  sealedBytes: 20,
  isFailure: false,
};

describe('a sealed text', () => {
  const plain = Buffer.from('a canary');
  const sealed = seal(keys, field, 'row', plain);

  it('opens as what it is, and is different each time', () => {
    expect(open(keys, field, 'row', sealed)).toEqual(plain);
    expect(seal(keys, field, 'row', plain)).not.toEqual(sealed);
    expect(sealed.includes('canary')).toBe(false);
  });

  it.each([
    ['with another API key', deriveCacheKeys(new Secret('PMAK-two'), secret), field],
    ['with another secret', deriveCacheKeys(new Secret('PMAK-one'), toTenantSecret(2)), field],
    ['under the name of another API key', { ...keys, tag: 'another' }, field],
    ['as another target', keys, keys.fieldOf('/collections/2')],
  ])('does not open %s', (_, owner, name) => {
    expect(open(owner, name, 'row', sealed)).toBeUndefined();
  });

  it('does not open as another part, cut off anywhere, or with any bit changed', () => {
    expect(open(keys, field, 'body v1', sealed)).toBeUndefined();
    for (let length = 0; length < sealed.length; length++)
      expect(open(keys, field, 'row', sealed.subarray(0, length))).toBeUndefined();
    for (let bit = 0; bit < 8 * sealed.length; bit++) {
      const changed = Buffer.from(sealed);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(open(keys, field, 'row', changed)).toBeUndefined();
    }
    expect(open(keys, field, 'row', Buffer.concat([sealed, Buffer.from([0])]))).toBeUndefined();
  });
});

describe('a row of the index', () => {
  it('shows numbers to scripts and everything to the owner', () => {
    const text = writeRow(keys, field, row);
    expect(text).toMatch(/^1000 1200 0 20 [\w-]+$/);
    expect(readRow(keys, field, text)).toEqual(row);
    expect(readRowNumbers(text)).toEqual({ confirmedAtMs: 1_200, isOutdated: false, sealedBytes: 20 });
  });

  it.each(['', 'bytes', '1 2 0 3', '1 2 3 4 abc', '1000 1200 0 20 !!'])('does not open as %j', (text) => {
    expect([readRow(keys, field, text), text && readRow(keys, field, `1 1 0 1 ${text}`)].some(Boolean)).toBe(false);
  });
});

describe('the text of a response', () => {
  const text = 'canary '.repeat(100);

  it('opens only under its own row', async () => {
    const body = await sealText(keys, field, 'v1', text);
    const known = { ...row, textBytes: text.length };
    expect([await openText(keys, field, known, body), openTextNow(keys, field, known, body)]).toEqual([text, text]);
    const other = { ...known, version: 'v2' };
    expect([await openText(keys, field, other, body), openTextNow(keys, field, other, body)]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('is not decompressed beyond its length', async () => {
    const body = await sealText(keys, field, 'v1', text);
    const known = { ...row, textBytes: text.length - 1 };
    expect([await openText(keys, field, known, body), openTextNow(keys, field, known, body)]).toEqual([
      undefined,
      undefined,
    ]);
  });
});

const PAIRS = Number(process.env['RUNS'] ?? 100_000);

it(`gives ${PAIRS} pairs of API keys and targets different names, which show neither`, () => {
  const names = new Set<string>();
  for (let key = 0; names.size < PAIRS; key++) {
    const cacheKeys = deriveCacheKeys(new Secret(`PMAK-${key}`), secret);
    const before = names.size;
    for (let target = 0; target < 1_000; target++)
      names.add(cacheKeys.bodyKeyOf(cacheKeys.fieldOf(`/collections/${target}`)));
    if (names.size !== before + 1_000) break;
  }
  expect(names.size).toBe(PAIRS);
  const [name = ''] = names;
  expect(name).toMatch(/^\{postman-graphql:cache:[\w-]{24}\}:body:[\w-]{24}$/);
}, 300_000);

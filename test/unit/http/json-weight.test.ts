import { assert, integer, json, jsonValue, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCollectionTree } from '../../../src/upstream/collection-format/tree/collection-tree.ts';
import { createJsonMeter } from '../../../src/upstream/http/body/json-weight.ts';
import { collectionCall, collectionsCall } from '../../../src/upstream/postman/resources/collections.ts';
import { environmentsCall } from '../../../src/upstream/postman/resources/environments.ts';
import { mocksCall } from '../../../src/upstream/postman/resources/mocks.ts';
import { workspaceCall, workspacesCall } from '../../../src/upstream/postman/resources/workspaces.ts';
import { takenHeapBytes } from '../../support/heap.ts';

function weigh(text: string, chunkBytes = Number.POSITIVE_INFINITY) {
  const bytes = Buffer.from(text);
  const meter = createJsonMeter();
  for (let at = 0; at < bytes.length; at += chunkBytes) meter.add(bytes.subarray(at, at + chunkBytes));
  return { values: meter.values, heapBytes: meter.heapBytes };
}

const list = (count: number, item: string | ((index: number) => string)) =>
  `[${Array.from({ length: count }, (_, index) => (typeof item === 'string' ? item : item(index))).join(',')}]`;
const name = (index: number) => `k${index.toString(36)}`;
/** Ten letters, in an order that depends on the seed. */
const shuffled = (seed: number) => {
  const letters = Array.from('abcdefghijklmnopqrstuvwxyz');
  return Array.from({ length: 10 }, (_, index) => letters.splice((seed * 7_919 * (index + 1)) % letters.length, 1)[0]);
};
const readCollection = (body: unknown) => {
  const detail = collectionCall('1-a').parse(body);
  return [detail, createCollectionTree(detail.document, '1-a')];
};

describe('values', () => {
  it.each<[string, number]>([
    ['{}', 1],
    ['[]', 1],
    [' [ 1 , -2.5e3 , true , null , "a,]" ] ', 6],
    ['["\\"", "\\\\", "\\u0022", ""]', 5],
    // Each new sequence of keys counts for nine more: a; a, b; b.
    ['[{"a":1,"b":2},{"a":1,"b":2},{"b":1}]', 9 + 3 * 9],
    ['{"a":{"b":[{"b":1}]}}', 5 + 2 * 9],
    // Keys that are numbers count for nine more each time.
    ['[{"7":1},{"7":1}]', 5 + 2 * 9],
    // Items of trees and lists count for five more each.
    ['{"item":[{},{}]}', 4 + 9 + 2 * 5],
    ['{"\\u0069tem":[{},{}]}', 4 + 9 + 2 * 5],
    ['{"items":[{},{}]}', 4 + 9],
  ])('of %s are %d', (text, expected) => {
    expect(weigh(text).values).toBe(expected);
  });

  it('are the same if the text is cut within an escape of a key', () => {
    const text = '{"\\"":[{}],"\\\\1":[{}],"\\u0069tem":[{}]}';
    for (let chunkBytes = 1; chunkBytes < 9; chunkBytes++) expect(weigh(text, chunkBytes)).toEqual(weigh(text));
  });

  it('are the same wherever the text is cut', () => {
    assert(
      property(json(), integer({ min: 1, max: 9 }), (text, chunkBytes) => {
        expect(weigh(text, chunkBytes)).toEqual(weigh(text));
      }),
    );
  });

  it('are those of the parsed value, except for sequences of keys', () => {
    const count = (value: unknown): number =>
      typeof value === 'object' && value !== null
        ? Object.values(value).reduce((sum: number, member) => sum + count(member), 1)
        : 1;
    assert(
      property(jsonValue(), (value) => {
        // With spaces, and without objects, whose sequences of keys would count.
        const text = JSON.stringify(value, (_, part: unknown) =>
          typeof part === 'object' && part !== null && !Array.isArray(part) ? Object.values(part) : part,
        );
        expect(weigh(JSON.stringify(JSON.parse(text), null, 1)).values).toBe(count(JSON.parse(text)));
      }),
    );
  });
});

describe('bytes on the heap', () => {
  const COUNT = 30_000;

  it.each<[string, string, ((body: unknown) => unknown)?]>([
    ['{"a":{}}', list(COUNT, '{"a":{}}')],
    ['{}', list(COUNT, '{}')],
    ['[]', list(COUNT, '[]')],
    ['[1]', list(COUNT, '[1]')],
    ['lists in lists', '['.repeat(COUNT) + ']'.repeat(COUNT)],
    ['objects in objects', `${'{"a":'.repeat(COUNT)}1${'}'.repeat(COUNT)}`],
    ['small numbers', list(4 * COUNT, '1')],
    ['fractions beside an object', list(4 * COUNT, (index) => (index === 0 ? '{}' : '0.5'))],
    ['members that are fractions', list(COUNT, '{"a":0.5}')],
    ['texts of one character', list(4 * COUNT, '"a"')],
    ['short texts, all different', list(COUNT, (index) => `"${name(index)}"`)],
    ['texts of 12 characters', list(COUNT, '"aaaaaaaaaaaa"')],
    ['texts of 100 characters', list(COUNT / 10, `"${'x'.repeat(100)}"`)],
    ['one text', list(1, `"${'x'.repeat(2_000_000)}"`)],
    ['one text with one wide character', list(1, `"${'x'.repeat(2_000_000)}\u4e00"`)],
    ['one text with one wide character, escaped', list(1, `"${'x'.repeat(2_000_000)}\\u4e00"`)],
    ['texts of Latin-1', list(COUNT / 10, `"${'\u00e4'.repeat(100)}"`)],
    ['texts of wide characters', list(COUNT / 10, `"${'\u4e00'.repeat(100)}"`)],
    [
      'objects of 26 members',
      list(COUNT / 20, `{${Array.from('abcdefghijklmnopqrstuvwxyz', (key) => `"${key}":1`).join(',')}}`),
    ],
    ['a unique key per object', list(COUNT / 10, (index) => `{"${name(index)}":1}`)],
    [
      '20 unique keys per object',
      list(COUNT / 100, (index) => `{${list(20, (key) => `"${name(index * 20 + key)}":1`).slice(1, -1)}}`),
    ],
    [
      'the same keys in a different order each',
      list(
        COUNT / 50,
        (seed) =>
          `{${shuffled(seed)
            .map((key) => `"${key}":1`)
            .join(',')}}`,
      ),
    ],
    ['one object of many keys', `{${list(COUNT, (index) => `"${name(index)}":1`).slice(1, -1)}}`],
    ['keys that are large numbers', list(COUNT, '{"1000000":1}')],
    ['keys that are large numbers, escaped', list(COUNT, '{"\\u0031000000":1}')],
    ['items without ids', `{"collection":{"info":{},"item":${list(COUNT, '{}')}}}`, readCollection],
    ['folders without ids', `{"collection":{"info":{},"item":${list(COUNT, '{"item":[]}')}}}`, readCollection],
    [
      'folders in folders',
      `{"collection":{"info":{},"item":[${'{"item":['.repeat(COUNT)}${']}'.repeat(COUNT)}]}}`,
      readCollection,
    ],
    ['workspaces', `{"workspaces":${list(COUNT, (index) => `{"id":"${index}"}`)}}`, workspacesCall({}, null).parse],
    ['collections', `{"collections":${list(COUNT, (index) => `{"uid":"${index}"}`)}}`, collectionsCall(null, 0).parse],
    [
      'collections with timestamps',
      `{"collections":${list(COUNT, (index) => `{"id":"a","owner":${index},"fork":{"createdAt":"2"},"updatedAt":"2","createdAt":"2"}`)}}`,
      collectionsCall(null, 0).parse,
    ],
    ['environments', `{"environments":${list(COUNT, (index) => `{"uid":"${index}"}`)}}`, environmentsCall(null).parse],
    ['mocks', `{"mocks":${list(COUNT, (index) => `{"uid":"${index}"}`)}}`, mocksCall(null).parse],
    [
      'collections of a workspace',
      `{"workspace":{"id":"w","collections":${list(COUNT, (index) => `{"id":"${index}","owner":1}`)}}}`,
      workspaceCall('w').parse,
    ],
    [
      'mocks of a workspace',
      `{"workspace":{"id":"w","mocks":${list(COUNT, (index) => `{"id":"${index}","owner":1}`)}}}`,
      workspaceCall('w').parse,
    ],
  ])('of %s are at most a fifth below what V8 takes', async (_, text, read = (body: unknown) => body) => {
    const bytes = Buffer.from(text);
    const takenBytes = await takenHeapBytes(() => read(JSON.parse(bytes.toString())));
    // The heap size is not exact to the last kilobyte in a process that also runs the tests.
    expect(weigh(text).heapBytes).toBeGreaterThan(0.8 * takenBytes - 100_000);
  });

  it('of a typical collection are at most twice what V8 takes', async () => {
    const items = list(2_000, (index) =>
      JSON.stringify({
        id: `0f8fad5b-d9cb-469f-a165-${String(index).padStart(12, '0')}`,
        name: `Request number ${index}`,
        request: {
          method: 'GET',
          header: [{ key: 'Accept', value: 'application/json', type: 'text' }],
          url: { raw: `{{baseUrl}}/things/${index}?page=1`, host: ['{{baseUrl}}'], path: ['things', String(index)] },
          description: `What number ${index} is for, in some words.`,
        },
        response: [],
      }),
    );
    const text = `{"collection":{"info":{},"item":${items}}}`;
    const takenBytes = await takenHeapBytes(() => readCollection(JSON.parse(text)));
    expect(weigh(text).heapBytes).toBeGreaterThan(0.8 * takenBytes);
    expect(weigh(text).heapBytes).toBeLessThan(2 * takenBytes);
  });
});

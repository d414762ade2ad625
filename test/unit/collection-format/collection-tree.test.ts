import { describe, expect, it } from 'vitest';
import { createCollectionTree } from '../../../src/upstream/collection-format/tree/collection-tree.ts';
import { findRequests } from '../../../src/upstream/collection-format/tree/filter-requests.ts';
import {
  effectiveAuth,
  itemDescription,
  itemName,
  itemPath,
  MAX_PATH_LENGTH,
} from '../../../src/upstream/collection-format/tree/item.ts';
import type { JsonObject } from '../../../src/upstream/collection-format/syntax/json.ts';
import { runAtOnce } from '../../../src/upstream/steps.ts';

const UID = '12-6b3a7e10-0000-4000-8000-000000000001';
const folder = (name: string, item: unknown[], more = {}) => ({ id: `f-${name}`, name, item, ...more });
const request = (name: string, more = {}, item = {}) => ({ id: `r-${name}`, name, request: { ...more }, ...item });
const treeOf = (document: JsonObject) => createCollectionTree(document, UID);
const names = (items: readonly { json: JsonObject }[]) => items.map(({ json }) => json.name);

describe('a collection tree', () => {
  const tree = treeOf({
    item: [
      request('one'),
      folder('A', [request('two'), folder('B', [request('three')]), folder('empty', []), request('four')]),
      request('five'),
    ],
  });

  it('lists folders and requests depth first', () => {
    expect([names(tree.items), names(tree.folders), names(tree.requests)]).toEqual([
      ['one', 'A', 'five'],
      ['A', 'B', 'empty'],
      ['one', 'two', 'three', 'four', 'five'],
    ]);
  });

  it('knows which requests are below a folder', () => {
    expect(
      tree.folders.map(({ firstRequest, endRequest }) => names(tree.requests.slice(firstRequest, endRequest))),
    ).toEqual([['two', 'three', 'four'], ['three'], []]);
  });

  it('returns the names of the folders above an item, outermost first', () => {
    expect(tree.requests.map(itemPath)).toEqual([[], ['A'], ['A', 'B'], ['A'], []]);
    expect(treeOf({ item: [{ item: [{ name: 'x' }] }] }).requests.map(itemPath)).toEqual([['']]);
  });

  it('treats every object without a list of items as a request, and skips everything that is not an object', () => {
    const odd = treeOf({
      item: [
        null,
        'text',
        7,
        [],
        {},
        { item: null },
        { item: {} },
        { request: 'https://a' },
        { item: [], request: {} },
      ],
    });
    expect([odd.requests.map(({ json }) => json), odd.folders.map(({ json }) => json)]).toEqual([
      [{}, { item: null }, { item: {} }, { request: 'https://a' }],
      [{ item: [], request: {} }],
    ]);
  });

  it.each([[{}], [{ item: null }], [{ item: { a: {} } }], [{ item: 'x' }]])('is empty for %j', (document) => {
    expect(treeOf(document)).toMatchObject({ items: [], folders: [], requests: [] });
  });

  it('handles 100,000 nested folders, and limits the path of the innermost', () => {
    const depth = 100_000;
    const document = JSON.parse(
      `{"item":[${'{"name":"f","item":['.repeat(depth)}{"name":"deep"}${']}'.repeat(depth)}]}`,
    );
    const deep = treeOf(document);
    expect([deep.folders.length, deep.requests.length]).toEqual([depth, 1]);
    expect(itemPath(deep.requests[0]!)).toEqual(Array(MAX_PATH_LENGTH).fill('f'));
    expect(effectiveAuth(deep.requests[0]!)).toBeNull();
  });

  it('leaves every prototype alone when keys are called __proto__', () => {
    const document = JSON.parse(
      '{"item":[{"__proto__":{"item":[{}],"id":"stolen"},"name":"a"}],"__proto__":{"polluted":true}}',
    );
    const poisoned = treeOf(document);
    expect([poisoned.folders.length, poisoned.requests.length, poisoned.requests[0]!.id === 'stolen']).toEqual([
      0,
      1,
      false,
    ]);
    expect(({} as JsonObject).polluted).toBeUndefined();
  });
});

describe('ids of items', () => {
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/;
  const idsOf = (document: JsonObject, uid = UID) => {
    const tree = createCollectionTree(document, uid);
    return [...tree.folders, ...tree.requests].map(({ id }) => id);
  };

  it('are those of the items, also in the form of older exports', () => {
    expect(idsOf({ item: [{ id: 'a' }, { _postman_id: 'b' }, { id: 7 }] })).toEqual(['a', 'b', '7']);
  });

  it('are derived if there is none: the same each time, and different in another collection', () => {
    const document = { item: [{}, { id: '' }, { id: null }, { item: [{}, {}] }] };
    const ids = idsOf(document);
    expect(ids).toEqual(ids.map(() => expect.stringMatching(uuid)));
    expect(new Set(ids).size).toBe(6);
    expect(idsOf(document)).toEqual(ids);
    expect(idsOf(document, 'other').some((id) => ids.includes(id))).toBe(false);
  });

  it('are unique if Postman repeats them: the first item keeps its own', () => {
    const ids = idsOf({ item: [{ id: 'a', item: [{ id: 'a' }] }, { id: 'a' }, { id: 'b' }] });
    expect(ids).toEqual(['a', expect.stringMatching(uuid), expect.stringMatching(uuid), 'b']);
    expect(new Set(ids).size).toBe(4);
  });

  it('are unique even if Postman uses one that would be derived', () => {
    const [made] = idsOf({ item: [{ id: 'x' }, {}] }).slice(1);
    const ids = idsOf({ item: [{ id: made }, {}] });
    expect(ids[0]).toBe(made);
    expect(new Set(ids).size).toBe(2);
  });

  it('are derived if that of Postman is too long for a cursor', () => {
    const long = 'x'.repeat(500);
    expect(idsOf({ item: [{ id: long }, { id: `${long}x`, _postman_id: 'a' }, { id: `${long}x` }] })).toEqual([
      long,
      'a',
      expect.stringMatching(uuid),
    ]);
  });

  it('come with the uid that Postman sends, or with none', () => {
    expect(treeOf({ item: [{ uid: '12-a' }, {}, { uid: 5 }] }).requests.map(({ uid }) => uid)).toEqual([
      '12-a',
      null,
      '5',
    ]);
  });
});

describe('description of an item', () => {
  it.each([
    ['in the request', { request: { description: 'inner' }, description: 'outer' }, 'inner'],
    ['beside the request', { request: {}, description: { content: 'outer' } }, 'outer'],
    ['of a folder', { item: [], description: 'outer' }, 'outer'],
    ['nowhere', { request: {} }, null],
  ])('stands %s', (_where, item, description) => {
    expect(itemDescription(treeOf({ item: [item] }).items[0]!)).toBe(description);
  });
});

describe('effective auth', () => {
  const bearer = { type: 'bearer', bearer: { token: '{{t}}' } };
  const foundFor = (document: JsonObject) =>
    treeOf(document).requests.map((item) => {
      const auth = effectiveAuth(item);
      return auth && [auth.type, auth.definedOn && itemName(auth.definedOn)];
    });

  it('is that of the request, else of the nearest folder, else of the collection, and says where it is defined', () => {
    expect(
      foundFor({
        auth: { type: 'basic' },
        item: [
          request('own', { auth: bearer }),
          request('collection'),
          request('null inherits', { auth: null }),
          request('none', { auth: { type: 'noauth' } }),
          folder(
            'A',
            [
              request('folder'),
              folder('B', [request('grandparent')], { auth: null }),
              folder('C', [request('stopped')], { auth: { type: 'noauth' } }),
            ],
            {
              auth: { type: 'digest' },
            },
          ),
        ],
      }),
    ).toEqual([
      ['bearer', 'own'],
      ['basic', null],
      ['basic', null],
      ['noauth', 'none'],
      ['digest', 'A'],
      ['digest', 'A'],
      ['noauth', 'C'],
    ]);
  });

  it('is null if nothing defines one', () => {
    expect(
      foundFor({ auth: {}, item: [request('a'), folder('A', [request('b', { auth: {} })], { auth: 'basic' })] }),
    ).toEqual([null, null]);
  });
});

describe('a filter of requests', () => {
  const tree = treeOf({
    item: [
      request('List users', { method: 'get', url: 'https://api.example.com/users' }),
      folder(
        'A',
        [
          request('Add', {
            method: 'POST',
            url: { raw: '{{base}}/Users', host: ['{{base}}'], path: ['Users'] },
            description: 'Makes an account',
          }),
        ],
        { uid: '12-A' },
      ),
      request('Other', { url: 'https://example.com.evil.example/x' }),
      request('Bare'),
    ],
  });

  it.each([
    ['nothing', {}, ['List users', 'Add', 'Other', 'Bare']],
    [
      'nulls and empties',
      { search: '', method: [], host: '', folderUid: null },
      ['List users', 'Add', 'Other', 'Bare'],
    ],
    ['text in the name', { search: 'OTHER' }, ['Other']],
    ['text in the URL', { search: 'users' }, ['List users', 'Add']],
    ['text in the description', { search: 'ACCOUNT' }, ['Add']],
    ['methods in any case', { method: ['Get', 'patch'] }, ['List users', 'Other', 'Bare']],
    ['a host', { host: 'API.example.com' }, ['List users']],
    ['a domain above the host', { host: 'example.com' }, ['List users']],
    ['a part of a host that is no domain', { host: 'ample.com' }, []],
    ['a variable as host', { host: '{{base}}' }, ['Add']],
    ['the uid of a folder', { folderUid: '12-A' }, ['Add']],
    ['the id of a folder', { folderUid: 'f-A' }, ['Add']],
    ['a folder that is not there', { folderUid: 'gone' }, []],
    ['several conditions', { search: 'users', method: ['GET'] }, ['List users']],
  ])('finds by %s', (_what, filter, expected) => {
    expect(names(runAtOnce(findRequests(tree.requests, filter)))).toEqual(expected);
  });

  it('finds nothing in an empty collection', () => {
    expect(runAtOnce(findRequests([], { folderUid: 'a' }))).toEqual([]);
  });
});

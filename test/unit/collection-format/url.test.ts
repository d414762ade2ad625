import { describe, expect, it } from 'vitest';
import {
  toUrl,
  type Url,
  urlHash,
  urlHost,
  urlPath,
  urlPort,
  urlProtocol,
  urlQuery,
  urlRaw,
  urlVariables,
} from '../../../src/upstream/collection-format/fields/url.ts';

const urlOf = (json: unknown) => toUrl(json) as Url;

/** The parts of a URL that are not empty. */
function partsOf(json: unknown) {
  const url = urlOf(json);
  const parts = {
    protocol: urlProtocol(url),
    host: urlHost(url),
    port: urlPort(url),
    path: urlPath(url),
    query: urlQuery(url).map(({ key, value }) => [key, value]),
    variables: urlVariables(url).map(({ key, value }) => [key, value]),
    hash: urlHash(url),
  };
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== null && part.length > 0));
}

describe('a URL as text', () => {
  it.each([
    ['', {}],
    ['https://api.example.com', { protocol: 'https', host: ['api', 'example', 'com'] }],
    ['https://example.com/', { protocol: 'https', host: ['example', 'com'], path: [''] }],
    ['http://localhost:8080/a//b/', { protocol: 'http', host: ['localhost'], port: '8080', path: ['a', '', 'b', ''] }],
    ['localhost:8080/a', { host: ['localhost'], port: '8080', path: ['a'] }],
    [
      '{{baseUrl}}/users/:id/posts',
      { host: ['{{baseUrl}}'], path: ['users', ':id', 'posts'], variables: [['id', null]] },
    ],
    ['{{scheme}}://{{host}}:{{port}}/a', { protocol: '{{scheme}}', host: ['{{host}}'], port: '{{port}}', path: ['a'] }],
    ['{{a.b/c?d#e:f}}.com/{{x/y}}', { host: ['{{a.b/c?d#e:f}}', 'com'], path: ['{{x/y}}'] }],
    ['https://ann:pw@example.com/', { protocol: 'https', host: ['example', 'com'], path: [''] }],
    ['https://[::1]:8080/a', { protocol: 'https', host: ['[::1]'], port: '8080', path: ['a'] }],
    ['https://[::1]/a', { protocol: 'https', host: ['[::1]'], path: ['a'] }],
    ['/a/b', { path: ['a', 'b'] }],
    [':id/a', { host: [':id'], path: ['a'] }],
    ['h/to/http://other', { host: ['h'], path: ['to', 'http:', '', 'other'] }],
    [
      'h?a&b=&c=1=2&=d&&{{e&f}}',
      {
        host: ['h'],
        query: [
          ['a', null],
          ['b', ''],
          ['c', '1=2'],
          ['', 'd'],
          ['{{e&f}}', null],
        ],
      },
    ],
    ['h?u=http://x/y?z', { host: ['h'], query: [['u', 'http://x/y?z']] }],
    ['h/p#f?g', { host: ['h'], path: ['p'], hash: 'f?g' }],
    ['h/{{open', { host: ['h'], path: ['{{open'] }],
    ['{{a}}{{b}}/{{', { host: ['{{a}}{{b}}'], path: ['{{'] }],
  ])('%j comes apart', (text, parts) => {
    expect(partsOf(text)).toEqual(parts);
  });

  it('keeps its text', () => {
    expect(urlRaw(urlOf(' https://a b/{{c}}?x#y '))).toBe(' https://a b/{{c}}?x#y ');
  });

  it.each(['{{', '}}', '{{}}', '/', '.', ':', '@', '?', '&', '=', '#', '://', '{{a', '[', ':1'])(
    'of a hundred thousand %j is read to its end',
    (piece) => {
      const url = urlOf(piece.repeat(100_000));
      expect(() => partsOf(url.json)).not.toThrow();
    },
  );
});

describe('a URL as an object', () => {
  it.each([
    ['nothing in it', {}, {}],
    [
      'lists',
      { protocol: 'https', host: ['a', 'b'], port: '1', path: ['c', 'd'] },
      { protocol: 'https', host: ['a', 'b'], port: '1', path: ['c', 'd'] },
    ],
    ['text', { host: 'a.{{b.c}}', path: '/c/d' }, { host: ['a', '{{b.c}}'], path: ['c', 'd'] }],
    ['a number as port', { host: ['a'], port: 8080 }, { host: ['a'], port: '8080' }],
    ['an empty port', { host: ['a'], port: '' }, { host: ['a'] }],
    [
      'segments as objects',
      { host: ['a'], path: [{ type: 'string', value: 'b' }, 'c', null, {}] },
      { host: ['a'], path: ['b', 'c'] },
    ],
    [
      'a query',
      {
        host: ['a'],
        query: [
          { key: 'a', value: null },
          { key: 'b', value: '' },
          { key: null, value: 'c' },
          { key: 'd', value: null, equals: true },
          null,
        ],
      },
      {
        host: ['a'],
        query: [
          ['a', null],
          ['b', ''],
          [null, 'c'],
          ['d', ''],
        ],
      },
    ],
    [
      'a query as text',
      { host: ['a'], query: 'a=1&b' },
      {
        host: ['a'],
        query: [
          ['a', '1'],
          ['b', null],
        ],
      },
    ],
    ['a query as a map', { host: ['a'], query: { a: 1 } }, { host: ['a'], query: [['a', '1']] }],
    ['one query parameter', { host: ['a'], query: { key: 'b', value: 'c' } }, { host: ['a'], query: [['b', 'c']] }],
    [
      'path variables',
      {
        host: ['a'],
        path: [':x', ':y'],
        variable: [
          { key: 'x', value: '1' },
          { id: 'y', value: null },
        ],
      },
      {
        host: ['a'],
        path: [':x', ':y'],
        variables: [
          ['x', '1'],
          ['y', null],
        ],
      },
    ],
    [
      'nothing but raw',
      { raw: 'https://a/:b?c#d' },
      { protocol: 'https', host: ['a'], path: [':b'], query: [['c', null]], variables: [['b', null]], hash: 'd' },
    ],
    ['a raw that says something else', { raw: 'https://a/b?c', host: ['d'] }, { host: ['d'] }],
  ])('with %s', (_what, json, parts) => {
    expect(partsOf(json)).toEqual(parts);
  });

  it('keeps its raw text, even if that is wrong or empty', () => {
    expect([urlRaw(urlOf({ raw: 'x y', host: ['a'] })), urlRaw(urlOf({ raw: '', host: ['a'] }))]).toEqual(['x y', '']);
  });

  it('is assembled if it has no raw text', () => {
    const json = {
      protocol: 'https',
      auth: { user: 'ann', password: 'pw' },
      host: ['api', 'example', 'com'],
      port: 8443,
      path: ['users', ':id'],
      query: [
        { key: 'a' },
        { key: 'b', value: '' },
        { key: 'c', value: '1' },
        { key: 'off', value: '1', disabled: true },
      ],
      hash: 'top',
      variable: [{ key: 'id', value: '7' }],
    };
    expect(urlRaw(urlOf(json))).toBe('https://api.example.com:8443/users/:id?a&b=&c=1#top');
    expect(urlRaw(urlOf({ host: ['{{baseUrl}}'], raw: null }))).toBe('{{baseUrl}}');
    expect(urlRaw(urlOf({}))).toBe('');
  });

  it('says which query parameters are disabled, and gives their descriptions', () => {
    expect(
      urlQuery(urlOf({ query: [{ key: 'a', value: '1', disabled: true, description: { content: 'why' } }] })),
    ).toEqual([{ key: 'a', value: '1', isMasked: false, enabled: false, description: 'why' }]);
  });
});

describe('no URL', () => {
  it.each([[null], [undefined], [7], [['a']]])('is read from %j', (json) => {
    expect(toUrl(json)).toBeNull();
  });
});

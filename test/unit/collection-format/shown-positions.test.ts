import { describe, expect, it } from 'vitest';
import { toAuth } from '../../../src/upstream/collection-format/fields/auth.ts';
import { type FormBody, formParameters, toBody } from '../../../src/upstream/collection-format/fields/body.ts';
import { toDescription } from '../../../src/upstream/collection-format/syntax/description.ts';
import { exampleCode, examplesOf, originalRequestOf } from '../../../src/upstream/collection-format/fields/example.ts';
import { toFormatVersion } from '../../../src/upstream/collection-format/tree/format-version.ts';
import { toHeaders } from '../../../src/upstream/collection-format/fields/headers.ts';
import { toNumber, toText } from '../../../src/upstream/collection-format/syntax/json.ts';
import { methodOf, toRequestDefinition } from '../../../src/upstream/collection-format/fields/request-definition.ts';
import { scriptsOf } from '../../../src/upstream/collection-format/fields/scripts.ts';
import { toVariables, variablesOf } from '../../../src/upstream/collection-format/fields/variables.ts';

const header = (key: string, value: string | null, enabled = true) => ({ key, value, enabled, description: null });
const script = (source: string) => ({ listen: 'test', language: null, source, enabled: true });
const row = (key: string | null, value: string | null, more = {}) => ({
  key,
  value,
  isMasked: false,
  src: null,
  contentType: null,
  enabled: true,
  description: null,
  ...more,
});
const variable = (key: string | null, value: unknown, more = {}) => ({
  key,
  value,
  type: null,
  enabled: true,
  isSecret: false,
  description: null,
  ...more,
});

describe('description', () => {
  it.each([
    ['text', 'Reads *one*.', 'Reads *one*.'],
    ['an object with content', { content: 'Reads one.', type: 'text/markdown', version: '1' }, 'Reads one.'],
    ['an object without content', { type: 'text/markdown' }, null],
    ['null', null, null],
    ['nothing', undefined, null],
    ['an empty text', '', ''],
  ])('is read from %s', (_form, json, description) => {
    expect(toDescription(json)).toBe(description);
  });
});

describe('request and originalRequest', () => {
  it.each([
    ['an object', { method: 'PUT' }, { method: 'PUT' }],
    ['the bare URL', 'https://a.example', { url: 'https://a.example' }],
    ['null', null, {}],
    ['a list', [1], {}],
  ])('is read from %s', (_form, json, definition) => {
    expect(toRequestDefinition(json)).toEqual(definition);
  });

  it.each([
    ['capitals', 'DELETE', 'DELETE'],
    ['lower case', 'post', 'POST'],
    ['a word of its own', 'Purge', 'PURGE'],
    ['an empty text', '', 'GET'],
    ['blanks', '   ', 'GET'],
    ['null', null, 'GET'],
    ['nothing', undefined, 'GET'],
  ])('has a method from %s', (_form, method, expected) => {
    expect(methodOf({ method })).toBe(expected);
  });
});

describe('headers', () => {
  it.each([
    ['a list of objects', [{ key: 'Accept', value: 'text/plain' }], [header('Accept', 'text/plain')]],
    [
      'a disabled one with a description',
      [{ key: 'A', value: '1', disabled: true, description: { content: 'why' } }],
      [{ ...header('A', '1', false), description: 'why' }],
    ],
    ['a list of lines', ['Accept: text/plain'], [header('Accept', 'text/plain')]],
    [
      'a block of lines',
      'Accept: text/plain\r\n\r\n//X-Off: a:b\nX-Bare',
      [header('Accept', 'text/plain'), header('X-Off', 'a:b', false), header('X-Bare', '')],
    ],
    ['a map', { Accept: 'text/plain' }, [header('Accept', 'text/plain')]],
    ['a single row', { key: 'Accept', value: 'text/plain' }, [header('Accept', 'text/plain')]],
    ['name instead of key', [{ name: 'Accept', value: 'text/plain' }], [header('Accept', 'text/plain')]],
    ['a list as key', [{ key: ['a'], value: '1' }], [header('', '1')]],
    ['both, of which the key counts', [{ key: 'Accept', name: 'X', value: '1' }], [header('Accept', '1')]],
    [
      'a block with old line ends and folded lines',
      'A: 1\rB: 2\n\t3\r\n 4\n C: 5',
      [header('A', '1'), header('B', '2 3 4'), header('C', '5')],
    ],
    ['a number as value', [{ key: 'Content-Length', value: 12 }], [header('Content-Length', '12')]],
    ['a list as value', [{ key: 'Vary', value: ['Accept', 'Origin'] }], [header('Vary', 'Accept, Origin')]],
    ['a row without key and value', [{}], [header('', null)]],
    ['elements that are no rows', [null, 7, [], { key: 'A', value: 'b' }], [header('A', 'b')]],
    ['null', null, []],
    ['nothing', undefined, []],
  ])('are read from %s', (_form, json, headers) => {
    expect(toHeaders(json)).toEqual(headers);
  });
});

describe('body', () => {
  const raw = (text: string, language: string | null = null, enabled = true) => ({
    kind: 'raw',
    raw: text,
    language,
    enabled,
  });

  it.each([
    ['null', null, null],
    ['nothing', undefined, null],
    ['an empty object', {}, null],
    ['an empty mode without data', { mode: '' }, null],
    ['mode none', { mode: 'none' }, null],
    ['text', 'a', raw('a')],
    ['raw', { mode: 'raw', raw: '{}', options: { raw: { language: 'json' } } }, raw('{}', 'json')],
    ['raw without data', { mode: 'raw' }, raw('')],
    ['raw that is switched off', { mode: 'raw', raw: 'a', disabled: true }, raw('a', null, false)],
    ['raw with an object instead of text', { mode: 'raw', raw: { a: 1 } }, raw('{"a":1}')],
    ['a mode nobody knows', { mode: 'unknown' }, raw('')],
    ['a mode of the prototype', { mode: 'constructor' }, raw('')],
    ['data without a mode', { raw: 'a' }, raw('a')],
    [
      'a file',
      { mode: 'file', file: { src: '/a.bin', content: 'x' } },
      { kind: 'file', src: '/a.bin', content: 'x', enabled: true },
    ],
    ['an empty file', { mode: 'file', file: {} }, { kind: 'file', src: null, content: null, enabled: true }],
    ['a file as text', { mode: 'file', file: '/a.bin' }, { kind: 'file', src: '/a.bin', content: null, enabled: true }],
    [
      'a list of files',
      { mode: 'file', file: { src: ['/a', '/b'] } },
      { kind: 'file', src: '/a', content: null, enabled: true },
    ],
    [
      'GraphQL',
      { mode: 'graphql', graphql: { query: '{ a }', operationName: 'A', variables: '{"a":1}' } },
      { kind: 'graphql', query: '{ a }', operationName: 'A', variables: '{"a":1}', enabled: true },
    ],
    [
      'GraphQL with variables as an object',
      { mode: 'graphql', graphql: { query: '{ a }', variables: { a: 1 } } },
      { kind: 'graphql', query: '{ a }', operationName: null, variables: '{"a":1}', enabled: true },
    ],
    [
      'empty GraphQL',
      { mode: 'graphql' },
      { kind: 'graphql', query: '', operationName: null, variables: null, enabled: true },
    ],
  ])('is read from %s', (_form, json, body) => {
    expect(toBody(json)).toEqual(body);
  });

  it.each([
    [
      'a list',
      { mode: 'urlencoded', urlencoded: [{ key: 'a', value: '1', disabled: true }] },
      [row('a', '1', { enabled: false })],
    ],
    [
      'text',
      { mode: 'urlencoded', urlencoded: 'a=1&b=&c&&{{x&y}}=z' },
      [row('a', '1'), row('b', ''), row('c', null), row('{{x&y}}', 'z')],
    ],
    ['a map', { mode: 'urlencoded', urlencoded: { a: 1 } }, [row('a', '1')]],
    ['a single row', { mode: 'urlencoded', urlencoded: { key: 'a', value: '1' } }, [row('a', '1')]],
    ['null', { mode: 'urlencoded', urlencoded: null }, []],
    ['nothing', { mode: 'formdata' }, []],
    ['form data as text', { mode: 'formdata', formdata: 'a=1' }, [row('a', '1')]],
    [
      'a row with a media type',
      { mode: 'formdata', formdata: [{ key: 'a', value: '1', contentType: 'text/csv', description: 'd' }] },
      [row('a', '1', { contentType: 'text/csv', description: 'd' })],
    ],
    [
      'one file',
      { mode: 'formdata', formdata: [{ key: 'f', type: 'file', src: '/a' }] },
      [row('f', null, { src: ['/a'] })],
    ],
    [
      'files',
      { mode: 'formdata', formdata: [{ key: 'f', type: 'file', src: ['/a', null, '/b'] }] },
      [row('f', null, { src: ['/a', '/b'] })],
    ],
    [
      'no file yet',
      { mode: 'formdata', formdata: [{ key: 'f', type: 'file', src: null }] },
      [row('f', null, { src: [] })],
    ],
  ])('has form rows from %s', (_form, json, rows) => {
    expect(formParameters(toBody(json) as FormBody)).toEqual(rows);
  });
});

describe('auth', () => {
  const bearer = { type: 'bearer', parameters: [{ type: 'bearer', key: 'token', value: 't' }] };
  const basic = {
    type: 'basic',
    parameters: [
      { type: 'basic', key: 'username', value: 'ann' },
      { type: 'basic', key: 'password', value: 'pw' },
    ],
  };

  it.each([
    ['null', null, null],
    ['nothing', undefined, null],
    ['an empty object', {}, null],
    ['text', 'basic', null],
    [
      'the list of format 2.1',
      {
        type: 'basic',
        basic: [
          { key: 'username', value: 'ann', type: 'string' },
          { key: 'password', value: 'pw', type: 'string' },
        ],
      },
      basic,
    ],
    ['the map of format 2.0', { type: 'basic', basic: { username: 'ann', password: 'pw' } }, basic],
    ['a single row', { type: 'bearer', bearer: { key: 'token', value: 't' } }, bearer],
    [
      'the map of an API key, which looks like a row',
      { type: 'apikey', apikey: { key: 'X-Key', value: 'k', in: 'header' } },
      {
        type: 'apikey',
        parameters: [
          { type: 'apikey', key: 'key', value: 'X-Key' },
          { type: 'apikey', key: 'value', value: 'k' },
          { type: 'apikey', key: 'in', value: 'header' },
        ],
      },
    ],
    ['a block without a type', { basic: { username: 'ann', password: 'pw' } }, basic],
    ['noauth', { type: 'noauth' }, { type: 'noauth', parameters: [] }],
    ['a type without parameters', { type: 'oauth2' }, { type: 'oauth2', parameters: [] }],
    [
      'a type whose parameters are null',
      { type: 'oauth2', oauth2: null, basic: null },
      { type: 'oauth2', parameters: [] },
    ],
    ['a type of the prototype', { type: 'constructor' }, { type: 'constructor', parameters: [] }],
    [
      'values of every JSON type',
      {
        type: 'x',
        x: [
          { key: 'a', value: true },
          { key: 'b', value: [1] },
          { key: 'c', value: { d: 1 } },
          { key: 'e' },
          { value: 2 },
          null,
        ],
      },
      {
        type: 'x',
        parameters: [
          { type: 'x', key: 'a', value: true },
          { type: 'x', key: 'b', value: [1] },
          { type: 'x', key: 'c', value: { d: 1 } },
          { type: 'x', key: 'e', value: null },
          { type: 'x', key: '', value: 2 },
        ],
      },
    ],
  ])('is read from %s', (_form, json, auth) => {
    expect(toAuth(json)).toEqual(auth);
  });
});

describe('scripts', () => {
  it.each([
    ['a list of lines', { event: [{ listen: 'test', script: { exec: ['a', 'b'] } }] }, [script('a\nb')]],
    ['lines that are null', { event: [{ listen: 'test', script: { exec: ['a', null, 'b'] } }] }, [script('a\n\nb')]],
    ['one text', { event: [{ listen: 'test', script: { exec: 'a\r\nb' } }] }, [script('a\nb')]],
    ['a bare text', { event: [{ listen: 'test', script: 'a' }] }, [script('a')]],
    ['a bare list', { event: [{ listen: 'test', script: ['a', 'b'] }] }, [script('a\nb')]],
    ['an event without a script', { event: [{ listen: 'test' }] }, [script('')]],
    ['a single event', { event: { listen: 'test', script: 'a' } }, [script('a')]],
    ['events', { events: [{ listen: 'test', script: 'a' }] }, [script('a')]],
    [
      'a media type, disabled',
      { event: [{ disabled: true, script: { type: 'text/javascript', exec: ['a'] } }] },
      [{ listen: '', language: 'text/javascript', source: 'a', enabled: false }],
    ],
    ['null', { event: null }, []],
    ['nothing', {}, []],
  ])('are read from %s', (_form, owner, scripts) => {
    expect(scriptsOf(owner)).toEqual(scripts);
  });
});

describe('variables', () => {
  it.each([
    ['key and value', [{ key: 'a', value: 'b' }], [variable('a', 'b')]],
    ['id instead of key', [{ id: 'a', value: 'b' }], [variable('a', 'b')]],
    ['name instead of key', [{ name: 'a' }], [variable('a', null)]],
    ['no key at all', [{ value: 'b' }], [variable(null, 'b')]],
    ['a number', [{ key: 'a', value: 1 }], [variable('a', 1)]],
    ['an object', [{ key: 'a', value: { b: 1 } }], [variable('a', { b: 1 })]],
    ['disabled', [{ key: 'a', disabled: true }], [variable('a', null, { enabled: false })]],
    ['enabled: false', [{ key: 'a', enabled: false }], [variable('a', null, { enabled: false })]],
    ['enabled: null', [{ key: 'a', enabled: null }], [variable('a', null)]],
    [
      'type secret',
      [{ key: 'a', value: 's', type: 'secret' }],
      [variable('a', 's', { type: 'secret', isSecret: true })],
    ],
    [
      'a secret held in a vault',
      [{ key: 'a', secret: true, source: { provider: 'postman' }, enabled: true }],
      [variable('a', null, { isSecret: true })],
    ],
    ['a map', { a: 'b' }, [variable('a', 'b')]],
    ['a map of one called value', { value: 'b' }, [variable('value', 'b')]],
    [
      'a single row',
      { key: 'a', type: 'secret', value: 's' },
      [variable('a', 's', { type: 'secret', isSecret: true })],
    ],
    ['null', null, []],
    ['text', 'a=b', []],
  ])('are read from %s', (_form, json, variables) => {
    expect(toVariables(json)).toEqual(variables);
  });

  it('are found under variable and under variables', () => {
    expect([
      variablesOf({ variable: [{ key: 'a' }] }),
      variablesOf({ variables: [{ key: 'a' }] }),
      variablesOf({ variable: null }),
    ]).toEqual([[variable('a', null)], [variable('a', null)], []]);
  });
});

describe('saved responses', () => {
  it('are found under response and under responses, without elements that are not objects', () => {
    expect([
      examplesOf({ response: [{ id: 'a' }, null, 'x'] }),
      examplesOf({ responses: [{ id: 'a' }] }),
      examplesOf({ response: null }),
    ]).toEqual([[{ id: 'a' }], [{ id: 'a' }], []]);
  });

  it.each([
    [200, 200],
    ['404', 404],
    [200.5, null],
    [3_000_000_000, null],
    [null, null],
    [undefined, null],
    ['OK', null],
  ])('have the code of %j', (code, expected) => {
    expect(exampleCode({ code })).toBe(expected);
  });

  it.each([
    [12, 12],
    ['12.5', 12.5],
    ['', null],
    [null, null],
    [Number.POSITIVE_INFINITY, null],
    [undefined, null],
  ])('have the response time of %j', (responseTime, expected) => {
    expect(toNumber(responseTime)).toBe(expected);
  });

  it.each([
    ['an object', { method: 'PUT' }, { method: 'PUT' }],
    ['the bare URL', 'https://a.example', { url: 'https://a.example' }],
    ['null', null, null],
    ['nothing', undefined, null],
  ])('have the original request of %s', (_form, originalRequest, expected) => {
    expect(originalRequestOf({ originalRequest })).toEqual(expected);
  });
});

describe('format version', () => {
  it.each([
    ['https://schema.getpostman.com/json/collection/v2.1.0/collection.json', '2.1.0'],
    ['http://schema.postman.com/json/collection/v2.0.0/', '2.0.0'],
    ['https://schema.getpostman.com/json/collection/v2.0.0-rc.1/', '2.0.0'],
    ['https://schema.getpostman.com/json/collection/v2.10.0/', null],
    ['https://schema.getpostman.com/json/collection/v1.0.0/', null],
    [undefined, null],
    [7, null],
  ])('of %j is %j', (schema, version) => {
    expect(toFormatVersion({ info: { schema } })).toBe(version);
  });

  it('is unknown without info', () => {
    expect(toFormatVersion({})).toBeNull();
  });
});

describe('text form', () => {
  it.each([
    ['a', 'a'],
    [1.5, '1.5'],
    [false, 'false'],
    [[1, 'a'], '[1,"a"]'],
    [{ then: 1 }, '{"then":1}'],
    [null, null],
    [undefined, null],
  ])('of %j is %j', (value, text) => {
    expect(toText(value)).toBe(text);
  });

  it('is null for a value nested too deep to be serialised', () => {
    expect(toText(JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)))).toBeNull();
  });
});

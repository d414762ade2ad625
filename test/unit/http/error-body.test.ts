import { describe, expect, it } from 'vitest';
import { parseErrorBody } from '../../../src/upstream/http/error-body.ts';
import type { ErrorBody } from '../../../src/upstream/http/error-body.ts';

const cases: readonly (readonly [string, unknown, ErrorBody])[] = [
  [
    'a named error',
    { error: { name: 'instanceNotFoundError', message: 'No such monitor.' } },
    { name: 'instanceNotFoundError', message: 'No such monitor.' },
  ],
  [
    'a named error with a status inside and beside',
    { error: { name: 'notFoundError', message: 'Gone.', statusCode: 404 }, statusCode: 404 },
    { name: 'notFoundError', message: 'Gone.' },
  ],
  [
    'a named error with a header',
    { error: { name: 'mockNotFoundError', header: 'Mock missing', message: 'No such mock.' } },
    { name: 'mockNotFoundError', title: 'Mock missing', message: 'No such mock.' },
  ],
  [
    'a named error with a type for a name',
    { error: { type: 'serverError', message: 'It broke.' } },
    { name: 'serverError', message: 'It broke.' },
  ],
  [
    'a named error with title and detail',
    { error: { name: 'badRequest', title: 'Bad', detail: 'Very bad.' } },
    { name: 'badRequest', title: 'Bad', message: 'Very bad.' },
  ],
  [
    'details that are an object',
    { error: { name: 'paramMissingError', message: 'Missing.', details: { param: ['workspace'] } } },
    { name: 'paramMissingError', message: 'Missing.', details: { param: ['workspace'] } },
  ],
  [
    'details that name a model',
    { error: { name: 'Unauthorized', message: 'No.', details: { model: 'request', owner: 1 } } },
    { name: 'Unauthorized', message: 'No.', details: { model: 'request', owner: 1 }, model: true },
  ],
  [
    'details that are a list',
    { error: { name: 'malformedRequestError', message: 'Bad.', details: ['one', 'two'] } },
    { name: 'malformedRequestError', message: 'Bad.', details: ['one', 'two'] },
  ],
  [
    'details that are text, as the message if there is no other',
    { error: { name: 'syncError', details: 'Out of step.' } },
    { name: 'syncError', message: 'Out of step.', details: 'Out of step.' },
  ],
  [
    'an error that is a code',
    { error: 'rateLimited', message: 'Retry after 1669048687', statusCode: 429 },
    { name: 'rateLimited', message: 'Retry after 1669048687' },
  ],
  [
    'a problem with a URL for a type',
    { type: 'https://api.example.com/problems/forbidden', title: 'Forbidden', detail: 'Not yours.', status: 400 },
    { name: 'forbidden', title: 'Forbidden', message: 'Not yours.' },
  ],
  [
    'a problem whose URL has a query, a fragment and a slash at the end',
    { type: 'https://api.example.com/problems/not-found/?a=/b#c', title: 'T' },
    { name: 'not-found', title: 'T' },
  ],
  ['a problem with a urn', { type: 'urn:error:notFoundError', title: 'T' }, { name: 'notFoundError', title: 'T' }],
  ['a problem with a bare code', { type: 'instanceNotFoundError' }, { name: 'instanceNotFoundError' }],
  ['a problem whose URL has no path', { type: 'https://api.example.com?a', title: 'T' }, { title: 'T' }],
  [
    'an error that only names a model',
    { error: { details: { model: 'x' } } },
    { details: { model: 'x' }, model: true },
  ],
  ['a problem of no type', { type: 'about:blank', title: 'T' }, { title: 'T' }],
  [
    'a problem that spells detail as details',
    { type: 'x', title: 'T', details: 'D.' },
    { name: 'x', title: 'T', message: 'D.', details: 'D.' },
  ],
  ['a problem whose detail is empty', { title: 'T', detail: {} }, { title: 'T' }],
  [
    'a problem whose detail is an error of its own',
    { type: '/problems/bad-request', title: 'T', detail: { error: { name: 'notFoundError', message: 'No team.' } } },
    { name: 'notFoundError', title: 'T', message: 'No team.' },
  ],
  ['a problem with text alone', { schemas: ['s'], detail: 'D.', status: '403' }, { message: 'D.' }],
  ['a flat error', { name: 'badRequest', message: 'Bad element.' }, { name: 'badRequest', message: 'Bad element.' }],
  [
    'an error under the name of the resource',
    { ok: false, list: [1], collection: { name: 'forbiddenError', message: 'Not yours.' } },
    { name: 'forbiddenError', message: 'Not yours.' },
  ],
  ['an empty error beside a problem', { error: {}, title: 'T', detail: 'D.' }, { title: 'T', message: 'D.' }],
  ['JSON that came as text', '\ufeff {"error":{"name":"n","message":"m"}}', { name: 'n', message: 'm' }],
  ['a JSON string', '"Bad Gateway"', { message: 'Bad Gateway' }],
  ['plain text', ' Bad Gateway\n', { message: 'Bad Gateway' }],
  ['markup', '<html><title>502</title></html>', {}],
  ['half a JSON text', '{"error":{"name":"n', {}],
  ['an empty text', '', {}],
  ['nothing', undefined, {}],
  ['null', null, {}],
  ['a number', 42, {}],
  ['a list', [{ name: 'n', message: 'm' }], {}],
  ['a resource', { collection: { name: 'My collection', id: 1 } }, {}],
  ['wrong types', { error: [1], name: 5, message: {}, title: null, detail: true, type: ['x'] }, {}],
  ['blank texts', { error: ' ', name: '', type: '//', title: '\n' }, {}],
];

describe('parseErrorBody', () => {
  it.each(cases)('reads %s', (_, body, expected) => {
    expect(parseErrorBody(body)).toStrictEqual(expected);
  });

  it('is not misled by keys that mean something to JavaScript', () => {
    const body: unknown = JSON.parse('{"__proto__":{"name":"n","title":"T"},"constructor":1}');
    expect(parseErrorBody(body)).toStrictEqual({});
    expect(parseErrorBody({ error: { name: 'n', details: { constructor: 1 } } }).model).toBeUndefined();
  });

  it('bounds names and texts', () => {
    const huge = 'x'.repeat(10_000_000);
    expect(parseErrorBody({ name: huge, title: huge, message: huge })).toStrictEqual({
      name: 'x'.repeat(2000),
      title: 'x'.repeat(2000),
      message: 'x'.repeat(2000),
    });
    expect(parseErrorBody(huge)).toStrictEqual({});
  });

  it('survives deep nesting', () => {
    expect(parseErrorBody('['.repeat(500_000))).toStrictEqual({});
    expect(parseErrorBody(`${'{"error":'.repeat(100_000)}1${'}'.repeat(100_000)}`)).toStrictEqual({});
  });
});

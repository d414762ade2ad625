import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Facade, startFacade } from '../support/facade.ts';

let facade: Facade;
beforeAll(async () => {
  facade = await startFacade({ MAX_REQUEST_BYTES: '4096' });
});
afterAll(() => facade.close());

const QUERY = '{"query":"{ __typename }"}';
const json = { 'content-type': 'application/json' };

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** Sends a request without the headers that `fetch` adds. */
async function send({ method = 'POST', path = '/graphql', headers = json, body = QUERY }: Sent) {
  const { hostname, port } = new URL(facade.url);
  const sent = request({ host: hostname, port, method, path, headers });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const part of response) text += part;
  return { status: response.statusCode, headers: response.headers, text };
}

describe('a refusal has a body in the form of GraphQL', () => {
  const long = JSON.stringify({ query: '{ __typename }', variables: { a: 'x'.repeat(5_000) } });
  it.each<[string, Sent, number, string, string]>([
    [
      'another path',
      { path: '/nope' },
      404,
      'BAD_REQUEST',
      'There is nothing at this path. GraphQL is served at /graphql.',
    ],
    ['another method', { method: 'PUT' }, 405, 'BAD_REQUEST', 'GraphQL is served by GET and POST, not by PUT.'],
    [
      'a type that it cannot send',
      { headers: { ...json, accept: 'text/csv' } },
      406,
      'BAD_REQUEST',
      'This response can be sent as application/json or application/graphql-response+json, and one in parts as ' +
        'multipart/mixed or text/event-stream. Accept one of them.',
    ],
    [
      'a type that the client rules out',
      { headers: { ...json, accept: 'application/json;q=0' } },
      406,
      'BAD_REQUEST',
      expect.any(String) as string,
    ],
    [
      'a body that is too large',
      { body: long },
      413,
      'REQUEST_ENTITY_TOO_LARGE',
      'The request body is larger than 4096 bytes. The operator can raise MAX_REQUEST_BYTES.',
    ],
    [
      'a body that turns out to be too large',
      { body: long, headers: { ...json, 'transfer-encoding': 'chunked' } },
      413,
      'REQUEST_ENTITY_TOO_LARGE',
      'The request body is larger than 4096 bytes. The operator can raise MAX_REQUEST_BYTES.',
    ],
    [
      'a type that it cannot read',
      { headers: { 'content-type': 'application/xml' } },
      415,
      'BAD_REQUEST',
      'Send the request as JSON in UTF-8, with Content-Type: application/json and without Content-Encoding.',
    ],
    [
      'an encoding that it cannot read',
      { headers: { 'content-type': 'application/json; charset=ISO-8859-1' } },
      415,
      'BAD_REQUEST',
      expect.any(String) as string,
    ],
    [
      'a compressed body',
      { headers: { ...json, 'content-encoding': 'gzip' }, body: gzipSync(QUERY) },
      415,
      'BAD_REQUEST',
      expect.any(String) as string,
    ],
    ['a body that is no JSON', { body: '{' }, 400, 'BAD_REQUEST', 'The request body is not valid JSON.'],
    ['null', { body: 'null' }, 400, 'BAD_REQUEST', 'The request body is not a JSON object.'],
    ['a batch', { body: `[${QUERY}]` }, 400, 'BAD_REQUEST', 'Batching is not supported.'],
    [
      'no document',
      { body: '{}' },
      400,
      'BAD_REQUEST',
      'The request has neither a query nor the id of a persisted document.',
    ],
    ['a query that is no text', { body: '{"query":1}' }, 400, 'BAD_REQUEST', 'The parameter "query" is not text.'],
    [
      'a name that is no text',
      { body: '{"query":"{ __typename }","operationName":1}' },
      400,
      'BAD_REQUEST',
      'The parameter "operationName" is not text.',
    ],
    [
      'variables that are a list',
      { body: '{"query":"{ __typename }","variables":[]}' },
      400,
      'BAD_REQUEST',
      'The parameter "variables" is not an object.',
    ],
    [
      'variables in a URL that are no JSON',
      { method: 'GET', path: '/graphql?query=%7B__typename%7D&variables=%7B', headers: {}, body: '' },
      400,
      'BAD_REQUEST',
      'The parameter "variables" is not valid JSON.',
    ],
    ['two hosts', { path: 'http://other.example/graphql' }, 400, 'BAD_REQUEST', 'The request names two hosts.'],
    [
      'an unreadable host',
      { headers: { ...json, host: 'a b' } },
      400,
      'BAD_REQUEST',
      'Host and request target do not form a valid URL.',
    ],
    [
      'another expectation',
      { headers: { ...json, expect: 'miracles' } },
      417,
      'BAD_REQUEST',
      'The server does not support this Expect.',
    ],
    [
      'headers that are too large',
      { headers: { ...json, 'x-long': 'x'.repeat(20_000) } },
      431,
      'BAD_REQUEST',
      'The request line and the headers together are too large.',
    ],
  ])('%s', async (_what, sent, status, code, message) => {
    const response = await send(sent);
    expect(response.status).toBe(status);
    expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
    expect((JSON.parse(response.text) as { errors: unknown }).errors).toEqual([
      { message, extensions: { code, retryable: false } },
    ]);
    expect(facade.postman.calls).toEqual([]);
  });

  it('what is no HTTP', async () => {
    const socket = connect(Number(new URL(facade.url).port), '127.0.0.1');
    socket.end('nonsense\r\n\r\n');
    let text = '';
    for await (const part of socket) text += part;
    const [head, body] = text.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 400 Bad Request\r\nContent-Type: application\/json/);
    expect(JSON.parse(body ?? '')).toEqual({
      errors: [{ message: 'The request is not valid HTTP.', extensions: { code: 'BAD_REQUEST', retryable: false } }],
    });
  });

  it.each<[number, Sent]>([
    [400, { body: 'null' }],
    [404, { path: '/nope' }],
    [405, { method: 'PUT' }],
    [406, { headers: { ...json, accept: 'text/csv' } }],
    [413, { body: JSON.stringify({ query: QUERY, a: 'x'.repeat(5_000) }) }],
    [415, { headers: { 'content-type': 'application/xml' } }],
  ])('says that its status or type depends on Accept: %i', async (status, sent) => {
    const { headers, ...response } = await send(sent);
    expect(response.status).toBe(status);
    expect(headers.vary?.split(', ')).toContain('Accept');
  });

  it('names the methods that are allowed, and the codings of bodies', async () => {
    expect((await send({ method: 'DELETE', body: '' })).headers.allow).toBe('GET, HEAD, POST');
    expect((await send({ method: 'OPTIONS', body: '' })).headers.allow).toBe('GET, HEAD, POST, OPTIONS');
    const compressed = { ...json, 'content-encoding': 'br' };
    expect((await send({ headers: compressed })).headers['accept-encoding']).toBe('identity');
  });
});

describe('parameters', () => {
  it.each([
    ['onError of a later specification', '{"query":"{ __typename }","onError":"NULL"}'],
    ['a name that nobody knows', '{"query":"{ __typename }","whatever":{"a":1}}'],
    [
      'null for all optional ones',
      '{"query":"{ __typename }","operationName":null,"variables":null,"extensions":null,"documentId":null}',
    ],
    ['an id beside the text', '{"query":"{ __typename }","documentId":"a","doc_id":"b"}'],
    ['a byte order mark', `\uFEFF${QUERY}`],
  ])('may have %s', async (_what, body) => {
    const { status, text } = await send({ body });
    expect([status, text]).toEqual([200, expect.stringContaining('{"data":{"__typename":"Query"}')]);
  });

  it.each([
    [
      'by GET',
      { method: 'GET', path: '/graphql?query=%7B__typename%7D&onError=NULL&operationName=&variables=', body: '' },
    ],
    [
      'as a form, with the header',
      {
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'apollo-require-preflight': '1' },
        body: 'query=%7B__typename%7D',
      },
    ],
    ['as text of GraphQL', { headers: { 'content-type': 'application/graphql' }, body: '{ __typename }' }],
  ])('can be sent %s', async (_what, sent: Sent) => {
    const { status, text } = await send(sent);
    expect([status, text]).toEqual([200, expect.stringContaining('{"data":{"__typename":"Query"}')]);
  });
});

describe('the type of a response', () => {
  it.each([
    [undefined, 'application/json'],
    ['*/*', 'application/json'],
    ['application/*', 'application/json'],
    ['application/graphql-response+json', 'application/graphql-response+json'],
    ['application/graphql-response+json,application/json;q=0.9', 'application/graphql-response+json'],
    ['application/json;q=0.1, application/graphql-response+json', 'application/graphql-response+json'],
    ['application/json, application/graphql-response+json', 'application/json'],
    ['application/json;q=0, */*', 'application/graphql-response+json'],
    ['APPLICATION/JSON; CHARSET="utf-8"', 'application/json'],
    [
      'application/json;charset=utf-16, application/graphql-response+json;charset=utf8',
      'application/graphql-response+json',
    ],
    [
      'multipart/mixed;deferSpec=20220824, application/graphql-response+json, application/json',
      'application/graphql-response+json',
    ],
    [
      'multipart/mixed;incrementalSpec=v0.2,application/graphql-response+json,application/json;q=0.9',
      'application/graphql-response+json',
    ],
    ['text/event-stream, application/json', 'application/json'],
  ])('for Accept: %s is %s', async (accept, type) => {
    const { status, headers } = await send({ headers: { ...json, ...(accept !== undefined && { accept }) } });
    expect([status, headers['content-type']]).toEqual([200, `${type}; charset=utf-8`]);
  });
});

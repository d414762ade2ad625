import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Facade, startFacade } from '../support/facade.ts';

const json = { 'content-type': 'application/json' };
const TOKEN = 'a-token-that-is-long-enough-for-a-server';
const MODERN = 'application/graphql-response+json';

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const query = (text: string, more: object = {}): Sent => ({ body: JSON.stringify({ query: text, ...more }) });

let facade: Facade;
let locked: Facade;
let persisted: Facade;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refusals-'));
  const file = join(folder, 'documents.json');
  await writeFile(file, JSON.stringify({ known: '{ __typename }' }));
  facade = await startFacade({
    MAX_REQUEST_BYTES: '4096',
    MAX_QUERY_TOKENS: '1000',
    PERSISTED_QUERIES_MAX_BYTES_PER_KEY: '10000',
  });
  locked = await startFacade({ ACCESS_TOKEN: TOKEN, NODE_ENV: 'production', POSTMAN_API_KEY: '' });
  persisted = await startFacade({ PERSISTED_DOCUMENTS: file, PERSISTED_DOCUMENTS_ONLY: 'true' });
});
afterAll(async () => {
  await Promise.all([facade, locked, persisted].map((one) => one.close()));
  await rm(folder, { recursive: true });
});

/** Sends a request with nothing that `fetch` adds, and reads the errors of its response. */
async function errorsOf(
  server: Facade,
  { method = 'POST', path = '/graphql', headers, body = '' }: Sent,
  accept: string,
) {
  const { hostname, port } = new URL(server.url);
  const sent = request({ host: hostname, port, method, path, headers: { accept, ...(headers ?? json) } });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const part of response) text += part;
  const { errors } = JSON.parse(text) as { errors: { extensions?: { code?: unknown; retryable?: unknown } }[] };
  return errors.map(({ extensions }) => ({ code: extensions?.code, retryable: extensions?.retryable }));
}

const allowed = { ...json, authorization: `Bearer ${TOKEN}` };
const URL_QUERY = `/graphql?query=${encodeURIComponent('{ __typename }')}`;
const hash = { extensions: { persistedQuery: { version: 1, sha256Hash: 'a'.repeat(64) } } };

const kinds: [string, () => Facade, Sent, string][] = [
  ['a document that cannot be parsed', () => facade, query('{ me {'), 'GRAPHQL_PARSE_FAILED'],
  ['too many tokens', () => facade, query(`{ ${'a '.repeat(1_500)} }`), 'GRAPHQL_PARSE_FAILED'],
  ['an unknown field', () => facade, query('{ nobody }'), 'GRAPHQL_VALIDATION_FAILED'],
  ['several unknown fields', () => facade, query('{ nobody nothing }'), 'GRAPHQL_VALIDATION_FAILED'],
  [
    'a depth limit',
    () => facade,
    query(`{ collection(uid: "a") { ${'items { ... on Folder { '.repeat(41)} name ${'} } '.repeat(41)} } }`),
    'GRAPHQL_VALIDATION_FAILED',
  ],
  [
    'a limit of aliases',
    () => facade,
    query(`{ ${Array.from({ length: 101 }, (_, i) => `a${i}: __typename`).join(' ')} }`),
    'GRAPHQL_VALIDATION_FAILED',
  ],
  ['a mutation', () => facade, query('mutation { run }'), 'GRAPHQL_VALIDATION_FAILED'],
  [
    'a mutation by GET',
    () => facade,
    { method: 'GET', path: `/graphql?query=${encodeURIComponent('mutation { run }')}`, headers: {} },
    'BAD_REQUEST',
  ],
  [
    'an unknown operation',
    () => facade,
    query('query A { __typename }', { operationName: 'B' }),
    'OPERATION_RESOLUTION_FAILURE',
  ],
  ['no operation', () => facade, query('fragment A on Query { __typename }'), 'OPERATION_RESOLUTION_FAILURE'],
  ['a missing variable', () => facade, query('query ($u: ID!) { collection(uid: $u) { name } }'), 'BAD_USER_INPUT'],
  [
    'a variable of the wrong type',
    () => facade,
    query('query ($n: Int!) { workspaces(first: $n) { nodes { id } } }', { variables: { n: 'x' } }),
    'BAD_USER_INPUT',
  ],
  ['an argument out of range', () => facade, query('{ workspaces(first: 0) { nodes { id } } }'), 'BAD_USER_INPUT'],
  [
    'a key that is none',
    () => facade,
    { ...query('{ __typename }'), headers: { ...json, 'x-api-key': 'a b' } },
    'BAD_USER_INPUT',
  ],
  ['an unknown path', () => facade, { ...query('{ __typename }'), path: '/nowhere' }, 'BAD_REQUEST'],
  ['another method', () => facade, { method: 'DELETE' }, 'BAD_REQUEST'],
  ['a body that is no JSON', () => facade, { body: '{' }, 'BAD_REQUEST'],
  ['a batch', () => facade, { body: '[]' }, 'BAD_REQUEST'],
  ['no document', () => facade, { body: '{}' }, 'BAD_REQUEST'],
  ['an empty document', () => facade, query(''), 'GRAPHQL_PARSE_FAILED'],
  [
    'a large body',
    () => facade,
    query('{ __typename }', { variables: { a: 'a'.repeat(5_000) } }),
    'REQUEST_ENTITY_TOO_LARGE',
  ],
  ['another content type', () => facade, { headers: { 'content-type': 'text/html' }, body: 'x' }, 'BAD_REQUEST'],
  [
    'a form of another site',
    () => facade,
    { headers: { 'content-type': 'text/plain' }, body: '{ __typename }' },
    'BAD_REQUEST',
  ],
  [
    'a GET of another site',
    () => facade,
    { method: 'GET', path: URL_QUERY, headers: { 'sec-fetch-site': 'cross-site' } },
    'FORBIDDEN',
  ],
  ['parts that the client does not accept', () => facade, query('{ ... @defer { __typename } }'), 'BAD_REQUEST'],
  [
    'a foreign Host',
    () => facade,
    { ...query('{ __typename }'), headers: { ...json, host: 'example.com' } },
    'FORBIDDEN',
  ],
  ['no access token', () => locked, query('{ __typename }'), 'UNAUTHENTICATED'],
  ['an unknown hash', () => facade, { body: JSON.stringify(hash) }, 'PERSISTED_QUERY_NOT_FOUND'],
  [
    'a hash, if no queries are stored',
    () => locked,
    { headers: allowed, body: JSON.stringify(hash) },
    'PERSISTED_QUERY_NOT_SUPPORTED',
  ],
  [
    'an unknown field in production',
    () => locked,
    { ...query('{ nobody }'), headers: allowed },
    'GRAPHQL_VALIDATION_FAILED',
  ],
  [
    'the schema without a key',
    () => locked,
    { ...query('{ __schema { description } }'), headers: allowed },
    'UNAUTHENTICATED',
  ],
  [
    'a hash of another version',
    () => facade,
    { body: '{"extensions":{"persistedQuery":{"version":2}},"query":"{ __typename }"}' },
    'BAD_REQUEST',
  ],
  ['a hash of another query', () => facade, query('{ __typename }', hash), 'PERSISTED_QUERY_HASH_MISMATCH'],
  ['an unknown document', () => persisted, { body: '{"documentId":"unknown"}' }, 'PERSISTED_DOCUMENT_NOT_FOUND'],
  ['a document that is not persisted', () => persisted, query('{ __typename }'), 'PERSISTED_DOCUMENT_REQUIRED'],
];

describe('every error of a request that is not executed has a code, and says that waiting does not help', () => {
  it.each(kinds)('%s', async (_what, server, sent, code) => {
    for (const accept of ['application/json', MODERN]) {
      const errors = await errorsOf(server(), sent, accept);
      expect(errors.length).toBeGreaterThan(0);
      expect(errors).toEqual(errors.map(() => ({ code, retryable: false })));
    }
  });
});

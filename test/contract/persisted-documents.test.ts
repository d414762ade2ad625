import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Facade, startFacade } from '../support/facade.ts';

const ME = 'query Me { me { username } }';
const NAMES = 'query Names($first: Int) { workspaces(first: $first) { nodes { name } } }';

let folder: string;
let file: string;
let facade: Facade | undefined;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'persisted-'));
  file = write('documents.json', JSON.stringify({ me: ME, names: NAMES }));
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => facade?.close());

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function send(body: object): Promise<{ status: number; answer: Record<string, unknown> }> {
  const response = await fetch(facade?.url ?? '', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const { extensions: _, ...answer } = (await response.json()) as Record<string, unknown>;
  return { status: response.status, answer };
}

/** The same by GET: objects are JSON in the URL. */
async function get(params: Readonly<Record<string, string | object>>) {
  const url = new URL(facade?.url ?? '');
  for (const [name, value] of Object.entries(params)) {
    url.searchParams.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  const response = await fetch(url, { headers: { 'apollo-require-preflight': 'true' } });
  const { extensions: _, ...answer } = (await response.json()) as Record<string, unknown>;
  return { status: response.status, answer };
}

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
const apollo = (sha256Hash: string, version = 1) => ({ extensions: { persistedQuery: { version, sha256Hash } } });

const refusal = (message: string, code: string) => ({ errors: [{ message, extensions: { code, retryable: false } }] });

const NAMED = { status: 200, answer: { data: { workspaces: { nodes: [{ name: 'Rider Platform' }] } } } };

describe('a persisted document', () => {
  it.each([
    ['documentId', { documentId: 'names' }],
    ['doc_id, as Relay sends it', { doc_id: 'names' }],
    ['the hash of Apollo', apollo('names')],
    ['the SHA-256 of its text, as documentId', { documentId: `sha256:${hashOf(NAMES)}` }],
    ['the SHA-256 of its text, as Apollo sends it', apollo(hashOf(NAMES))],
  ])('is executed when a client names it by POST or GET (%s), with its variables', async (_, named) => {
    facade = await startFacade({ PERSISTED_DOCUMENTS: file });
    expect(await send({ ...named, variables: { first: 1 } })).toEqual(NAMED);
    expect(await get({ ...named, variables: { first: 1 } })).toEqual(NAMED);
    expect(await send({ query: NAMES, variables: { first: 1 } })).toEqual(NAMED);
    expect(facade.postman.calls).toEqual(['GET /workspaces?limit=100']);
  });

  it.each([
    ['GraphQL Code Generator', { [hashOf(NAMES)]: NAMES }, { documentId: hashOf(NAMES) }],
    ['GraphQL Code Generator, with a prefix', { [`sha256:${hashOf(NAMES)}`]: NAMES }, apollo(hashOf(NAMES))],
    ["Relay's compiler", { '0f7cd2dd71ed7c4b9bd0e8aa2a0a4b4f': NAMES }, { doc_id: '0f7cd2dd71ed7c4b9bd0e8aa2a0a4b4f' }],
    [
      "Apollo's manifest",
      {
        format: 'apollo-persisted-query-manifest',
        version: 1,
        operations: [{ id: hashOf('its own'), name: 'Names', type: 'query', body: NAMES }],
      },
      apollo(hashOf('its own')),
    ],
  ])('is read from the file that %s writes', async (_, manifest, named) => {
    facade = await startFacade({ PERSISTED_DOCUMENTS: write('manifest.json', JSON.stringify(manifest)) });
    expect(await send({ ...named, variables: { first: 1 } })).toEqual(NAMED);
  });

  it('of an unknown id is not found', async () => {
    facade = await startFacade({ PERSISTED_DOCUMENTS: file });
    for (const documentId of ['nothing', '__proto__', 'constructor', '']) {
      expect(await send({ documentId })).toEqual({
        status: 404,
        answer: refusal('There is no persisted document with this id.', 'PERSISTED_DOCUMENT_NOT_FOUND'),
      });
    }
    expect(await get({ doc_id: 'nothing' })).toMatchObject({ status: 404 });
    expect(await send({ variables: {} })).toEqual({
      status: 400,
      answer: refusal('The request has neither a query nor the id of a persisted document.', 'BAD_REQUEST'),
    });
  });

  it('is the only thing that is executed where the server says so', async () => {
    facade = await startFacade({ PERSISTED_DOCUMENTS: file, PERSISTED_DOCUMENTS_ONLY: 'true' });
    expect(await send({ documentId: 'me' })).toEqual({
      status: 200,
      answer: { data: { me: { username: 'ines-aldana' } } },
    });
    expect(await send({ query: ME })).toEqual({
      status: 403,
      answer: refusal('This server executes only persisted documents.', 'PERSISTED_DOCUMENT_REQUIRED'),
    });
    expect(await send({ query: ME, documentId: 'me' })).toMatchObject({ status: 403 });
    expect(facade.postman.calls).toEqual(['GET /me']);
  });

  it('cannot be named where there are none', async () => {
    facade = await startFacade();
    expect(await send({ documentId: 'me' })).toEqual({
      status: 400,
      answer: refusal(
        'This server has no persisted documents. Send the text of the document as "query".',
        'BAD_REQUEST',
      ),
    });
    expect(await send({ query: ME, documentId: 'me' })).toMatchObject({ status: 200 });
  });
});

describe('an automatic persisted query', () => {
  const me = { status: 200, answer: { data: { me: { username: 'ines-aldana' } } } };
  const notFound = { status: 200, answer: refusal('PersistedQueryNotFound', 'PERSISTED_QUERY_NOT_FOUND') };
  const hashed = apollo(hashOf(ME));
  const STORED = { PERSISTED_QUERIES_MAX_BYTES_PER_KEY: '4096' };

  it('is not supported by default, and is executed with its text', async () => {
    facade = await startFacade();
    const notSupported = refusal('PersistedQueryNotSupported', 'PERSISTED_QUERY_NOT_SUPPORTED');
    expect(await send(hashed)).toEqual({ status: 200, answer: notSupported });
    expect(await get(hashed)).toEqual({ status: 200, answer: notSupported });
    expect(await send({ query: ME, ...hashed })).toEqual(me);
    expect(await send(hashed)).toEqual({ status: 200, answer: notSupported });
  });

  it("has a status above 400 for clients that accept GraphQL's own type", async () => {
    facade = await startFacade();
    const response = await fetch(facade.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
      body: JSON.stringify(hashed),
    });
    expect([response.status, await response.json()]).toMatchObject([
      400,
      refusal('PersistedQueryNotSupported', 'PERSISTED_QUERY_NOT_SUPPORTED'),
    ]);
  });

  it('is not found where there are persisted documents, so that clients send the text with the hash', async () => {
    facade = await startFacade({ PERSISTED_DOCUMENTS: file });
    const unknown = 'query Other { me { id } }';
    expect(await send(apollo(hashOf(unknown)))).toEqual(notFound);
    expect(await send({ query: unknown, ...apollo(hashOf(unknown)) })).toMatchObject({ status: 200 });
    expect(await send(apollo(hashOf(unknown)))).toEqual(notFound);
  });

  it('is stored once it comes with its text, by POST or GET', async () => {
    facade = await startFacade(STORED);
    expect(await send(hashed)).toEqual(notFound);
    expect(await send({ query: ME, ...hashed })).toEqual(me);
    expect(await send(hashed)).toEqual(me);
    expect(await get(hashed)).toEqual(me);
    const other = '{ me { username } }';
    expect(await get(apollo(hashOf(other)))).toEqual(notFound);
    expect(await get({ query: other, ...apollo(hashOf(other)) })).toEqual(me);
    expect(await get(apollo(hashOf(other)))).toEqual(me);
    expect(facade.postman.calls).toEqual(['GET /me']);
  });

  it('is stored again whenever it comes with its text, however often', async () => {
    const text = (name: string) => `query ${name} { me { username } } #${'.'.repeat(1_000)}`;
    facade = await startFacade(STORED);
    const first = { query: text('First'), ...apollo(hashOf(text('First'))) };
    for (let sent = 0; sent < 5; sent++) expect(await send(first)).toEqual(me);
    for (const name of ['A', 'B']) await send({ query: text(name), ...apollo(hashOf(text(name))) });
    expect(await send(apollo(hashOf(text('First'))))).toEqual(notFound);
    expect(await send(first)).toEqual(me);
    expect(await send(apollo(hashOf(text('First'))))).toEqual(me);
  });

  it('is refused with the hash of another text, or in another version of the protocol', async () => {
    facade = await startFacade(STORED);
    expect(await send({ query: ME, ...apollo(hashOf(NAMES)) })).toEqual({
      status: 400,
      answer: refusal('provided sha does not match query', 'PERSISTED_QUERY_HASH_MISMATCH'),
    });
    expect(await send(apollo(hashOf(NAMES)))).toEqual(notFound);
    expect(await send(apollo(hashOf(ME), 2))).toEqual({
      status: 400,
      answer: refusal('Unsupported persisted query version', 'BAD_REQUEST'),
    });
  });

  it('is not stored if it is invalid', async () => {
    facade = await startFacade(STORED);
    const invalid = '{ nonsense }';
    expect(await send({ query: invalid, ...apollo(hashOf(invalid)) })).toMatchObject({ status: 200 });
    expect(await send(apollo(hashOf(invalid)))).toEqual(notFound);
  });

  it('is stored for its API key alone, and not for keys that Postman has not accepted', async () => {
    facade = await startFacade({ ...STORED, POSTMAN_API_KEY: '' });
    const url = facade.url;
    const as = async (key: string, body: object) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': key },
        body: JSON.stringify(body),
      });
      const { errors } = (await response.json()) as { errors?: { extensions: { code: string } }[] };
      return errors?.[0]?.extensions.code ?? 'executed';
    };
    const { apiKey } = facade.postman;
    expect(await as(apiKey, { query: ME, ...hashed })).toBe('executed');
    expect(await as(apiKey, hashed)).toBe('executed');
    expect(await as('PMAK-another', hashed)).toBe('PERSISTED_QUERY_NOT_FOUND');
    expect(await as('PMAK-another', { query: ME, ...hashed })).toBe('UNAUTHENTICATED');
    expect(await as('PMAK-another', hashed)).toBe('PERSISTED_QUERY_NOT_FOUND');
  });

  it('replaces those that its key used least recently when they take too many bytes', async () => {
    facade = await startFacade(STORED);
    const texts = Array.from({ length: 8 }, (_, index) => `query Q${index} { me { username } }`);
    for (const query of texts) expect(await send({ query, ...apollo(hashOf(query)) })).toEqual(me);
    const found = [];
    for (const text of texts) found.push((await send(apollo(hashOf(text)))).answer['data'] !== undefined);
    expect(found).toEqual([false, ...Array.from({ length: 7 }, () => true)]);
  });

  it('larger than a key may store is executed each time', async () => {
    facade = await startFacade(STORED);
    const long = `{ me { username } } #${'x'.repeat(4_000)}`;
    expect(await send({ query: long, ...apollo(hashOf(long)) })).toEqual(me);
    expect(await send(apollo(hashOf(long)))).toEqual(notFound);
  });
});

describe('a file of documents', () => {
  it.each([
    ['that is not there', 'missing.json', undefined, /missing\.json \(PERSISTED_DOCUMENTS\) cannot be read: ENOENT/],
    ['that is no JSON', 'broken.json', '{', /broken\.json \(PERSISTED_DOCUMENTS\) cannot be read: .*JSON/],
    [
      'that is a list',
      'list.json',
      '[]',
      /list\.json \(PERSISTED_DOCUMENTS\) is not a JSON object of documents by id\.$/,
    ],
    ['with something else than text', 'number.json', '{"a":1}', /the document "a" is not text\.$/],
    [
      'in a format of its own',
      'format.json',
      '{"format":"another","version":1,"operations":[]}',
      /format\.json \(PERSISTED_DOCUMENTS\) has the format "another", version 1; the server reads "apollo-persisted-query-manifest", version 1, and objects of documents by id\.$/,
    ],
    [
      'with an operation that has no id',
      'no-id.json',
      '{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"body":"{ me { id } }"}]}',
      /the operation 1 has no id\.$/,
    ],
    [
      'with two documents of one id',
      'twice.json',
      '{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"a","body":"{ me { id } }"},{"id":"a","body":"{ me { username } }"}]}',
      /two documents have the id "a"\.$/,
    ],
    [
      'with a document that cannot be read',
      'syntax.json',
      '{"a":"{"}',
      /the document "a" cannot be read: Syntax Error/,
    ],
    [
      'with a document that does not fit the schema',
      'field.json',
      '{"a":"{ nonsense }"}',
      /the document "a" does not fit the schema: Cannot query field "nonsense" on type "Query"/,
    ],
    [
      'with a document that this server never executes',
      'mutation.json',
      '{"a":"mutation { nonsense }"}',
      // graphql 17 has a rule of its own for it.
      /the document "a" does not fit the schema: (?:This server only reads: it has no mutation operations|The mutation operation is not supported by the schema)\./,
    ],
  ])('%s keeps the server from starting', async (_, name, text, message) => {
    const path = text === undefined ? join(folder, name) : write(name, text);
    await expect(startFacade({ PERSISTED_DOCUMENTS: path })).rejects.toThrow(message);
  });
});

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

const refusal = (message: string, code: string) => ({ errors: [{ message, extensions: { code, retryable: false } }] });

describe('a persisted document', () => {
  it.each([
    ['documentId', { documentId: 'names' }],
    ['the hash of Apollo', { extensions: { persistedQuery: { version: 1, sha256Hash: 'names' } } }],
  ])('is executed when a client names it (%s), with its variables', async (_, named) => {
    facade = await startFacade({ PERSISTED_DOCUMENTS: file });
    const expected = { status: 200, answer: { data: { workspaces: { nodes: [{ name: 'Rider Platform' }] } } } };
    expect(await send({ ...named, variables: { first: 1 } })).toEqual(expected);
    expect(await send({ query: NAMES, variables: { first: 1 } })).toEqual(expected);
    expect(facade.postman.calls).toEqual(['GET /workspaces?limit=100']);
  });

  it('of an unknown id is not found', async () => {
    facade = await startFacade({ PERSISTED_DOCUMENTS: file });
    for (const documentId of ['nothing', '__proto__', 'constructor', '']) {
      expect(await send({ documentId })).toEqual({
        status: 404,
        answer: refusal('There is no persisted document with this id.', 'PERSISTED_DOCUMENT_NOT_FOUND'),
      });
    }
    expect(await send({ variables: {} })).toMatchObject({ status: 400 });
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
    expect(await send({ documentId: 'me' })).toMatchObject({ status: 400 });
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

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';

const document = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
/** The rows of the document's table of lines: the pattern of their messages, and their fields. */
const documented = [...document.matchAll(/^\| (`.+`) \| [a-z, ]+ \| .+ \| (`.+`) \|$/gm)].map(
  ([, messages = '', fields = '']) => ({
    isMessage: (text: string) =>
      [...messages.matchAll(/`([^`]+)`/g)].some(([, message = '']) =>
        new RegExp(`^${message.replace(/[()]/g, '\\$&').replaceAll('…', '.+')}$`).test(text),
      ),
    fields: new Set([...fields.matchAll(/\w+/g)].map(([field]) => field)),
  }),
);

let facade: Facade;
afterEach(async () => {
  await facade.close();
  for (const line of facade.log) {
    const {
      level: _level,
      time: _time,
      pid: _pid,
      hostname: _host,
      msg,
      ...fields
    } = JSON.parse(line) as Record<string, unknown> & { readonly msg: string };
    const row = documented.find(({ isMessage }) => isMessage(msg));
    const unknown = Object.keys(fields).filter((field) => !row?.fields.has(field));
    if (!row || unknown.length > 0)
      throw new Error(`docs/operations.md does not describe "${msg}" with all of its fields: ${unknown.join(', ')}`);
  }
});

it('the table of docs/operations.md has a row for each kind of line, and the lines of these tests only its fields', async () => {
  facade = await startFacade({ LOG_LEVEL: 'silent' });
  expect(documented).toHaveLength(11);
});

/** The lines of the log with this message, without the time, the process and the host. */
const lines = (message: string) =>
  facade.log.flatMap((line) => {
    const { time: _time, pid: _pid, hostname: _host, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
    return msg === message ? [fields] : [];
  });

const UUID = /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/;
const ms = expect.any(Number) as number;
const keyHash = expect.stringMatching(/^[\w-]{8}$/) as string;
const post = (headers: Record<string, string>, body = '{"query":"{ me { username } }"}') =>
  fetch(facade.url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });

describe('the id of a request', () => {
  it('is that of its header, in the response and in each line about it', async () => {
    facade = await startFacade();
    const { headers, errors } = await facade.query('query Me { me { username } }', {
      headers: { 'x-request-id': 'proxy-1/42', 'graphql-client-name': 'dash\u0085board', prefer: 'wait=5' },
    });
    expect([errors, headers.get('x-request-id')]).toEqual([[], 'proxy-1/42']);
    expect(lines('upstream call')).toEqual([
      {
        ...{ level: 20, requestId: 'proxy-1/42', keyHash, route: '/me', status: 200 },
        ...{ outcome: 'ok', attempt: 1, durationMs: ms, waitedMs: 0 },
      },
    ]);
    expect(lines('operation')).toEqual([
      {
        ...{ level: 30, requestId: 'proxy-1/42', keyHash, client: 'dashboard', operation: 'Me', status: 200 },
        ...{ durationMs: ms, calls: 1, cached: 0, coalesced: 0, waitedMs: 0, stale: 0, errors: {} },
      },
    ]);
    expect(lines('upstream call')[0]?.['keyHash']).toBe(lines('operation')[0]?.['keyHash']);
  });

  it.each([
    ['too long', { 'x-request-id': 'a'.repeat(129) }],
    ['with a character that is not allowed', { 'x-request-id': '{"a":1}' }],
    ['empty', { 'x-request-id': '' }],
    ['with a key', { 'x-request-id': 'id-PMAK-0123456789' }],
    ['with the key of the request', { 'x-request-id': 'my/key', 'x-api-key': 'my/key' }],
    ['with its access token', { 'x-request-id': 'token1', authorization: 'Bearer token1' }],
  ])('is made if the header is %s', async (_why, headers) => {
    facade = await startFacade({ ACCESS_TOKEN: 'token1' });
    const response = await post({ authorization: 'Bearer token1', ...headers });
    await response.text();
    expect(response.headers.get('x-request-id')).toMatch(UUID);
    expect(lines('operation').map(({ requestId }) => requestId)).toEqual([response.headers.get('x-request-id')]);
  });

  it('is on every response: pages, refusals and unreadable addresses', async () => {
    facade = await startFacade({ ACCESS_TOKEN: 'token1' });
    const id = async (path: string, init?: RequestInit) =>
      (await fetch(new URL(path, facade.url), init)).headers.get('x-request-id');
    expect([
      await id('/graphql', { headers: { 'x-request-id': 'one', accept: 'text/html' } }),
      await id('/elsewhere', { headers: { 'x-request-id': 'two' } }),
      await id('/graphql', { method: 'POST', headers: { 'x-request-id': 'three' } }),
    ]).toEqual(['one', 'two', 'three']);
  });
});

it('names the persisted document that is executed, and no unknown id', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'logs-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'documents.json');
  writeFileSync(file, JSON.stringify({ me: '{ me { username } }' }));
  facade = await startFacade({ PERSISTED_DOCUMENTS: file });
  for (const documentId of ['me', 'unknown']) await (await post({}, JSON.stringify({ documentId }))).text();
  expect(lines('operation')).toMatchObject([{ documentId: 'me', status: 200 }]);
  expect(lines('request refused')).toMatchObject([{ status: 404, errors: { PERSISTED_DOCUMENT_NOT_FOUND: 1 } }]);
  expect(facade.log.join()).not.toContain('unknown');
});

describe('lines about upstream', () => {
  const collection = ids.collections.openData;

  it('name the route and never the target, for each sending of a call', async () => {
    facade = await startFacade();
    facade.postman.failNext(1, { kind: 'status', status: 503 });
    const { errors } = await facade.query(`{ collection(uid: "${collection}") { auth { type } } }`);
    expect(errors).toEqual([]);
    expect(lines('upstream call')).toMatchObject([
      { route: '/collections/{uid}', status: 503, outcome: 'unavailable', attempt: 1 },
      { route: '/collections/{uid}', status: 200, outcome: 'ok', attempt: 2 },
    ]);
    expect(facade.log.join()).not.toContain(collection);
  });

  it('tell of the wait for a slot', async () => {
    facade = await startFacade({ RATE_LIMIT: '2', RATE_LIMIT_WINDOW_MS: '300', BURST_LIMIT: '0' });
    await facade.query(`{ me { username } environment(uid: "${ids.environments.local}") { name }
      collection(uid: "${collection}") { name } }`);
    const waits = lines('upstream call').map(({ waitedMs }) => Number(waitedMs));
    expect(waits[0]).toBe(0);
    expect(Math.max(...waits)).toBeGreaterThan(0);
    expect(Number(lines('operation')[0]?.['waitedMs'])).toBeGreaterThan(0);
  });

  it('are written for a 429, and for limits that responses announce', async () => {
    facade = await startFacade({ OPERATION_TIMEOUT_MS: '500' });
    facade.postman.failNext(1, { kind: 'status', status: 429, headers: { 'Retry-After': '7' } });
    await facade.query('{ me { username } }', { headers: { 'x-request-id': 'limited' } });
    expect(lines('Postman refused a call (429)')).toEqual([
      { level: 40, requestId: 'limited', keyHash, route: '/me', status: 429, retryAfterSeconds: 7 },
    ]);
    facade.skip(10_000);
    facade.postman.failNext(1, {
      kind: 'headers',
      headers: { 'RateLimit-Limit': '30', 'RateLimit-Remaining': '29', 'RateLimit-Reset': '60' },
    });
    await facade.query('{ me { username } }');
    expect(lines('Postman announces other limits')).toMatchObject([{ level: 30, keyHash }]);
  });
});

describe('refusals', () => {
  it('have a line each with the reason, and not one for each request of an attack', async () => {
    facade = await startFacade({ ACCESS_TOKEN: 'token1', MAX_REQUEST_BYTES: '1000' });
    await (await post({ 'x-request-id': 'no-token' })).text();
    const token = { authorization: 'Bearer token1' };
    await (await post({ ...token, 'x-request-id': 'large' }, JSON.stringify({ query: ' '.repeat(2_000) }))).text();
    await (await post({ ...token, 'x-request-id': 'form', 'content-type': 'text/plain' })).text();
    expect(lines('request refused')).toEqual([
      { level: 30, requestId: 'no-token', method: 'POST', status: 401, reason: 'accessToken' },
      { level: 30, requestId: 'large', method: 'POST', status: 413, reason: 'bodySize' },
      { level: 30, requestId: 'form', method: 'POST', status: 415, reason: 'crossSite' },
    ]);
    facade.skip(1_000);
    await Promise.all(Array.from({ length: 50 }, async () => (await post({})).text()));
    // How many lines are suppressed depends on the time that the requests take, but none is lost.
    const counted = () =>
      lines('request refused').length +
      lines('lines suppressed').reduce((sum, { suppressed }) => sum + Number(suppressed), 0);
    await expect.poll(counted, { timeout: 5_000 }).toBe(3 + 50);
    expect(lines('operation')).toEqual([]);
  });
});

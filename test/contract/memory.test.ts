import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Account } from '../../src/sandbox/account/account.ts';
import { createDemoAccount } from '../../src/sandbox/account/demo.ts';
import { createWrittenResults } from '../../src/server/result/written-results.ts';
import { type FacadeResponse, type Facade, startFacade } from '../support/facade.ts';
import { usedHeapBytes } from '../support/heap.ts';

vi.mock('../../src/server/result/written-results.ts', { spy: true });

const facades: Facade[] = [];
afterEach(async () => {
  for (const facade of facades.splice(0)) await facade.close();
});

async function start(...settings: Parameters<typeof startFacade>): Promise<Facade> {
  const facade = await startFacade(...settings);
  facades.push(facade);
  return facade;
}

const toUid = (index: number) => `41829063-00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
const BALLAST = 'y'.repeat(500_000);

describe('a failure that is cached', () => {
  it('does not retain its operation', async () => {
    const { query, postman } = await start();
    const ask = (index: number) =>
      query('query ($uid: ID!) { collection(uid: $uid) { name } }', {
        variables: { uid: toUid(index), unused: BALLAST },
      });
    const answers = [await ask(0), await ask(0)];
    const beforeBytes = await usedHeapBytes();
    for (let index = 1; index <= 20; index++) answers.push(await ask(index));
    const grownBytes = (await usedHeapBytes()) - beforeBytes;
    expect(answers.map(({ data, errors }) => [data, errors])).toEqual(answers.map(() => [{ collection: null }, []]));
    // The second of two equal questions was answered by the failure of the first.
    expect(postman.calls.length).toBe(21);
    // Half of what it comes to when each failure holds its request.
    expect(grownBytes).toBeLessThan(10 * BALLAST.length);
  });
});

describe('documents', () => {
  it('that differ are cached within their bound', async () => {
    const { query } = await start({ DOCUMENT_CACHE_MAX_BYTES: '2000000' });
    const ask = (index: number) => query(`{ __typename } #${index} ${'x'.repeat(50_000)}\u0100`);
    for (let index = 0; index < 40; index++) await ask(index);
    const beforeBytes = await usedHeapBytes();
    const answers = [];
    for (let index = 40; index < 240; index++) answers.push((await ask(index)).data);
    const grownBytes = (await usedHeapBytes()) - beforeBytes;
    expect(answers).toEqual(answers.map(() => ({ __typename: 'Query' })));
    // All of them together would take 20 MB.
    expect(grownBytes).toBeLessThan(5_000_000);
  });

  it('do not retain the variables of their first request', async () => {
    const { query } = await start();
    const ask = (index: number) =>
      query(`query Q${index}($uid: ID!) { collection(uid: $uid) { name } }`, { variables: { uid: BALLAST } });
    for (let index = 0; index < 3; index++) await ask(index);
    const beforeBytes = await usedHeapBytes();
    const codes = [];
    for (let index = 3; index < 23; index++) codes.push((await ask(index)).errors[0]?.extensions?.['code']);
    const grownBytes = (await usedHeapBytes()) - beforeBytes;
    expect(codes).toEqual(codes.map(() => 'BAD_USER_INPUT'));
    expect(grownBytes).toBeLessThan(10 * BALLAST.length);
  });

  it('that are invalid do not retain their requests', async () => {
    const { query } = await start();
    const ask = (index: number) => query(`{ unknown${index} }`, { variables: { unused: BALLAST } });
    for (let index = 0; index < 3; index++) await ask(index);
    const beforeBytes = await usedHeapBytes();
    const codes = [];
    for (let index = 3; index < 23; index++) codes.push((await ask(index)).errors[0]?.extensions?.['code']);
    const grownBytes = (await usedHeapBytes()) - beforeBytes;
    expect(codes).toEqual(codes.map(() => 'GRAPHQL_VALIDATION_FAILED'));
    expect(grownBytes).toBeLessThan(10 * BALLAST.length);
  });
});

describe('an operation', () => {
  /** Collections of which each takes about a megabyte on the heap. */
  const account = (): Account => {
    const demo = createDemoAccount();
    const [template] = demo.collections;
    if (!template) throw new TypeError('The demo account has collections');
    const heavy = { info: { name: 'Heavy' }, x: Array.from({ length: 10_000 }, () => ({ a: {} })) };
    const collections = Array.from({ length: 20 }, (_, index) => ({
      ...template,
      id: toUid(index).slice(9),
      document: heavy,
    }));
    return { ...demo, collections: [...demo.collections, ...collections] };
  };
  const asking = (from: number, to: number) =>
    `{ ${Array.from({ length: to - from }, (_, index) => `c${from + index}: collection(uid: "${toUid(from + index)}") { formatVersion name }`).join(' ')} }`;

  it('that would exceed its memory limit returns the data read so far, and makes no further calls', async () => {
    const { query, postman } = await start(
      { MAX_HELD_BYTES_PER_OPERATION: '3000000', MAX_CONCURRENT_CALLS: '1' },
      { account: account() },
    );
    const { data, errors, upstream } = await query(asking(0, 20));
    const names = Object.values(data).map((collection) => (collection as { name: string } | null)?.name ?? null);
    expect(names).toEqual([...Array(3).fill('Heavy'), ...Array(17).fill(null)]);
    expect(errors.map(({ message, extensions }) => [message, extensions])).toEqual(
      Array.from({ length: 17 }, () => [
        'The operation needs responses from Postman that take more memory than its limit of 3000000 bytes (MAX_HELD_BYTES_PER_OPERATION, or half of MAX_HELD_BYTES). Request fewer items per operation.',
        {
          code: 'OPERATION_TOO_EXPENSIVE',
          retryable: false,
          upstream: { method: 'GET', route: '/collections/{uid}' },
        },
      ]),
    );
    // The fourth answer is one too many; by then the fifth call has been sent, or even answered.
    expect(postman.calls.length).toBeOneOf([5, 6]);
    expect(upstream.calls).toBe(postman.calls.length);
  });

  it('is refused with a time while others use all of the memory, and served after them; another key is served', async () => {
    const { query, postman } = await start(
      { MAX_HELD_BYTES_PER_OPERATION: '2200000', MAX_HELD_BYTES: '4400000', CACHE_TTL_MS: '0' },
      { account: account(), otherApiKeys: ['PMAK-other'] },
    );
    // It holds two collections until its last call gets its response.
    postman.fail('/me', { kind: 'hang' }, 1);
    const leaving = new AbortController();
    const holding = query(`{ ...F me { id } } fragment F on Query ${asking(0, 2)}`, { signal: leaving.signal });
    while (postman.calls.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    const refused = await untilAnswered(() => query(asking(2, 3)), 'SERVER_BUSY');
    expect(refused.data).toEqual({ c2: null });
    expect(refused.errors.map(({ message, extensions }) => [message, extensions])).toEqual([
      [
        'The operations in progress hold as many responses from Postman as this server has memory for. Retry at `retryAt`.',
        {
          code: 'SERVER_BUSY',
          retryable: true,
          retryAfterSeconds: 5,
          retryAt: expect.any(String),
          upstream: { method: 'GET', route: '/collections/{uid}' },
        },
      ],
    ]);
    expect(refused.headers.get('retry-after')).toBe('5');
    const other = await query(asking(2, 3), { headers: { 'x-api-key': 'PMAK-other' } });
    expect([other.data, other.errors]).toEqual([{ c2: { formatVersion: '2.1.0', name: 'Heavy' } }, []]);
    leaving.abort();
    await holding.catch(() => undefined);
    const served = await untilAnswered(() => query(asking(2, 3)), undefined);
    expect(served.data).toEqual({ c2: { formatVersion: '2.1.0', name: 'Heavy' } });
  });
});

/** Repeats a query until the first error has this code. */
async function untilAnswered(ask: () => Promise<FacadeResponse>, code: string | undefined): Promise<FacadeResponse> {
  for (;;) {
    const answer = await ask();
    if (answer.errors[0]?.extensions?.['code'] === code) return answer;
  }
}

describe('large responses that have been written', () => {
  it('are refused with a time while their client takes none of another, and served after it; another key is served', async () => {
    const original = vi.mocked(createWrittenResults).getMockImplementation() ?? createWrittenResults;
    vi.mocked(createWrittenResults).mockImplementationOnce(() => original(1));
    const demo = createDemoAccount();
    const [template] = demo.collections;
    if (!template) throw new TypeError('The demo account has collections');
    const info = { name: 'Long', description: 'z'.repeat(12_000_000) };
    const long = { ...template, id: toUid(0).slice(9), document: { info, item: [] } };
    const { url, query } = await start({}, { account: { ...demo, collections: [long] }, otherApiKeys: ['PMAK-other'] });
    const asking = `{ collection(uid: "${toUid(0)}") { description } }`;
    const data = { collection: { description: info.description } };
    const body = JSON.stringify({ query: asking });
    const { port, host } = new URL(url);
    const holding = connect(Number(port), '127.0.0.1');
    holding.write(
      `POST /graphql HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await once(holding, 'readable');

    const refused = await query(asking);
    expect([refused.status, refused.headers.get('retry-after'), refused.data]).toEqual([503, '5', undefined]);
    expect(refused.errors).toEqual([
      {
        message: 'This server has no memory for another large response until clients have received the pending ones.',
        extensions: { code: 'SERVER_BUSY', retryable: true, retryAfterSeconds: 5, retryAt: expect.any(String) },
      },
    ]);
    const other = await query(asking, { headers: { 'x-api-key': 'PMAK-other' } });
    expect([other.status, other.errors, other.data]).toEqual([200, [], data]);
    holding.destroy();
    const served = await untilAnswered(() => query(asking), undefined);
    expect([served.status, served.headers.get('retry-after'), served.data]).toEqual([200, null, data]);
  });
});

describe('requests in progress', () => {
  const post = (url: string, body: string) =>
    fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const withVariables = (unused: string, query = '{ workspaces(first: 1) { nodes { name } } }') =>
    `{"query":"${query}","variables":{"unused":${unused}}}`;

  it.each([
    ['long', withVariables(`"${BALLAST}"`)],
    ['short, and large once they are parsed', withVariables(`[${'[],'.repeat(9_000)}[]]`)],
  ])('share a memory limit: one that does not fit gets a time, small ones are served (%s)', async (_, body) => {
    const { url, postman } = await start({ MAX_REQUEST_BYTES_IN_FLIGHT: '2200000', CACHE_TTL_MS: '0' });
    postman.fail('/me', { kind: 'hang' }, 1);
    const leaving = new AbortController();
    const holding = fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: withVariables(`[${'[],'.repeat(25_000)}[]]`, '{ me { username } }'),
      signal: leaving.signal,
    });
    while (postman.calls.length < 1) await new Promise((resolve) => setTimeout(resolve, 5));

    const refused = await post(url, body);
    const busy = {
      code: 'SERVER_BUSY',
      retryable: true,
      retryAfterSeconds: 5,
      retryAt: expect.any(String),
    };
    expect([refused.status, refused.headers.get('retry-after'), await refused.json()]).toEqual([
      503,
      '5',
      {
        errors: [
          {
            message: 'This server currently has no memory for a request of this size. It still serves smaller ones.',
            extensions: busy,
          },
        ],
        extensions: {
          errorsByCause: [{ ...busy, count: 1 }],
          upstream: { calls: 0, cached: 0, coalesced: 0, waitedMs: 0, sandbox: false },
        },
      },
    ]);
    const small = await Promise.all([
      post(url, withVariables('1')),
      post(url, withVariables(`"${'y'.repeat(8_000)}"`)),
    ]);
    expect(await Promise.all(small.map(async (response) => [response.status, await response.json()]))).toMatchObject(
      small.map(() => [200, { data: { workspaces: { nodes: [{ name: 'Rider Platform' }] } } }]),
    );

    leaving.abort();
    await holding.catch(() => undefined);
    let status = 503;
    while (status === 503) status = (await post(url, body)).status;
    expect(status).toBe(200);
  });

  it('free their memory when their client disconnects, also if it has pipelined them', async () => {
    const { url, postman, log } = await start({ MAX_REQUEST_BYTES_IN_FLIGHT: '2200000', CACHE_TTL_MS: '0' });
    postman.fail('/me', { kind: 'hang' }, 1);
    const { port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    for (const unused of ['1', `[${'[],'.repeat(25_000)}[]]`]) {
      const body = withVariables(unused, '{ me { username } }');
      const head = `Host: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
      socket.write(`POST /graphql HTTP/1.1\r\n${head}\r\n\r\n${body}`);
    }
    const statusOfLarge = async () => (await post(url, withVariables(`"${BALLAST}"`))).status;
    let status = 200;
    while (status === 200) status = await statusOfLarge();
    expect(status).toBe(503);
    socket.destroy();
    while (status === 503) status = await statusOfLarge();
    expect(status).toBe(200);
    const gone = () => log.filter((line) => line.includes('"clientGone":true')).length;
    await expect.poll(gone).toBe(2);
  });

  it('of one client address leave memory for those of another', async () => {
    const { url, postman } = await start({
      MAX_REQUEST_BYTES_IN_FLIGHT: '2200000',
      TRUSTED_PROXIES: '127.0.0.1',
      CACHE_TTL_MS: '0',
    });
    postman.fail('/me', { kind: 'hang' }, 1);
    const leaving = new AbortController();
    const from = (address: string, body: string) =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-forwarded-for': address },
        body,
        signal: leaving.signal,
      });
    const holding = from('198.51.100.7', withVariables(`[${'[],'.repeat(25_000)}[]]`, '{ me { username } }'));
    while (postman.calls.length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
    const body = withVariables(`"${'y'.repeat(100_000)}"`);
    const statuses = [(await from('198.51.100.7', body)).status, (await from('203.0.113.9', body)).status];
    leaving.abort();
    await holding.catch(() => undefined);
    expect(statuses).toEqual([503, 200]);
  });

  it.each([0, 2])('are not server errors when they break off, after %i whole ones', async (whole) => {
    const { url, log } = await start();
    const { port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    const body = withVariables(`"${'y'.repeat(5_000)}"`);
    const head = `Host: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
    const request = `POST /graphql HTTP/1.1\r\n${head}\r\n\r\n${body}`;
    for (let sent = 0; sent < whole; sent++) {
      socket.write(request);
      await once(socket, 'data');
    }
    socket.write(request.slice(0, -1));
    // It has arrived when a later request has got its response.
    await (await post(url, withVariables('1'))).text();
    socket.destroy();
    const lines = () => log.map((line) => JSON.parse(line) as { level: number }).filter(({ level }) => level >= 30);
    while (lines().length < whole + 2) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(lines()).toMatchObject([
      ...Array.from({ length: whole + 1 }, () => ({ level: 30, msg: 'operation', status: 200 })),
      { level: 30, msg: 'request refused', status: 400, errors: { BAD_REQUEST: 1 }, clientGone: true },
    ]);
  });

  it('are served one after the other, however many', async () => {
    const { url } = await start({ MAX_REQUEST_BYTES_IN_FLIGHT: '2200000' });
    const statuses = [];
    for (let count = 0; count < 10; count++) statuses.push((await post(url, withVariables(`"${BALLAST}"`))).status);
    expect(statuses).toEqual(statuses.map(() => 200));
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { type AnnouncedPart, reassemble } from '../support/announced.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { createGridAccount } from '../support/grid-account.ts';
import { type Part, queryInParts } from '../support/parts.ts';

const OLDER = 'multipart/mixed;deferSpec=20220824';
const NEWER = ['multipart/mixed;incrementalSpec=v0.2', 'text/event-stream;incrementalSpec=v0.2'];
const ENV = { CACHE_TTL_MS: '0', STREAM_TIMEOUT_MS: '12000' };
const { account, collectionUids } = createGridAccount(1, 10, 0);
const [firstUid, ...otherUids] = collectionUids;

let facade: Facade;
afterEach(() => facade.close());

/** Reads all parts of a response. The deadline passes once Postman has been called this often and this many parts came. */
async function readUntilDeadline(query: string, accept: string, until: { calls: number; parts: number }) {
  const parts: Part[] = [];
  const reading = (async () => {
    for await (const part of queryInParts(facade, query, { headers: { accept } })) parts.push(part);
  })();
  await expect
    .poll(() => ({ calls: facade.postman.calls.length, parts: parts.length }), { timeout: 10_000 })
    .toEqual(until);
  facade.skip(12_000);
  await reading;
  return parts;
}

const readAnnounced = async (...args: Parameters<typeof readUntilDeadline>) =>
  (await readUntilDeadline(...args)) as unknown as readonly AnnouncedPart[];

const timed = { retryAfterSeconds: expect.any(Number) as number, retryAt: expect.any(String) as string };
const locations = expect.any(Array) as unknown[];

/** The error of a field whose call has no response. */
const timedOut = (route: string, ...path: readonly (string | number)[]) => ({
  message:
    "Postman did not respond before the operation's deadline. Retry at `retryAt`, or send `Prefer: wait=<seconds>` to wait longer.",
  locations,
  path,
  extensions: { code: 'UPSTREAM_TIMEOUT', retryable: true, ...timed, upstream: { method: 'GET', route } },
});

/** The error of a row that has not been read, or of the first one that has not been started. */
const refused = (...path: readonly (string | number)[]) => ({
  message:
    "The API key's budget has no slots for all calls of this operation before its deadline, and a retry cannot reuse " +
    'the responses that it has read. Retry at `retryAt`, when there are slots for all calls.',
  locations,
  path,
  extensions: {
    code: 'RATE_LIMITED',
    retryable: true,
    ...timed,
    limitedBy: 'facade',
    upstream: { method: 'GET', route: '/collections/{uid}' },
  },
});

/** The extensions of the last part. */
const atTheEnd = (calls: number, ...causes: readonly object[]) => ({
  errorsByCause: causes.map((cause) => expect.objectContaining(cause) as object),
  upstream: {
    calls,
    cached: 0,
    coalesced: 0,
    waitedMs: expect.any(Number) as number,
    sandbox: false,
    budget: { remaining: 10_000 - calls, resetAt: expect.any(String) as string },
  },
  rateLimit: expect.any(String) as string,
  rateLimitPolicy: expect.any(String) as string,
  retryAfterSeconds: expect.any(Number) as number,
});

describe('a fragment whose call has no response at the deadline', () => {
  const query = `{ me { username } ... @defer(label: "Slow") { collections(first: 2) { nodes { name } } me { id } }
    ... @defer(label: "Quick") { environments(first: 1) { totalCount } } }`;
  const route = '/collections';
  const cause = { code: 'UPSTREAM_TIMEOUT', count: 1, firstPath: ['collections'] };
  const until = { calls: 3, parts: 2 };
  const start = async () => {
    facade = await startFacade(ENV);
    facade.postman.fail('/collections', { kind: 'hang' });
  };

  it.each(NEWER)('is complete, with null and the error (%s)', async (accept) => {
    await start();
    const parts = await readAnnounced(query, accept, until);
    expect(parts).toEqual([
      {
        data: { me: { username: 'ines-aldana' } },
        pending: [
          { id: '0', path: [], label: 'Slow' },
          { id: '1', path: [], label: 'Quick' },
        ],
        hasNext: true,
      },
      {
        incremental: [{ id: '1', data: { environments: { totalCount: 7 } } }],
        completed: [{ id: '1' }],
        hasNext: true,
      },
      {
        incremental: [
          { id: '0', data: { collections: null }, errors: [timedOut(route, 'collections')] },
          { id: '0', subPath: ['me'], data: { id: '41829063' } },
        ],
        completed: [{ id: '0' }],
        hasNext: false,
        extensions: atTheEnd(3, cause),
      },
    ]);
    reassemble(parts);
  });

  it(`is null, with the error (${OLDER})`, async () => {
    await start();
    expect(await readUntilDeadline(query, OLDER, until)).toEqual([
      { data: { me: { username: 'ines-aldana' } }, hasNext: true },
      { incremental: [{ data: { environments: { totalCount: 7 } }, path: [], label: 'Quick' }], hasNext: true },
      {
        incremental: [
          {
            data: { collections: null, me: { id: '41829063' } },
            path: [],
            label: 'Slow',
            errors: [timedOut(route, 'collections')],
          },
        ],
        hasNext: false,
        extensions: atTheEnd(3, cause),
      },
    ]);
  });
});

describe('nested fragments of a row at the deadline', () => {
  const query =
    '{ collections(first: 1) { nodes @stream { uid ... @defer { description ... @defer { name items { id } } } } } }';
  const route = '/collections/{uid}';
  const path = ['collections', 'nodes', 0];
  const cause = { code: 'UPSTREAM_TIMEOUT', count: 2, firstPath: [...path, 'description'] };
  const until = { calls: 2, parts: 2 };
  const start = async () => {
    facade = await startFacade(ENV, { account });
    facade.postman.fail(firstUid!, { kind: 'hang' });
  };

  it.each(NEWER)('are announced and complete one after the other (%s)', async (accept) => {
    await start();
    const parts = await readAnnounced(query, accept, until);
    expect(parts).toEqual([
      {
        data: { collections: { nodes: [] } },
        pending: [{ id: '0', path: ['collections', 'nodes'] }],
        hasNext: true,
      },
      {
        pending: [{ id: '1', path }],
        incremental: [{ id: '0', items: [{ uid: firstUid }] }],
        completed: [{ id: '0' }],
        hasNext: true,
      },
      {
        pending: [{ id: '2', path }],
        incremental: [{ id: '1', data: { description: null }, errors: [timedOut(route, ...path, 'description')] }],
        completed: [{ id: '1' }],
        hasNext: true,
      },
      {
        incremental: [
          { id: '2', data: { name: 'Collection 0', items: null }, errors: [timedOut(route, ...path, 'items')] },
        ],
        completed: [{ id: '2' }],
        hasNext: false,
        extensions: atTheEnd(2, cause),
      },
    ]);
    reassemble(parts);
  });

  it(`arrive one after the other (${OLDER})`, async () => {
    await start();
    expect(await readUntilDeadline(query, OLDER, until)).toEqual([
      { data: { collections: { nodes: [] } }, hasNext: true },
      { incremental: [{ items: [{ uid: firstUid }], path }], hasNext: true },
      {
        incremental: [{ data: { description: null }, path, errors: [timedOut(route, ...path, 'description')] }],
        hasNext: true,
      },
      {
        incremental: [
          { data: { name: 'Collection 0', items: null }, path, errors: [timedOut(route, ...path, 'items')] },
        ],
        hasNext: false,
        extensions: atTheEnd(2, cause),
      },
    ]);
  });
});

describe('a list whose last rows have not been started at the deadline', () => {
  const query = '{ collections(first: 10) { nodes @stream(label: "Rows") { uid description } } }';
  const route = '/collections/{uid}';
  const rowPath = (row: number) => ['collections', 'nodes', row];
  const causes = [
    { code: 'UPSTREAM_TIMEOUT', count: 2, firstPath: [...rowPath(1), 'description'] },
    { code: 'RATE_LIMITED', count: 3, firstPath: rowPath(5) },
  ];
  const until = { calls: 4, parts: 2 };
  const startedRows = [1, 2, 3, 4].map((row) => ({ uid: collectionUids[row], description: null }));
  const rowErrors = [
    timedOut(route, ...rowPath(1), 'description'),
    timedOut(route, ...rowPath(2), 'description'),
    refused(...rowPath(3), 'description'),
    refused(...rowPath(4), 'description'),
  ];
  const start = async () => {
    facade = await startFacade({ ...ENV, MAX_CONCURRENT_CALLS: '2' }, { account });
    for (const uid of otherUids) facade.postman.fail(uid, { kind: 'hang' });
  };
  const firstRow = { uid: firstUid, description: 'About Collection 0' };

  it.each(NEWER)('is completed with one error for them, after the other rows (%s)', async (accept) => {
    await start();
    const parts = await readAnnounced(query, accept, until);
    const [announced, first, ...others] = parts;
    expect([announced, first]).toEqual([
      {
        data: { collections: { nodes: [] } },
        pending: [{ id: '0', path: ['collections', 'nodes'], label: 'Rows' }],
        hasNext: true,
      },
      { incremental: [{ id: '0', items: [firstRow] }], hasNext: true },
    ]);
    // The executor delivers the rows in one part or in several, depending on the time that each takes.
    const increments = others.flatMap(({ incremental = [] }) => incremental);
    expect(increments.map(({ id }) => id)).toEqual(increments.map(() => '0'));
    expect(increments.flatMap(({ items }) => items)).toEqual(startedRows);
    expect(increments.flatMap(({ errors = [] }) => errors)).toEqual(rowErrors);
    expect(others.map((part) => ({ ...part, incremental: undefined }))).toEqual([
      ...others.slice(1).map(() => ({ hasNext: true })),
      {
        completed: [{ id: '0', errors: [refused(...rowPath(5))] }],
        hasNext: false,
        extensions: atTheEnd(4, ...causes),
      },
    ]);
    reassemble(parts);
  });

  it(`ends with one error for them, after the other rows (${OLDER})`, async () => {
    await start();
    const [announced, first, ...others] = await readUntilDeadline(query, OLDER, until);
    expect([announced, first]).toEqual([
      { data: { collections: { nodes: [] } }, hasNext: true },
      { incremental: [{ items: [firstRow], path: rowPath(0), label: 'Rows' }], hasNext: true },
    ]);
    expect(others.flatMap(({ incremental = [] }) => incremental)).toEqual(
      startedRows.map((item, index) => ({
        items: [item],
        path: rowPath(index + 1),
        label: 'Rows',
        // The error of the rows that have not been started is with the last row that has.
        errors: [rowErrors[index], ...(index === startedRows.length - 1 ? [refused(...rowPath(5))] : [])],
      })),
    );
    expect(others.map((part) => ({ ...part, incremental: undefined }))).toEqual([
      ...others.slice(1).map(() => ({ hasNext: true })),
      { hasNext: false, extensions: atTheEnd(4, ...causes) },
    ]);
  });
});

import { channel } from 'node:diagnostics_channel';
import { setImmediate as nextRound } from 'node:timers/promises';
import type { Socket } from 'node:net';
import { GraphQLError } from 'graphql';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ResultTooLarge, createResultSize } from '../../src/graph/limits/result-size.ts';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { reportCells } from '../support/client-table.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { createGridAccount } from '../support/grid-account.ts';
import { cells, type ClientResult, clients, type Read, type Reading } from './clients.ts';

vi.mock('../../src/graph/limits/result-size.ts', { spy: true });

const platform = ids.workspaces.riderPlatform;
const { rides, stations, pricing, telemetryDraft } = ids.collections;
const LIST = `GET /collections?workspace=${platform}&limit=99&offset=0`;
const toDetail = (uid: string) => `GET /collections/${uid}?model=minimal`;
const DEFER_GETS = [
  `GET /workspaces/${platform}?include=team,mocks:deactivated`,
  `GET /environments?workspace=${platform}`,
];
const STREAM_GETS = [LIST, ...[rides, stations, pricing, telemetryDraft].map(toDetail)];

const toDeferred = (directive: string) =>
  `{ workspace(id: "${platform}") { name ... ${directive} { environments { nodes { name updatedAt } } } } }`;
const toStreamed = (directive: string) =>
  `{ workspace(id: "${platform}") { collections { nodes ${directive} { name description } } } }`;
const DEFERRED = toDeferred('@defer');
const STREAMED = toStreamed('@stream(initialCount: 1)');

/** What a client shows of the last part's `extensions`: Apollo Client keeps them to itself. */
const toShownCost = (name: string) =>
  name.startsWith('@apollo')
    ? undefined
    : {
        upstream: {
          ...{ calls: 2, cached: 0, coalesced: 0, waitedMs: 0, sandbox: false },
          budget: { remaining: 9996, resetAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) },
        },
        rateLimit: expect.stringContaining('"general";r='),
        rateLimitPolicy: '"general";q=10000;w=60, "burst";q=10000;w=10',
      };

const contacted = new Set<string>();
const noteSocket = (message: unknown) => {
  const { socket } = message as { readonly socket: Socket };
  socket.on('lookup', (_error, _address, _family, host) => contacted.add(host));
  socket.on('connect', () => contacted.add(String(socket.remoteAddress)));
};
beforeAll(() => channel('net.client.socket').subscribe(noteSocket));

let facade: Facade;
let reading: Reading | undefined;

/** Everything that a client shows of a query, to the last. */
function readAll(read: Read, query: string): Promise<ClientResult[]> {
  const results: ClientResult[] = [];
  return new Promise((resolve) => {
    reading = read(facade.url, query, (result) => {
      results.push(result);
      if (result.isLast) resolve(results);
    });
  });
}

/** What a client shows of a query so far. */
function startReading(read: Read, query: string): ClientResult[] {
  const results: ClientResult[] = [];
  reading = read(facade.url, query, (result) => void results.push(result));
  return results;
}

/** What a query without directives is answered, and the GETs that it takes, in any order. */
async function askWhole(query: string): Promise<{ data: unknown; gets: string[] }> {
  const { data, errors } = await facade.query(query);
  expect(errors).toEqual([]);
  const gets = [...facade.postman.calls].sort();
  facade.postman.reset();
  return { data, gets };
}

const getsMade = () => [...facade.postman.calls].sort();
const rowsOf = ({ data }: ClientResult) => data.workspace.collections.nodes as readonly unknown[];

describe.each(Object.entries(clients))('%s', (name, read) => {
  const cell = cells[name];
  beforeEach((context) => {
    if (cell) reportCells(context, cell);
  });
  afterEach(async () => {
    reading?.unsubscribe();
    await facade.close();
  });

  it('shows what is there first, then with what was deferred, as the same query without @defer', async () => {
    facade = await startFacade({ CACHE_TTL_MS: '0' });
    const whole = await askWhole(toDeferred(''));
    const results = await readAll(read, DEFERRED);
    expect(results).toEqual([
      { data: { workspace: { name: 'Rider Platform' } }, errors: [], isLast: false, extensions: undefined },
      { data: whole.data, errors: [], isLast: true, extensions: toShownCost(name) },
    ]);
    expect(getsMade()).toEqual([...DEFER_GETS].sort());
    expect(getsMade()).toEqual(whole.gets);
  });

  it('shows the first row, then more, and at last those of the same query without @stream', async () => {
    facade = await startFacade({ CACHE_TTL_MS: '0' });
    const whole = await askWhole(toStreamed(''));
    const results = await readAll(read, STREAMED);
    const last = results.at(-1)!;
    expect(last.data).toEqual(whole.data);
    expect(results.flatMap(({ errors }) => errors)).toEqual([]);
    expect(rowsOf(results[0]!)).toHaveLength(1);
    // How many rows a part has is a matter of time; what has been shown stays, in its place.
    for (const result of results) expect(rowsOf(result)).toEqual(rowsOf(last).slice(0, rowsOf(result).length));
    expect(results.map(({ isLast }) => isLast)).toEqual([...results.slice(1).map(() => false), true]);
    expect(getsMade()).toEqual([...STREAM_GETS].sort());
    expect(getsMade()).toEqual(whole.gets);
  });

  it('shows what is there while what was deferred has no answer yet', async () => {
    facade = await startFacade({ CACHE_TTL_MS: '0' });
    facade.postman.fail('/environments', { kind: 'hang' });
    const results = startReading(read, DEFERRED);
    await expect.poll(() => results).toHaveLength(1);
    expect(results).toMatchObject([{ data: { workspace: { name: 'Rider Platform' } }, isLast: false }]);
    await expect.poll(getsMade).toEqual([...DEFER_GETS].sort());
  });

  it('keeps what it shows when it hears that there is more to come, and then shows what comes', async () => {
    facade = await startFacade({ CACHE_TTL_MS: '0' });
    const whole = await askWhole(toDeferred(''));
    facade.postman.fail('/environments', { kind: 'delay', delayMs: 500 }, 1);
    const results = startReading(read, DEFERRED);
    await expect.poll(() => results).toHaveLength(1);
    const first = results[0];
    for (let silence = 0; silence < 3; silence++) {
      facade.skip(15_000);
      await nextRound();
    }
    await expect.poll(() => results.at(-1)?.isLast).toBe(true);
    expect(results.at(-1)).toMatchObject({ data: whole.data, errors: [] });
    for (const result of results.slice(0, -1)) expect(result).toEqual(first);
  });

  it('shows the rows before one that has no answer yet', async () => {
    facade = await startFacade({ CACHE_TTL_MS: '0' });
    facade.postman.fail(`/collections/${pricing}`, { kind: 'hang' });
    const results = startReading(read, STREAMED);
    await expect.poll(() => results.map((result) => rowsOf(result).length)).toEqual([1, 2]);
    expect(rowsOf(results[1]!)).toMatchObject([{ name: 'Rides API' }, { name: 'Stations API' }]);
    expect(results.every(({ isLast }) => !isLast)).toBe(true);
    await expect.poll(getsMade).toEqual([...STREAM_GETS].sort());
  });

  it.each([
    {
      query: DEFERRED,
      whole: toDeferred(''),
      fails: '/environments',
      path: ['workspace', 'environments'],
      gets: DEFER_GETS,
    },
    {
      query: STREAMED,
      whole: toStreamed(''),
      fails: `/collections/${stations}`,
      path: ['workspace', 'collections', 'nodes', 1, 'description'],
      gets: STREAM_GETS,
    },
  ])('shows an error in a later part with its code and time, and the rest ($fails)', async (failing) => {
    facade = await startFacade({ CACHE_TTL_MS: '0' });
    facade.postman.fail(failing.fails, { kind: 'status', status: 503, headers: { 'retry-after': '7' } });
    const results = await readAll(read, failing.query);
    const last = results.at(-1)!;
    expect(results[0]).toMatchObject({ errors: [], isLast: false });
    expect(getsMade()).toEqual([...failing.gets].sort());
    const whole = await facade.query(failing.whole);
    expect(last.errors.map(({ path }) => path)).toEqual(whole.errors.map(({ path }) => path));
    expect(last.errors.length).toBeGreaterThan(0);
    for (const error of last.errors) {
      expect(error).toMatchObject({
        path: expect.arrayContaining(failing.path),
        extensions: {
          code: 'UPSTREAM_UNAVAILABLE',
          retryable: true,
          retryAfterSeconds: expect.any(Number),
          retryAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
          upstream: { status: 503 },
        },
      });
    }
    expect(last.data).toEqual(whole.data);
  });

  it('keeps what it has shown when the operation is ended as a whole, and shows why', async () => {
    facade = await startFacade();
    // Kept, so that it comes before what is deferred.
    await facade.query('{ me { username } }');
    const error = new GraphQLError('Too much.', { extensions: { code: 'OPERATION_TOO_EXPENSIVE', retryable: false } });
    vi.mocked(createResultSize).mockImplementationOnce((stop) => ({
      list: () => false,
      search: () => undefined,
      text(_length, { fieldName }) {
        if (fieldName !== 'name') return;
        stop(error);
        throw new ResultTooLarge();
      },
      large: [],
    }));
    const results = await readAll(read, `{ me { username } ... @defer { collection(uid: "${rides}") { name json } } }`);
    expect(results[0]).toMatchObject({ data: { me: { username: 'ines-aldana' } }, errors: [], isLast: false });
    expect(results.at(-1)).toMatchObject({
      data: { me: { username: 'ines-aldana' } },
      errors: [{ message: 'Too much.', extensions: error.extensions }],
      isLast: true,
    });
  });

  it('has no more calls made once nobody listens', async () => {
    const { account } = createGridAccount(4, 10, 0);
    const limits = { RATE_LIMIT: '10', RATE_LIMIT_WINDOW_MS: '60000', BURST_LIMIT: '0', RESERVED_CALLS: '0' };
    facade = await startFacade({ ...limits, CACHE_TTL_MS: '0' }, { account });
    const queued = async () => (await facade.query('{ rateLimit { queued } }')).data.rateLimit.queued as number;
    const results = startReading(read, '{ collections(first: 40) { nodes @stream(initialCount: 1) { description } } }');
    await expect.poll(() => results.at(-1)?.data.collections.nodes.length).toBe(9);
    expect(facade.postman.calls).toHaveLength(10);
    await expect.poll(queued).toBe(4);
    const shown = results.length;
    reading?.unsubscribe();
    await expect.poll(queued).toBe(0);
    // The next window is somebody else's.
    facade.skip(60_000);
    expect((await facade.query('{ me { username } }')).data).toEqual({ me: { username: 'grid' } });
    expect(facade.postman.calls.slice(10)).toEqual(['GET /me']);
    expect(results).toHaveLength(shown);
  });
});

it('nobody but this machine was contacted', () => {
  expect(
    [...contacted].filter((host) => !['127.0.0.1', '::1', 'localhost', '::ffff:127.0.0.1'].includes(host)),
  ).toEqual([]);
  expect(contacted.size).toBeGreaterThan(0);
});

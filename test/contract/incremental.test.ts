import { GraphQLError } from 'graphql';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ResultTooLarge, createResultSize } from '../../src/graph/limits/result-size.ts';
import type * as Loaders from '../../src/loaders/loaders.ts';
import { createLoaders } from '../../src/loaders/loaders.ts';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { createGridAccount } from '../support/grid-account.ts';
import { queryInParts, merge, type Part } from '../support/parts.ts';

vi.mock('../../src/loaders/loaders.ts', { spy: true });
vi.mock('../../src/graph/limits/result-size.ts', { spy: true });

const platform = ids.workspaces.riderPlatform;

let facade: Facade;
afterEach(() => facade.close());

async function collect(parts: AsyncIterable<Part>): Promise<Part[]> {
  const collected: Part[] = [];
  for await (const part of parts) collected.push(part);
  return collected;
}

const incrementsOf = (parts: readonly Part[]) => parts.flatMap(({ incremental = [] }) => incremental);

describe('an incremental response', () => {
  it.each(['multipart/mixed', 'text/event-stream', '*/*'])('is that of the same query in one (%s)', async (accept) => {
    facade = await startFacade({ CACHE_TTL_MS: '0' });
    const query = (defer: string, stream: string) =>
      `{ workspace(id: "${platform}") { name ...${defer} { description collections { nodes${stream} { name description } } } } }`;
    const whole = await facade.query(query('', ''));
    const calls = [...facade.postman.calls].sort();
    facade.postman.reset();
    const parts = await collect(
      queryInParts(facade, query(' @defer', ' @stream(initialCount: 1)'), { headers: { accept } }),
    );
    expect(merge(parts)).toEqual(whole.data);
    expect([...facade.postman.calls].sort()).toEqual(calls);
    expect(parts.map(({ hasNext }) => hasNext)).toEqual([...parts.slice(1).map(() => true), false]);
    expect(parts.at(-1)?.extensions).toEqual({
      upstream: { calls: 5, cached: 0, coalesced: 0, waitedMs: 0, sandbox: false, budget: expect.any(Object) },
      rateLimit: expect.stringContaining('"general";r='),
      rateLimitPolicy: '"general";q=10000;w=60, "burst";q=10000;w=10',
    });
    expect(parts.slice(0, -1).every(({ extensions }) => extensions === undefined)).toBe(true);
    const logged = facade.log.filter((line) => line.includes('"msg":"operation"'));
    expect(logged.slice(1).map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { status: 200, calls: 5, errors: {} },
    ]);
  });

  it('starts with the fields at hand, and does not wait for deferred ones', async () => {
    facade = await startFacade();
    await facade.query(`{ workspace(id: "${platform}") { name } }`);
    facade.postman.reset();
    facade.postman.fail('/environments', { kind: 'hang' }, 1);
    const client = new AbortController();
    const parts = queryInParts(
      facade,
      `{ workspace(id: "${platform}") { name ... @defer { environments { nodes { updatedAt } } } } }`,
      { signal: client.signal },
    );
    expect((await parts.next()).value).toEqual({ data: { workspace: { name: 'Rider Platform' } }, hasNext: true });
    client.abort();
    await expect(parts.next()).rejects.toThrow(/abort/i);
  });

  it('sends a keep-alive every 15 s, so that no intermediary cuts the connection', async () => {
    facade = await startFacade();
    facade.postman.fail('/collections', { kind: 'hang' }, 1);
    const client = new AbortController();
    const parts = queryInParts(facade, '{ me { username } ... @defer { collections { nodes { name } } } }', {
      headers: { accept: 'multipart/mixed' },
      signal: client.signal,
    });
    expect((await parts.next()).value).toEqual({ data: { me: { username: 'ines-aldana' } }, hasNext: true });
    for (let time = 0; time < 2; time++) {
      facade.skip(15_000);
      expect((await parts.next()).value).toEqual({ hasNext: true });
    }
    client.abort();
    await expect(parts.next()).rejects.toThrow(/abort/i);
  });

  it('asks proxies not to buffer its parts', async () => {
    facade = await startFacade();
    const headersOf = async (query: string) => {
      const response = await fetch(facade.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      });
      await response.text();
      return [response.headers.get('cache-control'), response.headers.get('x-accel-buffering')];
    };
    expect(await headersOf('{ ... @defer { me { username } } }')).toEqual(['private, no-store, no-transform', 'no']);
    expect(await headersOf('{ me { username } }')).toEqual(['private, no-store', null]);
  });

  it('is logged even if its client has disconnected', async () => {
    facade = await startFacade();
    facade.postman.fail('/collections', { kind: 'hang' }, 1);
    const client = new AbortController();
    const parts = queryInParts(facade, 'query Gone { me { username } ... @defer { collections { nodes { name } } } }', {
      signal: client.signal,
    });
    await parts.next();
    client.abort();
    await expect(parts.next()).rejects.toThrow(/abort/i);
    await expect
      .poll(() => facade.log.map((line) => JSON.parse(line) as unknown))
      .toContainEqual(
        expect.objectContaining({ msg: 'operation', operation: 'Gone', status: 200, calls: 2, clientGone: true }),
      );
  });

  it.each(['application/json', 'application/graphql-response+json'])(
    'is refused, with what to accept instead, to a client that takes JSON alone (%s)',
    async (accept) => {
      facade = await startFacade();
      const ask = (query: string) =>
        fetch(facade.url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept },
          body: JSON.stringify({ query }),
        });
      const response = await ask('{ workspaces { nodes @stream { name } } }');
      expect([response.status, response.headers.get('content-type')]).toEqual([406, `${accept}; charset=utf-8`]);
      expect(await response.json()).toMatchObject({
        errors: [
          {
            message:
              'An operation with @defer or @stream is delivered in parts: accept multipart/mixed or text/event-stream.',
            extensions: { code: 'BAD_REQUEST', retryable: false },
          },
        ],
      });
      expect(facade.postman.calls).toEqual([]);
      // A dry run has none.
      const dryRun = await ask('{ rateLimit(dryRun: true) { cost } workspaces(first: 1) { nodes @stream { name } } }');
      expect(await dryRun.json()).toMatchObject({ data: { rateLimit: { cost: 1 } } });
    },
  );

  it('is a single response if all parts are switched off', async () => {
    facade = await startFacade();
    const answer = await facade.query('{ workspaces(first: 1) { nodes @stream(if: false) { name } } }');
    expect(answer.data).toEqual({ workspaces: { nodes: [{ name: 'Rider Platform' }] } });
  });
});

describe('an error in a later part', () => {
  it('has its code, time and path, and nothing else is lost', async () => {
    facade = await startFacade({ CACHE_TTL_MS: '0' });
    facade.postman.fail(`/collections/${ids.collections.stations}`, { kind: 'status', status: 403 }, 1);
    const parts = await collect(
      queryInParts(facade, `{ workspace(id: "${platform}") { collections { nodes @stream { name description } } } }`),
    );
    const failed = incrementsOf(parts).filter(({ errors }) => errors);
    expect(failed).toMatchObject([
      {
        items: [{ name: 'Stations API', description: null }],
        errors: [
          {
            path: ['workspace', 'collections', 'nodes', 1, 'description'],
            extensions: {
              code: 'FORBIDDEN',
              retryable: false,
              upstream: { status: 403, method: 'GET', route: '/collections/{uid}' },
            },
          },
        ],
      },
    ]);
    expect(incrementsOf(parts).flatMap(({ items = [] }) => items)).toHaveLength(4);
  });

  it('is masked if it is unexpected, with an id that is in the log beside the cause', async () => {
    facade = await startFacade();
    const cause = new TypeError('Cannot read properties of the private thing');
    const { createLoaders: original } = await vi.importActual<typeof Loaders>('../../src/loaders/loaders.ts');
    vi.mocked(createLoaders).mockImplementationOnce((api) => ({
      ...original(api),
      keyOwner: () => Promise.reject(cause),
    }));
    const parts = await collect(
      queryInParts(facade, '{ workspaces(first: 1) { totalCount } ... @defer { me { username } } }'),
    );
    const errors = incrementsOf(parts).flatMap((increment) => increment.errors ?? []);
    expect(errors).toEqual([
      {
        message: 'Unexpected error.',
        path: ['me'],
        locations: [{ line: 1, column: 52 }],
        extensions: {
          code: 'INTERNAL_SERVER_ERROR',
          retryable: false,
          errorId: expect.any(String),
          requestId: expect.any(String),
        },
      },
    ]);
    expect(JSON.stringify(parts)).not.toContain('private thing');
    const logged = facade.log.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(logged.filter(({ errorId }) => errorId === errors[0]?.extensions?.['errorId'])).toMatchObject([
      { level: 50, msg: 'unexpected error', err: { message: cause.message } },
    ]);
  });

  it('ends a response that would fill the memory, once', async () => {
    facade = await startFacade();
    // Cached, so that it arrives before the deferred fields.
    await facade.query('{ me { username } }');
    const error = new GraphQLError('Too much.', { extensions: { code: 'OPERATION_TOO_EXPENSIVE', retryable: false } });
    vi.mocked(createResultSize).mockImplementationOnce((stop) => ({
      list: () => false,
      search: () => undefined,
      large: [],
      text(length) {
        if (length !== '"Rides API"'.length) return;
        stop(error);
        throw new ResultTooLarge();
      },
    }));
    const parts = await collect(
      queryInParts(
        facade,
        `{ me { username } ... @defer { collection(uid: "${ids.collections.rides}") { name items { name } json } } }`,
      ),
    );
    expect(parts).toMatchObject([
      { data: { me: { username: 'ines-aldana' } }, hasNext: true },
      { errors: [{ message: 'Too much.' }], hasNext: false, extensions: { upstream: { calls: 1, cached: 1 } } },
    ]);
    expect(parts).toHaveLength(2);
    const logged = facade.log.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(logged.filter(({ msg }) => msg === 'operation').slice(1)).toMatchObject([
      { errors: { OPERATION_TOO_EXPENSIVE: 1 } },
    ]);
  });

  it('is sent instead of more pending parts than allowed', async () => {
    const { account } = createGridAccount(12, 50, 0);
    facade = await startFacade({ CACHE_TTL_MS: '0' }, { account });
    const parts = '... @defer { description } '.repeat(45);
    const [part, ...rest] = await collect(
      queryInParts(facade, `{ workspaces { nodes { collections(first: 50) { nodes { uid ${parts} } } } } }`),
    );
    expect([part?.errors?.map(({ extensions }) => extensions?.['code']), rest]).toEqual([
      ['OPERATION_TOO_EXPENSIVE'],
      [],
    ]);
  });

  it('says when to retry, in the last part too', async () => {
    facade = await startFacade({ CACHE_TTL_MS: '0' });
    facade.postman.fail('/environments', { kind: 'status', status: 503, headers: { 'retry-after': '7' } }, 10);
    const parts = await collect(
      queryInParts(
        facade,
        `{ workspace(id: "${platform}") { name ... @defer { environments { nodes { updatedAt } } } } }`,
      ),
    );
    // The workspace names its environments, so each of them lacks its date only.
    const failure = { code: 'UPSTREAM_UNAVAILABLE', retryable: true, retryAt: expect.any(String) };
    expect(incrementsOf(parts)[0]?.errors).toMatchObject(
      [0, 1, 2].map((index) => ({
        path: ['workspace', 'environments', 'nodes', index, 'updatedAt'],
        extensions: failure,
      })),
    );
    expect(parts.at(-1)?.extensions).toMatchObject({ retryAfterSeconds: expect.any(Number) });
  });
});

describe('a stream under a small budget', () => {
  const LIMITS = {
    RATE_LIMIT: '10',
    RATE_LIMIT_WINDOW_MS: '500',
    BURST_LIMIT: '0',
    RESERVED_CALLS: '0',
    CACHE_TTL_MS: '0',
  };
  const DESCRIPTIONS = '{ collections(first: 40) { nodes @stream { description } } }';
  const NESTED = '{ workspaces { nodes @stream { collections(first: 50) { nodes @stream { description } } } } }';
  const toList = (workspaceId: string) => `GET /collections?workspace=${workspaceId}&limit=99&offset=0`;
  const toRead = (uid: string) => `GET /collections/${uid}?model=minimal`;

  it('shows its first rows at once and the others as the budget allows, longer than an operation may take', async () => {
    const { account } = createGridAccount(4, 10, 0);
    facade = await startFacade({ ...LIMITS, OPERATION_TIMEOUT_MS: '200', MAX_CALLS_PER_OPERATION: '5' }, { account });
    const parts = await collect(queryInParts(facade, DESCRIPTIONS));
    expect(parts[0]?.data).toEqual({ collections: { nodes: [] } });
    const rows = incrementsOf(parts).flatMap(({ items = [] }) => items);
    expect(rows).toEqual(Array.from({ length: 40 }, (_, index) => ({ description: `About Collection ${index}` })));
    const windows = facade.postman.arrivals.map(
      ({ atMs }) => facade.postman.arrivals.filter((other) => other.atMs >= atMs && other.atMs < atMs + 500).length,
    );
    expect(Math.max(...windows)).toBeLessThanOrEqual(10);
    expect(facade.postman.calls).toHaveLength(41);
  });

  it('has its first row by its third call, whatever else has to be read', async () => {
    const { account, workspaceIds, collectionUids } = createGridAccount(4, 10, 0);
    facade = await startFacade({ CACHE_TTL_MS: '0' }, { account });
    const parts = await collect(queryInParts(facade, NESTED));
    expect(facade.postman.calls.slice(0, 3)).toEqual([
      'GET /workspaces?limit=100',
      toList(workspaceIds[0]!),
      toRead(collectionUids[0]!),
    ]);
    expect([...facade.postman.calls].sort()).toEqual(
      ['GET /workspaces?limit=100', ...workspaceIds.map(toList), ...collectionUids.map(toRead)].sort(),
    );
    expect(merge(parts)).toEqual((await facade.query(NESTED.replaceAll(' @stream', ''))).data);
  });

  it('costs as much as one when several ask for it at once', async () => {
    const { account, workspaceIds, collectionUids } = createGridAccount(4, 10, 0);
    const latency = () => ({ requestMs: 2, responseMs: 3 });
    facade = await startFacade({ ...LIMITS, RATE_LIMIT: '20', CACHE_TTL_MS: '60000' }, { account, latency });
    const answers = await Promise.all(Array.from({ length: 4 }, () => collect(queryInParts(facade, NESTED))));
    const whole = await facade.query(NESTED.replaceAll(' @stream', ''));
    expect(answers.map(merge)).toEqual(answers.map(() => whole.data));
    expect([...facade.postman.calls].sort()).toEqual(
      ['GET /workspaces?limit=100', ...workspaceIds.map(toList), ...collectionUids.map(toRead)].sort(),
    );
  });

  it('shows a row even if only three calls are left', async () => {
    const { account } = createGridAccount(4, 10, 0);
    facade = await startFacade(
      {
        ...LIMITS,
        RATE_LIMIT: '3',
        RATE_LIMIT_WINDOW_MS: '60000',
        STREAM_TIMEOUT_MS: '20000',
        CACHE_TTL_MS: '60000',
      },
      { account },
    );
    const increments = incrementsOf(await collect(queryInParts(facade, NESTED)));
    expect(facade.postman.calls).toHaveLength(3);
    const rows = increments.filter(({ path }) => path[3] === 'collections');
    expect(rows[0]).toEqual({
      items: [{ description: 'About Collection 0' }],
      path: ['workspaces', 'nodes', 0, 'collections', 'nodes', 0],
    });
    expect(rows.flatMap(({ errors = [] }) => errors.map(({ extensions }) => extensions?.['code']))).toEqual(
      Array.from({ length: 9 }, () => 'RATE_LIMITED'),
    );
  });

  it('continues with the other lists if the calls for its first row get no response', async () => {
    const { account, collectionUids } = createGridAccount(2, 3, 0);
    facade = await startFacade({ CACHE_TTL_MS: '0' }, { account });
    facade.postman.fail(collectionUids[0]!, { kind: 'hang' });
    const client = new AbortController();
    const rows: unknown[] = [];
    const reading = (async () => {
      for await (const { incremental = [] } of queryInParts(facade, NESTED, { signal: client.signal })) {
        rows.push(...incremental.filter(({ path }) => path[1] === 'nodes' && path[2] === 1 && path.length > 3));
      }
    })().catch(() => undefined);
    await expect.poll(() => facade.postman.calls.length).toBe(3);
    facade.skip(1_000);
    await expect.poll(() => rows).toHaveLength(3);
    client.abort();
    await reading;
  });

  it('ends when it may make no more calls, with an error for each further row', async () => {
    const { account } = createGridAccount(4, 10, 0);
    facade = await startFacade({ MAX_CALLS_PER_STREAM: '11' }, { account });
    const parts = await collect(queryInParts(facade, DESCRIPTIONS));
    const increments = incrementsOf(parts);
    expect(facade.postman.calls).toHaveLength(11);
    const codes = increments.flatMap(({ errors = [] }) => errors.map(({ extensions }) => extensions?.['code']));
    expect(codes).toEqual(Array.from({ length: 30 }, () => 'RATE_LIMITED'));
  });

  it('ends at its own deadline', async () => {
    const { account } = createGridAccount(4, 10, 0);
    facade = await startFacade(
      { ...LIMITS, RATE_LIMIT_WINDOW_MS: '60000', STREAM_TIMEOUT_MS: '20000', CACHE_TTL_MS: '60000' },
      { account },
    );
    const parts = await collect(queryInParts(facade, DESCRIPTIONS));
    const codes = incrementsOf(parts).flatMap(({ errors = [] }) =>
      errors.map(({ extensions }) => extensions?.['code']),
    );
    expect(codes).toEqual(Array.from({ length: 31 }, () => 'RATE_LIMITED'));
    expect(facade.postman.calls).toHaveLength(10);
  });

  it('ends with the rows at hand when the server stops', async () => {
    const { account } = createGridAccount(4, 10, 0);
    facade = await startFacade({ ...LIMITS, RATE_LIMIT_WINDOW_MS: '60000' }, { account });
    const parts: Part[] = [];
    let stopping: Promise<void> | undefined;
    for await (const part of queryInParts(facade, DESCRIPTIONS)) {
      parts.push(part);
      const rows = incrementsOf(parts).flatMap(({ items = [] }) => items);
      if (rows.length === 9) stopping ??= facade.close();
    }
    await stopping;
    expect(parts.at(-1)).toMatchObject({ hasNext: false, extensions: { upstream: { calls: 10 } } });
    const increments = incrementsOf(parts);
    // Nine rows were read, four had begun, and the other 27 have one error.
    expect(increments.flatMap(({ items = [] }) => items)).toHaveLength(13);
    const errors = [...increments.flatMap((increment) => increment.errors ?? []), ...(parts.at(-1)?.errors ?? [])];
    expect(errors.map(({ path, extensions }) => [path?.[2], extensions?.['code']])).toEqual(
      Array.from({ length: 5 }, (_, index) => [9 + index, 'RATE_LIMITED']),
    );
    // Something to close when the test is over.
    facade = await startFacade();
  });

  it('makes no more calls after the client has disconnected', async () => {
    const { account } = createGridAccount(4, 10, 0);
    facade = await startFacade({ ...LIMITS, RATE_LIMIT_WINDOW_MS: '1000' }, { account });
    const client = new AbortController();
    for await (const part of queryInParts(facade, DESCRIPTIONS, { signal: client.signal })) {
      if (part.incremental) break;
    }
    client.abort();
    // Another client's operation takes the next free slot, and the stream makes no more calls.
    const calls = async () => {
      await facade.query('{ me { username } }', { headers: { prefer: 'wait=10' } });
      return facade.postman.calls.filter((call) => call !== 'GET /me').length;
    };
    const [soon, later] = [await calls(), await calls()];
    expect(later).toBe(soon);
    expect(soon).toBeLessThanOrEqual(10);
    const { data } = await facade.query('{ rateLimit { queued } }');
    expect(data).toEqual({ rateLimit: { queued: 0 } });
  });
});

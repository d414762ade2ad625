import { afterEach, describe, expect, it } from 'vitest';
import { type Facade, startFacade } from '../support/facade.ts';
import { createGridAccount } from '../support/grid-account.ts';
import { queryInParts, merge, type Part } from '../support/parts.ts';

// Three calls a minute: the list of workspaces, one of collections, and one row.
const LIMITS = {
  RATE_LIMIT: '3',
  RATE_LIMIT_WINDOW_MS: '60000',
  BURST_LIMIT: '0',
  RESERVED_CALLS: '0',
  MAX_CONCURRENT_CALLS: '2',
};
const STREAM = '{ workspaces { nodes @stream { collections(first: 50) { nodes @stream { description } } } } }';
const ONE = { 'x-api-key': 'PMAK-one' };
const TWO = { 'x-api-key': 'PMAK-two' };
const THREE = { 'x-api-key': 'PMAK-three' };
const FOUR = { 'x-api-key': 'PMAK-four' };
const EVERYBODY = [ONE, TWO, THREE, FOUR];

type Header = Readonly<Record<string, string>>;

let facade: Facade;
let clients: AbortController[] = [];
afterEach(async () => {
  for (const client of clients) client.abort();
  clients = [];
  await facade.close();
});

async function start(env: Record<string, string>, workspaces = 2, collectionsEach = 10): Promise<void> {
  const { account } = createGridAccount(workspaces, collectionsEach, 0);
  facade = await startFacade(
    { ...LIMITS, ...env },
    { account, otherApiKeys: EVERYBODY.map((header) => header['x-api-key']) },
  );
  // Keys that Postman has accepted have shares of their own.
  for (const headers of EVERYBODY) await facade.query('{ environments { totalCount } }', { headers });
  facade.skip(120_000);
  facade.postman.reset();
  facade.log.length = 0;
}

/** Starts a stream and reads its first part; then it stays open until its client disconnects. */
async function open(headers: Header): Promise<AbortController> {
  const client = new AbortController();
  clients.push(client);
  const parts = queryInParts(facade, STREAM, { headers: { ...headers }, signal: client.signal });
  expect((await parts.next()).value).toEqual({ data: { workspaces: { nodes: [] } }, hasNext: true });
  return client;
}

async function ask(headers: Header, query = STREAM) {
  const response = await fetch(facade.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: '*/*', ...headers },
    body: JSON.stringify({ query }),
  });
  return { status: response.status, retryAfter: response.headers.get('retry-after'), body: await response.json() };
}

const refused = (status: number, message: string) => ({
  status,
  retryAfter: '10',
  body: {
    errors: [
      {
        message: `${message} Retry at the time given, or without these directives.`,
        extensions: {
          code: 'RATE_LIMITED',
          retryable: true,
          retryAfterSeconds: 10,
          retryAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
          limitedBy: 'facade',
        },
      },
    ],
    extensions: {
      errorsByCause: [
        {
          code: 'RATE_LIMITED',
          retryable: true,
          retryAfterSeconds: 10,
          retryAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
          limitedBy: 'facade',
          count: 1,
        },
      ],
      upstream: { calls: 0, cached: 0, coalesced: 0, waitedMs: 0, sandbox: false },
    },
  },
});
const KEY_IS_FULL = refused(429, 'The API key has the maximum number of operations with @defer or @stream open.');
const PROCESS_IS_FULL = refused(503, 'The server has the maximum number of operations with @defer or @stream open.');

describe('streams beyond a bound', () => {
  it('of one key are refused before anything is executed, until another has ended', async () => {
    await start({ MAX_STREAMS_PER_KEY: '2' });
    const [first] = [await open(ONE), await open(ONE)];
    await expect.poll(() => facade.postman.calls.length).toBe(3);
    const calls = [...facade.postman.calls];
    expect(await ask(ONE)).toEqual(KEY_IS_FULL);
    expect(facade.postman.calls).toEqual(calls);
    await open(TWO);
    first.abort();
    await expect.poll(() => facade.log.filter((line) => line.includes('"clientGone":true'))).toHaveLength(1);
    await open(ONE);
    expect(await ask(ONE)).toEqual(KEY_IS_FULL);
  });

  it('of the process are refused first to the keys with most streams', async () => {
    await start({ MAX_STREAMS: '4' });
    await open(ONE);
    await open(ONE);
    expect(await ask(ONE)).toEqual(PROCESS_IS_FULL);
    await open(TWO);
    expect(await ask(TWO)).toEqual(PROCESS_IS_FULL);
    await open(THREE);
    expect(await ask(FOUR)).toEqual(PROCESS_IS_FULL);
  });

  it('of invented keys are refused to their address, and not to others', async () => {
    await start({ MAX_STREAMS: '8' });
    facade.postman.fail('/workspaces', { kind: 'hang' });
    for (let index = 0; index < 4; index++) {
      const client = new AbortController();
      clients.push(client);
      const headers = { 'x-api-key': `PMAK-made-up-${index}` };
      queryInParts(facade, STREAM, { headers, signal: client.signal })
        .next()
        .catch(() => undefined);
    }
    await expect.poll(() => facade.postman.calls.length).toBe(4);
    expect(await ask({ 'x-api-key': 'PMAK-made-up-4' })).toEqual(PROCESS_IS_FULL);
    facade.postman.heal();
    for (const headers of EVERYBODY) await open(headers);
  });

  it('do not affect dry runs and single responses', async () => {
    await start({ MAX_STREAMS: '1' });
    await open(ONE);
    expect(await ask(ONE)).toEqual(PROCESS_IS_FULL);
    const dryRun = `{ rateLimit(dryRun: true) { costAtLeast } ${STREAM.slice(1)}`;
    expect(await ask(ONE, dryRun)).toMatchObject({
      status: 200,
      body: { data: { rateLimit: { costAtLeast: expect.any(Number) } } },
    });
    expect(await ask(ONE, '{ me { username } }')).toMatchObject({ status: 200 });
    expect(await ask(TWO, '{ me { username } }')).toMatchObject({ body: { data: { me: { username: 'grid' } } } });
  });
});

describe('a stream that waits', () => {
  it('queues only enough calls to use every slot', async () => {
    await start({}, 4, 50);
    await open(ONE);
    const queued = async () => (await facade.query('{ rateLimit { queued } }', { headers: { ...ONE } })).data;
    await expect.poll(queued).toEqual({ rateLimit: { queued: 4 } });
  });

  it('reads everything, in order, by the same calls as a single response', async () => {
    await start({ RATE_LIMIT: '10000', MAX_CALLS_PER_OPERATION: '1000' }, 4, 50);
    const parts: Part[] = [];
    for await (const part of queryInParts(facade, STREAM, { headers: { ...ONE } })) parts.push(part);
    const calls = [...facade.postman.calls].sort();
    facade.postman.reset();
    const whole = await facade.query(STREAM.replaceAll(' @stream', ''), {
      headers: { ...ONE, 'cache-control': 'no-cache', prefer: 'wait=60' },
    });
    expect(merge(parts)).toEqual(whole.data);
    expect(calls).toEqual([...facade.postman.calls].sort());
    expect(calls).toHaveLength(205);
  });
});

describe('when the server stops', () => {
  it.each([
    ['nodes', '{ description }'],
    ['edges', '{ node { description } }'],
  ])('a list of %s has an error for each row that waits, and one where the rest would stand', async (field, row) => {
    await start({}, 1, 50);
    const query = `{ collections(first: 50) { ${field} @stream ${row} } }`;
    const parts: Part[] = [];
    const reading = (async () => {
      for await (const part of queryInParts(facade, query, { headers: { ...ONE } })) parts.push(part);
    })();
    const queued = async () => (await facade.query('{ rateLimit { queued } }', { headers: { ...ONE } })).data;
    await expect.poll(queued).toEqual({ rateLimit: { queued: 4 } });
    await facade.close();
    await reading;
    const increments = parts.flatMap(({ incremental = [] }) => incremental);
    expect(increments.map(({ errors = [] }) => errors.length)).toEqual([0, 0, 1, 1, 1, 2]);
    const ofRows = increments.flatMap(({ errors = [] }) => errors);
    expect(ofRows.pop()).toEqual({
      message:
        "The list has more rows, but the API key's budget had no slot to read them before the operation's deadline. Retry at `retryAt`.",
      path: ['collections', field, 6],
      locations: expect.any(Array),
      extensions: {
        code: 'RATE_LIMITED',
        retryable: true,
        retryAfterSeconds: expect.any(Number),
        retryAt: expect.any(String),
        limitedBy: 'facade',
      },
    });
    expect(parts.at(-1)).toMatchObject({
      hasNext: false,
      extensions: { upstream: { calls: 3 }, retryAfterSeconds: expect.any(Number) },
    });
    expect(parts.at(-1)).not.toHaveProperty('errors');
    expect(ofRows.map(({ extensions }) => ({ ...extensions, retryAt: undefined }))).toEqual(
      ofRows.map(() => ({
        ...ofRows[0]?.extensions,
        retryAt: undefined,
        code: 'RATE_LIMITED',
        upstream: { method: 'GET', route: '/collections/{uid}' },
      })),
    );
    // Something to close when the test is over.
    await start({});
  });

  it('every stream that waits ends with a last part that says when to retry', async () => {
    await start({}, 4, 50);
    const readAll = async (headers: Header): Promise<readonly Part[]> => {
      const parts: Part[] = [];
      for await (const part of queryInParts(facade, STREAM, { headers: { ...headers } })) parts.push(part);
      return parts;
    };
    const streams = EVERYBODY.flatMap((header) => Array.from({ length: 15 }, () => readAll(header)));
    // Each key has made the calls that it may.
    await expect.poll(() => facade.postman.calls.length).toBe(12);
    const queued = async () => (await facade.query('{ rateLimit { queued } }', { headers: { ...FOUR } })).data;
    await expect.poll(queued).toEqual({ rateLimit: { queued: 4 } });
    await facade.close();
    const answers = await Promise.all(streams);
    expect(answers.map((parts) => parts.at(-1))).toEqual(
      answers.map(() =>
        expect.objectContaining({
          hasNext: false,
          extensions: expect.objectContaining({
            upstream: expect.any(Object),
            retryAfterSeconds: expect.any(Number),
          }),
        }),
      ),
    );
    const errors = answers.map((parts) =>
      parts.flatMap(({ errors: own = [], incremental = [] }) => [
        ...own,
        ...incremental.flatMap((increment) => increment.errors ?? []),
      ]),
    );
    expect(errors.every(({ length }) => length > 0)).toBe(true);
    expect(errors.flat().map(({ extensions }) => [extensions?.['retryable'], typeof extensions?.['retryAt']])).toEqual(
      errors.flat().map(() => [true, 'string']),
    );
    // Something to close when the test is over.
    await start({});
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import type { ErrorCause } from '../../src/graph/errors/error-extensions.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { createGridAccount } from '../support/grid-account.ts';
import { queryInParts } from '../support/parts.ts';

interface Body {
  readonly data?: unknown;
  readonly errors?: readonly { readonly path?: readonly (string | number)[]; readonly extensions: object }[];
  readonly extensions: { readonly errorsByCause?: readonly ErrorCause[]; readonly upstream: unknown };
}

const BY_CAUSE = { prefer: 'errors=by-cause' };
const EVERYTHING = '{ workspaces { nodes { collections(first: 100) { nodes { description } } } } }';
const NO_ROOM =
  "The API key's budget has no slot for this call before the operation's deadline. Retry at `retryAt`, or send `Prefer: wait=<seconds>` to wait longer.";

let facade: Facade;
afterEach(() => facade.close());

async function ask(query: string, headers: Record<string, string> = {}) {
  const response = await fetch(facade.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
  return { body: (await response.json()) as Body, headers: response.headers };
}

/** The operations in the log, with the errors that their lines report. */
const loggedErrors = () => facade.log.flatMap((line) => (line.includes('"errors"') ? [JSON.parse(line).errors] : []));

/** Ten workspaces of a hundred collections, and a budget for the lists and so many collections more. */
async function startLarge(collections: number) {
  const { account } = createGridAccount(10, 100, 0);
  facade = await startFacade(
    {
      RATE_LIMIT: String(11 + collections),
      RESERVED_CALLS: '0',
      MAX_CALLS_PER_OPERATION: '2000',
      OPERATION_TIMEOUT_MS: '20000',
    },
    { account },
  );
}

const pathOf = (index: number) => [
  'workspaces',
  'nodes',
  Math.floor(index / 100),
  'collections',
  'nodes',
  index % 100,
  'description',
];

const dataWith = (read: number) => ({
  workspaces: {
    nodes: Array.from({ length: 10 }, (_, workspace) => ({
      collections: {
        nodes: Array.from({ length: 100 }, (__, place) => {
          const index = workspace * 100 + place;
          return { description: index < read ? `About Collection ${index}` : null };
        }),
      },
    })),
  },
});

const noRoom = (time: object) => ({
  code: 'RATE_LIMITED',
  retryable: true,
  ...time,
  limitedBy: 'facade',
  upstream: { method: 'GET', route: '/collections/{uid}' },
});

describe('a thousand equal refusals', () => {
  const anyTime = {
    retryAfterSeconds: expect.any(Number) as number,
    retryAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
  };

  it('have one retry time, and one cause', async () => {
    await startLarge(0);
    const { body, headers } = await ask(EVERYTHING);
    const [cause] = body.extensions.errorsByCause ?? [];
    const time = {
      retryAfterSeconds: cause?.retryable && cause.retryAfterSeconds,
      retryAt: cause?.retryable && cause.retryAt,
    };
    expect(time).toEqual(anyTime);
    const first = body.errors?.[0]?.path;
    // The lists come in any order, and so do the errors below them.
    const place = ({ path = [] }: { path?: readonly (string | number)[] }) => Number(path[2]) * 100 + Number(path[5]);
    const errors = [...(body.errors ?? [])].sort((one, other) => place(one) - place(other));
    expect({ ...body, errors }).toEqual({
      data: dataWith(0),
      errors: Array.from({ length: 1_000 }, (_, index) => ({
        message: NO_ROOM,
        locations: [{ line: 1, column: 58 }],
        path: pathOf(index),
        extensions: noRoom(time),
      })),
      extensions: {
        errorsByCause: [{ ...noRoom(time), count: 1_000, firstPath: first }],
        upstream: { calls: 11, cached: 0, coalesced: 0, waitedMs: 0, sandbox: false, budget: expect.any(Object) },
      },
    });
    expect(headers.get('preference-applied')).toBeNull();
    expect(headers.get('retry-after')).toBe(String(time.retryAfterSeconds));
    expect(loggedErrors()).toEqual([{ RATE_LIMITED: 1_000 }]);
  });

  it('are reported once, in less than 2 KB, to a client that prefers that', async () => {
    await startLarge(0);
    const { body, headers } = await ask(EVERYTHING, { prefer: 'wait=5, errors=by-cause' });
    // The list that came first: the others can come in any order.
    const from = Number(body.errors?.[0]?.path?.[2]) * 100;
    expect(body).toEqual({
      data: dataWith(0),
      errors: [
        {
          message: NO_ROOM,
          locations: [{ line: 1, column: 58 }],
          path: pathOf(from),
          extensions: noRoom(anyTime),
        },
      ],
      extensions: {
        errorsByCause: [
          {
            ...body.errors?.[0]?.extensions,
            count: 1_000,
            firstPath: pathOf(from),
            paths: Array.from({ length: 10 }, (_, index) => pathOf(from + index)),
            morePaths: 990,
          },
        ],
        upstream: { calls: 11, cached: 0, coalesced: 0, waitedMs: 0, sandbox: false, budget: expect.any(Object) },
      },
    });
    const { errors, extensions } = body;
    expect(Buffer.byteLength(JSON.stringify([errors, extensions.errorsByCause]))).toBeLessThan(2_048);
    expect(headers.get('preference-applied')).toBe('wait=5, errors=by-cause');
    expect(loggedErrors()).toEqual([{ RATE_LIMITED: 1_000 }]);
  });

  it('are over for as many as a window has room for when their time has come, and have another time then', async () => {
    await startLarge(89);
    const first = (await ask(EVERYTHING)).body.extensions.errorsByCause?.[0];
    if (!first?.retryable) throw new TypeError('There is nothing to wait for');
    facade.skip(first.retryAfterSeconds * 1_000);
    const { body } = await ask(EVERYTHING, BY_CAUSE);
    expect(first.count).toBe(911);
    // Which of them come first hangs on how much of the time has gone by when they are asked for; each stands in its
    // own place.
    const descriptions = (data: unknown) =>
      [...JSON.stringify(data).matchAll(/"description":("[^"]*"|null)/g)].map(([, one]) => one);
    const all = descriptions(dataWith(1_000));
    const read = descriptions(body.data);
    expect(read).toEqual(all.map((one, index) => (read[index] === 'null' ? 'null' : one)));
    expect(read.filter((one) => one !== 'null')).toHaveLength(189);
    expect(body.extensions.errorsByCause).toMatchObject([{ code: 'RATE_LIMITED', retryable: true, count: 811 }]);
  });
});

describe('several causes in one response', () => {
  const QUERY = `{
    a: collection(uid: "A") { description } b: collection(uid: "B") { description } c: collection(uid: "C") { description }
    d: collection(uid: "D") { description } e: collection(uid: "not a uid") { name } f: collection(uid: "A") { items { name } }
  }`;
  const start = async () => {
    const { account, collectionUids } = createGridAccount(1, 4, 0);
    facade = await startFacade({}, { account });
    const [a, b, c, d] = collectionUids as [string, string, string, string];
    facade.postman.fail(a, { kind: 'status', status: 503, headers: { 'retry-after': '40' } });
    facade.postman.fail(b, { kind: 'status', status: 403 });
    facade.postman.fail(c, { kind: 'status', status: 503, headers: { 'retry-after': '50' } });
    return QUERY.replace('"A"', `"${a}"`)
      .replace('"A"', `"${a}"`)
      .replace('"B"', `"${b}"`)
      .replace('"C"', `"${c}"`)
      .replace('"D"', `"${d}"`);
  };
  const causesOf = ({ extensions }: Body) => extensions.errorsByCause ?? [];

  it('are listed in the order of their occurrence, each with its errors', async () => {
    const { body } = await ask(await start());
    expect(Object.fromEntries(causesOf(body).map(({ code, count }) => [code, count]))).toEqual({
      BAD_USER_INPUT: 1,
      FORBIDDEN: 1,
      UPSTREAM_UNAVAILABLE: 3,
    });
    for (const { code, firstPath, count, ...extensions } of causesOf(body)) {
      const errors = body.errors?.filter((error) => 'code' in error.extensions && error.extensions.code === code) ?? [];
      expect([errors.length, errors[0]?.path]).toEqual([count, firstPath]);
      for (const error of errors) expect(error.extensions).toEqual({ code, ...extensions });
    }
    const times = body.errors?.flatMap(({ extensions }) => ('retryAt' in extensions ? [extensions.retryAt] : []));
    expect([times?.length, new Set(times).size]).toEqual([3, 1]);
  });

  it('have an error each for a client that prefers that', async () => {
    const { body } = await ask(await start(), BY_CAUSE);
    const { errors = [], data } = body;
    expect(data).toEqual({ a: null, b: null, c: null, d: { description: 'About Collection 3' }, e: null, f: null });
    expect(errors.map(({ path }) => path)).toEqual(causesOf(body).map(({ firstPath }) => firstPath));
    expect(Object.fromEntries(causesOf(body).map(({ code, paths }) => [code, new Set(paths?.map(String))]))).toEqual({
      BAD_USER_INPUT: new Set(['e']),
      FORBIDDEN: new Set(['b']),
      UPSTREAM_UNAVAILABLE: new Set(['a', 'c', 'f']),
    });
  });

  it('are absent from responses without errors and of requests that are not executed', async () => {
    await start();
    expect((await ask('{ me { username } }', BY_CAUSE)).body.extensions).toEqual({
      upstream: { calls: 1, cached: 0, coalesced: 0, waitedMs: 0, sandbox: false, budget: expect.any(Object) },
    });
    const { body } = await ask('{ nothing { name } other { name } }', BY_CAUSE);
    expect([body.errors?.length, body.extensions.errorsByCause]).toEqual([2, undefined]);
  });
});

describe('the errors of an incremental response', () => {
  const QUERY = '{ workspaces { nodes { collections(first: 6) { nodes @stream(initialCount: 2) { description } } } } }';
  const start = async () => {
    const { account, collectionUids } = createGridAccount(1, 6, 0);
    facade = await startFacade({}, { account });
    for (const index of [0, 2, 3, 5]) facade.postman.fail(collectionUids[index]!, { kind: 'status', status: 403 });
    facade.postman.fail(collectionUids[4]!, { kind: 'status', status: 503, headers: { 'retry-after': '40' } });
    facade.postman.fail(collectionUids[4]!, { kind: 'status', status: 503, headers: { 'retry-after': '40' } });
  };
  const toRow = (index: number) => ['workspaces', 'nodes', 0, 'collections', 'nodes', index, 'description'];
  const forbidden = {
    code: 'FORBIDDEN',
    retryable: false,
    upstream: { status: 403, name: 'forbidden', method: 'GET', route: '/collections/{uid}' },
  };
  const unavailable = {
    code: 'UPSTREAM_UNAVAILABLE',
    retryable: true,
    retryAfterSeconds: expect.any(Number) as number,
    retryAt: expect.any(String) as string,
    upstream: { status: 503, name: 'serviceUnavailable', method: 'GET', route: '/collections/{uid}' },
  };

  /** Every error of every part, by its path, and the summary in the last part. */
  const read = async (headers: Record<string, string>) => {
    const errors: Record<string, unknown> = {};
    let last: unknown;
    for await (const part of queryInParts(facade, QUERY, { headers })) {
      for (const { errors: these } of [part, ...(part.incremental ?? [])]) {
        if (these) expect(these).not.toEqual([]);
        for (const { path = [], extensions } of these ?? []) errors[path.join('.')] = extensions;
      }
      last = part.extensions?.['errorsByCause'];
    }
    return { errors, last };
  };

  it('stand in their parts, and their causes in the last', async () => {
    await start();
    expect(await read({})).toEqual({
      errors: {
        ...Object.fromEntries([0, 2, 3, 5].map((index) => [toRow(index).join('.'), forbidden])),
        [toRow(4).join('.')]: unavailable,
      },
      last: [
        { ...forbidden, count: 4, firstPath: toRow(0) },
        { ...unavailable, count: 1, firstPath: toRow(4) },
      ],
    });
  });

  it('stand in the part in which their cause comes up first, for a client that prefers that', async () => {
    await start();
    expect(await read(BY_CAUSE)).toEqual({
      errors: { [toRow(0).join('.')]: forbidden, [toRow(4).join('.')]: unavailable },
      last: [
        { ...forbidden, count: 4, firstPath: toRow(0), paths: [0, 2, 3, 5].map(toRow), morePaths: 0 },
        { ...unavailable, count: 1, firstPath: toRow(4), paths: [toRow(4)], morePaths: 0 },
      ],
    });
    expect(loggedErrors()).toEqual([{ FORBIDDEN: 4, UPSTREAM_UNAVAILABLE: 1 }]);
  });
});

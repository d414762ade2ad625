import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDemoAccount } from '../../src/sandbox/account/demo.ts';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type FacadeResponse, type Facade, startFacade } from '../support/facade.ts';

const { workspaces, collections, environments } = ids;
const UNKNOWN = '41829063-00000000-0000-4000-8000-000000000000';
const PLAN = 'plan { path atLeast atMost forFields }';

let facade: Facade;
const start = async (env: Record<string, string> = {}, sandbox = {}) => {
  facade = await startFacade(env, sandbox);
};
beforeEach(() => start());
afterEach(() => facade.close());

/** Runs a dry run of an operation, which must make no calls. */
async function dryRun(query: string, options: { variables?: object; headers?: Record<string, string> } = {}) {
  const before = facade.postman.calls.length;
  const answer = await facade.query(query, options);
  expect(facade.postman.calls.slice(before)).toEqual([]);
  expect(answer.upstream).toMatchObject({ calls: 0, cached: 0, coalesced: 0 });
  return answer;
}

/** The estimated and the real cost of an operation, and the cost of repeating it. */
async function costOf(fields: string) {
  const ask = `query ($dry: Boolean!) { rateLimit(dryRun: $dry) { costAtLeast cost } ${fields} }`;
  const { data, errors } = await dryRun(ask, { variables: { dry: true } });
  expect({ keys: Object.keys(data), errors }).toEqual({ keys: ['rateLimit'], errors: [] });
  const { upstream } = await facade.query(`{ ${fields} }`);
  return [data.rateLimit.costAtLeast, upstream.calls, data.rateLimit.cost];
}

describe('a dry run', () => {
  it('says what the operation would cost, by which calls and for which fields, and returns nothing else', async () => {
    const { status, data, errors } = await dryRun(
      `{ rateLimit(dryRun: true) { limit windowSeconds remaining resetAt queued monthLimit monthRemaining cost costAtLeast ${PLAN} } workspaces(first: 3) { nodes { name description } } collection(uid: "${collections.rides}") { name isPublic } }`,
    );
    expect({ status, data, errors }).toEqual({
      status: 200,
      data: {
        rateLimit: {
          limit: 10_000,
          windowSeconds: 60,
          remaining: 10_000,
          resetAt: null,
          queued: 0,
          monthLimit: null,
          monthRemaining: null,
          cost: 6,
          costAtLeast: 2,
          plan: [
            {
              path: '/collections',
              atLeast: 0,
              atMost: 1,
              forFields: ['Collection.isPublic', 'Collection.name', 'Query.collection'],
            },
            {
              path: '/collections/{uid}',
              atLeast: 1,
              atMost: 1,
              forFields: ['Collection.name', 'Query.collection'],
            },
            { path: '/workspaces', atLeast: 1, atMost: 1, forFields: ['Query.workspaces', 'Workspace.name'] },
            {
              path: '/workspaces/{id}',
              atLeast: 0,
              atMost: 3,
              forFields: ['Collection.name', 'Workspace.description', 'Workspace.name'],
            },
          ],
        },
      },
      errors: [],
    });
  });

  it('knows what is cached, lists and their lengths included', async () => {
    const names = 'workspaces { nodes { name collections { nodes { name } } environments { nodes { name } } } }';
    // Estimated at most twenty, really seven.
    expect(await costOf(names)).toEqual([1, 8, 21]);
    expect(await costOf(names)).toEqual([0, 0, 0]);
    // The list is cached now, and each of the seven has globals.
    expect(await costOf('workspaces { nodes { globals { key } } }')).toEqual([7, 7, 7]);
    expect(await costOf(`${names} me { id }`)).toEqual([1, 1, 1]);
  });

  it('knows half of it where half of it is cached', async () => {
    const values = (uid: string) => `environment(uid: "${uid}") { name values { key } }`;
    await facade.query(`{ ${values(environments.local)} }`);
    expect(await costOf(`a: ${values(environments.local)} b: ${values(environments.staging)}`)).toEqual([1, 1, 1]);
  });

  it('counts one read for the number of values, and none where the values are read too or cached', async () => {
    const one = (uid: string, fields: string) => `environment(uid: "${uid}") { ${fields} }`;
    expect(await costOf(one(environments.local, 'valueCount'))).toEqual([1, 1, 1]);
    expect(await costOf(one(environments.local, 'valueCount values { key }'))).toEqual([0, 0, 0]);
    expect(await costOf(one(environments.staging, 'valueCount values { key }'))).toEqual([1, 1, 1]);
  });

  it('assumes for the upper bound that named objects exist, and for the lower that they do not', async () => {
    const fork = 'name isPublic fork { parent { name description } }';
    expect(await costOf(`collection(uid: "${UNKNOWN}") { ${fork} }`)).toEqual([1, 1, 3]);
    expect(await costOf(`collection(uid: "${collections.openDataFork}") { ${fork} }`)).toEqual([1, 3, 3]);
    // Absence is cached as well.
    expect(await costOf(`collection(uid: "${UNKNOWN}") { ${fork} }`)).toEqual([0, 0, 0]);
  });

  it('counts what several names mean once, and what a list can answer as the list and as single reads', async () => {
    const updated = (uids: readonly string[]) =>
      uids.map((uid, index) => `c${index}: collection(uid: "${uid}") { updatedAt }`).join(' ');
    expect(await costOf(updated([collections.rides, collections.rides]))).toEqual([1, 1, 1]);
    expect(await costOf(updated([collections.stations, collections.pricing, collections.smoke]))).toEqual([1, 1, 6]);
  });

  it('does not take for certain what another list can save, whatever else stands in lists', async () => {
    const ofWorkspace = `collections(workspaceId: "${workspaces.riderPlatform}") { nodes { updaterId } }`;
    const [smoke, regression] = [collections.smoke, collections.regression].map(
      (uid) => `collection(uid: "${uid}") { updatedAt }`,
    );
    // One list, which may have both of them: it leads to up to twenty reads, or being empty has the workspace
    // confirmed. The other may have two pages, and neither.
    expect(await costOf(`${ofWorkspace} a: ${smoke} b: ${regression}`)).toEqual([1, 6, 26]);
  });

  it('does not take for certain what a list can save that begins with what is kept', async () => {
    await facade.query(`{ collection(uid: "${collections.rides}") { description } }`);
    const updated = `collection(uid: "${collections.stations}") { updatedAt }`;
    // The first node needs no read, and the list has what is looked up, too.
    expect(await costOf(`${updated} collections(first: 1) { nodes { variables { key } } }`)).toEqual([1, 1, 3]);
  });

  it('takes it for possible that a fork in a list comes from what no workspace has', async () => {
    // Its parent is looked up by its workspace first, and then by itself, or in the list of all.
    const nodes = '{ nodes { fork { parent { workspace { name } } } } }';
    const [atLeast, calls, atMost] = await costOf(
      `collection(uid: "${collections.openDataFork}") { workspace { collections(first: 50) ${nodes} } }`,
    );
    expect({ atLeast, calls, atMost }).toEqual({ atLeast: 1, calls: 3, atMost: 104 });
  });

  it.each([
    [
      'a fragment',
      '{ ...R ...W } fragment R on Query { rateLimit(dryRun: true) { ...C } } fragment C on RateLimit { cost } fragment W on Query { me { id } __typename }',
      { __typename: 'Query', rateLimit: { cost: 1 } },
    ],
    [
      'an inline fragment',
      '{ ... on Query { x: rateLimit(dryRun: true) { cost } ... { me { id } } } }',
      { x: { cost: 1 } },
    ],
    [
      'a second name',
      '{ dry: rateLimit(dryRun: true) { cost plan { path } } wet: rateLimit { cost readyAt plan { path } } me { id } }',
      { dry: { cost: 1, plan: [{ path: '/me' }] }, wet: { cost: 1, readyAt: null, plan: null } },
    ],
    ['the schema', '{ rateLimit(dryRun: true) { cost } __schema { queryType { name } } }', { rateLimit: { cost: 0 } }],
    [
      'a field that is left out',
      '{ rateLimit(dryRun: true) { cost } me @skip(if: true) { id } workspaces @include(if: false) { nodes { id } } }',
      { rateLimit: { cost: 0 } },
    ],
    [
      'a fragment that is left out',
      '{ rateLimit(dryRun: true) { cost } ...M @skip(if: true) } fragment M on Query { me { id } }',
      { rateLimit: { cost: 0 } },
    ],
    [
      'arguments that no call is made with',
      '{ rateLimit(dryRun: true) { cost } workspaces(first: 0) { nodes { id } } collection(uid: "../me") { name } }',
      { rateLimit: { cost: 0 } },
    ],
    [
      'a page that no list of this server has',
      '{ rateLimit(dryRun: true) { cost } collections(after: "nonsense") { nodes { id } } }',
      { rateLimit: { cost: 0 } },
    ],
  ])('understands %s', async (_what, query, data) => {
    const answer = await dryRun(query);
    expect({ data: answer.data, errors: answer.errors }).toEqual({ data, errors: [] });
  });

  it('is one also by a variable or its default, and by neither where that is false', async () => {
    const query =
      'query ($dry: Boolean = true, $id: ID!) { rateLimit(dryRun: $dry) { cost } environment(uid: $id) { name } }';
    const variables = { id: environments.local };
    expect((await dryRun(query, { variables })).data).toEqual({ rateLimit: { cost: 1 } });
    const { data } = await facade.query(query, { variables: { ...variables, dry: false } });
    expect(data).toEqual({ rateLimit: { cost: 1 }, environment: { name: 'Local' } });
  });

  it('reports invalid variables as usual', async () => {
    const { data, errors } = await dryRun('query ($dry: Boolean) { rateLimit(dryRun: $dry) { cost } me { id } }', {
      variables: { dry: 'yes' },
    });
    expect({ data, codes: errors.map(({ extensions }) => extensions?.['code']) }).toEqual({
      data: undefined,
      codes: ['BAD_USER_INPUT'],
    });
  });

  it('costs nothing if no calls are allowed', async () => {
    const query = '{ rateLimit(dryRun: true) { cost costAtLeast readyAt } me { id } }';
    const { data } = await dryRun(query, { headers: { 'cache-control': 'only-if-cached' } });
    expect(data.rateLimit).toMatchObject({ cost: 0, costAtLeast: 0 });
  });

  it('counts cached responses as calls for a client that accepts none', async () => {
    await facade.query('{ me { id } }');
    const query = '{ rateLimit(dryRun: true) { cost costAtLeast } me { id } }';
    expect((await dryRun(query)).data).toEqual({ rateLimit: { cost: 0, costAtLeast: 0 } });
    const { data } = await dryRun(query, { headers: { 'cache-control': 'no-cache' } });
    expect(data).toEqual({ rateLimit: { cost: 1, costAtLeast: 1 } });
  });

  it('terminates for any operation', async () => {
    const { data } = await dryRun(
      '{ rateLimit(dryRun: true) { cost costAtLeast } workspaces(first: 100) { nodes { collections(first: 100) { nodes { description fork { parent { items { name } } } } } } } }',
    );
    expect(data).toEqual({ rateLimit: { cost: 1_000, costAtLeast: 1 } });
  });
});

describe('dry runs at the same time', () => {
  const everything =
    'workspaces(first: 100) { nodes { globals { key } collections(first: 100) { nodes { description workspace { name } } } environments(first: 100) { nodes { values { key } } } } }';
  const ask = (key: string) => dryRunQuery(`{ rateLimit(dryRun: true) { cost } ${everything} }`, { 'x-api-key': key });
  const dryRunQuery = (query: string, headers: Record<string, string>) => facade.query(query, { headers });

  it('wait for each other; past twenty of a key they are refused with a time, and other keys are served in between', async () => {
    // Keys that Postman has not accepted share one slot.
    const many = Promise.all(Array.from({ length: 80 }, (_, index) => ask(`PMAK-large-${index % 4}`)));
    const other = dryRunQuery('{ rateLimit(dryRun: true) { cost } me { id } }', {});
    expect((await other).data).toEqual({ rateLimit: { cost: 1 } });
    const answers = await many;
    const served = answers.filter(({ errors }) => errors.length === 0);
    const refused = answers.filter(({ errors }) => errors.length > 0);
    expect(served.length).toBeGreaterThanOrEqual(21);
    expect(refused.length).toBeGreaterThan(0);
    for (const { data } of served) expect(data).toEqual({ rateLimit: { cost: 1_000 } });
    for (const { status, headers, data, errors } of refused) {
      expect({ status, data, retryAfter: headers.get('retry-after') }).toEqual({
        status: 200,
        data: { rateLimit: null },
        retryAfter: '1',
      });
      expect(errors).toEqual([
        {
          message: 'Too many dry runs are waiting. Retry at `retryAt`.',
          path: ['rateLimit', 'cost'],
          locations: [{ line: 1, column: 29 }],
          extensions: {
            code: 'RATE_LIMITED',
            retryable: true,
            retryAfterSeconds: 1,
            retryAt: expect.any(String) as string,
            limitedBy: 'facade',
          },
        },
      ]);
    }
    expect(facade.postman.calls).toEqual([]);
  });
});

describe('a dry run of many look-ups', () => {
  const account = createDemoAccount();
  const [collection] = account.collections;
  const listed = Array.from({ length: 230 }, (_, index) => ({
    ...collection!,
    id: `10000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
  }));
  const named = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => String(from + index).padStart(12, '0'))
      .map(
        (digits) =>
          `c${digits}: collection(uid: "${collection!.owner}-10000000-0000-4000-8000-${digits}") { updatedAt }`,
      )
      .join(' ');
  beforeEach(async () => {
    await facade.close();
    await start({ CACHE_TTL_MS: '0' }, { account: { ...account, collections: listed } });
  });

  it('counts as many pages of the list as are worth reading', async () => {
    expect(await costOf(named(500, 2))).toEqual([1, 3, 4]);
    expect(await costOf(named(500, 4))).toEqual([1, 7, 8]);
    expect(await costOf(named(220, 4))).toEqual([1, 3, 8]);
  });
});

describe('a dry run of the rest of a list', () => {
  const account = createDemoAccount();
  const [workspace] = account.workspaces;
  const [environment] = account.environments;
  const many = <Thing extends { readonly id: string }>(thing: Thing, count: number): Thing[] =>
    Array.from({ length: count }, (_, index) => ({
      ...thing,
      id: `10000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    }));
  beforeEach(async () => {
    await facade.close();
    await start(
      { CACHE_TTL_MS: '0' },
      { account: { ...account, workspaces: many(workspace!, 130), environments: many(environment!, 150) } },
    );
  });
  const cursorOf = async (list: string, first: number) => {
    const { data } = await facade.query(`{ ${list}(first: ${first}) { pageInfo { endCursor } } }`);
    return data[list].pageInfo.endCursor as string;
  };

  it('knows how much of its page a cursor has behind it', async () => {
    const after = await cursorOf('workspaces', 50);
    expect(await costOf(`workspaces(first: 50, after: "${after}") { nodes { id } }`)).toEqual([1, 1, 1]);
    expect(await costOf(`workspaces(first: 51, after: "${after}") { nodes { id } }`)).toEqual([1, 2, 2]);
  });

  it('counts what is on a page and what comes after it, together', async () => {
    const after = await cursorOf('environments', 1);
    const nodes = '{ nodes { values { key } } }';
    expect(
      await costOf(`environments(first: 1) ${nodes} more: environments(first: 1, after: "${after}") ${nodes}`),
    ).toEqual([1, 3, 3]);
  });

  it('does not take it for shorter than it is', async () => {
    const after = await cursorOf('environments', 100);
    expect(await costOf(`environments(first: 20, after: "${after}") { nodes { values { key } } }`)).toEqual([
      1, 21, 21,
    ]);
  });
});

describe('a dry run without a key', () => {
  it('reports no budget', async () => {
    await facade.close();
    await start({ POSTMAN_API_KEY: '' });
    const { data, errors } = await dryRun('{ rateLimit(dryRun: true) { cost } me { id } }');
    expect({ data, errors }).toEqual({ data: { rateLimit: null }, errors: [] });
  });
});

describe('readyAt', () => {
  const readyAtMs = async (fields: string) => {
    const { data } = await dryRun(`{ rateLimit(dryRun: true) { readyAt } ${fields} }`);
    return data.rateLimit.readyAt === null ? null : Date.parse(data.rateLimit.readyAt);
  };
  const values = (count: number) =>
    Array.from(
      { length: count },
      (_, index) => `e${index}: environment(uid: "${UNKNOWN.slice(0, -2)}${10 + index}") { values { key } }`,
    ).join(' ');
  const restart = async (env: Record<string, string>) => {
    await facade.close();
    await start(env);
  };

  it('is now if no calls are needed', async () => {
    const beforeMs = Date.now();
    const nowMs = await readyAtMs('__typename');
    expect(nowMs).toBeGreaterThanOrEqual(beforeMs);
    expect(nowMs).toBeLessThanOrEqual(Date.now());
  });

  it('is a window later for calls that do not fit into the window', async () => {
    await restart({ RATE_LIMIT: '20', RESERVED_CALLS: '0' });
    const withRoomMs = await readyAtMs(values(20));
    expect(await readyAtMs(values(21))).toBeGreaterThan((withRoomMs ?? 0) + 60_000);
  });

  it('is unknown if the monthly quota does not suffice', async () => {
    await restart({ CACHE_TTL_MS: '0' });
    facade.postman.failNext(1, { kind: 'refusal', spelling: 'monthly', waitSeconds: 1 });
    await facade.query('{ me { id } }');
    expect(await readyAtMs('me { id }')).toBeNull();
    expect((await dryRun('{ rateLimit(dryRun: true) { cost monthRemaining } me { id } }')).data).toEqual({
      rateLimit: { cost: 1, monthRemaining: 0 },
    });
  });
});

describe('an operation that certainly needs more calls than it may make', () => {
  const named = (count: number, fields: string) =>
    Array.from(
      { length: count },
      (_, index) => `c${index}: collection(uid: "${UNKNOWN.slice(0, -2)}${10 + index}") { ${fields} }`,
    ).join(' ');
  const told = ({ status, data, errors }: FacadeResponse) => ({ status, data, errors });
  beforeEach(async () => {
    await facade.close();
    await start({ MAX_CALLS_PER_OPERATION: '10' });
  });

  it('is refused before the first of them', async () => {
    expect(told(await dryRun(`{ ${named(11, 'description')} me { id } }`))).toEqual({
      status: 200,
      data: undefined,
      errors: [
        {
          message:
            'The operation needs at least 12 calls to Postman, but may make 10. 11 of them are GET /collections/{uid}, for Query.collection. Request fewer items per operation.',
          extensions: { code: 'OPERATION_TOO_EXPENSIVE', retryable: false, calls: 12, ceiling: 10 },
        },
      ],
    });
  });

  it('is not refused where it asks for what that would cost', async () => {
    const { data } = await dryRun(`{ rateLimit(dryRun: true) { costAtLeast } ${named(11, 'description')} }`);
    expect(data).toEqual({ rateLimit: { costAtLeast: 11 } });
  });

  it('is not refused for what it only might need', async () => {
    const { errors, upstream } = await facade.query(`{ ${named(9, 'updatedAt')} }`);
    expect({ errors, calls: upstream.calls }).toEqual({ errors: [], calls: 10 });
  });

  it('is not refused if enough is cached', async () => {
    await facade.query(`{ ${named(6, 'description')} }`);
    const { errors, upstream } = await facade.query(`{ ${named(11, 'description')} }`);
    expect({ errors, calls: upstream.calls }).toEqual({ errors: [], calls: 5 });
  });

  it('gets further each time it is repeated, where a list makes it that long', async () => {
    await facade.close();
    await start({ MAX_CALLS_PER_OPERATION: '4' });
    // The list, and one read for each of its thirteen.
    const calls: number[] = [];
    const missing: number[] = [];
    for (let time = 0; time < 4; time++) {
      const { errors, upstream } = await facade.query('{ collections { nodes { description } } }');
      calls.push(upstream.calls);
      missing.push(errors.length);
    }
    expect({ calls, missing }).toEqual({ calls: [4, 4, 4, 2], missing: [10, 6, 2, 0] });
  });
});

describe('rateLimit beside other fields', () => {
  it('reports their cost before they run, and they still run', async () => {
    const query = `{ me { id } rateLimit { cost costAtLeast readyAt plan { path } } workspace(id: "${workspaces.archive}") { name } }`;
    const rateLimit = { readyAt: null, plan: null };
    const expected = { me: { id: ids.users.ines }, workspace: { name: 'Archive 2023' } };
    expect((await facade.query(query)).data).toEqual({
      ...expected,
      rateLimit: { ...rateLimit, cost: 2, costAtLeast: 2 },
    });
    expect((await facade.query(query)).data).toEqual({
      ...expected,
      rateLimit: { ...rateLimit, cost: 0, costAtLeast: 0 },
    });
  });
});

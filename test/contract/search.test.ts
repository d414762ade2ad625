import { afterEach, describe, expect, it } from 'vitest';
import type { SandboxOptions } from '../../src/sandbox/sandbox.ts';
import { type Facade, type FacadeResponse, startFacade } from '../support/facade.ts';
import { merge, type Part, queryInParts } from '../support/parts.ts';
import { createSearchAccount, type SearchAccount } from '../support/search-account.ts';

const LIST = 'GET /collections?limit=99&offset=0';
const PROGRESS = 'searchedCollectionCount unsearchedCollectionCount unsearchedCollections { name }';
const WHOLE = `nodes { name } totalCount pageInfo { hasNextPage hasPreviousPage endCursor } ${PROGRESS}`;

let facade: Facade;
let searched: SearchAccount;
afterEach(() => facade.close());

async function start(
  sizes: readonly number[],
  { env = {}, workspaces = 1, ...sandbox }: { env?: Record<string, string>; workspaces?: number } & SandboxOptions = {},
) {
  searched = createSearchAccount(sizes, workspaces);
  facade = await startFacade(env, { account: searched.account, ...sandbox });
}

const read = (index: number) => `GET /collections/${searched.uids[index]}`;
const reads = (...indexes: number[]) => indexes.map(read);
const named = (...names: string[]) => names.map((name) => ({ name }));
const requests = (...numbers: string[]) => named(...numbers.map((number) => `Request ${number}`));
const collections = (...indexes: number[]) => named(...indexes.map((index) => `Collection ${index}`));

/** Runs a query, and returns its data, errors and GETs. */
async function ask(query: string, headers: Record<string, string> = {}) {
  facade.postman.reset();
  const { data, errors } = await facade.query(query, { headers });
  return { data, errors, gets: [...facade.postman.calls] };
}

const wholePage = (nodes: readonly object[], totalCount: number, searchedCount: number) => ({
  nodes,
  totalCount,
  pageInfo: { hasNextPage: false, hasPreviousPage: false, endCursor: nodes.length === 0 ? null : expect.any(String) },
  searchedCollectionCount: searchedCount,
  unsearchedCollectionCount: 0,
  unsearchedCollections: [],
});

describe('a search', () => {
  it('reads the list and every collection while nothing is cached, and then nothing more', async () => {
    await start([2, 0, 3]);
    const query = `{ requests(filter: { search: "request" }) { ${WHOLE} } }`;
    const all = wholePage(requests('0.0', '0.1', '2.0', '2.1', '2.2'), 5, 3);
    const cold = await ask(query);
    expect({ ...cold, gets: cold.gets.sort() }).toEqual({
      data: { requests: all },
      errors: [],
      gets: [LIST, ...reads(0, 1, 2)].sort(),
    });
    expect(await ask(query)).toEqual({ data: { requests: all }, errors: [], gets: [] });
    expect(await ask('{ folders(filter: { search: "2.1" }) { nodes { name path } totalCount } }')).toEqual({
      data: { folders: { nodes: [{ name: 'Folder 2.1', path: [] }], totalCount: 1 } },
      errors: [],
      gets: [],
    });
  });

  it('meets the conditions of the filter that the list of one collection has', async () => {
    await start([2, 2]);
    const { data } = await ask(
      '{ requests(filter: { host: "api1.example.com", method: ["get"] }) { nodes { name url { raw } } } }',
    );
    expect(data.requests.nodes).toEqual([
      { name: 'Request 1.0', url: { raw: 'https://api1.example.com/0' } },
      { name: 'Request 1.1', url: { raw: 'https://api1.example.com/1' } },
    ]);
  });

  it('reads no collection that its page does not need', async () => {
    await start([1, 1, 1, 1, 1, 1]);
    const { data, gets } = await ask(`{ requests(first: 2) { ${WHOLE} } }`);
    expect(gets).toEqual([LIST, ...reads(0, 1, 2)]);
    expect(data.requests).toEqual({
      nodes: requests('0.0', '1.0'),
      totalCount: null,
      pageInfo: { hasNextPage: true, hasPreviousPage: false, endCursor: expect.any(String) },
      searchedCollectionCount: 3,
      unsearchedCollectionCount: 3,
      unsearchedCollections: collections(3, 4, 5),
    });
  });

  it('searches cached collections first, and continues after a cursor although others are cached by then', async () => {
    await start([1, 1, 1, 1, 1, 1]);
    await ask(`{ collection(uid: "${searched.uids[4]}") { items { name } } }`);
    const first = await ask(`{ requests(first: 2) { ${WHOLE} } }`);
    expect(first.data.requests.nodes).toEqual(requests('4.0', '0.0'));
    expect(first.gets).toEqual([LIST, ...reads(0, 1)]);
    await ask(`{ collection(uid: "${searched.uids[5]}") { items { name } } }`);
    const { endCursor } = first.data.requests.pageInfo;
    const second = await ask(`{ requests(first: 3, after: "${endCursor}") { ${WHOLE} } }`);
    expect(second.data.requests.nodes).toEqual(requests('1.0', '5.0', '2.0'));
    expect(second.gets).toEqual(reads(2, 3));
    const rest = await ask(`{ requests(first: 3, after: "${second.data.requests.pageInfo.endCursor}") { ${WHOLE} } }`);
    expect(rest).toEqual({
      data: {
        requests: {
          ...wholePage(requests('3.0'), 6, 6),
          pageInfo: { hasNextPage: false, hasPreviousPage: true, endCursor: expect.any(String) },
        },
      },
      errors: [],
      gets: [],
    });
  });

  it('knows the total of a full page if everything is cached', async () => {
    await start([2, 2]);
    await ask('{ requests { totalCount } }');
    expect(await ask('{ requests(first: 1) { nodes { name } totalCount pageInfo { hasNextPage } } }')).toEqual({
      data: { requests: { nodes: requests('0.0'), totalCount: 4, pageInfo: { hasNextPage: true } } },
      errors: [],
      gets: [],
    });
  });

  it('searches the collections of one workspace, and is null for an unknown one', async () => {
    await start([1, 1, 1, 1], { workspaces: 2 });
    const [, workspaceId] = searched.workspaceIds;
    const { data, gets } = await ask(`{ requests(workspaceId: "${workspaceId}") { ${WHOLE} } }`);
    expect(data.requests).toEqual(wholePage(requests('2.0', '3.0'), 2, 2));
    expect(gets).toEqual([`GET /collections?workspace=${workspaceId}&limit=99&offset=0`, ...reads(2, 3)]);
    const unknown = await ask(`{ requests(workspaceId: "none") { ${WHOLE} } }`);
    expect(unknown).toMatchObject({ data: { requests: null }, errors: [] });
  });

  it('rejects the cursor of another search', async () => {
    await start([2]);
    const { data } = await ask('{ requests(first: 1) { edges { cursor } } collections { edges { cursor } } }');
    const [{ cursor }] = data.requests.edges;
    const [{ cursor: ofList }] = data.collections.edges;
    for (const wrong of [
      `requests(filter: { search: "x" }, after: "${cursor}")`,
      `requests(workspaceId: "${searched.workspaceIds[0]}", after: "${cursor}")`,
      `folders(after: "${cursor}")`,
      `requests(after: "${ofList}")`,
      'requests(after: "nonsense")',
      `requests(after: "${'A'.repeat(20_000)}")`,
    ]) {
      const { errors, gets } = await ask(`{ ${wrong} { totalCount } }`);
      expect([errors[0]?.extensions, gets]).toEqual([{ code: 'BAD_USER_INPUT', retryable: false }, []]);
    }
  });
});

it('a search holds no more than the collections of its matches, so it can read more than an operation may hold', async () => {
  await start(
    Array.from({ length: 20 }, () => 100),
    { env: { MAX_HELD_BYTES_PER_OPERATION: '1000000' } },
  );
  const { data, errors } = await ask(`{ requests(filter: { search: "Request 19.99" }) { ${WHOLE} } }`);
  expect({ data, errors }).toEqual({ data: { requests: wholePage(requests('19.99'), 1, 20) }, errors: [] });
  const trees = await ask('{ collections { nodes { items { name } } } }');
  expect(trees.errors[0]?.extensions).toMatchObject({ code: 'OPERATION_TOO_EXPENSIVE' });
});

it('a dry run counts the list and every collection that is not cached', async () => {
  await start([1, 1, 1, 1]);
  const dryRun = async (search: string) => {
    const { data, gets } = await ask(
      `{ rateLimit(dryRun: true) { cost likelyCost costAtLeast plan { path atLeast likely atMost forFields } } ${search} }`,
    );
    expect(gets).toEqual([]);
    return data.rateLimit;
  };
  const search = 'requests(filter: { search: "request" }) { nodes { name } }';
  expect(await dryRun(search)).toMatchObject({ cost: 1_000, costAtLeast: 1 });
  await ask(`{ collections { nodes { name } } collection(uid: "${searched.uids[2]}") { items { name } } }`);
  expect(await dryRun(search)).toEqual({
    cost: 3,
    likelyCost: 3,
    costAtLeast: 0,
    plan: [{ path: '/collections/{uid}', atLeast: 0, likely: 3, atMost: 3, forFields: ['Query.requests'] }],
  });
  expect(await dryRun('requests(first: 30) { nodes { name } }')).toMatchObject({ cost: 3, likelyCost: 1 });
  await ask(`{ ${search} }`);
  expect(await dryRun(search)).toMatchObject({ cost: 0, likelyCost: 0, costAtLeast: 0 });
});

describe('a search that cannot read everything', () => {
  it('returns what it has found, names what is missing, and ends when the client follows the advice', async () => {
    await start([1, 1, 1, 1, 1, 1, 1], {
      env: { RATE_LIMIT: '3', RATE_LIMIT_WINDOW_MS: '60000', RESERVED_CALLS: '0' },
    });
    const query = `{ requests(filter: { search: "request" }) { ${WHOLE} } }`;
    let answer: FacadeResponse = await facade.query(query);
    expect(answer.data.requests).toEqual({
      nodes: requests('0.0', '1.0'),
      totalCount: null,
      pageInfo: { hasNextPage: true, hasPreviousPage: false, endCursor: expect.any(String) },
      searchedCollectionCount: 2,
      unsearchedCollectionCount: 5,
      unsearchedCollections: collections(2, 3, 4, 5, 6),
    });
    expect(answer.errors).toEqual([
      {
        message: expect.stringContaining('Retry at `retryAt`'),
        path: ['requests'],
        locations: expect.any(Array),
        extensions: {
          code: 'RATE_LIMITED',
          retryable: true,
          retryAfterSeconds: expect.any(Number),
          retryAt: expect.any(String),
          limitedBy: 'facade',
          upstream: { method: 'GET', route: '/collections/{uid}' },
        },
      },
    ]);
    let rounds = 0;
    while (answer.errors.length > 0 && rounds++ < 10) {
      facade.skip(Number(answer.errors[0]?.extensions?.['retryAfterSeconds']) * 1_000);
      answer = await facade.query(query);
    }
    expect(answer.errors).toEqual([]);
    expect(answer.data.requests.nodes).toHaveLength(7);
    expect(facade.postman.calls.sort()).toEqual([LIST, ...reads(0, 1, 2, 3, 4, 5, 6)].sort());
  });

  it('continues behind the last collection that it has searched, also if nothing was found', async () => {
    await start([1, 1, 1, 1], { env: { MAX_CALLS_PER_OPERATION: '3' } });
    const search = (after = '') => ask(`{ requests(filter: { search: "3.0" }${after}) { ${WHOLE} } }`);
    const { data, errors } = await search();
    expect(data.requests).toMatchObject({
      nodes: [],
      pageInfo: { hasNextPage: true, endCursor: expect.any(String) },
      unsearchedCollections: collections(2, 3),
    });
    expect(errors).toMatchObject([{ path: ['requests'], extensions: { limitedBy: 'operation', ceiling: 3 } }]);
    const next = await search(`, after: "${data.requests.pageInfo.endCursor}"`);
    expect(next.data.requests.nodes).toEqual(requests('3.0'));
    expect([next.errors, next.gets]).toEqual([[], reads(2, 3)]);
  });

  it.each([
    ['403', 403, 'FORBIDDEN'],
    ['404', 404, 'UPSTREAM_BAD_RESPONSE'],
    ['500', 500, 'UPSTREAM_ERROR'],
  ])('searches the rest if a collection fails with %s', async (_, status, code) => {
    await start([1, 1, 1]);
    facade.postman.fail(searched.uids[1] ?? '', { kind: 'status', status }, 9);
    const { data, errors } = await facade.query(`{ requests { ${WHOLE} } }`);
    expect(data.requests).toMatchObject({
      nodes: requests('0.0', '2.0'),
      totalCount: null,
      pageInfo: { hasNextPage: false },
      searchedCollectionCount: 2,
      unsearchedCollections: collections(1),
    });
    expect(errors.map(({ path, extensions }) => [path, extensions?.['code']])).toEqual([[['requests'], code]]);
  });
});

describe('a streamed search', () => {
  const stream = async (query: string) => {
    const parts: Part[] = [];
    for await (const part of queryInParts(facade, query)) parts.push(part);
    return parts;
  };

  it('delivers cached matches at once, the others in their order, and its end in a deferred part', async () => {
    await start([1, 1, 1]);
    await ask(`{ collection(uid: "${searched.uids[2]}") { items { name } } }`);
    const parts = await stream(
      `{ requests { nodes @stream { name } ... @defer { pageInfo { hasNextPage } totalCount ${PROGRESS} } } }`,
    );
    expect(parts[0]?.data).toEqual({ requests: { nodes: [] } });
    expect(merge(parts)).toEqual({
      requests: {
        nodes: requests('2.0', '0.0', '1.0'),
        pageInfo: { hasNextPage: false },
        totalCount: 3,
        searchedCollectionCount: 3,
        unsearchedCollectionCount: 0,
        unsearchedCollections: [],
      },
    });
    expect(parts.at(-1)?.hasNext).toBe(false);
  });

  it('makes no more calls once the client has disconnected', async () => {
    await start(
      Array.from({ length: 20 }, () => 1),
      { env: { RATE_LIMIT: '4', RATE_LIMIT_WINDOW_MS: '60000', BURST_LIMIT: '0', RESERVED_CALLS: '0' } },
    );
    const client = new AbortController();
    for await (const { incremental } of queryInParts(facade, '{ requests { nodes @stream { name } } }', {
      signal: client.signal,
    }))
      if (incremental?.some(({ path }) => path.at(-1) === 2)) break;
    client.abort();
    while (!facade.log.some((line) => line.includes('clientGone'))) await new Promise(setImmediate);
    facade.skip(120_000);
    // A later operation gets the slots that the search left.
    expect((await facade.query('{ me { id } }')).errors).toEqual([]);
    expect(facade.postman.calls).toEqual([LIST, ...reads(0, 1, 2), 'GET /me']);
  });
});

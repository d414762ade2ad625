import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type {
  StoredCollection,
  StoredEnvironment,
  StoredMock,
  StoredWorkspace,
} from '../../src/sandbox/account/account.ts';
import { createDemoAccount } from '../../src/sandbox/account/demo.ts';
import { newMockConfig } from '../../src/sandbox/account/demo-mocks.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { merge, type Part, queryInParts } from '../support/parts.ts';

const owner = '41829063';
const created = '2026-01-01T00:00:00.000Z';
const uuid = (kind: number, index: number) => `${kind}0000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
const uid = (kind: number, index: number) => `${owner}-${uuid(kind, index)}`;
const count = <T>(length: number, make: (index: number) => T) => Array.from({ length }, (_, index) => make(index));

const COLLECTIONS = 150;
/** Changed one hour apart, in an order that is not Postman's. */
const hourOf = (index: number) => (index * 37) % COLLECTIONS;
const atHour = (hour: number) => new Date(Date.parse(created) + hour * 3_600_000).toISOString();
const toCollection = (index: number): StoredCollection => ({
  id: uuid(1, index),
  owner,
  name: `Collection ${index}`,
  isPublic: false,
  createdAt: created,
  updatedAt: atHour(hourOf(index)),
  lastUpdatedBy: owner,
  document: { info: { name: `Collection ${index}`, description: `About ${index}`, schema: 'v2.1.0' }, item: [] },
});

const workspaceOne = uuid(3, 0);
const oddNames = ['beta', 'Alpha', 'ÁLPHA', 'alpha 2', '', 'Zeta'];
const withoutDate = { 2: '', 4: 'yesterday' } as Readonly<Record<number, string>>;

/** 150 collections on two pages, six environments with odd names of which two have no date, and 120 workspaces. */
function createAccount() {
  return {
    user: createDemoAccount().user,
    collections: count(COLLECTIONS, toCollection),
    environments: oddNames.map(
      (name, index): StoredEnvironment => ({
        id: uuid(2, index),
        owner,
        name,
        isPublic: false,
        createdAt: created,
        updatedAt: withoutDate[index] ?? atHour(index),
        values: [],
      }),
    ),
    mocks: ['slow', 'fast'].map(
      (name, index): StoredMock => ({
        id: uuid(4, index),
        owner,
        name,
        collection: uid(1, 0),
        isPublic: false,
        deactivated: false,
        createdAt: created,
        updatedAt: atHour(index),
        config: newMockConfig,
      }),
    ),
    workspaces: count(
      120,
      (index): StoredWorkspace => ({
        id: uuid(3, index),
        name: `Workspace ${String((index * 7) % 120).padStart(3, '0')}`,
        type: 'team',
        visibility: 'team',
        createdBy: owner,
        updatedBy: owner,
        createdAt: created,
        updatedAt: atHour(index),
        collections: index === 0 ? count(5, (one) => uid(1, one)) : [],
        environments: index === 0 ? oddNames.map((_, one) => uid(2, one)) : [],
        mocks: index === 0 ? [uid(4, 0), uid(4, 1)] : [],
        globals: [],
      }),
    ),
  };
}

const collectionPages = ['GET /collections?limit=99&offset=0', 'GET /collections?limit=99&offset=99'];
const workspacePages = [
  'GET /workspaces?limit=100',
  `GET /workspaces?limit=100&cursor=${encodeURIComponent(Buffer.from(JSON.stringify({ offset: 100 })).toString('base64'))}`,
];

let account: ReturnType<typeof createAccount>;
let facade: Facade;
beforeAll(async () => {
  account = createAccount();
  facade = await startFacade({}, { account });
});
afterAll(() => facade.close());
beforeEach(() => {
  // Past the cache.
  facade.skip(24 * 3_600_000);
  facade.postman.reset();
});

const PAGE = `query ($after: String, $first: Int, $since: DateTime, $by: CollectionOrder) {
  collections(after: $after, first: $first, updatedAfter: $since, orderBy: $by) {
    totalCount nodes { name updatedAt } pageInfo { endCursor hasNextPage hasPreviousPage }
  }
}`;
const latestFirst = { field: 'UPDATED_AT', direction: 'DESC' };

it('answers which collections changed this week by one query, and as many calls as the list has pages', async () => {
  const since = atHour(COLLECTIONS - 4);
  const { data, errors } = await facade.query(
    `query ($lastWeek: DateTime) {
      collections(updatedAfter: $lastWeek, orderBy: { field: UPDATED_AT, direction: DESC }) {
        nodes { uid name updatedAt }
      }
    }`,
    { variables: { lastWeek: since } },
  );
  const changed = account.collections
    .filter(({ updatedAt }) => updatedAt > since)
    .sort((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1));
  expect(changed).toHaveLength(3);
  expect({ data, errors }).toEqual({
    data: {
      collections: {
        nodes: changed.map(({ id, name, updatedAt }) => ({ uid: `${owner}-${id}`, name, updatedAt })),
      },
    },
    errors: [],
  });
  expect(facade.postman.calls).toEqual(collectionPages);
});

it('pages through an ordered and filtered list, each node once, and reads the list once', async () => {
  const since = atHour(19);
  const walked: unknown[] = [];
  let after: string | null = null;
  for (;;) {
    const { data, errors } = await facade.query(PAGE, {
      variables: { after, first: 40, since: atHour(19), by: latestFirst },
    });
    expect(errors).toEqual([]);
    const { nodes, pageInfo, totalCount } = data.collections;
    walked.push(...nodes);
    expect({ totalCount, ...pageInfo, endCursor: undefined }).toEqual({
      totalCount: 130,
      hasNextPage: walked.length < 130,
      hasPreviousPage: after !== null,
    });
    if (!pageInfo.hasNextPage) break;
    after = pageInfo.endCursor;
  }
  expect(walked).toEqual(
    account.collections
      .filter(({ updatedAt }) => updatedAt > since)
      .sort((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1))
      .map(({ name, updatedAt }) => ({ name, updatedAt })),
  );
  expect(facade.postman.calls).toEqual(collectionPages);
});

it('reads only the nodes of the page where a field needs a read of each', async () => {
  const { data } = await facade.query(
    '{ collections(first: 2, orderBy: { field: UPDATED_AT, direction: DESC }) { nodes { description } } }',
  );
  const last = [149, 148].map((hour) => account.collections.findIndex((_, index) => hourOf(index) === hour));
  expect(data).toEqual({ collections: { nodes: last.map((index) => ({ description: `About ${index}` })) } });
  expect(facade.postman.calls).toEqual([
    ...collectionPages,
    ...last.map((index) => `GET /collections/${uid(1, index)}?model=minimal`),
  ]);
});

it('continues after the node of a cursor that was changed or deleted since, without skipping or repeating others', async () => {
  const variables = { first: 3, by: { field: 'UPDATED_AT' } };
  const before = account.collections.splice(0, COLLECTIONS, ...count(8, toCollection));
  try {
    const inOrder = [...account.collections].sort((a, b) => (a.updatedAt < b.updatedAt ? -1 : 1));
    const first = await facade.query(PAGE, { variables });
    expect(first.data.collections.nodes.map(({ name }: { name: string }) => name)).toEqual(
      inOrder.slice(0, 3).map(({ name }) => name),
    );
    const { endCursor: after } = first.data.collections.pageInfo;
    const readNext = async () => {
      facade.skip(24 * 3_600_000);
      const { data } = await facade.query(PAGE, { variables: { ...variables, after } });
      return data.collections.nodes.map(({ name }: { name: string }) => name);
    };
    const next = inOrder.slice(3, 6).map(({ name }) => name);
    expect(await readNext()).toEqual(next);
    // The node of the cursor is changed: it moves to the end. Then another one is deleted.
    const position = account.collections.findIndex(({ id }) => id === inOrder[2]!.id);
    account.collections[position] = { ...inOrder[2]!, updatedAt: atHour(COLLECTIONS) };
    expect(await readNext()).toEqual(next);
    account.collections.splice(
      account.collections.findIndex(({ id }) => id === inOrder[0]!.id),
      1,
    );
    expect(await readNext()).toEqual(next);
    account.collections.splice(position > 0 ? position - 1 : 0, 1);
    expect(await readNext()).toEqual(next);
  } finally {
    account.collections.splice(0, account.collections.length, ...before);
  }
});

it('keeps the position among nodes of the same value', async () => {
  const names: string[] = [];
  let after: string | null = null;
  for (let page = 0; page < 4; page++) {
    const { data } = await facade.query(PAGE, {
      variables: { first: 2, after, by: { field: 'CREATED_AT', direction: 'DESC' } },
    });
    names.push(...data.collections.nodes.map(({ name }: { name: string }) => name));
    after = data.collections.pageInfo.endCursor;
  }
  expect(names).toEqual(count(8, (index) => `Collection ${index}`));
});

describe('the lists of a workspace', () => {
  const inWorkspace = (list: string) => `{ workspace(id: "${workspaceOne}") { ${list} } }`;
  const rows: readonly [what: string, list: string, names: readonly string[], gets: readonly string[]][] = [
    [
      'are ordered by name without case and accents, those of the same name in Postman’s order',
      'list: environments(orderBy: { field: NAME }) { totalCount nodes { name } }',
      ['', 'Alpha', 'ÁLPHA', 'alpha 2', 'beta', 'Zeta'],
      [`GET /environments?workspace=${workspaceOne}`],
    ],
    [
      'are ordered by name from the workspace itself, where that costs least',
      'list: collections(orderBy: { field: NAME, direction: DESC }) { totalCount nodes { name } }',
      count(5, (index) => `Collection ${4 - index}`),
      [`GET /workspaces/${workspaceOne}?include=team,mocks:deactivated`],
    ],
    [
      'are ordered by date from their list, those without a date last',
      'list: environments(orderBy: { field: UPDATED_AT }) { totalCount nodes { name } }',
      ['beta', 'Alpha', 'alpha 2', 'Zeta', 'ÁLPHA', ''],
      [`GET /environments?workspace=${workspaceOne}`],
    ],
    [
      'have those without a date last in the other direction, too',
      'list: environments(orderBy: { field: UPDATED_AT, direction: DESC }) { totalCount nodes { name } }',
      ['Zeta', 'alpha 2', 'Alpha', 'beta', 'ÁLPHA', ''],
      [`GET /environments?workspace=${workspaceOne}`],
    ],
    [
      'leave out those without a date where they are filtered, in Postman’s order',
      `list: environments(updatedAfter: "${atHour(0)}") { totalCount nodes { name } }`,
      ['Alpha', 'alpha 2', 'Zeta'],
      [`GET /environments?workspace=${workspaceOne}`],
    ],
    [
      'of mock servers are ordered, too',
      'list: mocks(orderBy: { field: UPDATED_AT, direction: DESC }) { totalCount nodes { name } }',
      ['fast', 'slow'],
      [`GET /mocks?workspace=${workspaceOne}`],
    ],
    [
      'of collections are ordered, too',
      'list: collections(orderBy: { field: UPDATED_AT, direction: DESC }) { totalCount nodes { name } }',
      ['Collection 4', 'Collection 3', 'Collection 2', 'Collection 1', 'Collection 0'],
      [`GET /collections?workspace=${workspaceOne}&limit=99&offset=0`],
    ],
  ];
  it.each(rows)('%s', async (_, list, names, gets) => {
    const { data, errors } = await facade.query(inWorkspace(list));
    expect({ data, errors }).toEqual({
      data: { workspace: { list: { totalCount: names.length, nodes: names.map((name) => ({ name })) } } },
      errors: [],
    });
    expect(facade.postman.calls).toEqual(gets);
  });
});

it('orders all workspaces, which have several pages', async () => {
  const { data } = await facade.query(
    '{ workspaces(first: 3, orderBy: { field: NAME, direction: DESC }) { totalCount nodes { name } } }',
  );
  expect(data).toEqual({
    workspaces: { totalCount: 120, nodes: ['119', '118', '117'].map((number) => ({ name: `Workspace ${number}` })) },
  });
  expect(facade.postman.calls).toEqual(workspacePages);
});

it('orders the collections of one name, and filters them', async () => {
  const { data } = await facade.query(
    `{ collections(name: "Collection 3", updatedAfter: "${created}", orderBy: { field: UPDATED_AT }) { nodes { name } } none: collections(name: "Collection 3", updatedAfter: "2027-01-01T00:00:00Z") { totalCount nodes { name } } }`,
  );
  expect(data).toEqual({
    collections: { nodes: [{ name: 'Collection 3' }] },
    none: { totalCount: 0, nodes: [] },
  });
  expect(facade.postman.calls).toEqual(['GET /collections?name=Collection%203']);
});

it('streams the rows in order', async () => {
  const parts: Part[] = [];
  const query =
    '{ collections(first: 3, orderBy: { field: UPDATED_AT, direction: DESC }) { nodes @stream { description } } }';
  for await (const part of queryInParts(facade, query, { headers: { accept: 'text/event-stream' } })) parts.push(part);
  const last = [149, 148, 147].map((hour) => account.collections.findIndex((_, index) => hourOf(index) === hour));
  expect(merge(parts)).toEqual({
    collections: { nodes: last.map((index) => ({ description: `About ${index}` })) },
  });
});

describe('BAD_USER_INPUT comes for', () => {
  const cursorOf = async (args: string) => {
    const { data } = await facade.query(`{ collections(first: 1${args}) { pageInfo { endCursor } } }`);
    return data.collections.pageInfo.endCursor as string;
  };
  const refusalOf = async (args: string) => {
    const { data, errors } = await facade.query(`{ collections(first: 1${args}) { totalCount } }`);
    return {
      data,
      codes: errors.map(({ extensions }) => extensions?.['code']),
      messages: errors.map((one) => one.message),
    };
  };
  const otherOrder = {
    data: { collections: null },
    codes: ['BAD_USER_INPUT'],
    messages: [expect.stringContaining('"after" is a cursor of a list in another order')],
  };

  it('a cursor of another order', async () => {
    const plain = await cursorOf('');
    const byName = await cursorOf(', orderBy: { field: NAME }');
    const filtered = await cursorOf(`, updatedAfter: "${created}"`);
    facade.postman.reset();
    for (const args of [
      `, after: "${plain}", orderBy: { field: NAME }`,
      `, after: "${byName}"`,
      `, after: "${byName}", orderBy: { field: NAME, direction: DESC }`,
      `, after: "${byName}", orderBy: { field: UPDATED_AT }`,
      `, after: "${byName}", updatedAfter: "${created}"`,
      `, after: "${filtered}"`,
      `, after: "${plain}", updatedAfter: "${created}"`,
      `, after: "${filtered}", orderBy: { field: NAME }`,
    ])
      expect({ args, ...(await refusalOf(args)) }).toEqual({ args, ...otherOrder });
    expect(facade.postman.calls).toEqual([]);
  });

  it('text that is no cursor', async () => {
    const notOne = Buffer.from('["NAME ASC",1,0,"x"]').toString('base64url');
    expect(await refusalOf(`, after: "${notOne}", orderBy: { field: NAME }`)).toEqual({
      ...otherOrder,
      messages: [expect.stringContaining('"after" is not a cursor of this server')],
    });
  });

  it.each([
    '2026-01-01',
    '2026-01-01T00:00:00',
    '2026-02-30T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:00:60Z',
    '9999-12-31T23:59:59-01:00',
    'yesterday',
    '',
    20_260_101,
    { $gt: '' },
  ])('the time %j', async (since) => {
    const { data, errors } = await facade.query(PAGE, { variables: { since } });
    expect({ data, codes: errors.map(({ extensions }) => extensions?.['code']) }).toEqual({
      data: undefined,
      codes: ['BAD_USER_INPUT'],
    });
    const literal = await facade.query(
      `{ collections(updatedAfter: ${JSON.stringify(since).replace('"$gt"', 'gt')}) { totalCount } }`,
    );
    expect(literal.errors.map(({ extensions }) => extensions?.['code'])).toEqual(['BAD_USER_INPUT']);
    expect(facade.postman.calls).toEqual([]);
  });

  it('nothing that RFC 3339 allows', async () => {
    for (const since of ['2026-01-01T02:00:00.5+02:00', '2026-01-01t00:00:00.000000001z', '2024-02-29T00:00:00Z']) {
      const { errors, status } = await facade.query(PAGE, { variables: { since } });
      expect({ errors, status }).toEqual({ errors: [], status: 200 });
    }
  });
});

describe('a dry run', () => {
  const DRY_RUN = 'rateLimit(dryRun: true) { costAtLeast likelyCost cost }';
  const costOf = async (query: string) => (await facade.query(`{ ${DRY_RUN} ${query} }`)).data.rateLimit;
  const list = 'collections(first: 2, orderBy: { field: UPDATED_AT, direction: DESC }) { nodes { description } }';

  it('does not know how long an unread list is', async () => {
    expect(await costOf('workspaces(orderBy: { field: NAME }) { nodes { name } }')).toMatchObject({
      costAtLeast: 1,
      cost: 1_000,
    });
    expect(await costOf('environments(orderBy: { field: NAME }) { nodes { name } }')).toEqual({
      costAtLeast: 1,
      likelyCost: 1,
      cost: 1,
    });
  });

  it('knows which nodes are on the page of a cached list, and that they are not certain while a page is missing', async () => {
    // Half of the list is cached.
    await facade.query('{ collections(first: 1) { nodes { name } } }');
    expect(await costOf(list)).toEqual({ costAtLeast: 1, likelyCost: 3, cost: 1_000 });
    await facade.query('{ collections(first: 1, orderBy: { field: UPDATED_AT }) { nodes { name } } }');
    expect(await costOf(list)).toEqual({ costAtLeast: 2, likelyCost: 2, cost: 2 });
    const { upstream } = await facade.query(`{ ${list} }`);
    expect(upstream.calls).toBe(2);
    // The list was read before, so its length is known when it is no longer cached.
    facade.skip(24 * 3_600_000);
    expect(await costOf('collections(orderBy: { field: NAME }) { nodes { name } }')).toMatchObject({ likelyCost: 2 });
  });

  it('knows that an object on no page of a list is still found in the list', async () => {
    const named = `collection(uid: "${uid(1, 0)}") { updatedAt }`;
    const late = `collections(first: 1, updatedAfter: "2027-01-01T00:00:00Z") { nodes { name description } }`;
    const { costAtLeast, cost } = await costOf(`${late} ${named}`);
    const { upstream } = await facade.query(`{ ${late} ${named} }`);
    expect(costAtLeast).toBeLessThanOrEqual(upstream.calls);
    expect(cost).toBeGreaterThanOrEqual(upstream.calls);
  });
});

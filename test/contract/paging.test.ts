import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type {
  Account,
  StoredCollection,
  StoredEnvironment,
  StoredWorkspace,
} from '../../src/sandbox/account/account.ts';
import { folder, request } from '../../src/sandbox/account/compose.ts';
import { createDemoAccount } from '../../src/sandbox/account/demo.ts';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { stampDocument } from '../../src/sandbox/account/stamp.ts';
import { type Facade, startFacade } from '../support/facade.ts';

const owner = ids.users.ines;
const at = '2026-01-02T03:04:05.000Z';
const uuid = (group: number, number: number) => `0000000${group}-0000-4000-8000-${String(number).padStart(12, '0')}`;
const count = <T>(length: number, make: (index: number) => T) => Array.from({ length }, (_, index) => make(index));

const environmentIds = count(120, (index) => uuid(2, index));
const collectionIds = count(250, (index) => uuid(3, index));
const bigWorkspace = uuid(1, 0);
const bigCollection = `${owner}-${collectionIds[0]}`;

/**
 * 250 workspaces, of which the first holds 250 collections and 120 environments; the first collection holds 60 folders
 * of 3 requests each.
 */
function createLargeAccount() {
  const tree = {
    info: { name: 'Collection 0' },
    item: count(60, (index) =>
      folder(
        `Folder ${index}`,
        count(3, (number) => request(`Request ${index}.${number}`, 'GET https://a.example/')),
      ),
    ),
  };
  const collections = collectionIds.map(
    (id, index): StoredCollection => ({
      id,
      owner,
      name: `Collection ${index}`,
      isPublic: false,
      createdAt: at,
      updatedAt: at,
      lastUpdatedBy: owner,
      document:
        index === 0
          ? stampDocument(tree, { collectionId: id, owner, createdAt: at, updatedAt: at })
          : { info: { name: `Collection ${index}` }, item: [] },
    }),
  );
  const environments = environmentIds.map(
    (id, index): StoredEnvironment => ({
      id,
      owner,
      name: `Environment ${index}`,
      isPublic: false,
      createdAt: at,
      updatedAt: at,
      values: [],
    }),
  );
  const workspaces = count(
    250,
    (index): StoredWorkspace => ({
      id: uuid(1, index),
      name: `Workspace ${index}`,
      type: 'team',
      visibility: 'team',
      createdBy: owner,
      updatedBy: owner,
      createdAt: at,
      updatedAt: at,
      collections: index === 0 ? collectionIds.map((id) => `${owner}-${id}`) : [],
      environments: index === 0 ? environmentIds.map((id) => `${owner}-${id}`) : [],
      globals: [],
    }),
  );
  return { user: createDemoAccount().user, workspaces, collections, environments } satisfies Account;
}

const connection =
  'totalCount edges { cursor node { name } } nodes { name } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }';

interface List {
  readonly what: string;
  /** The query of one page, with the variables `first` and `after`. */
  readonly page: (selection: string) => string;
  readonly path: readonly string[];
  readonly names: readonly string[];
  /** null if upstream does not say. */
  readonly total: number | null;
  /** The GETs of the whole walk. */
  readonly gets: readonly string[];
}

const variables = 'query ($first: Int, $after: String)';
const pageArgs = '(first: $first, after: $after)';
const atOffset = (offset: number, query = '') => `GET /collections?${query}limit=99&offset=${offset}`;
const upstreamCursor = (offset: number) =>
  encodeURIComponent(Buffer.from(JSON.stringify({ offset })).toString('base64'));

const workspaceList: List = {
  what: 'workspaces',
  page: (selection) => `${variables} { workspaces${pageArgs} { ${selection} } }`,
  path: ['workspaces'],
  names: count(250, (index) => `Workspace ${index}`),
  total: null,
  gets: [
    'GET /workspaces?limit=100',
    `GET /workspaces?limit=100&cursor=${upstreamCursor(100)}`,
    `GET /workspaces?limit=100&cursor=${upstreamCursor(200)}`,
  ],
};
const collectionList: List = {
  what: 'collections of a workspace with their dates',
  page: (selection) =>
    `${variables} { workspace(id: "${bigWorkspace}") { collections${pageArgs} { ${selection} edges { node { updatedAt } } nodes { updatedAt } } } }`,
  path: ['workspace', 'collections'],
  names: count(250, (index) => `Collection ${index}`),
  total: 250,
  gets: [0, 99, 198].map((offset) => atOffset(offset, `workspace=${bigWorkspace}&`)),
};
const requestList: List = {
  what: 'requests',
  page: (selection) => `${variables} { collection(uid: "${bigCollection}") { requests${pageArgs} { ${selection} } } }`,
  path: ['collection', 'requests'],
  names: count(180, (index) => `Request ${Math.floor(index / 3)}.${index % 3}`),
  total: 180,
  gets: [`GET /collections/${bigCollection}`],
};
const environmentList: List = {
  what: 'environments',
  page: (selection) => `${variables} { environments${pageArgs} { ${selection} } }`,
  path: ['environments'],
  names: count(120, (index) => `Environment ${index}`),
  total: 120,
  gets: ['GET /environments'],
};
const lists: readonly List[] = [
  workspaceList,
  collectionList,
  {
    ...collectionList,
    what: 'collections',
    page: (selection) => `${variables} { collections${pageArgs} { ${selection} } }`,
    path: ['collections'],
    gets: [0, 99, 198].map((offset) => atOffset(offset)),
  },
  {
    ...collectionList,
    what: 'names of the collections of a workspace',
    page: (selection) =>
      `${variables} { workspace(id: "${bigWorkspace}") { collections${pageArgs} { ${selection} } } }`,
    gets: [`GET /workspaces/${bigWorkspace}?include=team,mocks:deactivated`],
  },
  {
    what: 'collections of a name',
    page: (selection) =>
      `${variables} { collections(name: "Collection 7", first: $first, after: $after) { ${selection} } }`,
    path: ['collections'],
    names: ['Collection 7'],
    total: 1,
    gets: ['GET /collections?name=Collection%207'],
  },
  environmentList,
  {
    ...environmentList,
    what: 'environments of a workspace',
    page: (selection) =>
      `${variables} { workspace(id: "${bigWorkspace}") { environments${pageArgs} { ${selection} } } }`,
    path: ['workspace', 'environments'],
    gets: [`GET /environments?workspace=${bigWorkspace}`],
  },
  requestList,
  {
    ...requestList,
    what: 'folders',
    page: (selection) => `${variables} { collection(uid: "${bigCollection}") { folders${pageArgs} { ${selection} } } }`,
    path: ['collection', 'folders'],
    names: count(60, (index) => `Folder ${index}`),
    total: 60,
  },
];

interface Page {
  readonly totalCount: number | null;
  readonly edges: readonly { readonly cursor: string; readonly node: { readonly name: string } }[];
  readonly nodes: readonly { readonly name: string }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

async function readPage(
  of: Facade,
  { page, path }: List,
  first: number | null,
  after: string | null,
  apiKey = of.postman.apiKey,
): Promise<Page> {
  const { data, errors } = await of.query(page(connection), {
    variables: { first, after },
    headers: { 'x-api-key': apiKey },
  });
  expect(errors).toEqual([]);
  let found: unknown = data;
  for (const key of path) found = (found as Record<string, unknown>)[key];
  return found as Page;
}

const keyOf = ({ what }: List) => `PMAK-${what.replaceAll(' ', '-')}`;
const namesOf = ({ nodes }: Page) => nodes.map(({ name }) => name);

let cached: Facade;
let uncached: Facade;
beforeAll(async () => {
  const account = createLargeAccount();
  [cached, uncached] = await Promise.all([
    startFacade({}, { account, otherApiKeys: lists.map(keyOf) }),
    startFacade({ CACHE_TTL_MS: '0' }, { account }),
  ]);
});
afterAll(() => Promise.all([cached.close(), uncached.close()]));
beforeEach(() => {
  cached.postman.reset();
  uncached.postman.reset();
});

describe.each(lists)('$what', (list) => {
  it('are complete and in order when all pages are read, each upstream page once', async () => {
    // Nothing is cached for a new key.
    const apiKey = keyOf(list);
    const walked: string[] = [];
    let after: string | null = null;
    for (;;) {
      const { edges, nodes, pageInfo, totalCount }: Page = await readPage(cached, list, 37, after, apiKey);
      expect(edges.map(({ node }) => node)).toEqual(nodes);
      expect({ ...pageInfo, totalCount }).toEqual({
        hasNextPage: walked.length + nodes.length < list.names.length,
        hasPreviousPage: after !== null,
        startCursor: edges[0]?.cursor,
        endCursor: edges.at(-1)?.cursor,
        totalCount: list.total,
      });
      walked.push(...nodes.map(({ name }) => name));
      after = pageInfo.endCursor;
      if (!pageInfo.hasNextPage) break;
    }
    expect(walked).toEqual(list.names);
    expect(cached.postman.calls).toEqual(list.gets);
  });

  it('end after the last: an empty page', async () => {
    let last: Page = await readPage(cached, list, 100, null);
    while (last.pageInfo.hasNextPage) last = await readPage(cached, list, 100, last.pageInfo.endCursor);
    const behind = await readPage(cached, list, 1, last.pageInfo.endCursor);
    expect(behind).toEqual({
      totalCount: list.total,
      edges: [],
      nodes: [],
      pageInfo: { hasNextPage: false, hasPreviousPage: true, startCursor: null, endCursor: null },
    });
  });

  it('continue from any cursor, in another process too', async () => {
    const { edges, pageInfo } = await readPage(cached, list, 100, null);
    const middle = Math.floor(edges.length / 2);
    const next = await readPage(uncached, list, 2, edges[middle]!.cursor);
    expect(namesOf(next)).toEqual(list.names.slice(middle + 1, middle + 3));
    const afterAll100 = await readPage(uncached, list, 2, pageInfo.endCursor);
    expect(namesOf(afterAll100)).toEqual(list.names.slice(100, 102));
  });

  it.each([0, 101, -1, 2_147_483_647])('cannot be had %d at a time', async (first) => {
    const { data, errors } = await uncached.query(list.page(connection), { variables: { first } });
    expect(errors).toMatchObject([
      {
        message: `"first" is ${first}; it must be from 1 to 100.`,
        path: list.path,
        extensions: { code: 'BAD_USER_INPUT', retryable: false },
      },
    ]);
    expect(list.path.reduce((value, key) => value[key], data)).toBeNull();
  });

  it('have 1 or 100 rows a page, or the default for null', async () => {
    const usual = list.path.length === 1 ? 20 : 50;
    expect(namesOf(await readPage(cached, list, 1, null))).toEqual(list.names.slice(0, 1));
    expect(namesOf(await readPage(cached, list, 100, null))).toEqual(list.names.slice(0, 100));
    expect(namesOf(await readPage(cached, list, null, null))).toEqual(list.names.slice(0, usual));
  });

  const forge = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  it('refuse invalid cursors', async () => {
    const garbage = [
      '',
      'garbage',
      '%%%',
      'null',
      uuid(3, 1),
      forge(null),
      forge({}),
      forge(['', 0]),
      forge(['', '0', 'a']),
      forge(['', -1, 'a']),
      forge(['', 0.5, 'a']),
      forge(['', 1e300, 'a']),
      forge([null, 0, 'a']),
      forge(['', 0, 5]),
      forge(['', 0, 'a', 1]),
      forge(['', 0, 'a']).slice(0, -4),
      forge(['', 0, 'a'.repeat(5_000)]),
    ];
    for (const after of garbage) {
      const { errors } = await cached.query(list.page(connection), { variables: { after } });
      expect({ after, errors }).toMatchObject({
        after,
        errors: [
          {
            message: '"after" is not a cursor of this server: pass an endCursor, or the cursor of an edge, unchanged.',
            path: list.path,
            extensions: { code: 'BAD_USER_INPUT', retryable: false },
          },
        ],
      });
    }
  });
});

describe('only the requested pages', () => {
  const endOf = async (list: List, position: number) => {
    let page = await readPage(cached, list, ((position - 1) % 100) + 1, null);
    for (let read = page.nodes.length; read < position; read += page.nodes.length) {
      page = await readPage(cached, list, Math.min(100, position - read), page.pageInfo.endCursor);
    }
    expect(namesOf(page).at(-1)).toBe(list.names[position - 1]);
    return page.pageInfo.endCursor;
  };

  it.each([
    { list: workspaceList, behind: 0, first: 100, gets: workspaceList.gets.slice(0, 1) },
    { list: workspaceList, behind: 50, first: 50, gets: workspaceList.gets.slice(0, 1) },
    { list: workspaceList, behind: 50, first: 51, gets: workspaceList.gets.slice(0, 2) },
    { list: workspaceList, behind: 220, first: 20, gets: workspaceList.gets.slice(2) },
    { list: collectionList, behind: 0, first: 99, gets: collectionList.gets.slice(0, 1) },
    { list: collectionList, behind: 0, first: 100, gets: collectionList.gets.slice(0, 2) },
    { list: collectionList, behind: 98, first: 1, gets: collectionList.gets.slice(0, 1) },
    { list: collectionList, behind: 99, first: 99, gets: collectionList.gets.slice(1, 2) },
    { list: collectionList, behind: 150, first: 48, gets: collectionList.gets.slice(1, 2) },
    { list: collectionList, behind: 150, first: 100, gets: collectionList.gets.slice(1) },
    { list: collectionList, behind: 249, first: 100, gets: collectionList.gets.slice(2) },
  ])('$first $list.what behind $behind are $gets', async ({ list, behind, first, gets }) => {
    const after = behind === 0 ? null : await endOf(list, behind);
    const page = await readPage(uncached, list, first, after);
    expect(namesOf(page)).toEqual(list.names.slice(behind, behind + first));
    expect(uncached.postman.calls).toEqual(gets);
  });

  it('the count of workspaces is known where they are all on one page', async () => {
    const small = await startFacade();
    const { data } = await small.query('{ all: workspaces { totalCount } two: workspaces(first: 2) { totalCount } }');
    await small.close();
    expect(data).toEqual({ all: { totalCount: 7 }, two: { totalCount: 7 } });
    expect(small.postman.calls).toEqual(['GET /workspaces?limit=100']);
  });

  it("a page that never existed is the client's mistake, reported by upstream", async () => {
    const forged = Buffer.from(JSON.stringify(['never-there', 0, 'a'])).toString('base64url');
    const { data, errors } = await uncached.query(workspaceList.page(connection), { variables: { after: forged } });
    expect({ data, errors }).toMatchObject({
      data: { workspaces: null },
      errors: [{ path: ['workspaces'], extensions: { code: 'BAD_USER_INPUT', retryable: false } }],
    });
  });
});

describe('when the list changes between two pages', () => {
  interface Change {
    readonly list: List;
    readonly removed: number;
    readonly remove: (account: ReturnType<typeof createLargeAccount>, index: number) => void;
  }
  const removeWorkspace: Change['remove'] = (account, index) => account.workspaces.splice(index, 1);
  const removeCollection: Change['remove'] = (account, index) => account.collections.splice(index, 1);
  const removeEnvironment: Change['remove'] = (account, index) => account.environments.splice(index, 1);
  const removeRequest: Change['remove'] = ({ collections }, index) => {
    const folder = collections[0]?.document.item[Math.floor(index / 3)];
    if (folder && 'item' in folder) folder.item.splice(index % 3, 1);
  };
  it.each<Change>([
    { list: workspaceList, removed: 9, remove: removeWorkspace },
    { list: workspaceList, removed: 3, remove: removeWorkspace },
    { list: collectionList, removed: 9, remove: removeCollection },
    { list: collectionList, removed: 3, remove: removeCollection },
    { list: environmentList, removed: 9, remove: removeEnvironment },
    { list: environmentList, removed: 3, remove: removeEnvironment },
    { list: requestList, removed: 9, remove: removeRequest },
    { list: requestList, removed: 3, remove: removeRequest },
  ])(
    '$list.what go on behind the tenth, whose number $removed is gone, without a gap',
    async ({ list, removed, remove }) => {
      const account = createLargeAccount();
      const facade = await startFacade({ CACHE_TTL_MS: '0' }, { account });
      const tenth = await readPage(facade, list, 10, null);
      remove(account, removed);
      const next = await readPage(facade, list, 10, tenth.pageInfo.endCursor);
      await facade.close();
      expect(namesOf(tenth)).toEqual(list.names.slice(0, 10));
      expect(namesOf(next)).toEqual(list.names.slice(10, 20));
    },
  );

  it('a list that has become shorter than the cursor ends', async () => {
    const account = createLargeAccount();
    const facade = await startFacade({ CACHE_TTL_MS: '0' }, { account });
    const { pageInfo } = await readPage(facade, environmentList, 100, null);
    account.environments.splice(5);
    const next = await readPage(facade, environmentList, 100, pageInfo.endCursor);
    await facade.close();
    expect(next).toMatchObject({ nodes: [], pageInfo: { hasNextPage: false, hasPreviousPage: true } });
  });
});

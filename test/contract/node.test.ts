import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';

const { collections, environments, mocks, users, workspaces } = ids;
const UNKNOWN = '00000000-0000-4000-8000-000000000000';
const FORMS =
  'a UUID (workspace), digits (user), `Collection:<uid>`, `Environment:<uid>`, `Mock:<uid>`, ' +
  '`Folder:<collection uid>/<itemId>`, `Request:<collection uid>/<itemId>`, or ' +
  '`Example:<collection uid>/<itemId>/<exampleId or #position>`';

// Without a cache, so that a call saved is saved by the plan.
let facade: Facade;
beforeAll(async () => {
  facade = await startFacade({ CACHE_TTL_MS: '0' });
});
afterAll(() => facade.close());
beforeEach(() => facade.postman.reset());

const ask = async (query: string) => {
  facade.postman.reset();
  const { data, errors } = await facade.query(query);
  return {
    data,
    errors: errors.map(({ message, path }) => ({ message, path })),
    gets: [...facade.postman.calls].sort(),
  };
};
const costOf = async (query: string) => {
  const { data } = await facade.query(query.replace('{', '{ rateLimit(dryRun: true) { costAtLeast cost }'));
  return data.rateLimit as { readonly costAtLeast: number; readonly cost: number };
};

interface Row {
  readonly what: string;
  readonly root: string;
  readonly type: string;
  readonly id: string;
  readonly select: string;
  readonly calls: number;
}

describe('an object by its id', () => {
  const collection = { root: `collection(uid: "${collections.openDataFork}")`, type: 'Collection' } as const;
  const fork = `Collection:${collections.openDataFork}`;
  it.each<Row>([
    { what: 'name', ...collection, id: fork, select: '{ id name }', calls: 1 },
    { what: 'tree', ...collection, id: fork, select: '{ name items { id } description }', calls: 1 },
    { what: 'public', ...collection, id: fork, select: '{ isPublic }', calls: 2 },
    { what: 'workspace', ...collection, id: fork, select: '{ workspace { name } }', calls: 1 },
    { what: 'parent', ...collection, id: fork, select: '{ fork { parent { id name } } }', calls: 2 },
    {
      what: 'values',
      root: `environment(uid: "${environments.local}")`,
      type: 'Environment',
      id: `Environment:${environments.local}`,
      select: '{ id updatedAt values { key } }',
      calls: 1,
    },
    {
      what: 'collection',
      root: `mock(uid: "${mocks.rides}")`,
      type: 'Mock',
      id: `Mock:${mocks.rides}`,
      select: '{ id url collection { id name } environment { id } }',
      calls: 3,
    },
    {
      what: 'names and lists',
      root: `workspace(id: "${workspaces.riderPlatform}")`,
      type: 'Workspace',
      id: workspaces.riderPlatform,
      select: '{ id name collections { nodes { id name } } environments { nodes { id updatedAt } } }',
      calls: 2,
    },
    { what: 'name', root: 'me', type: 'User', id: users.ines, select: '{ id username }', calls: 1 },
  ])('makes the calls of the root field: $type, $what', async ({ root, type, id, select, calls }) => {
    const plain = await ask(`{ found: ${root} ${select} }`);
    expect(plain).toMatchObject({ errors: [], gets: { length: calls } });
    const fragment = `fragment F on ${type} ${select}`;
    for (const query of [
      `{ found: node(id: "${id}") { ... on ${type} ${select} } }`,
      `{ found: node(id: "${id}") { ...F } } ${fragment}`,
      `{ found: node(id: "${id}") { ... on Node { ... on Node { ...F } } } } ${fragment}`,
    ]) {
      const { costAtLeast, cost } = await costOf(query);
      expect(costAtLeast).toBeLessThanOrEqual(calls);
      expect(cost).toBeGreaterThanOrEqual(calls);
      expect(await ask(query)).toEqual(plain);
    }
    expect(await ask(`{ nodes(ids: ["${id}"]) { ...F } } ${fragment}`)).toEqual({
      ...plain,
      data: { nodes: [plain.data.found] },
    });
    // Every type implements the interface, so the root field can be read through it, too.
    expect(await ask(`{ found: ${root} { ... on Node { ...F } } } ${fragment}`)).toEqual(plain);
  });

  it('is read once for all items of one collection', async () => {
    const uid = collections.rides;
    const { data } = await ask(`{ collection(uid: "${uid}") { folders(first: 1) { nodes { id name } }
      requests(first: 12) { nodes { id name path parent { id } examples { id name } effectiveAuth { definedOn { id } } } } } }`);
    const [folder] = data.collection.folders.nodes;
    const request = data.collection.requests.nodes.find(({ examples }: { examples: object[] }) => examples.length > 0);
    const [example] = request.examples;
    const wanted = [folder.id, request.id, example.id, folder.id, `Request:${uid}/none`, `Folder:${uid}/none`];
    const query = `{ nodes(ids: ${JSON.stringify([...wanted, `Example:${uid}/none/#0`, folder.id.replace('Folder', 'Request')])}) {
      __typename id ... on CollectionItem { name } ... on Request { path } ... on Example { title: name } } }`;
    expect(await costOf(query)).toEqual({ costAtLeast: 1, cost: 1 });
    expect(await ask(query)).toEqual({
      data: {
        nodes: [
          { __typename: 'Folder', ...folder },
          { __typename: 'Request', id: request.id, name: request.name, path: request.path },
          { __typename: 'Example', id: example.id, title: example.name },
          { __typename: 'Folder', ...folder },
          ...[null, null, null, null],
        ],
      },
      errors: [],
      gets: [`GET /collections/${uid}`],
    });
  });

  it('is planned together with others of several types', async () => {
    const query = `{ nodes(ids: ["Collection:${collections.rides}", "Environment:${environments.local}", "Collection:${collections.stations}",
      "Environment:${environments.staging}", "Collection:${collections.pricing}"]) { id ... on Collection { updatedAt } ... on Environment { updatedAt } } }`;
    const { data, errors, gets } = await ask(query);
    expect(errors).toEqual([]);
    expect(data.nodes.map(({ id }: { id: string }) => id.split(':')[0])).toEqual([
      'Collection',
      'Environment',
      'Collection',
      'Environment',
      'Collection',
    ]);
    expect(gets).toEqual(['GET /collections?limit=99&offset=0', 'GET /environments']);
    const { costAtLeast, cost } = await costOf(query);
    expect([costAtLeast <= 2, cost >= 2]).toEqual([true, true]);
  });

  it.each([
    [`Collection:41829063-${UNKNOWN}`, `GET /collections/41829063-${UNKNOWN}?model=minimal`],
    [`Environment:41829063-${UNKNOWN}`, `GET /environments/41829063-${UNKNOWN}`],
    [`Mock:41829063-${UNKNOWN}`, `GET /mocks/41829063-${UNKNOWN}`],
    [UNKNOWN, `GET /workspaces/${UNKNOWN}?include=team,mocks:deactivated`],
    [`Request:41829063-${UNKNOWN}/a`, `GET /collections/41829063-${UNKNOWN}`],
    [users.mara, 'GET /me', 'GET /users'],
  ])('is null if there is none: %s', async (id, ...gets) => {
    expect(await ask(`{ node(id: "${id}") { id } }`)).toEqual({ data: { node: null }, errors: [], gets });
  });

  it.each(['', 'me', 'Collection:', 'Collection:../me', 'Request:../me/a', 'Auth:1', collections.rides])(
    'is refused, with the forms that there are: %s',
    async (id) => {
      const message = `"${id}" is not the \`id\` of an object. Its forms: ${FORMS}.`;
      expect(await ask(`{ node(id: "${id}") { id } nodes(ids: ["${users.ines}", "${id}"]) { id } }`)).toEqual({
        data: { node: null, nodes: [{ id: users.ines }, null] },
        errors: [
          { message, path: ['nodes', 1] },
          { message, path: ['node'] },
        ],
        gets: ['GET /me'],
      });
    },
  );

  it('is one of at most a hundred', async () => {
    const { errors, gets } = await ask(`{ nodes(ids: ${JSON.stringify(Array(101).fill(users.ines))}) { id } }`);
    expect({ errors, gets }).toEqual({
      errors: [{ message: '"ids" has 101 items; it may have 100.', path: ['nodes'] }],
      gets: [],
    });
  });

  it('is one of at most a thousand in an operation', async () => {
    const ids = JSON.stringify(Array(91).fill(users.ines));
    const fields = Array.from({ length: 11 }, (_, index) => `f${index}: nodes(ids: ${ids}) { id }`);
    expect(await ask(`{ ${fields.join(' ')} }`)).toEqual({
      data: undefined,
      errors: [
        {
          message:
            'The operation has 1001 representations and ids of nodes, but may have 1000. Request fewer per operation.',
          path: undefined,
        },
      ],
      gets: [],
    });
  });

  it('leads on from an item, also in a dry run', async () => {
    const uid = collections.openData;
    const { data } = await ask(`{ collection(uid: "${uid}") { requests(first: 1) { nodes { id } } } }`);
    const [{ id }] = data.collection.requests.nodes;
    const query = `{ node(id: "${id}") { ... on Request { name collection { isPublic workspace { name } } } } }`;
    const { costAtLeast, cost } = await costOf(query);
    const { data: found, gets } = await ask(query);
    expect(found.node.collection).toEqual({ isPublic: true, workspace: { name: 'Kestrel Open Data' } });
    expect(gets).toHaveLength(3);
    expect([costAtLeast <= 3, cost >= 3]).toEqual([true, true]);
  });

  it('is not the uid that other fields take', async () => {
    expect(await ask(`{ collection(uid: "Collection:${collections.rides}") { name } }`)).toEqual({
      data: { collection: null },
      errors: [
        {
          message: `"uid" is the \`id\` of an object. Pass its \`uid\`, ${collections.rides}, or use \`node(id:)\`.`,
          path: ['collection'],
        },
      ],
      gets: [],
    });
  });
});

describe('the id of an object', () => {
  it('is the same however it was reached', async () => {
    const { rides } = mocks;
    const bare = collections.rides.slice(9);
    const { data, errors } = await ask(`{
      bare: collection(uid: "${bare}") { ...C }
      named: collection(uid: "${collections.rides}") { ...C } node: node(id: "Collection:${bare}") { ...C }
      mock(uid: "${rides.slice(9)}") { id collection { ...C } }
      workspace(id: "${workspaces.riderPlatform.toUpperCase()}") { id collections { nodes { ...C } } mocks { nodes { id } } }
    } fragment C on Collection { id requests(first: 1) { nodes { id examples { id } } } }`);
    expect(errors).toEqual([]);
    const { named } = data;
    expect(named.id).toBe(`Collection:${collections.rides}`);
    const listed = data.workspace.collections.nodes.find(({ id }: { id: string }) => id === named.id);
    for (const one of [data.bare, data.node, data.mock.collection, listed]) expect(one).toEqual(named);
    expect(data.workspace.id).toBe(workspaces.riderPlatform);
    expect(data.mock.id).toBe(`Mock:${rides}`);
    expect(data.workspace.mocks.nodes).toContainEqual({ id: data.mock.id });
  });
});

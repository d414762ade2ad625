import { readFileSync } from 'node:fs';
import {
  buildClientSchema,
  buildSchema,
  getIntrospectionQuery,
  GraphQLSchema,
  type IntrospectionQuery,
  printSchema,
} from 'graphql';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';

const { workspaces, collections, environments, users } = ids;
const OTHER_KEY = 'PMAK-another-client';
const UNKNOWN = '41829063-00000000-0000-4000-8000-000000000000';
const LIST = 'GET /collections?limit=99&offset=0';

let facade: Facade;
beforeAll(async () => {
  facade = await startFacade({ CACHE_TTL_MS: '0' }, { otherApiKeys: [OTHER_KEY] });
});
afterAll(() => facade.close());
beforeEach(() => facade.postman.reset());

const workspace = (id: string) => ({ __typename: 'Workspace', id });
const collection = (uid: string) => ({ __typename: 'Collection', uid });
const environment = (uid: string) => ({ __typename: 'Environment', uid });
const user = (id: string) => ({ __typename: 'User', id });
const tenCollections = Object.values(collections).slice(0, 10);
const toUnknown = (index: number) => UNKNOWN.slice(0, -4) + String(index).padStart(4, '0');

/** Sends a query as a gateway does, and returns its GETs. */
async function entities(select: string, representations: unknown, on = facade) {
  const before = on.postman.calls.length;
  const { status, data, errors } = await on.query(
    `query ($representations: [_Any!]!) { _entities(representations: $representations) { ${select} } }`,
    { variables: { representations } },
  );
  return { status, data, errors, gets: on.postman.calls.slice(before).sort() };
}

describe('what references of a gateway cost', () => {
  it('ten collections of which a list has what is asked: one list', async () => {
    const { data, errors, gets } = await entities(
      '... on Collection { uid name updatedAt isPublic fork { label } }',
      tenCollections.map(collection),
    );
    expect(data._entities.map(({ uid }: { uid: string }) => uid)).toEqual(tenCollections);
    expect(data._entities[0]).toEqual({
      uid: collections.rides,
      name: 'Rides API',
      updatedAt: '2026-03-02T15:40:09.000Z',
      isPublic: false,
      fork: null,
    });
    expect({ errors, gets }).toEqual({ errors: [], gets: [LIST] });
  });

  it('the same collection five times: as if once', async () => {
    const five = (one: object) => Array.from({ length: 5 }, () => one);
    const { data, gets } = await entities('... on Collection { name }', five(collection(collections.rides)));
    expect(data).toEqual({ _entities: five({ name: 'Rides API' }) });
    expect(gets).toEqual([`GET /collections/${collections.rides}?model=minimal`]);
  });

  it('collections of which the tree is asked: one read each, and nothing for the fields beside it', async () => {
    const { data, gets } = await entities('... on Collection { name updatedAt items { name } }', [
      collection(collections.scratch),
      collection(collections.telemetryDraft),
    ]);
    expect(data).toEqual({
      _entities: [
        { name: expect.any(String), updatedAt: expect.any(String), items: [expect.anything(), expect.anything()] },
        { name: 'Fleet telemetry (draft)', updatedAt: expect.any(String), items: [] },
      ],
    });
    expect(gets).toEqual(
      [`GET /collections/${collections.scratch}`, `GET /collections/${collections.telemetryDraft}`].sort(),
    );
  });

  it('uids that no list has: the list, and one read each, which says that there is no such collection', async () => {
    const { data, errors, gets } = await entities('... on Collection { name }', [
      collection(collections.rides),
      collection(toUnknown(1)),
      collection(collections.stations),
      collection(toUnknown(2)),
    ]);
    expect(data).toEqual({ _entities: [{ name: 'Rides API' }, null, { name: 'Stations API' }, null] });
    expect(errors).toEqual([]);
    expect(gets).toEqual([
      `GET /collections/${toUnknown(1)}?model=minimal`,
      `GET /collections/${toUnknown(2)}?model=minimal`,
      LIST,
    ]);
  });

  it('all types mixed: each by its own cheapest calls, in the order of the references', async () => {
    const { data, errors, gets } = await entities(
      '__typename ... on Workspace { name collections(first: 1) { nodes { name } } } ... on Collection { name } ... on Environment { name updatedAt }',
      [
        environment(environments.staging),
        collection(collections.rides),
        workspace(workspaces.payments),
        environment(environments.local),
        collection(collections.stations),
        workspace(UNKNOWN.slice(9)),
      ],
    );
    expect(data._entities).toEqual([
      { __typename: 'Environment', name: 'Staging', updatedAt: expect.any(String) },
      { __typename: 'Collection', name: 'Rides API' },
      { __typename: 'Workspace', name: 'Payments', collections: { nodes: [{ name: expect.any(String) }] } },
      { __typename: 'Environment', name: 'Local', updatedAt: expect.any(String) },
      { __typename: 'Collection', name: 'Stations API' },
      null,
    ]);
    expect({ errors, gets }).toEqual({
      errors: [],
      gets: [
        LIST,
        'GET /environments',
        `GET /workspaces/${UNKNOWN.slice(9)}?include=team,mocks:deactivated`,
        `GET /workspaces/${workspaces.payments}?include=team,mocks:deactivated`,
      ].sort(),
    });
  });

  it('users whose fields the list of the team has: one list, and null for a stranger', async () => {
    const { data, errors, gets } = await entities('... on User { id username }', [
      user(users.jonas),
      user('99999999'),
      user(users.ines),
    ]);
    expect({ data, errors, gets }).toEqual({
      data: {
        _entities: [{ id: users.jonas, username: 'jonas-weidner' }, null, { id: users.ines, username: 'ines-aldana' }],
      },
      errors: [],
      gets: ['GET /users'],
    });
  });

  it('the owner of the key, with a field that only GET /me carries: one GET /me', async () => {
    const { data, errors, gets } = await entities('... on User { username teamName }', [user(users.ines)]);
    expect({ errors, gets }).toEqual({ errors: [], gets: ['GET /me'] });
    expect(data).toEqual({ _entities: [{ username: expect.any(String), teamName: expect.any(String) }] });
  });

  it('the same references again, and in another order: nothing', async () => {
    const kept = await startFacade();
    try {
      await entities('... on Collection { name }', tenCollections.map(collection), kept);
      const { data, gets } = await entities(
        '... on Collection { updatedAt }',
        tenCollections.map(collection).reverse(),
        kept,
      );
      expect(data._entities).toHaveLength(10);
      expect(gets).toEqual([]);
    } finally {
      await kept.close();
    }
  });

  it('is estimated by a dry run, with the fields they are for', async () => {
    const { data, errors } = await facade.query(
      'query ($representations: [_Any!]!) { rateLimit(dryRun: true) { costAtLeast cost plan { path atLeast atMost forFields } } _entities(representations: $representations) { ... on Collection { name } } }',
      { variables: { representations: tenCollections.map(collection) } },
    );
    expect(errors).toEqual([]);
    expect(data).toEqual({
      rateLimit: {
        costAtLeast: 1,
        cost: 20,
        plan: [
          { path: '/collections', atLeast: 1, atMost: 10, forFields: ['Collection.name', 'Query._entities'] },
          { path: '/collections/{uid}', atLeast: 0, atMost: 10, forFields: ['Collection.name', 'Query._entities'] },
        ],
      },
    });
    expect(facade.postman.calls).toEqual([]);
  });
});

describe('references that cannot be resolved', () => {
  it.each([
    ['an unknown type', { __typename: 'Folder', uid: '1-1' }, /^"Folder" is not an entity of this subgraph\./],
    ['a name every object has', { __typename: 'constructor' }, /^"constructor" is not an entity of this subgraph\./],
    ['no type', { uid: collections.rides }, /"__typename"/],
    ['no object', 'Collection', /"__typename"/],
    ['a list', [collection(collections.rides)], /"__typename"/],
    ['no key', { __typename: 'Collection', id: 'x' }, /^A representation of Collection must have "uid" as text\.$/],
    ['a key that is no text', { __typename: 'Environment', uid: 7 }, /must have "uid" as text\.$/],
    [
      'a key that is none',
      workspace('../me'),
      /^"Workspace\.id" is not a Postman identifier: 1 to 128 letters, digits, "-" and "_"\.$/,
    ],
  ])('%s is BAD_USER_INPUT at its place, and the others stand', async (_what, representation, message) => {
    const { status, data, errors, gets } = await entities('... on Collection { name }', [
      representation,
      collection(collections.rides),
    ]);
    expect({ status, data, errors, gets }).toEqual({
      status: 200,
      data: { _entities: [null, { name: 'Rides API' }] },
      errors: [
        {
          message: expect.stringMatching(message),
          locations: [expect.anything()],
          path: ['_entities', 0],
          extensions: { code: 'BAD_USER_INPUT', retryable: false },
        },
      ],
      gets: [`GET /collections/${collections.rides}?model=minimal`],
    });
  });

  it('one that fails is null with its error, and the others stand', async () => {
    facade.postman.fail(environments.staging, { kind: 'status', status: 403 });
    facade.postman.fail(`/workspaces/${workspaces.payments}`, { kind: 'status', status: 503 });
    const { data, errors } = await entities(
      '... on Collection { name } ... on Environment { values { key } } ... on Workspace { name }',
      [
        collection(collections.rides),
        environment(environments.staging),
        workspace(workspaces.payments),
        environment(environments.blank),
      ],
    );
    expect(data).toEqual({ _entities: [{ name: 'Rides API' }, null, null, { values: [] }] });
    expect(errors.map(({ path, extensions }) => ({ path, extensions }))).toEqual(
      expect.arrayContaining([
        {
          path: ['_entities', 1],
          extensions: expect.objectContaining({ code: 'FORBIDDEN', retryable: false }),
        },
        {
          path: ['_entities', 2],
          extensions: expect.objectContaining({
            code: 'UPSTREAM_UNAVAILABLE',
            retryable: true,
            retryAfterSeconds: 300,
            retryAt: expect.stringMatching(/Z$/),
          }),
        },
      ]),
    );
    expect(errors).toHaveLength(2);
  });

  it('more than a thousand are refused without a call, and a thousand are not', async () => {
    const many = Array.from({ length: 1_001 }, (_, index) => collection(tenCollections[index % 10] ?? ''));
    expect(await entities('... on Collection { name }', many)).toMatchObject({
      errors: [
        {
          message:
            'The operation has 1001 representations and ids of nodes, but may have 1000. Request fewer per operation.',
          extensions: { code: 'BAD_USER_INPUT', retryable: false },
        },
      ],
      gets: [],
    });
    const twice = await facade.query(
      'query ($r: [_Any!]!) { _entities(representations: $r) { __typename } other: _entities(representations: $r) { __typename } }',
      { variables: { r: many.slice(500) } },
    );
    expect(twice.errors[0]?.message).toMatch(/^The operation has 1002 representations/);
    const { data, errors, gets } = await entities('... on Collection { name }', many.slice(1));
    expect(data._entities).toHaveLength(1_000);
    expect({ errors, gets }).toEqual({ errors: [], gets: [LIST] });
  });

  it('those that certainly need more calls than an operation may make are refused before the first', async () => {
    const many = Array.from({ length: 61 }, (_, index) => collection(toUnknown(index)));
    expect(await entities('... on Collection { json }', many)).toMatchObject({
      errors: [
        {
          message: expect.stringMatching(/^The operation needs at least 61 calls to Postman.*Query\._entities/),
          extensions: { code: 'OPERATION_TOO_EXPENSIVE', retryable: false, calls: 61, ceiling: 60 },
        },
      ],
      gets: [],
    });
  });
});

it('serves each client with its own key, which the gateway has to forward', async () => {
  const own = await startFacade({ POSTMAN_API_KEY: '' }, { otherApiKeys: [OTHER_KEY] });
  try {
    const query = `{ _entities(representations: [{ __typename: "Environment", uid: "${environments.local}" }]) { ... on Environment { name } } }`;
    const ask = (headers: Record<string, string>) => own.query(query, { headers });
    const none = await ask({});
    expect(none.data).toEqual({ _entities: [null] });
    expect(none.errors[0]).toMatchObject({ path: ['_entities', 0], extensions: { code: 'UNAUTHENTICATED' } });
    for (const key of [own.postman.apiKey, OTHER_KEY]) {
      expect((await ask({ 'x-api-key': key })).data).toEqual({ _entities: [{ name: 'Local' }] });
    }
    expect((await ask({ 'x-api-key': 'PMAK-unknown' })).errors[0]?.extensions).toMatchObject({
      code: 'UNAUTHENTICATED',
    });
    // Data cached for one key is not used for another.
    expect(own.postman.arrivals.map(({ keyIndex }) => keyIndex)).toEqual([0, 1, -1]);
  } finally {
    await own.close();
  }
});

describe('the schema', () => {
  const subgraph = readFileSync(new URL('../../schema/subgraph.graphql', import.meta.url), 'utf8');

  it('is given to gateways as it is published', async () => {
    const { data, upstream } = await facade.query('{ _service { sdl } }');
    expect(data).toEqual({ _service: { sdl: subgraph } });
    expect(upstream.calls).toBe(0);
  });

  it('shows nothing of federation in introspection', async () => {
    const { data } = await facade.query(getIntrospectionQuery({ schemaDescription: true }));
    const published = buildSchema(readFileSync(new URL('../../schema/schema.graphql', import.meta.url), 'utf8'));
    // Introspection has no place for directives on fields, so only the file declares it.
    const directives = published.getDirectives().filter(({ name }) => name !== 'semanticNonNull');
    const expected = new GraphQLSchema({ ...published.toConfig(), directives });
    expect(printSchema(buildClientSchema(data as IntrospectionQuery))).toBe(printSchema(expected));
  });

  it('is not shown to gateways without a key in production, like introspection', async () => {
    const production = await startFacade({ NODE_ENV: 'production', POSTMAN_API_KEY: '' });
    try {
      const ask = (headers: Record<string, string>) => production.query('{ _service { sdl } }', { headers });
      expect((await ask({})).errors.map(({ extensions }) => extensions?.['code'])).toEqual(['UNAUTHENTICATED']);
      expect((await ask({ 'x-api-key': production.postman.apiKey })).data).toEqual({ _service: { sdl: subgraph } });
    } finally {
      await production.close();
    }
  });

  it('has a key on each type that can be referred to, and prices in GETs', () => {
    const typeLines = subgraph
      .split('\n')
      .filter((line) => /^type \w+ (?:implements Node )?@(key|shareable)/.test(line));
    expect(typeLines).toEqual([
      'type Collection implements Node @key(fields: "uid") @cost(weight: 0) {',
      'type Environment implements Node @key(fields: "uid") @cost(weight: 0) {',
      'type Mock implements Node @key(fields: "uid") @cost(weight: 0) {',
      'type PageInfo @shareable @cost(weight: 0) {',
      'type User implements Node @key(fields: "id") @cost(weight: 0) {',
      'type Workspace implements Node @key(fields: "id") @cost(weight: 0) {',
    ]);
    const fieldsOf = (type: string) => {
      const body = subgraph.slice(subgraph.indexOf(`\ntype ${type} `));
      const lines = body.slice(0, body.indexOf('\n}\n')).split('\n');
      return lines.filter((line) => line.includes(' @')).map((line) => line.trim());
    };
    expect(fieldsOf('Environment')).toEqual([
      'type Environment implements Node @key(fields: "uid") @cost(weight: 0) {',
      'valueCount: Int @cost(weight: 1)',
      'values: [Variable!] @cost(weight: 1) @listSize(assumedSize: 1)',
      'workspace: Workspace @cost(weight: 1)',
    ]);
    const page =
      '@listSize(slicingArguments: ["first"], sizedFields: ["edges", "nodes"], requireOneSlicingArgument: false)';
    expect(fieldsOf('Workspace')).toEqual([
      'type Workspace implements Node @key(fields: "id") @cost(weight: 0) {',
      `): CollectionConnection @cost(weight: 1) ${page}`,
      'description: String @cost(weight: 1)',
      `): EnvironmentConnection @cost(weight: 1) ${page}`,
      'globals: [Variable!] @cost(weight: 1) @listSize(assumedSize: 1)',
      `): MockConnection @cost(weight: 1) ${page}`,
      'teamId: ID @cost(weight: 1)',
      'updater: User @cost(weight: 1)',
      'updaterId: ID @cost(weight: 1)',
    ]);
    expect(fieldsOf('Mock')).toEqual([
      'type Mock implements Node @key(fields: "uid") @cost(weight: 0) {',
      'collection: Collection @cost(weight: 1)',
      'environment: Environment @cost(weight: 1)',
    ]);
    expect(fieldsOf('Folder')).toEqual([
      'type Folder implements CollectionItem & Node @cost(weight: 0) {',
      `): FolderConnection! ${page}`,
      'items: [CollectionItem!]! @cost(weight: 0)',
      `): RequestConnection ${page}`,
    ]);
  });
});

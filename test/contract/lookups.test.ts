import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';

const { workspaces, collections, environments } = ids;
const nowhere = '00000000-0000-4000-8000-000000000000';
const missingUid = `${ids.users.ines}-${nowhere}`;

let facade: Facade;
beforeAll(async () => {
  facade = await startFacade({ CACHE_TTL_MS: '0' });
});
afterAll(() => facade.close());
beforeEach(() => facade.postman.reset());

async function ask(query: string, variables?: object) {
  const { data, errors } = await facade.query(query, variables && { variables });
  return { data, errors, gets: [...facade.postman.calls].sort() };
}

describe('an object that does not exist is null without an error', () => {
  it.each([
    [
      'workspace',
      `workspace(id: "${nowhere}") { name }`,
      [`GET /workspaces/${nowhere}?include=team,mocks:deactivated`],
    ],
    [
      'workspace of which everything is asked',
      `workspace(id: "${nowhere}") { name description collections { nodes { updatedAt } } environments { nodes { isPublic } } globals { key } }`,
      [`GET /workspaces/${nowhere}?include=team,mocks:deactivated`],
    ],
    [
      'workspace of which only a list is asked, which upstream has empty',
      `workspace(id: "${nowhere}") { collections { nodes { updatedAt } } }`,
      [
        `GET /collections?workspace=${nowhere}&limit=99&offset=0`,
        `GET /workspaces/${nowhere}?include=team,mocks:deactivated`,
      ],
    ],
    [
      'workspace of which only environments are asked, which upstream has none of',
      `workspace(id: "${nowhere}") { environments { nodes { name } } }`,
      [`GET /environments?workspace=${nowhere}`, `GET /workspaces/${nowhere}?include=team,mocks:deactivated`],
    ],
    [
      'workspace of which only globals are asked',
      `workspace(id: "${nowhere}") { globals { key } }`,
      [`GET /workspaces/${nowhere}/global-variables`, `GET /workspaces/${nowhere}?include=team,mocks:deactivated`],
    ],
    [
      'list of collections of a workspace that is not there',
      `collections(workspaceId: "${nowhere}") { nodes { updatedAt } }`,
      [
        `GET /collections?workspace=${nowhere}&limit=99&offset=0`,
        `GET /workspaces/${nowhere}?include=team,mocks:deactivated`,
      ],
    ],
    [
      'list of collections of a name in a workspace that is not there',
      `collections(workspaceId: "${nowhere}", name: "Rides API") { nodes { name } }`,
      [
        `GET /collections?workspace=${nowhere}&name=Rides%20API`,
        `GET /workspaces/${nowhere}?include=team,mocks:deactivated`,
      ],
    ],
    [
      'list of environments of a workspace that is not there',
      `environments(workspaceId: "${nowhere}") { totalCount }`,
      [`GET /environments?workspace=${nowhere}`, `GET /workspaces/${nowhere}?include=team,mocks:deactivated`],
    ],
    ['collection', `collection(uid: "${missingUid}") { name }`, [`GET /collections/${missingUid}?model=minimal`]],
    [
      'collection of which a list is asked',
      `collection(uid: "${missingUid}") { isPublic }`,
      [`GET /collections/${missingUid}?model=minimal`],
    ],
    [
      'collection of which the tree is asked',
      `collection(uid: "${missingUid}") { name isPublic items { name } workspace { name } }`,
      [`GET /collections/${missingUid}`],
    ],
    [
      'collection of which only the workspace is asked',
      `collection(uid: "${missingUid}") { workspace { name } }`,
      [
        `GET /collections/${missingUid}?model=minimal`,
        `GET /workspaces?elementType=collection&elementId=${missingUid}`,
      ],
    ],
    ['environment', `environment(uid: "${missingUid}") { name values { key } }`, [`GET /environments/${missingUid}`]],
  ])('%s', async (_what, field, gets) => {
    expect(await ask(`{ it: ${field} }`)).toEqual({ data: { it: null }, errors: [], gets });
  });

  it('beside objects that exist', async () => {
    const answer = await ask(
      `{ a: workspace(id: "${nowhere}") { name } b: workspace(id: "${workspaces.archive}") { name } }`,
    );
    expect(answer).toEqual({
      data: { a: null, b: { name: 'Archive 2023' } },
      errors: [],
      gets: [
        `GET /workspaces/${nowhere}?include=team,mocks:deactivated`,
        `GET /workspaces/${workspaces.archive}?include=team,mocks:deactivated`,
      ],
    });
  });

  it('the parent of a fork that the key cannot see', async () => {
    facade.postman.fail(collections.openData, { kind: 'status', status: 404 });
    const fork = `GET /collections/${collections.openDataFork}?model=minimal`;
    expect(await ask(`{ collection(uid: "${collections.openDataFork}") { fork { parent { name } } } }`)).toEqual({
      data: { collection: { fork: { parent: null } } },
      errors: [],
      gets: [fork, `GET /collections/${collections.openData}?model=minimal`].sort(),
    });
  });
});

describe('an object that exists is found', () => {
  const empty = { nodes: [], totalCount: 0, pageInfo: { hasNextPage: false, endCursor: null } };
  const page = '{ nodes { uid updatedAt } totalCount pageInfo { hasNextPage endCursor } }';

  it('with empty lists when it holds nothing, confirmed by one read', async () => {
    const { archive } = workspaces;
    expect(
      await ask(`{ workspace(id: "${archive}") { collections ${page} environments ${page} globals { key } } }`),
    ).toEqual({
      data: { workspace: { collections: empty, environments: empty, globals: [] } },
      errors: [],
      gets: [
        `GET /collections?workspace=${archive}&limit=99&offset=0`,
        `GET /environments?workspace=${archive}`,
        `GET /workspaces/${archive}/global-variables`,
        `GET /workspaces/${archive}?include=team,mocks:deactivated`,
      ],
    });
  });

  it('with empty globals', async () => {
    const { archive } = workspaces;
    expect(await ask(`{ workspace(id: "${archive}") { globals { key } } }`)).toEqual({
      data: { workspace: { globals: [] } },
      errors: [],
      gets: [
        `GET /workspaces/${archive}/global-variables`,
        `GET /workspaces/${archive}?include=team,mocks:deactivated`,
      ],
    });
  });

  it('with empty lists unconfirmed when upstream itself listed the workspace', async () => {
    expect(
      await ask('{ workspaces(creatorId: "55301274") { nodes { name collections { nodes { updatedAt } } } } }'),
    ).toMatchObject({
      errors: [],
      gets: [
        'GET /workspaces?createdBy=55301274&limit=100',
        ...[workspaces.payments, workspaces.release, workspaces.archive].map(
          (id) => `GET /collections?workspace=${id}&limit=99&offset=0`,
        ),
      ].sort(),
    });
  });

  it('when no list has the collection: then only fields of the list are unknown', async () => {
    facade.postman.fail('name=', { kind: 'status', status: 200, body: { collections: [] } });
    expect(await ask(`{ collection(uid: "${collections.rides}") { isPublic } }`)).toEqual({
      data: { collection: { isPublic: null } },
      errors: [],
      gets: [`GET /collections/${collections.rides}?model=minimal`, 'GET /collections?name=Rides%20API'],
    });
  });

  it('but fails with the only read that could show it, if no list has it', async () => {
    facade.postman.fail('/collections?limit', { kind: 'status', status: 200, body: { collections: [] } });
    facade.postman.fail(`${collections.rides}?model`, { kind: 'status', status: 500 });
    const { data, errors } = await ask(
      `{ a: collection(uid: "${collections.rides}") { isPublic } b: collection(uid: "${collections.pricing}") { isPublic } }`,
    );
    expect(data).toEqual({ a: null, b: { isPublic: null } });
    expect(errors).toMatchObject([{ path: ['a'], extensions: { code: 'UPSTREAM_ERROR' } }]);
  });

  it('when none of several collections is in a list', async () => {
    facade.postman.fail('/collections?limit', { kind: 'status', status: 200, body: { collections: [] } });
    const answer = await ask(
      `{ a: collection(uid: "${collections.rides}") { isPublic } b: collection(uid: "${collections.pricing}") { isPublic } }`,
    );
    expect(answer).toEqual({
      data: { a: { isPublic: null }, b: { isPublic: null } },
      errors: [],
      gets: [
        'GET /collections?limit=99&offset=0',
        ...[collections.rides, collections.pricing].map((uid) => `GET /collections/${uid}?model=minimal`),
      ].sort(),
    });
  });
});

describe("a bare id finds objects of the key's user", () => {
  const collectionId = collections.openData.slice(9);
  const environmentId = environments.openData.slice(9);

  it('collection, with its whole uid', async () => {
    expect(
      await ask(`{ collection(uid: "${collectionId}") { id uid ownerId name isPublic workspace { name } } }`),
    ).toEqual({
      data: {
        collection: {
          id: `Collection:${collections.openData}`,
          uid: collections.openData,
          ownerId: ids.users.ines,
          name: 'Open Data API',
          isPublic: true,
          workspace: { name: 'Kestrel Open Data' },
        },
      },
      errors: [],
      gets: [
        `GET /collections/${collectionId}?model=minimal`,
        'GET /collections?name=Open%20Data%20API',
        `GET /workspaces?elementType=collection&elementId=${collections.openData}`,
      ],
    });
  });

  it('environment, with its whole uid', async () => {
    expect(await ask(`{ environment(uid: "${environmentId}") { id uid ownerId isPublic values { key } } }`)).toEqual({
      data: {
        environment: {
          id: `Environment:${environments.openData}`,
          uid: environments.openData,
          ownerId: ids.users.ines,
          isPublic: true,
          values: [{ key: 'openDataUrl' }, { key: 'format' }],
        },
      },
      errors: [],
      gets: [`GET /environments/${environmentId}`],
    });
  });

  it('several, one read each', async () => {
    const scratchId = collections.scratch.slice(9);
    const blankId = environments.blank.slice(9);
    const answer = await ask(`{
      a: collection(uid: "${collectionId}") { uid isPublic } b: collection(uid: "${scratchId}") { uid name }
      c: environment(uid: "${environmentId}") { uid } d: environment(uid: "${blankId}") { name }
    }`);
    expect(answer).toEqual({
      data: {
        a: { uid: collections.openData, isPublic: true },
        b: { uid: collections.scratch, name: 'New Collection' },
        c: { uid: environments.openData },
        d: { name: 'Ephemeral' },
      },
      errors: [],
      gets: [
        `GET /collections/${collectionId}?model=minimal`,
        `GET /collections/${scratchId}?model=minimal`,
        'GET /collections?name=Open%20Data%20API',
        `GET /environments/${environmentId}`,
        `GET /environments/${blankId}`,
      ].sort(),
    });
  });

  it('but not objects of other users', async () => {
    const id = collections.payments.slice(9);
    expect(await ask(`{ collection(uid: "${id}") { name } }`)).toEqual({
      data: { collection: null },
      errors: [],
      gets: [`GET /collections/${id}?model=minimal`],
    });
  });
});

describe('an identifier is refused before it can reach a path', () => {
  const fields = [
    ['workspace', 'id', 'workspace(id: $it) { name }'],
    ['collection', 'uid', 'collection(uid: $it) { name }'],
    ['environment', 'uid', 'environment(uid: $it) { name }'],
    ['collections', 'workspaceId', 'collections(workspaceId: $it) { totalCount }'],
    ['environments', 'workspaceId', 'environments(workspaceId: $it) { totalCount }'],
    ['workspaces', 'creatorId', 'workspaces(creatorId: $it) { totalCount }'],
  ] as const;
  const identifiers = [
    ['empty', ''],
    ['a path up', '../me'],
    ['dots', '..'],
    ['dots in percent', '%2e%2e'],
    ['two segments', 'a/b'],
    ['two segments in percent', 'a%2Fb'],
    ['a backslash', 'a\\b'],
    ['a query', 'a?apikey=b'],
    ['a fragment', 'a#b'],
    ['a NUL', 'a\0b'],
    ['a line break', 'a\r\nX-Api-Key: b'],
    ['a line break at its end', `${nowhere}\n`],
    ['other letters', 'åb'],
    ['a blank', ' '],
    ['10,000 characters', 'a'.repeat(10_000)],
  ] as const;

  it.each(fields)('%s(%s)', async (field, argument, selection) => {
    for (const [what, it] of identifiers) {
      const { data, errors, gets } = await ask(`query ($it: ID!) { ${selection} }`, { it });
      expect({ what, data, errors, gets }).toMatchObject({
        what,
        data: { [field]: null },
        errors: [
          {
            message: `"${argument}" is not a Postman identifier: 1 to 128 letters, digits, "-" and "_".`,
            path: [field],
            extensions: { code: 'BAD_USER_INPUT', retryable: false },
          },
        ],
        gets: [],
      });
    }
  });

  it('a number, which GraphQL takes for an id, goes upstream as it is', async () => {
    expect(await ask('{ workspace(id: 12) { name } }')).toEqual({
      data: { workspace: null },
      errors: [],
      gets: ['GET /workspaces/12?include=team,mocks:deactivated'],
    });
  });

  it('a name is no identifier: it goes into the query whatever is in it', async () => {
    const name = '../me?a=b&c#d/%2e\0å';
    expect(await ask('query ($name: String) { collections(name: $name) { totalCount } }', { name })).toEqual({
      data: { collections: { totalCount: 0 } },
      errors: [],
      gets: [`GET /collections?name=${encodeURIComponent(name)}`],
    });
    const long = await ask('query ($name: String) { collections(name: $name) { totalCount } }', {
      name: 'a'.repeat(1_001),
    });
    expect(long).toMatchObject({
      data: { collections: null },
      errors: [{ message: '"name" is longer than 1000 characters.', extensions: { code: 'BAD_USER_INPUT' } }],
      gets: [`GET /collections?name=${encodeURIComponent(name)}`],
    });
  });

  it('a workspace of the id "null" is not the absence of one', async () => {
    const answer = await ask('{ a: environments { totalCount } b: environments(workspaceId: "null") { totalCount } }');
    expect(answer).toEqual({
      data: { a: { totalCount: 7 }, b: null },
      errors: [],
      gets: [
        'GET /environments',
        'GET /environments?workspace=null',
        'GET /workspaces/null?include=team,mocks:deactivated',
      ],
    });
  });

  it('a workspace that one part proves not to exist is null, whatever another part fails with', async () => {
    facade.postman.fail('/collections?workspace', { kind: 'status', status: 403 });
    const list = '{ nodes { updatedAt } }';
    const answer = await ask(`{ workspace(id: "${nowhere}") { collections ${list} environments ${list} } }`);
    expect(answer).toEqual({
      data: { workspace: null },
      errors: [],
      gets: [
        `GET /collections?workspace=${nowhere}&limit=99&offset=0`,
        `GET /environments?workspace=${nowhere}`,
        `GET /workspaces/${nowhere}?include=team,mocks:deactivated`,
      ],
    });
  });
});

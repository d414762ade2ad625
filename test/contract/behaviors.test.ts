import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';

// 'v2017' is Postman as it was first described: format 2.0, no uids inside collections, no paging, no minimal model,
// empty lists left out.
let current: Facade;
let v2017: Facade;
beforeAll(async () => {
  [current, v2017] = await Promise.all([
    startFacade({ CACHE_TTL_MS: '0' }),
    startFacade({ CACHE_TTL_MS: '0' }, { behavior: 'v2017' }),
  ]);
});
afterAll(() => Promise.all([current.close(), v2017.close()]));
beforeEach(() => v2017.postman.reset());

async function bothAnswer(query: string) {
  const [now, then] = await Promise.all([current.query(query), v2017.query(query)]);
  expect(then.errors).toEqual([]);
  expect(now.errors).toEqual([]);
  expect(then.data).toEqual(now.data);
  return then.data;
}

const { workspaces, collections, environments } = ids;

const url = 'url { raw protocol host port path hash }';
const auth = 'auth { type parameters { key value isMasked } }';
const script = 'scripts { listen language source enabled }';
const variables = 'variables { key value type enabled isSecret isMasked description }';
const body = `body { __typename
  ... on RawBody { raw language enabled }
  ... on UrlEncodedBody { parameters { key value enabled description } }
  ... on GraphQLBody { query operationName variables }
  ... on FileBody { src content } }`;
const item = '__typename id itemId name description path parent { id name }';
const tree = `
  folders { totalCount nodes { ${item} ${auth} ${script} ${variables} items { id name } requests { totalCount } } }
  requests(first: 100) { totalCount pageInfo { hasNextPage endCursor } nodes {
    ${item} method ${url} headers { key value enabled description } ${auth} effectiveAuth { type } ${script} ${variables} settings
    examples { id exampleId name status code language responseTimeMs headers { key value } body originalRequest { method ${url} } }
  } }`;

describe('the same query gives the same response in 2017 and today', () => {
  it.each(Object.entries(collections))('collection %s', async (_name, uid) => {
    const { collection } = await bothAnswer(
      `{ collection(uid: "${uid}") { id uid ownerId name description ${auth} ${script} ${variables} items { ${item} } ${tree} } }`,
    );
    expect(collection).toMatchObject({ uid, id: `Collection:${uid}`, ownerId: uid.slice(0, 8) });
    expect(v2017.postman.calls).toEqual([`GET /collections/${uid}`]);
  });

  it('bodies, where there is one', async () => {
    const bodies = await Promise.all(
      [collections.payments, collections.settlement, collections.pricing].map(async (uid) => {
        const filter = 'filter: { method: ["POST", "PUT", "PATCH"] }';
        const { collection } = await bothAnswer(
          `{ collection(uid: "${uid}") { requests(${filter}) { nodes { name ${body} } } } }`,
        );
        return collection.requests.nodes.map((node: { body: { __typename: string } | null }) => node.body?.__typename);
      }),
    );
    expect(new Set(bodies.flat())).toEqual(
      new Set(['UrlEncodedBody', 'RawBody', undefined, 'FormDataBody', 'FileBody', 'GraphQLBody']),
    );
  });

  it('names of everything in all workspaces', async () => {
    const data = await bothAnswer(`{ workspaces { totalCount pageInfo { hasNextPage } nodes {
      id name type visibility about description creatorId updaterId createdAt
      collections { totalCount nodes { id uid name ownerId } } environments { totalCount nodes { id uid name ownerId } }
    } } }`);
    expect(data.workspaces.nodes).toHaveLength(7);
    expect([...v2017.postman.calls].sort()).toEqual(
      [
        'GET /workspaces?limit=100',
        ...Object.values(workspaces).map((id) => `GET /workspaces/${id}?include=team,mocks:deactivated`),
      ].sort(),
    );
  });

  it('lists, whose parts it does not page', async () => {
    const data = await bothAnswer(`{
      collections(first: 5) { totalCount pageInfo { hasNextPage endCursor } nodes { uid name updatedAt isPublic fork { label parentUid } } }
      environments(first: 5) { totalCount pageInfo { hasNextPage endCursor } nodes { uid name updatedAt isPublic } }
      named: collections(name: "Open Data API") { totalCount nodes { uid isPublic } }
      workspace(id: "${workspaces.riderPlatform}") { collections { nodes { updatedAt } } globals { key text isMasked } }
    }`);
    expect(data).toMatchObject({
      collections: { totalCount: 13, nodes: { length: 5 } },
      environments: { totalCount: 7, nodes: { length: 5 } },
      named: { totalCount: 2 },
      workspace: { collections: { nodes: { length: 4 } }, globals: { length: 3 } },
    });
  });

  it('environments with their values', async () => {
    const fields =
      'id uid name ownerId isPublic createdAt updatedAt values { key value text type enabled isSecret isMasked description }';
    const looked = Object.entries(environments).map(
      ([name, uid]) => `${name}: environment(uid: "${uid}") { ${fields} }`,
    );
    const data = await bothAnswer(`{ ${looked.join(' ')} }`);
    expect(data.production).toMatchObject({ uid: environments.production, values: { length: 5 } });
  });

  it('what does not exist', async () => {
    const nowhere = '00000000-0000-4000-8000-000000000000';
    const data = await bothAnswer(`{
      a: workspace(id: "${nowhere}") { name } b: workspace(id: "${nowhere}") { collections { totalCount } }
      c: collection(uid: "41829063-${nowhere}") { name } d: environment(uid: "41829063-${nowhere}") { name }
      e: workspace(id: "${workspaces.archive}") { collections { totalCount } environments { totalCount } }
    }`);
    const none = { totalCount: 0 };
    expect(data).toEqual({ a: null, b: null, c: null, d: null, e: { collections: none, environments: none } });
  });

  it('a whole list walked by its pages, although upstream sends it whole each time', async () => {
    const walk = async (facade: Facade) => {
      const names: string[] = [];
      for (let after: string | null = null; ; ) {
        const page = await facade.query(
          'query ($after: String) { collections(first: 4, after: $after) { pageInfo { hasNextPage endCursor } nodes { name updatedAt } } }',
          { variables: { after } },
        );
        names.push(...page.data.collections.nodes.map(({ name }: { name: string }) => name));
        if (!page.data.collections.pageInfo.hasNextPage) return names;
        after = page.data.collections.pageInfo.endCursor;
      }
    };
    const [now, then] = await Promise.all([walk(current), walk(v2017)]);
    expect(then).toEqual(now);
    expect(then).toHaveLength(13);
  });
});

describe('what upstream did not say in 2017', () => {
  it('is null, and the format is named as it is', async () => {
    const { data, errors } = await v2017.query(
      `{ collection(uid: "${collections.openDataFork}") { formatVersion createdAt updatedAt updaterId fork { label } requests(first: 1) { nodes { uid } } } }`,
    );
    expect({ data, errors }).toEqual({
      data: {
        collection: {
          formatVersion: '2.0.0',
          createdAt: null,
          updatedAt: null,
          updaterId: null,
          fork: null,
          requests: { nodes: [{ uid: null }] },
        },
      },
      errors: [],
    });
  });
});

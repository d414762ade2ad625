import {
  buildClientSchema,
  getIntrospectionQuery,
  getNamedType,
  type GraphQLSchema,
  isAbstractType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { everyField } from '../../bench/corpus/every-field.ts';
import { createSchema } from '../../src/graph/schema.ts';
import { type Facade, startFacade } from '../support/facade.ts';

const { rides, stations } = ids.collections;

let facade: Facade;
beforeAll(async () => {
  facade = await startFacade({ MAX_QUERY_TOKENS: '100000' });
});
afterAll(() => facade.close());
beforeEach(() => facade.postman.reset());

async function read(query: string, variables?: object) {
  const { data, errors } = await facade.query(query, variables && { variables });
  expect(errors).toEqual([]);
  return data;
}

describe('the tree of the Rides API', () => {
  it('is answered level by level as it is nested', async () => {
    const level = (below: string) => `{ __typename name ... on Folder { items ${below} } }`;
    const { collection } = await read(
      `{ collection(uid: "${rides}") { items ${level(level(level(level(level('{ name }')))))} } }`,
    );
    const request = (name: string) => ({ __typename: 'Request', name });
    const folder = (name: string, ...items: unknown[]) => ({ __typename: 'Folder', name, items });
    expect(collection.items).toEqual([
      folder('Sign in', request('Sign in'), request('Sign out')),
      folder(
        'Rides',
        request('List my rides'),
        request('Get a ride'),
        folder(
          'Lifecycle',
          request('Start a ride'),
          request('End a ride'),
          folder(
            'Pauses',
            request('Pause'),
            request('Resume'),
            folder('Edge cases', request('Pause twice'), request('Pause an ended ride')),
          ),
        ),
        folder('Receipts'),
      ),
      folder('Support desk', request('Refund a ride'), request('Unlock a bike by hand')),
    ]);
  });

  it('is answered whole as two flat lists', async () => {
    const { collection } = await read(`{ collection(uid: "${rides}") {
      folders { totalCount nodes {
        name path parent { name } description auth { type } variables { key text } items { name } requests { totalCount }
      } }
      requests { totalCount nodes {
        name path parent { name } method url { raw } auth { type } effectiveAuth { type } examples { name code status }
      } }
    } }`);

    const folder = (path: string[], items: string[], requestCount: number, more: object = {}) => ({
      name: path.at(-1),
      path: path.slice(0, -1),
      parent: path.length > 1 ? { name: path.at(-2) } : null,
      description: null,
      auth: null,
      variables: [],
      items: items.map((name) => ({ name })),
      requests: { totalCount: requestCount },
      ...more,
    });
    expect(collection.folders).toEqual({
      totalCount: 7,
      nodes: [
        folder(['Sign in'], ['Sign in', 'Sign out'], 2, {
          description: 'No token yet, so nothing here is authorized.',
          auth: { type: 'noauth' },
        }),
        folder(['Rides'], ['List my rides', 'Get a ride', 'Lifecycle', 'Receipts'], 8, {
          variables: [{ key: 'pageSize', text: '20' }],
        }),
        folder(['Rides', 'Lifecycle'], ['Start a ride', 'End a ride', 'Pauses'], 6),
        folder(['Rides', 'Lifecycle', 'Pauses'], ['Pause', 'Resume', 'Edge cases'], 4, {
          description: 'A pause may take **ten minutes**; then the ride ends by itself.',
        }),
        folder(['Rides', 'Lifecycle', 'Pauses', 'Edge cases'], ['Pause twice', 'Pause an ended ride'], 2),
        folder(['Rides', 'Receipts'], [], 0),
        folder(['Support desk'], ['Refund a ride', 'Unlock a bike by hand'], 2, { auth: { type: 'basic' } }),
      ],
    });

    const request = (
      path: string[],
      line: string,
      auth: { own?: string; effective: string },
      ...examples: [name: string, code: number | null, status: string | null][]
    ) => ({
      name: path.at(-1),
      path: path.slice(0, -1),
      parent: { name: path.at(-2) },
      method: line.split(' ')[0],
      url: { raw: `{{baseUrl}}${line.split(' ')[1]}` },
      auth: auth.own === undefined ? null : { type: auth.own },
      effectiveAuth: { type: auth.effective },
      examples: examples.map(([name, code, status]) => ({ name, code, status })),
    });
    const pauses = ['Rides', 'Lifecycle', 'Pauses'];
    expect(collection.requests).toEqual({
      totalCount: 12,
      nodes: [
        request(
          ['Sign in', 'Sign in'],
          'POST /v1/session',
          { own: 'noauth', effective: 'noauth' },
          ['Signed in', 200, 'OK'],
          ['Wrong code', 401, 'Unauthorized'],
        ),
        request(['Sign in', 'Sign out'], 'DELETE /v1/session', { effective: 'noauth' }, [
          'Signed out',
          204,
          'No Content',
        ]),
        request(
          ['Rides', 'List my rides'],
          'GET /v1/rides?state=active&limit=20&withPath',
          { effective: 'bearer' },
          ['One active ride', 200, 'OK'],
          ['No rides', 200, 'OK'],
        ),
        request(
          ['Rides', 'Get a ride'],
          'GET /v1/rides/:rideId',
          { effective: 'bearer' },
          ['An active ride', 200, 'OK'],
          ['Not mine', null, null],
        ),
        request(
          ['Rides', 'Lifecycle', 'Start a ride'],
          'POST /v1/rides',
          { effective: 'bearer' },
          ['Started', 201, 'Created'],
          ['Bike already taken', 409, 'Conflict'],
        ),
        request(['Rides', 'Lifecycle', 'End a ride'], 'POST /v1/rides/:rideId/end', { effective: 'bearer' }, [
          'Ended',
          200,
          'OK',
        ]),
        request([...pauses, 'Pause'], 'PUT /v1/rides/:rideId/pause', { effective: 'bearer' }),
        request([...pauses, 'Resume'], 'DELETE /v1/rides/:rideId/pause', { effective: 'bearer' }),
        request([...pauses, 'Edge cases', 'Pause twice'], 'PUT /v1/rides/:rideId/pause', { effective: 'bearer' }, [
          'Already paused',
          409,
          'Conflict',
        ]),
        request([...pauses, 'Edge cases', 'Pause an ended ride'], 'PUT /v1/rides/rd_ended/pause', {
          effective: 'bearer',
        }),
        request(['Support desk', 'Refund a ride'], 'POST /internal/rides/:rideId/refund', { effective: 'basic' }),
        request(['Support desk', 'Unlock a bike by hand'], 'POST /internal/bikes/KB-20417/unlock', {
          own: 'apikey',
          effective: 'apikey',
        }),
      ],
    });
  });

  it('gives every item an id and uid of its own', async () => {
    const { collection } = await read(
      `{ collection(uid: "${rides}") { folders { nodes { __typename id key: itemId uid } } requests { nodes { __typename id key: itemId uid examples { __typename id key: exampleId uid } } } } }`,
    );
    const items: { __typename: string; id: string; key: string; uid: string }[] = [
      ...collection.folders.nodes,
      ...collection.requests.nodes.flatMap((request: { examples: object[] }) => [request, ...request.examples]),
    ];
    expect(items).toHaveLength(7 + 12 + 11);
    expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
    for (const { __typename, id, key, uid } of items) {
      expect(key).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      expect(uid).toBe(`${ids.users.ines}-${key}`);
      expect(id.startsWith(`${__typename}:${rides}/`) && id.endsWith(`/${key}`)).toBe(true);
    }
  });

  it('is one GET, whatever is asked of it', async () => {
    const schema = createSchema();
    const selection = selectEverything(schema, schema.getType('Collection'), []);
    // Back edges, everything that applies to a request, and the lists of folders are in it.
    for (const part of [
      'Request_collection:',
      'Folder_collection:',
      'Request_parent:',
      'Folder_folders:',
      'Folder_requests:',
      'Request_effectiveAuth:',
      'Request_effectiveVariables:',
      'Request_effectiveScripts:',
      'Request_effectiveSettings:',
      'Url_resolved:',
    ])
      expect(selection).toContain(part);
    const fresh = await startFacade({
      MAX_QUERY_TOKENS: '100000',
      MAX_QUERY_ALIASES: '10000',
    });
    const fields = `collection(uid: "${rides}") ${selection}`;
    const dry = await fresh.query(`{ rateLimit(dryRun: true) { costAtLeast cost } ${fields} }`);
    const { data, errors } = await fresh.query(`{ ${fields} }`);
    await fresh.close();
    expect(errors).toEqual([]);
    expect(data.collection.Collection_name).toBe('Rides API');
    expect(dry.data).toEqual({ rateLimit: { costAtLeast: 1, cost: 1 } });
    expect(fresh.postman.calls).toEqual([`GET /collections/${rides}`]);
  });
});

// What the read of a collection does not carry. Users have their id.
const NOT_IN_TREE = new Set(['Collection.isPublic', 'Collection.workspace', 'ForkInfo.parent']);

/** Selects every field below an object, and each type twice on a path at most, so that edges that lead back end. */
function selectEverything(schema: GraphQLSchema, type: unknown, path: readonly string[]): string {
  if (isAbstractType(type))
    return `{ ${schema
      .getPossibleTypes(type)
      .map((one) => `... on ${one.name} ${selectEverything(schema, one, path)}`)
      .join(' ')} }`;
  if (!isObjectType(type)) return '';
  const ofType = path.filter((name) => name === type.name).length;
  const fields = Object.values(type.getFields()).flatMap((field) => {
    const named = getNamedType(field.type);
    if (NOT_IN_TREE.has(`${type.name}.${field.name}`) || field.args.some(isRequiredArgument)) return [];
    const alias = `${type.name}_${field.name}: ${field.name}`;
    if (isLeafType(named)) return [alias];
    if (named.name === 'User') return [`${alias} { id }`];
    return ofType > 0 ? [] : [`${alias} ${selectEverything(schema, named, [...path, type.name])}`];
  });
  return `{ ${fields.join(' ')} }`;
}

describe('a filter', () => {
  const find = async (filter: object, first = 50) => {
    const query = `query ($filter: RequestFilter, $first: Int) {
      collection(uid: "${rides}") { requests(filter: $filter, first: $first) { totalCount nodes { name } } }
    }`;
    const { collection } = await read(query, { filter, first });
    return {
      total: collection.requests.totalCount,
      names: collection.requests.nodes.map(({ name }: { name: string }) => name),
    };
  };
  const all = [
    'Sign in',
    'Sign out',
    'List my rides',
    'Get a ride',
    'Start a ride',
    'End a ride',
    'Pause',
    'Resume',
    'Pause twice',
    'Pause an ended ride',
    'Refund a ride',
    'Unlock a bike by hand',
  ];

  it.each([
    { what: 'without conditions lets everything through', filter: {}, names: all },
    {
      what: 'by method, in any case',
      filter: { method: ['put', 'Delete'] },
      names: ['Sign out', 'Pause', 'Resume', 'Pause twice', 'Pause an ended ride'],
    },
    { what: 'by no method lets everything through', filter: { method: [] }, names: all },
    {
      what: 'by text of the name, in any case',
      filter: { search: 'PAUSE' },
      names: ['Pause', 'Resume', 'Pause twice', 'Pause an ended ride'],
    },
    { what: 'by text of the URL', filter: { search: '/internal/' }, names: ['Refund a ride', 'Unlock a bike by hand'] },
    { what: 'by text of the description', filter: { search: 'six digits' }, names: ['Sign in'] },
    { what: 'by host', filter: { host: '{{baseUrl}}' }, names: all },
    { what: 'by a host that is nowhere', filter: { host: 'kestrel-bikes.example' }, names: [] },
    {
      what: 'by everything at once',
      filter: { method: ['PUT'], search: 'ended', host: '{{baseurl}}' },
      names: ['Pause an ended ride'],
    },
    { what: 'by a folder that is not there', filter: { folderUid: 'nowhere' }, names: [] },
  ])('$what', async ({ filter, names }) => {
    expect(await find(filter)).toEqual({ total: names.length, names });
  });

  it('by folder takes its uid, its itemId and its id, and finds what is below', async () => {
    const { collection } = await read(`{ collection(uid: "${rides}") { folders { nodes { name id itemId uid } } } }`);
    const { id, itemId, uid } = collection.folders.nodes.find(({ name }: { name: string }) => name === 'Pauses');
    const names = ['Pause', 'Resume', 'Pause twice', 'Pause an ended ride'];
    expect(await find({ folderUid: uid })).toEqual({ total: 4, names });
    expect(await find({ folderUid: id })).toEqual({ total: 4, names });
    expect(await find({ folderUid: id.replace(rides, ids.collections.stations) })).toEqual({ total: 0, names: [] });
    expect(await find({ folderUid: itemId, method: ['PUT'] }, 2)).toEqual({
      total: 3,
      names: ['Pause', 'Pause twice'],
    });
  });

  it('below a folder finds only what is below it', async () => {
    const { collection } = await read(
      `{ collection(uid: "${rides}") { folders { nodes { name requests(filter: { method: "POST" }) { nodes { name } } } } } }`,
    );
    const named = (...names: string[]) => ({ nodes: names.map((name) => ({ name })) });
    expect(collection.folders.nodes).toEqual([
      { name: 'Sign in', requests: named('Sign in') },
      { name: 'Rides', requests: named('Start a ride', 'End a ride') },
      { name: 'Lifecycle', requests: named('Start a ride', 'End a ride') },
      { name: 'Pauses', requests: named() },
      { name: 'Edge cases', requests: named() },
      { name: 'Receipts', requests: named() },
      { name: 'Support desk', requests: named('Refund a ride', 'Unlock a bike by hand') },
    ]);
  });
});

describe('a request', () => {
  const readRequests = async (uid: string, filter: object, selection: string) => {
    const query = `query ($filter: RequestFilter) { collection(uid: "${uid}") { requests(filter: $filter) { nodes { ${selection} } } } }`;
    return (await read(query, { filter })).collection.requests.nodes;
  };

  it('has its URL in parts, with what is switched off', async () => {
    const nodes = await readRequests(
      stations,
      { search: 'nearby' },
      'description url { raw protocol host port path hash query { key value enabled description } variables { key } }',
    );
    expect(nodes).toEqual([
      {
        description: 'An empty `sort` means by distance. `electricOnly` is there or not; it has no value.',
        url: {
          raw: '{{baseUrl}}/v1/stations?near=56.15,10.21&radius=500&electricOnly&sort=',
          protocol: null,
          host: ['{{baseUrl}}'],
          port: null,
          path: ['v1', 'stations'],
          hash: null,
          query: [
            { key: 'near', value: '56.15,10.21', enabled: true, description: 'Latitude and longitude' },
            { key: 'radius', value: '500', enabled: true, description: 'Metres' },
            { key: 'electricOnly', value: null, enabled: true, description: null },
            { key: 'sort', value: '', enabled: true, description: null },
            { key: 'includeClosed', value: 'true', enabled: false, description: null },
            { key: 'api_key', value: '******', enabled: false, description: 'Before there were tokens' },
          ],
          variables: [],
        },
      },
    ]);
  });

  it('has path variables, headers and saved responses with the request they answered', async () => {
    const nodes = await readRequests(
      stations,
      { search: 'Get a station' },
      `url { path variables { key value text type enabled isSecret description } }
       headers { key value enabled description }
       examples { name code status language responseTimeMs headers { key value } body originalRequest { method url { raw } headers { key enabled } body { __typename } } }`,
    );
    const originalRequest = {
      method: 'GET',
      url: { raw: '{{baseUrl}}/v1/stations/:stationId' },
      headers: [{ key: 'If-None-Match', enabled: false }],
      body: null,
    };
    const json = {
      language: 'json',
      responseTimeMs: null,
      headers: [{ key: 'Content-Type', value: 'application/json' }],
    };
    const station = {
      id: 'harbour-north',
      name: 'Harbour North',
      location: { latitude: 56.1531, longitude: 10.2196 },
      docks: { total: 24, free: 9 },
      bikes: { classic: 11, electric: 4 },
    };
    expect(nodes).toEqual([
      {
        url: {
          path: ['v1', 'stations', ':stationId'],
          variables: [
            {
              key: 'stationId',
              value: 'harbour-north',
              text: 'harbour-north',
              type: null,
              enabled: true,
              isSecret: false,
              description: 'The **slug**, not the number on the sign',
            },
          ],
        },
        headers: [{ key: 'If-None-Match', value: '"3f1a"', enabled: false, description: null }],
        examples: [
          {
            name: 'A station',
            code: 200,
            status: 'OK',
            ...json,
            body: JSON.stringify(station, undefined, 2),
            originalRequest,
          },
          {
            name: 'Unknown station',
            code: 404,
            status: 'Not Found',
            ...json,
            body: JSON.stringify({ title: 'No such station', status: 404 }, undefined, 2),
            originalRequest,
          },
        ],
      },
    ]);
  });

  it('has a body of its kind', async () => {
    const body = `body { __typename
      ... on RawBody { raw language enabled }
      ... on FormDataBody { enabled parameters { key value src contentType enabled description } }
      ... on UrlEncodedBody { enabled parameters { key value enabled description } }
      ... on GraphQLBody { enabled query operationName variables }
      ... on FileBody { enabled src content } }`;
    const row = (key: string, more: object) => ({
      key,
      value: null,
      src: null,
      contentType: null,
      enabled: true,
      description: null,
      ...more,
    });
    expect(await readRequests(stations, { search: 'Report a broken dock' }, body)).toEqual([
      {
        body: {
          __typename: 'FormDataBody',
          enabled: true,
          parameters: [
            row('dock', { value: '7' }),
            row('note', { value: 'The latch does not close', description: 'At most 500 characters' }),
            row('photos', { src: ['/photos/latch-open.jpg', '/photos/latch-closed.jpg'] }),
            row('video', { src: ['/photos/latch.mp4'], enabled: false }),
            row('sketch', { src: [] }),
            row('meta', { value: '{"app":"5.12"}', contentType: 'application/json' }),
          ],
        },
      },
    ]);
    expect(await readRequests(ids.collections.payments, { search: 'Get an access token' }, body)).toEqual([
      {
        body: {
          __typename: 'UrlEncodedBody',
          enabled: true,
          parameters: [
            { key: 'grant_type', value: 'client_credentials', enabled: true, description: null },
            { key: 'scope', value: 'payments payouts', enabled: true, description: 'Separated by blanks' },
            { key: 'resource', value: 'https://payments.kestrel-bikes.example', enabled: false, description: null },
            { key: 'client_secret', value: '******', enabled: false, description: null },
          ],
        },
      },
    ]);
    expect(await readRequests(rides, { search: 'Refund' }, body)).toEqual([
      {
        body: {
          __typename: 'RawBody',
          raw: JSON.stringify({ amountMinor: 245, code: '{{supportCode}}' }, undefined, 2),
          language: 'json',
          enabled: true,
        },
      },
    ]);
  });

  it('has scripts, settings and the authorization that applies to it', async () => {
    const nodes = await readRequests(
      rides,
      { search: 'a bike by hand' },
      'scripts { listen language source enabled } settings effectiveAuth { type parameters { key value isMasked } definedOn { __typename name } }',
    );
    expect(nodes).toEqual([
      {
        scripts: [],
        settings: { followRedirects: false, disableBodyPruning: true },
        effectiveAuth: {
          type: 'apikey',
          parameters: [
            { key: 'key', value: 'X-Desk-Key', isMasked: false },
            { key: 'value', value: null, isMasked: true },
            { key: 'in', value: 'header', isMasked: false },
          ],
          definedOn: { __typename: 'Request', name: 'Unlock a bike by hand' },
        },
      },
    ]);
    const { collection } = await read(
      `{ collection(uid: "${rides}") { auth { type parameters { key value isMasked } definedOn { id } } scripts { listen language source enabled } } }`,
    );
    expect(collection).toEqual({
      auth: {
        type: 'bearer',
        parameters: [{ key: 'token', value: '{{riderToken}}', isMasked: false }],
        definedOn: null,
      },
      scripts: [
        {
          listen: 'prerequest',
          language: 'text/javascript',
          source: "pm.request.headers.upsert({ key: 'X-Trace', value: pm.globals.get('tracingKey') || 'none' });",
          enabled: true,
        },
        {
          listen: 'test',
          language: 'text/javascript',
          source:
            "pm.test('answers within a second', () => {\n  pm.expect(pm.response.responseTime).to.be.below(1000);\n});",
          enabled: true,
        },
      ],
    });
  });

  it('may be next to nothing', async () => {
    const selection = 'name method url { raw } headers { key } body { __typename } auth { type } examples { name }';
    const nodes = await readRequests(ids.collections.smoke, { search: 'gRPC' }, selection);
    expect(nodes).toEqual([
      { name: 'Unlock stream (gRPC)', method: 'GET', url: null, headers: [], body: null, auth: null, examples: [] },
    ]);
    const [wsdl] = await readRequests(ids.collections.legacyDispatch, { search: 'WSDL' }, selection);
    expect(wsdl).toEqual({
      name: 'WSDL',
      method: 'GET',
      url: { raw: '{{legacyBaseUrl}}/dispatch.asmx?WSDL' },
      headers: [],
      body: null,
      auth: null,
      examples: [],
    });
  });
});

describe('every field there is', () => {
  // These repeat in each object what others have, so that the result would be too large.
  const once = {
    'Folder.collection': false,
    'Request.collection': false,
    'Request.effectiveVariables': false,
    'Request.effectiveScripts': false,
    'Folder.requests': false,
    'Folder.folders': false,
    'Environment.workspace': false,
    'Mock.collection': false,
  } as const;
  let schema: GraphQLSchema;
  beforeAll(async () => {
    const { data } = await facade.query(getIntrospectionQuery());
    schema = buildClientSchema(data);
  });

  it.each(Object.entries(ids.collections))('can be asked of the collection %s', async (_name, uid) => {
    const { collection } = await read(`{ collection(uid: "${uid}") ${everyField(schema, 'Collection', once)} }`);
    expect(collection).toMatchObject({
      uid,
      workspace: { __typename: 'Workspace' },
      json: { info: { _postman_id: uid.slice(9) } },
    });
  });

  it.each(Object.entries(ids.environments))('can be asked of the environment %s', async (_name, uid) => {
    const { environment } = await read(`{ environment(uid: "${uid}") ${everyField(schema, 'Environment', once)} }`);
    expect(environment).toMatchObject({ uid, id: `Environment:${uid}` });
  });

  it.each(Object.entries(ids.mocks))('can be asked of the mock server %s', async (_name, uid) => {
    const { mock } = await read(`{ mock(uid: "${uid}") ${everyField(schema, 'Mock', once)} }`);
    expect(mock).toMatchObject({ uid, id: `Mock:${uid}` });
  });

  it.each([
    ['me', 'User'],
    ['rateLimit', 'RateLimit'],
    ['workspaces(first: 1)', 'WorkspaceConnection'],
    ['collections(first: 1)', 'CollectionConnection'],
    ['environments', 'EnvironmentConnection'],
  ])('can be asked of %s', async (field, type) => {
    expect(await read(`{ it: ${field} ${everyField(schema, type, once)} }`)).toMatchObject({
      it: { __typename: type },
    });
  });
});

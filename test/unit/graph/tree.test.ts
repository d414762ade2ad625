import { createResultSize } from '../../../src/graph/limits/result-size.ts';
import { unscheduledRows } from '../../../src/graph/paging/streamed-rows.ts';
import { unsliced } from '../../../src/graph/limits/time-slices.ts';
import {
  execute,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  parse,
  TypeInfo,
  validate,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { beforeAll, describe, expect, it } from 'vitest';
import { builder } from '../../../src/graph/builder.ts';
import '../../../src/graph/scalars.ts';
import '../../../src/graph/tree/collection-item.ts';
import '../../../src/graph/tree/folder.ts';
import '../../../src/graph/tree/request.ts';
import '../../../src/graph/types/outer-variables.ts';
import {
  FolderConnectionRef,
  folderListArgs,
  RequestConnectionRef,
  requestListArgs,
  toFolderPage,
  toRequestPage,
} from '../../../src/graph/tree/lists.ts';
import { childRefs } from '../../../src/graph/refs.ts';
import { CollectionItemRef } from '../../../src/graph/tree/refs.ts';
import {
  type CollectionTree,
  createCollectionTree,
} from '../../../src/upstream/collection-format/tree/collection-tree.ts';
import { createScopes } from '../../../src/upstream/collection-format/fields/resolve-variables.ts';
import type { JsonObject } from '../../../src/upstream/collection-format/syntax/json.ts';

const UID = '12-6b3a7e10-0000-4000-8000-000000000001';
const CANARY = 'canary-7f3a';

/** The members of a result that these tests read one by one; they compare the rest whole. */
interface TreeData {
  readonly requests: { readonly nodes: readonly JsonObject[]; readonly pageInfo: { readonly endCursor: string } };
}

let schema: GraphQLSchema;

beforeAll(() => {
  // In the schema a tree is below a collection, which takes calls to read. Here it is the root.
  const Root = builder.objectRef<CollectionTree>('Query');
  builder.objectType(Root, {
    fields: (t) => ({
      items: t.field({ type: [CollectionItemRef], nullable: false, resolve: ({ items }) => items }),
      folders: t.field({
        type: FolderConnectionRef,
        nullable: false,
        args: folderListArgs(),
        resolve: ({ folders }, args, context) => toFolderPage(folders, args, context),
      }),
      requests: t.field({
        type: RequestConnectionRef,
        nullable: false,
        args: requestListArgs(),
        resolve: ({ requests }, args, context) => toRequestPage(requests, args, context, () => Promise.resolve([])),
      }),
    }),
  });
  childRefs.Collection.implement({
    description: 'A collection.',
    fields: (t) => ({ uid: t.exposeID('uid', { nullable: false, description: 'Its uid.' }) }),
  });
  schema = builder.toSchema();
});

/** Runs a query on the tree of a collection. Fails if execution is not synchronous, as one promise would make it. */
function run(document: JsonObject, query: string, { revealSecrets = false, variableValues = {} } = {}) {
  const parsed = parse(query);
  expect(validate(schema, parsed)).toEqual([]);
  const rootValue = createCollectionTree(document, UID);
  const result = execute({
    schema,
    document: parsed,
    rootValue,
    contextValue: {
      revealSecrets,
      isSimulation: false,
      scopeOf: createScopes(revealSecrets),
      resultSize: createResultSize(() => undefined),
      streamedRows: unscheduledRows,
      slices: unsliced,
    },
    variableValues,
  });
  if (result instanceof Promise || 'then' in result) throw new Error('The executor made promises.');
  // As it is sent to clients. Parsing also gives the objects back their prototypes.
  return JSON.parse(JSON.stringify(result)) as {
    data: TreeData;
    errors?: { message: string; extensions: JsonObject }[];
  };
}

const VARIABLE = '{ key value text type enabled isSecret isMasked description }';
const AUTH = '{ type parameters { key value isMasked } definedOn { __typename id } }';
const SCRIPT = '{ listen language source enabled }';
const HEADER = '{ key value enabled description }';
const URL = `{ raw resolved { raw host unresolved masked } protocol host port path query { key value isMasked enabled description } variables ${VARIABLE} hash }`;
const ROWS = '{ key value isMasked src contentType enabled description }';
const BODY = `{ __typename
  ... on RawBody { raw language enabled }
  ... on UrlEncodedBody { parameters ${ROWS} enabled }
  ... on FormDataBody { parameters ${ROWS} enabled }
  ... on FileBody { src content enabled }
  ... on GraphQLBody { query operationName graphqlVariables: variables enabled } }`;
const EXAMPLE = `{ id exampleId uid name status code headers ${HEADER} body language responseTimeMs
  originalRequest { method url ${URL} headers ${HEADER} body ${BODY} } }`;
const ITEM = '__typename id itemId uid name description path parent { itemId name } collection { uid }';
const PAGE = 'totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }';
const EVERYTHING = `query Everything {
  items { ${ITEM} }
  folders { ${PAGE} edges { cursor node { itemId } } nodes {
    ${ITEM} items { ${ITEM} } folders { ${PAGE} nodes { itemId } } requests { ${PAGE} nodes { itemId } } auth ${AUTH} variables ${VARIABLE} scripts ${SCRIPT} settings } }
  requests { ${PAGE} edges { cursor node { itemId } } nodes {
    ${ITEM} method url ${URL} headers ${HEADER} body ${BODY} auth ${AUTH} effectiveAuth ${AUTH}
    variables ${VARIABLE} scripts ${SCRIPT} examples ${EXAMPLE} settings } }
}`;

const RUBBISH: readonly unknown[] = [
  null,
  '',
  'text',
  0,
  -1.5,
  true,
  false,
  [],
  {},
  [null],
  [[]],
  [{}],
  ['a'],
  { then: 1 },
  [{ then: {} }],
  { key: {} },
];

describe('every field of the tree', () => {
  const keysOf = {
    item: [
      'id',
      '_postman_id',
      'uid',
      'name',
      'description',
      'request',
      'response',
      'event',
      'variable',
      'auth',
      'protocolProfileBehavior',
      'item',
      'then',
    ],
    request: ['method', 'url', 'header', 'body', 'auth', 'description', 'then'],
    url: ['raw', 'protocol', 'host', 'port', 'path', 'query', 'variable', 'hash', 'then'],
    body: ['mode', 'raw', 'urlencoded', 'formdata', 'file', 'graphql', 'options', 'disabled', 'then'],
    response: [
      'id',
      'uid',
      'name',
      'status',
      'code',
      'header',
      'body',
      '_postman_previewlanguage',
      'responseTime',
      'originalRequest',
      'then',
    ],
    row: ['key', 'value', 'type', 'description', 'disabled', 'enabled', 'src', 'contentType', 'secret', 'then'],
  };
  const wrong = (kind: keyof typeof keysOf): JsonObject[] =>
    keysOf[kind].flatMap((key) => RUBBISH.map((value) => ({ [key]: value })));
  const rows = wrong('row');
  const requests: unknown[] = [
    ...RUBBISH,
    ...wrong('request'),
    ...wrong('url').map((url) => ({ url })),
    ...wrong('body').map((body) => ({ body })),
    ...['raw', 'urlencoded', 'formdata', 'file', 'graphql', 'odd'].flatMap((mode) =>
      RUBBISH.map((payload) => ({ body: { mode, [mode]: payload } })),
    ),
    {
      header: rows,
      url: { host: ['a'], query: rows, variable: rows },
      body: { mode: 'formdata', formdata: rows },
      auth: { type: 'custom', custom: rows },
    },
    { auth: { type: 'apikey', apikey: { key: { a: 1 }, value: ['x'] } } },
  ];
  const items: unknown[] = [
    ...RUBBISH,
    ...wrong('item'),
    ...requests.map((request) => ({ request })),
    { request: 'https://a.example', response: wrong('response'), variable: rows, event: rows },
    { request: {}, response: requests.map((originalRequest) => ({ originalRequest })) },
    { item: [], variable: rows, event: wrong('row').map((script) => ({ script })), auth: { custom: rows } },
  ];

  it.each(['first half', 'second half'])('returns no error for malformed JSON in any position (%s)', (half) => {
    const middle = Math.ceil(items.length / 2);
    const part = half === 'first half' ? items.slice(0, middle) : items.slice(middle);
    // A page has at most a hundred nodes.
    for (let start = 0; start < part.length; start += 90) {
      expect(
        run(
          { item: part.slice(start, start + 90) },
          EVERYTHING.replaceAll(/(folders|requests) \{ total/g, '$1(first: 100) { total'),
        ).errors,
      ).toBeUndefined();
    }
  });

  it('is selected by the query of these tests', () => {
    const selected = new Set<string>();
    const types = new TypeInfo(schema);
    const collect = () => void selected.add(`${types.getParentType()?.name}.${types.getFieldDef()?.name}`);
    visit(parse(EVERYTHING), visitWithTypeInfo(types, { Field: collect }));
    const missing = Object.values(schema.getTypeMap())
      .filter((type) => isObjectType(type) && !type.name.startsWith('__'))
      .flatMap((type) =>
        isObjectType(type) ? Object.keys(type.getFields()).map((field) => `${type.name}.${field}`) : [],
      )
      .filter((field) => !selected.has(field));
    expect(missing).toEqual([]);
  });

  it('has a description, and so has every type, argument and input field', () => {
    const bare: string[] = [];
    for (const type of Object.values(schema.getTypeMap())) {
      if (
        type.name.startsWith('__') ||
        type.name === 'Query' ||
        ['String', 'Int', 'Float', 'Boolean', 'ID'].includes(type.name)
      )
        continue;
      if (!type.description) bare.push(type.name);
      if (isEnumType(type) || !(isObjectType(type) || isInterfaceType(type) || isInputObjectType(type))) continue;
      for (const field of Object.values(type.getFields())) {
        if (!field.description) bare.push(`${type.name}.${field.name}`);
        for (const argument of 'args' in field ? field.args : []) {
          if (!argument.description) bare.push(`${type.name}.${field.name}(${argument.name})`);
        }
      }
    }
    expect(bare).toEqual([]);
  });
});

describe('a request of the tree', () => {
  const document = {
    auth: { type: 'basic', basic: { username: 'ann', password: CANARY } },
    item: [
      {
        id: 'f-1',
        uid: '12-f-1',
        name: 'Users',
        description: { content: 'All about **users**.', type: 'text/markdown' },
        item: [
          {
            id: 'r-1',
            uid: '12-r-1',
            name: 'Add',
            event: [{ listen: 'prerequest', script: { type: 'text/javascript', exec: ['a();', 'b();'] } }],
            variable: [{ key: 'v', value: 3, type: 'number' }],
            protocolProfileBehavior: { followRedirects: false },
            request: {
              method: 'post',
              description: 'Adds a user.',
              url: {
                raw: 'https://{{host}}/users/:team?dry&note=',
                protocol: 'https',
                host: ['{{host}}'],
                path: ['users', ':team'],
                query: [
                  { key: 'dry', value: null },
                  { key: 'note', value: '' },
                ],
                variable: [{ key: 'team', value: '7' }],
              },
              header: [{ key: 'Accept', value: 'application/json' }],
              body: { mode: 'raw', raw: '{}', options: { raw: { language: 'json' } } },
            },
            response: [
              {
                id: 'e-1',
                name: 'Created',
                status: 'Created',
                code: 201,
                header: 'Location: /users/1',
                body: '{"id":1}',
                _postman_previewlanguage: 'json',
                responseTime: '12',
                originalRequest: 'https://example.com/users',
              },
            ],
          },
        ],
      },
    ],
  };

  it('is returned whole', () => {
    const { data, errors } = run(
      document,
      `{ requests { totalCount nodes { ${ITEM} method url { raw protocol host port path query { key value enabled description } variables { key value } hash }
         headers ${HEADER} body ${BODY} auth ${AUTH} effectiveAuth ${AUTH} variables ${VARIABLE} scripts ${SCRIPT} settings
         examples { id exampleId uid name status code headers ${HEADER} body language responseTimeMs originalRequest { method url { raw } headers ${HEADER} body ${BODY} } } } } }`,
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      requests: {
        totalCount: 1,
        nodes: [
          {
            __typename: 'Request',
            id: `Request:${UID}/r-1`,
            itemId: 'r-1',
            uid: '12-r-1',
            name: 'Add',
            description: 'Adds a user.',
            path: ['Users'],
            parent: { itemId: 'f-1', name: 'Users' },
            collection: { uid: UID },
            method: 'POST',
            url: {
              raw: 'https://{{host}}/users/:team?dry&note=',
              protocol: 'https',
              host: ['{{host}}'],
              port: null,
              path: ['users', ':team'],
              query: [
                { key: 'dry', value: null, enabled: true, description: null },
                { key: 'note', value: '', enabled: true, description: null },
              ],
              variables: [{ key: 'team', value: '7' }],
              hash: null,
            },
            headers: [{ key: 'Accept', value: 'application/json', enabled: true, description: null }],
            body: { __typename: 'RawBody', raw: '{}', language: 'json', enabled: true },
            auth: null,
            effectiveAuth: {
              type: 'basic',
              parameters: [
                { key: 'username', value: 'ann', isMasked: false },
                { key: 'password', value: null, isMasked: true },
              ],
              definedOn: null,
            },
            variables: [
              {
                key: 'v',
                value: 3,
                text: '3',
                type: 'number',
                enabled: true,
                isSecret: false,
                isMasked: false,
                description: null,
              },
            ],
            scripts: [{ listen: 'prerequest', language: 'text/javascript', source: 'a();\nb();', enabled: true }],
            settings: { followRedirects: false },
            examples: [
              {
                id: `Example:${UID}/r-1/e-1`,
                exampleId: 'e-1',
                uid: null,
                name: 'Created',
                status: 'Created',
                code: 201,
                headers: [{ key: 'Location', value: '/users/1', enabled: true, description: null }],
                body: '{"id":1}',
                language: 'json',
                responseTimeMs: 12,
                originalRequest: { method: 'GET', url: { raw: 'https://example.com/users' }, headers: [], body: null },
              },
            ],
          },
        ],
      },
    });
  });

  it.each([
    ['raw', { mode: 'raw', raw: 'a' }, { __typename: 'RawBody', raw: 'a', language: null, enabled: true }],
    [
      'urlencoded',
      { mode: 'urlencoded', urlencoded: 'a=1' },
      {
        __typename: 'UrlEncodedBody',
        parameters: [
          { key: 'a', value: '1', isMasked: false, src: null, contentType: null, enabled: true, description: null },
        ],
        enabled: true,
      },
    ],
    [
      'formdata',
      { mode: 'formdata', formdata: [{ key: 'f', type: 'file', src: '/a' }] },
      {
        __typename: 'FormDataBody',
        parameters: [
          { key: 'f', value: null, isMasked: false, src: ['/a'], contentType: null, enabled: true, description: null },
        ],
        enabled: true,
      },
    ],
    [
      'file',
      { mode: 'file', file: { src: '/a' } },
      { __typename: 'FileBody', src: '/a', content: null, enabled: true },
    ],
    [
      'graphql',
      { mode: 'graphql', graphql: { query: '{ a }', variables: {} } },
      { __typename: 'GraphQLBody', query: '{ a }', operationName: null, graphqlVariables: '{}', enabled: true },
    ],
  ])('has a body of mode %s', (_mode, body, expected) => {
    expect(
      run({ item: [{ request: { body } }] }, `{ requests { nodes { body ${BODY} } } }`).data.requests.nodes[0]?.body,
    ).toEqual(expected);
  });
});

describe('lists of the tree', () => {
  const request = (name: string, url = 'https://a.example') => ({ id: name, name, request: { url } });
  const document = {
    item: [
      {
        id: 'A',
        name: 'A',
        item: [
          request('1'),
          { id: 'B', name: 'B', item: [request('2'), request('3', 'https://b.example'), { id: 'C', item: [] }] },
        ],
      },
      request('4'),
    ],
  };

  it('contain the items directly in a folder, or all below it', () => {
    expect(
      run(
        document,
        '{ items { __typename itemId } folders { nodes { itemId items { itemId } folders { totalCount nodes { itemId } } requests { totalCount nodes { itemId } } } } }',
      ).data,
    ).toEqual({
      items: [
        { __typename: 'Folder', itemId: 'A' },
        { __typename: 'Request', itemId: '4' },
      ],
      folders: {
        nodes: [
          {
            itemId: 'A',
            items: [{ itemId: '1' }, { itemId: 'B' }],
            folders: { totalCount: 2, nodes: [{ itemId: 'B' }, { itemId: 'C' }] },
            requests: { totalCount: 3, nodes: [{ itemId: '1' }, { itemId: '2' }, { itemId: '3' }] },
          },
          {
            itemId: 'B',
            items: [{ itemId: '2' }, { itemId: '3' }, { itemId: 'C' }],
            folders: { totalCount: 1, nodes: [{ itemId: 'C' }] },
            requests: { totalCount: 2, nodes: [{ itemId: '2' }, { itemId: '3' }] },
          },
          { itemId: 'C', items: [], folders: { totalCount: 0, nodes: [] }, requests: { totalCount: 0, nodes: [] } },
        ],
      },
    });
  });

  it('are paged', () => {
    const query =
      'query ($after: String) { requests(first: 3, after: $after) { totalCount nodes { itemId } pageInfo { hasNextPage hasPreviousPage endCursor } } }';
    const first = run(document, query).data.requests;
    const second = run(document, query, { variableValues: { after: first.pageInfo.endCursor } }).data.requests;
    expect([first, second]).toEqual([
      {
        totalCount: 4,
        nodes: [{ itemId: '1' }, { itemId: '2' }, { itemId: '3' }],
        pageInfo: { hasNextPage: true, hasPreviousPage: false, endCursor: expect.any(String) },
      },
      {
        totalCount: 4,
        nodes: [{ itemId: '4' }],
        pageInfo: { hasNextPage: false, hasPreviousPage: true, endCursor: expect.any(String) },
      },
    ]);
  });

  it('have pages of 50 by default, and of at most 100', () => {
    const many = { item: Array.from({ length: 60 }, (_, index) => request(`${index}`)) };
    expect(run(many, '{ requests { nodes { itemId } } }').data.requests.nodes).toHaveLength(50);
    expect(run(many, '{ requests(first: 101) { nodes { itemId } } }').errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
    });
    expect(run(many, '{ folders(first: 0) { nodes { itemId } } }').errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
    });
  });

  it('are filtered within their folder before they are paged', () => {
    const { data } = run(
      document,
      '{ requests(first: 1, filter: { host: "a.example", folderUid: "A" }) { totalCount nodes { itemId } } folders { nodes { requests(filter: { folderUid: "B", method: ["get"] }) { nodes { itemId } } } } }',
    );
    expect(data).toEqual({
      requests: { totalCount: 2, nodes: [{ itemId: '1' }] },
      folders: {
        nodes: [
          { requests: { nodes: [{ itemId: '2' }, { itemId: '3' }] } },
          { requests: { nodes: [{ itemId: '2' }, { itemId: '3' }] } },
          { requests: { nodes: [] } },
        ],
      },
    });
  });
});

describe('secrets in the tree', () => {
  const secrets = {
    auth: { type: 'apikey', apikey: [{ key: 'value', value: CANARY }] },
    item: [
      {
        auth: { type: 'bearer', bearer: { token: CANARY } },
        variable: [{ key: 'a', type: 'secret', value: CANARY }],
        item: [
          {
            request: {
              auth: { type: 'hawk', hawk: { authKey: CANARY } },
              header: `Authorization: Bearer ${CANARY}`,
              url: { raw: 'https://a/:id', host: ['a'], variable: [{ key: 'id', type: 'secret', value: CANARY }] },
            },
            variable: [{ key: 'a', secret: true, value: CANARY }],
            response: [
              {
                header: [{ key: 'Set-Cookie', value: CANARY }],
                originalRequest: { header: [{ key: 'X-Api-Key', value: CANARY }] },
              },
            ],
          },
          { request: {} },
        ],
      },
      { request: {} },
    ],
  };

  it('are not returned anywhere unless the server reveals them', () => {
    const masked = JSON.stringify(run(secrets, EVERYTHING));
    expect(masked).not.toContain(CANARY);
    expect(masked.match(/"isMasked":true/g)).toHaveLength(8);
    expect(masked.match(/"\*{6}"/g)).toHaveLength(3);
    expect(masked).toContain('"resolved":{"raw":"https://a/******","host":"a","unresolved":[],"masked":[":id"]}');
  });

  it('are returned unchanged if it does', () => {
    const revealed = JSON.stringify(run(secrets, EVERYTHING, { revealSecrets: true }));
    // A variable has both `value` and `text`.
    // The path variable is also in the resolved URL.
    expect(revealed.split(CANARY)).toHaveLength(1 + 5 + 2 * 3 + 3 + 1);
    expect(revealed).not.toContain('"isMasked":true');
  });
});

describe('a tree out of bounds', () => {
  const nested = (depth: number) => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown;

  it('fails only the fields whose JSON is nested too deeply', () => {
    const document = {
      item: [
        {
          id: 'a',
          request: { auth: { type: 'jwt', jwt: { payload: nested(600) } } },
          variable: [{ key: 'v', value: nested(600) }],
          protocolProfileBehavior: nested(600),
        },
      ],
    };
    const { data, errors } = run(
      document,
      '{ requests { nodes { itemId settings variables { key value text isMasked } auth { parameters { key value isMasked } } } } }',
    );
    expect(data.requests.nodes).toEqual([
      {
        itemId: 'a',
        settings: null,
        variables: [{ key: 'v', value: null, text: null, isMasked: false }],
        auth: { parameters: [{ key: 'payload', value: null, isMasked: false }] },
      },
    ]);
    expect(errors?.map(({ extensions }) => extensions)).toEqual(
      [1, 2, 3].map(() => ({ code: 'UPSTREAM_BAD_RESPONSE', retryable: false })),
    );
  });

  it('of 100,000 levels is returned', () => {
    const depth = 100_000;
    const document = JSON.parse(
      `{"item":[${'{"name":"f","item":['.repeat(depth)}{"name":"deep"}${']}'.repeat(depth)}]}`,
    ) as JsonObject;
    const { data, errors } = run(
      document,
      '{ items { __typename name } folders(first: 1) { totalCount } requests { nodes { name path effectiveAuth { type } } } }',
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      items: [{ __typename: 'Folder', name: 'f' }],
      folders: { totalCount: depth },
      requests: { nodes: [{ name: 'deep', path: Array(500).fill('f'), effectiveAuth: null }] },
    });
  });

  it('with keys that name members of every object (`then`, `toString`) is returned', () => {
    const names = ['then', 'toString', 'constructor', 'hasOwnProperty', '__proto__'];
    const document = JSON.parse(
      JSON.stringify({
        item: names.map((name) => ({
          id: name,
          name,
          request: { method: name, auth: { type: name }, header: [{ key: name, value: name }] },
          variable: [{ key: name, value: { then: name } }],
          protocolProfileBehavior: { then: name },
        })),
      }),
    ) as JsonObject;
    const { data, errors } = run(
      document,
      '{ requests { nodes { itemId name method auth { type parameters { key } } headers { key value } variables { key value } settings } } }',
    );
    expect(errors).toBeUndefined();
    expect(data.requests.nodes).toEqual(
      names.map((name) => ({
        itemId: name,
        name,
        method: name.toUpperCase(),
        auth: { type: name, parameters: [] },
        headers: [{ key: name, value: name }],
        variables: [{ key: name, value: { then: name } }],
        settings: { then: name },
      })),
    );
  });
});

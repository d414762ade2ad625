import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { everyField } from '../../bench/corpus/every-field.ts';
import { createSchema } from '../../src/graph/schema.ts';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';

let facade: Facade;
beforeAll(async () => {
  facade = await startFacade();
});
beforeEach(() => facade.postman.reset());
afterAll(() => facade.close());

const modern = 'application/graphql-response+json';

/** Sends a raw body and reads the response, which must have cost no call. */
async function send(body: string, accept: string, contentType = 'application/json') {
  const response = await fetch(facade.url, { method: 'POST', headers: { 'content-type': contentType, accept }, body });
  const { data, errors } = (await response.json()) as {
    data?: unknown;
    errors: { message: string; extensions: { code: string } }[];
  };
  expect(facade.postman.calls).toEqual([]);
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    data,
    errors: errors
      .filter(({ message }) => !ALSO_REPORTED_BY_GRAPHQL_17.test(message))
      .map(({ message, extensions }) => ({ message, code: extensions.code })),
  };
}

const TOO_MANY_TOKENS =
  'Syntax Error: The document has more than 4000 tokens. The operator can raise MAX_QUERY_TOKENS.';
// graphql 17 has rules of its own for these, and reports them beside ours.
const ALSO_REPORTED_BY_GRAPHQL_17 =
  /^The (?:mutation|subscription) operation is not supported by the schema\.$|have overlapping stream directives\./;

const as = (message: string | RegExp): unknown =>
  typeof message === 'string' ? message : (expect.stringMatching(message) as unknown);
const query = (text: string, more: object = {}) => JSON.stringify({ query: text, ...more });
const times = (count: number, part: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => part(i)).join(' ');

const folders = (levels: number) =>
  `{ collection(uid: "${ids.collections.rides}") { items { ${'... on Folder { items { '.repeat(levels)} name ${'} } '.repeat(levels)} } } }`;

/**
 * Documents that validation or the parser refuses: 200 for old clients, 400 for those that accept the newer media type.
 */
const invalid: [string, string, string, string | RegExp][] = [
  [
    'a query too deep',
    query(folders(39)),
    'GRAPHQL_VALIDATION_FAILED',
    'Query depth limit of 40 exceeded, found 42. The operator can raise MAX_QUERY_DEPTH.',
  ],
  [
    'a query too deep by its fragments',
    query(
      `{ collection(uid: "a") { items { ...f0 } } } ${times(45, (i) => `fragment f${i} on Folder { items { ...f${i + 1} } }`)} fragment f45 on Folder { name }`,
    ),
    'GRAPHQL_VALIDATION_FAILED',
    /^Query depth limit of 40 exceeded, found \d+\. The operator can raise MAX_QUERY_DEPTH\.$/,
  ],
  [
    'an alias as long as a line',
    query(`{ me { ${'a'.repeat(101)}: id } }`),
    'GRAPHQL_VALIDATION_FAILED',
    'The alias has 101 characters; it may have 100.',
  ],
  [
    'a label as long as a line',
    query(`{ ... @defer(label: "${'a'.repeat(101)}") { me { id } } }`),
    'GRAPHQL_VALIDATION_FAILED',
    'The label has 101 characters; it may have 100.',
  ],
  [
    'fewer rows than none to begin with',
    query('{ workspaces { nodes @stream(initialCount: -1) { name } } }'),
    'GRAPHQL_VALIDATION_FAILED',
    'The initialCount of a @stream is 0 or more.',
  ],
  [
    'a list that is streamed and is not',
    query('{ workspaces { nodes @stream { name } nodes { id } } }'),
    'GRAPHQL_VALIDATION_FAILED',
    'Fields "nodes" conflict because they have differing stream directives. Use different aliases on the fields to fetch both if this was intentional.',
  ],
  [
    'more incremental parts than allowed',
    query(
      `{ ${'...A @defer '.repeat(20)} } fragment A on Query { ${'...B @defer '.repeat(20)} } fragment B on Query { me { id } }`,
    ),
    'GRAPHQL_VALIDATION_FAILED',
    'The operation is delivered in more than 100 parts, without the items of lists. Defer or stream less of it.',
  ],
  [
    'a hundred and one aliases',
    query(`{ ${times(101, (i) => `a${i}: me { id }`)} }`),
    'GRAPHQL_VALIDATION_FAILED',
    'Aliases limit of 100 exceeded, found 101. The operator can raise MAX_QUERY_ALIASES.',
  ],
  [
    'aliases doubled by fragments',
    query(
      `{ ...f0 } ${times(20, (i) => `fragment f${i} on Query { ...f${i + 1} ...f${i + 1} }`)} fragment f20 on Query { a: me { id } }`,
    ),
    'GRAPHQL_VALIDATION_FAILED',
    'Aliases limit of 100 exceeded, found 1048576. The operator can raise MAX_QUERY_ALIASES.',
  ],
  ['too many tokens', query(`{ ${'me { id } '.repeat(1_000)} }`), 'GRAPHQL_PARSE_FAILED', TOO_MANY_TOKENS],
  [
    'brackets without end',
    query('{ a'.repeat(33_000)),
    'GRAPHQL_PARSE_FAILED',
    // How deep the stack can be depends on how well V8 has optimized the parser by then.
    /more than 4000 tokens|nested too deeply/,
  ],
  [
    'a value of brackets',
    query(`{ workspaces(first: ${'['.repeat(90_000)}) { nodes { id } } }`),
    'GRAPHQL_PARSE_FAILED',
    'Syntax Error: The document is nested too deeply.',
  ],
  [
    'more comments than anybody reads',
    query(`{ me { id } } #${'a'.repeat(200_000)}`),
    'GRAPHQL_PARSE_FAILED',
    'Syntax Error: The document has more than 200000 characters. The operator can raise MAX_QUERY_TOKENS.',
  ],
  [
    'more lines than anybody reads',
    query(`{ me { id } ${'\r\n'.repeat(20_000)} }`),
    'GRAPHQL_PARSE_FAILED',
    'Syntax Error: The document has more than 20000 lines. The operator can raise MAX_QUERY_TOKENS.',
  ],
  [
    'fifty-one directives',
    query(`{ me { id ${'@skip(if: false) '.repeat(51)} } }`),
    'GRAPHQL_VALIDATION_FAILED',
    'Directives limit of 50 exceeded, found 51.',
  ],
  [
    'fragments that hold each other',
    query('{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }'),
    'GRAPHQL_VALIDATION_FAILED',
    'Cannot spread fragment "a" within itself via "b".',
  ],
  [
    'introspection in circles',
    query(`{ __schema { types { ${'fields { type { '.repeat(6)} name ${'} } '.repeat(6)} } } }`),
    'GRAPHQL_VALIDATION_FAILED',
    'Maximum introspection depth exceeded',
  ],
  [
    'the same field over and over',
    query(`{ ${'me { id } '.repeat(490)} }`),
    'GRAPHQL_VALIDATION_FAILED',
    'Validation aborted.',
  ],
  ['half a query', query('{ me { '), 'GRAPHQL_PARSE_FAILED', 'Syntax Error: Expected Name, found <EOF>.'],
  [
    'an unknown field',
    query('{ nme }'),
    'GRAPHQL_VALIDATION_FAILED',
    'Cannot query field "nme" on type "Query". Did you mean "me" or "node"?',
  ],
  [
    'a mutation',
    query('mutation { deleteCollection(uid: "a") }'),
    'GRAPHQL_VALIDATION_FAILED',
    'This server only reads: it has no mutation operations.',
  ],
  [
    'a subscription',
    query('subscription { collection(uid: "a") }'),
    'GRAPHQL_VALIDATION_FAILED',
    'This server only reads: it has no subscription operations.',
  ],
];

/** Requests that are not GraphQL requests. */
const malformed: [string, string, number, string, string | RegExp][] = [
  [
    'a body over the limit',
    query(`{ me { id } }${' '.repeat(1_048_576)}`),
    413,
    'REQUEST_ENTITY_TOO_LARGE',
    'The request body is larger than 1048576 bytes. The operator can raise MAX_REQUEST_BYTES.',
  ],
  [
    'a batch',
    `[${query('{ me { id } }')}, ${query('{ me { id } }')}]`,
    400,
    'BAD_REQUEST',
    'Batching is not supported.',
  ],
  ['no query', '{}', 400, 'BAD_REQUEST', 'The request has neither a query nor the id of a persisted document.'],
  ['half a body', '{"query": ', 400, 'BAD_REQUEST', 'The request body is not valid JSON.'],
  ['no body', '', 400, 'BAD_REQUEST', 'The request body is not valid JSON.'],
  ['JSON nested without end', '['.repeat(500_000), 400, 'BAD_REQUEST', 'The request body is not valid JSON.'],
  ['null', 'null', 400, 'BAD_REQUEST', 'The request body is not a JSON object.'],
  ['a query that is no text', '{"query":5}', 400, 'BAD_REQUEST', 'The parameter "query" is not text.'],
  [
    'variables that are no object',
    query('{ me { id } }', { variables: [] }),
    400,
    'BAD_REQUEST',
    'The parameter "variables" is not an object.',
  ],
  [
    'a variable of the wrong type',
    query('query ($u: ID!) { collection(uid: $u) { name } }', { variables: { u: {} } }),
    400,
    'BAD_USER_INPUT',
    'Variable "$u" got invalid value {}; ID cannot represent value: {}',
  ],
  [
    'a variable nested without end',
    `{"query":"query ($u: ID!) { collection(uid: $u) { name } }","variables":{"u":${'['.repeat(5_000)}${']'.repeat(5_000)}}}`,
    400,
    'BAD_USER_INPUT',
    /^Variable "\$u" got invalid value /,
  ],
  [
    'a missing variable',
    query('query ($u: ID!) { collection(uid: $u) { name } }'),
    400,
    'BAD_USER_INPUT',
    'Variable "$u" of required type "ID!" was not provided.',
  ],
  [
    'two operations and no name',
    query('query A { me { id } } query B { me { id } }'),
    400,
    'OPERATION_RESOLUTION_FAILURE',
    'Could not determine what operation to execute.',
  ],
];

describe('an invalid query', () => {
  it.each(invalid)('%s is refused with its code', async (_what, body, code, message) => {
    const errors = [{ message: as(message), code }];
    expect(await send(body, 'application/json')).toEqual({
      status: 200,
      type: 'application/json; charset=utf-8',
      data: undefined,
      errors,
    });
    expect(await send(body, modern)).toEqual({
      status: 400,
      type: `${modern}; charset=utf-8`,
      data: undefined,
      errors,
    });
  });
});

describe('a malformed request', () => {
  it.each(malformed)('%s is refused with its code', async (_what, body, status, code, message) => {
    for (const accept of ['application/json', modern]) {
      expect(await send(body, accept)).toEqual({
        status,
        type: `${accept}; charset=utf-8`,
        data: undefined,
        errors: [{ message: as(message), code }],
      });
    }
  });

  it('over the limit is refused alike whether it states its length or comes in chunks, even if these never end', async () => {
    const post = async (body: string | ReadableStream) => {
      const init = { method: 'POST', headers: { 'content-type': 'application/json' }, duplex: 'half', body };
      const response = await fetch(facade.url, init);
      const { errors } = (await response.json()) as { errors: unknown };
      return { status: response.status, type: response.headers.get('content-type'), errors };
    };
    const chunk = new Uint8Array(65_536).fill(32);
    const inChunks = (endsAfter: number) => {
      let sent = 0;
      return new ReadableStream<Uint8Array>({
        pull(controller) {
          if (sent++ < endsAfter) controller.enqueue(chunk);
          else controller.close();
        },
      });
    };
    const stated = await post(' '.repeat(1_048_577));
    expect(stated.status).toBe(413);
    expect(await post(inChunks(17))).toEqual(stated);
    expect(await post(inChunks(Number.POSITIVE_INFINITY))).toEqual(stated);
    // As long as the limit allows, and nothing but white space.
    expect(await post(inChunks(16))).toMatchObject({ status: 400 });
  });

  it('in another media type than JSON gets the right one in its error', async () => {
    expect(await send('<me/>', 'application/json', 'application/xml')).toEqual({
      status: 415,
      type: 'application/json; charset=utf-8',
      data: undefined,
      errors: [
        {
          message:
            'Send the request as JSON in UTF-8, with Content-Type: application/json and without Content-Encoding.',
          code: 'BAD_REQUEST',
        },
      ],
    });
  });

  it('by another method gets the allowed ones in its error', async () => {
    const response = await fetch(facade.url, { method: 'DELETE' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
    expect(await response.json()).toMatchObject({
      errors: [{ message: 'GraphQL is served by GET and POST, not by DELETE.', extensions: { code: 'BAD_REQUEST' } }],
    });
  });
});

const introspection = getIntrospectionQuery({
  specifiedByUrl: true,
  directiveIsRepeatable: true,
  schemaDescription: true,
  inputValueDeprecation: true,
  oneOf: true,
});
const [, fragments = ''] = introspection.split(/(?=fragment FullType)/);

describe('introspection', () => {
  it('has all of the schema, several times', async () => {
    const whole = await facade.query(introspection);
    const thrice = await facade.query(
      `{ ${times(3, (i) => `a${i}: __schema { types { ...FullType } }`)} } ${fragments}`,
    );
    const { types } = whole.data.__schema;
    expect([whole.errors, thrice.errors]).toEqual([[], []]);
    expect(thrice.data).toEqual({ a0: { types }, a1: { types }, a2: { types } });
  });

  it.each([
    [
      'by the aliases of its root',
      `{ ${times(95, (i) => `a${i}: __schema { types { name ...FullType } }`)} } ${fragments}`,
    ],
    [
      'by fragments in fragments',
      `{ ${times(9, (i) => `a${i}: __schema { types { ...f } }`)} } fragment f on __Type { ${times(9, (i) => `b${i}: fields { name args { name type { name } } }`)} }`,
    ],
    [
      'from types to fields and back',
      `{ __schema { types { fields { type { ${times(90, (i) => `a${i}: fields { name description }`)} } } } } }`,
    ],
    [
      'of one type, named by a variable',
      `query ($name: String!) { ${times(95, (i) => `a${i}: __type(name: $name) { ...f }`)} } fragment f on __Type { fields { type { ...FullType ofType { ...FullType } } } } ${fragments}`,
    ],
  ])('is refused where it repeats itself %s', async (_how, text) => {
    const { data, errors, upstream } = await facade.query(text, { variables: { name: 'Collection' } });
    expect({ data, errors, calls: upstream.calls }).toEqual({
      data: undefined,
      errors: [
        {
          message: 'Introspection would return more than 30000 values. Select less of the schema per operation.',
          extensions: { code: 'OPERATION_TOO_EXPENSIVE', retryable: false },
        },
      ],
      calls: 0,
    });
  });
});

describe('a variable with a hundred thousand mistakes', () => {
  it('gets some of them', async () => {
    const { data, errors } = await facade.query(
      'query ($methods: [String!]) { collection(uid: "1") { requests(filter: { method: $methods }) { totalCount } } }',
      { variables: { methods: Array.from({ length: 100_000 }, () => 1) } },
    );
    expect(data).toBeUndefined();
    expect(errors.length).toBeLessThan(100);
    expect(new Set(errors.map(({ extensions }) => extensions?.['code']))).toEqual(new Set(['BAD_USER_INPUT']));
    expect(facade.postman.calls).toEqual([]);
  });
});

describe('a needlessly large query', () => {
  it.each([
    ['the same field two hundred times', `{ ${'me { id } '.repeat(200)} }`],
    [
      'fragments that double thirty times',
      `{ ...f0 } ${times(30, (i) => `fragment f${i} on Query { ...f${i + 1} ...f${i + 1} }`)} fragment f30 on Query { me { id } }`,
    ],
  ])('%s costs one call', async (_what, text) => {
    const { status, data, errors } = await facade.query(text);
    expect({ status, data, errors }).toEqual({ status: 200, data: { me: { id: ids.users.ines } }, errors: [] });
    expect(facade.postman.calls.length).toBeLessThanOrEqual(1);
  });
});

describe('a null that only appears during execution', () => {
  it('is reported as a mistake of the client, and does not affect other fields', async () => {
    const { status, data, errors } = await facade.query(
      'query ($u: ID = "x") { rateLimit { limit } collection(uid: $u) { name } }',
      { variables: { u: null } },
    );
    expect({ status, data, errors }).toEqual({
      status: 200,
      data: { rateLimit: { limit: 10_000 }, collection: null },
      errors: [
        {
          // The text of graphql 16, or of graphql 17.
          message: expect.stringMatching(
            /^Argument "uid" of non-null type "ID!" must not be null\.$|provided to non-null type "ID!" not to be null\.$/,
          ) as string,
          path: ['collection'],
          locations: [{ line: 1, column: 60 }],
          extensions: { code: 'BAD_USER_INPUT', retryable: false },
        },
      ],
    });
  });
});

/** 200,000 values, and more by what was read. */
const tooMany = expect.stringMatching(
  /^The operation would return or search more than [2-9]\d{5} values\. Select less per operation, or page through the lists\.$/,
) as unknown;

describe('a circular query', () => {
  it('is stopped before its response fills the memory', async () => {
    // Every request has a folder, which holds a dozen requests, each of which has a folder: two million nodes of one
    // call.
    const rounds = 4;
    const circle = `${'parent { items { '.repeat(rounds)} id ${'} } '.repeat(rounds)}`;
    const { status, data, errors, upstream } = await facade.query(
      `{ collection(uid: "${ids.collections.regression}") { requests(first: 100) { nodes { ${circle} } } } }`,
    );
    expect(status).toBe(200);
    expect(data).toBeUndefined();
    expect(errors.map(({ extensions }) => extensions)).toEqual([{ code: 'OPERATION_TOO_EXPENSIVE', retryable: false }]);
    expect(upstream.calls).toBe(1);
  });

  it.each([
    ['and makes the same mistake at each node', 2, 'parent { requests(first: 0) { totalCount } }'],
    ['with as many aliases on each node as it may', 3, times(98, (i) => `a${i}: name`)],
    [
      'and searches at each node',
      2,
      `parent { ${times(20, (i) => `a${i}: requests(filter: { search: "nothing like it" }) { totalCount }`)} }`,
    ],
  ])('is stopped before it takes a minute: %s', async (_how, rounds, selection) => {
    const circle = `${'parent { items { '.repeat(rounds)} ${selection} ${'} } '.repeat(rounds)}`;
    const { data, errors } = await facade.query(
      `{ collection(uid: "${ids.collections.regression}") { requests(first: 100) { nodes { ${circle} } } } }`,
    );
    expect(data).toBeUndefined();
    expect(errors.map(({ message, extensions }) => ({ message, ...extensions }))).toEqual([
      {
        message: tooMany,
        code: 'OPERATION_TOO_EXPENSIVE',
        retryable: false,
      },
    ]);
  });
});

it('lets a client select every field of a request', async () => {
  const schema = createSchema();
  const { data, errors } = await facade.query(
    `query ($uid: ID!) { collection(uid: $uid) { requests(first: 1) { nodes { collection { uid } ...R } } } } fragment R on Request ${everyField(schema, 'Request', { 'Request.collection': false, 'Folder.collection': false })}`,
    { variables: { uid: ids.collections.rides } },
  );
  expect(errors).toEqual([]);
  expect(data.collection.requests.nodes).toEqual([
    expect.objectContaining({ __typename: 'Request', method: expect.any(String) as unknown }),
  ]);
});

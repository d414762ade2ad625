import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FacadeResponse, type Facade, startFacade } from '../support/facade.ts';

/** An upstream that sends the test's text for every read of a collection. */
let upstream: Server;
let facade: Facade | undefined;
let send: (response: ServerResponse) => void;

beforeEach(async () => {
  upstream = createServer(({ url = '' }, response) => {
    response.setHeader('content-type', 'application/json');
    if (url.startsWith('/collections/hostile')) send(response);
    else response.end('{"collection":{"info":{"name":"Neighbour"},"item":[{"name":"Ping"}]}}');
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
});
afterEach(async () => {
  await facade?.close();
  facade = undefined;
  upstream.closeAllConnections();
  upstream.close();
});

const start = async (env: Record<string, string> = {}) => {
  const { port } = upstream.address() as AddressInfo;
  facade = await startFacade({ POSTMAN_API_BASE_URL: `http://127.0.0.1:${port}`, ...env });
  return facade;
};

const plain = ({ status, data, errors }: FacadeResponse) => ({ status, data, errors });
const collection = (fields: object) => ({ status: 200, data: { collection: fields }, errors: [] });

/**
 * Queries a collection while another client queries another one, and returns the result of the first. The second has to
 * succeed in any case.
 */
async function ask(collectionJson: string, selection: string, variables: Record<string, string | null> = {}) {
  const { query } = facade ?? (await start());
  send = (response) => response.end(`{"collection":${collectionJson}}`);
  const declared = Object.keys(variables).map((name) => `$${name}: String`);
  const head = declared.length === 0 ? '' : `query (${declared.join()})`;
  const hostile = query(`${head} { collection(uid: "hostile") ${selection} }`, { variables });
  const neighbour = query('{ collection(uid: "neighbour") { name requests { nodes { name } } } }');
  expect(plain(await neighbour)).toEqual(collection({ name: 'Neighbour', requests: { nodes: [{ name: 'Ping' }] } }));
  return plain(await hostile);
}

const tooMuchText = {
  status: 200,
  data: undefined,
  errors: [
    {
      message:
        'The operation would return more than 134217728 characters of text. Select less per operation, or page through the lists.',
      extensions: { code: 'OPERATION_TOO_EXPENSIVE', retryable: false },
    },
  ],
};
const tooManyValues = {
  ...tooMuchText,
  errors: [
    {
      // The bound depends on the size of what was read.
      message: expect.stringMatching(
        /^The operation would return or search more than \d+ values\. Select less per operation, or page through the lists\.$/,
      ) as unknown,
      extensions: { code: 'OPERATION_TOO_EXPENSIVE', retryable: false },
    },
  ],
};
const aliases = (count: number, field: string) =>
  Array.from({ length: count }, (_, index) => `a${index}: ${field}`).join(' ');

const tooDeep = {
  message: 'The value is nested deeper than 500 levels.',
  path: ['collection', 'json'],
  locations: [expect.anything()],
  extensions: { code: 'UPSTREAM_BAD_RESPONSE', retryable: false },
};

describe('a collection of 100,000 folders inside each other', () => {
  const depth = 100_000;
  const nested = `{"info":{},"item":[${'{"name":"f","item":['.repeat(depth)}{"name":"deep"}${']}'.repeat(depth)}]}`;

  it.each([['false'], ['true']])(
    'is answered in lists, and its JSON is refused: REVEAL_SECRETS=%s',
    async (REVEAL_SECRETS) => {
      await start({ REVEAL_SECRETS });
      const answer = await ask(
        nested,
        `{ items { __typename name }
         folders(first: 2) { totalCount nodes { path requests(filter: { search: "DEEP" }) { totalCount } } }
         requests { totalCount nodes { name path parent { name } effectiveAuth { type } } } json }`,
      );
      expect(answer).toEqual({
        status: 200,
        data: {
          collection: {
            items: [{ __typename: 'Folder', name: 'f' }],
            folders: {
              totalCount: depth,
              nodes: [
                { path: [], requests: { totalCount: 1 } },
                { path: ['f'], requests: { totalCount: 1 } },
              ],
            },
            requests: {
              totalCount: 1,
              nodes: [{ name: 'deep', path: Array(500).fill('f'), parent: { name: 'f' }, effectiveAuth: null }],
            },
            json: null,
          },
        },
        errors: [tooDeep],
      });
    },
  );
});

describe('a document that is nested too deeply outside of its items', () => {
  const deep = `${'['.repeat(600)}${']'.repeat(600)}`;

  it.each([
    ['masked', 'false'],
    ['revealed', 'true'],
  ])('has no JSON, %s or not, and everything else', async (_, revealSecrets) => {
    await start({ REVEAL_SECRETS: revealSecrets });
    expect(await ask(`{"info":{"name":"x"},"item":[],"more":${deep}}`, '{ name json }')).toEqual({
      status: 200,
      data: { collection: { name: 'x', json: null } },
      errors: [tooDeep],
    });
  });
});

describe('a folder of 160,000 requests', () => {
  const count = 160_000;
  const wide = `{"info":{},"item":[{"name":"all","item":[{"id":"first"}${',{}'.repeat(count - 2)},{"id":"last","name":"needle"}]}]}`;

  it('can be searched, and returned in one list, but not with every field', async () => {
    const search =
      '{ items { ... on Folder { requests(filter: { search: "needle" }) { totalCount nodes { itemId } } } } }';
    expect(await ask(wide, search)).toEqual(
      collection({ items: [{ requests: { totalCount: 1, nodes: [{ itemId: 'last' }] } }] }),
    );

    const { status, data, errors } = await ask(wide, '{ items { ... on Folder { items { name } } } }');
    const names: { name: string | null }[] = data.collection.items[0].items;
    expect({ status, errors, count: names.length, last: names.at(-1) }).toEqual({
      status: 200,
      errors: [],
      count,
      last: { name: 'needle' },
    });

    expect(await ask(wide, `{ items { ... on Folder { items { ${aliases(20, 'name')} } } } }`)).toEqual(tooManyValues);
  });
});

describe('keys that every object has', () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'then'];
  // Written as text: in an object literal __proto__ is no key.
  const map = `{${names.map((name) => `"${name}":"${name} value"`).join()}}`;
  const rows = names.map((name) => ({ key: name, value: `${name} value` }));

  it('are keys like all others, wherever keys are data', async () => {
    const request = `{"url":{"host":["a"],"query":${map},"variable":${map}},"header":${map},
      "body":{"mode":"urlencoded","urlencoded":${map}},"auth":{"type":"__proto__","__proto__":${map}}}`;
    const document = `{"info":{"__proto__":{"name":"stolen"}},"then":"now","__proto__":{"item":[{}],"variable":[{"key":"stolen"}]},"variable":${map},
        "auth":{"type":"constructor"},"event":{"__proto__":{"listen":"test"}},
        "item":[{"__proto__":{"name":"stolen","item":[]},"constructor":1,"toString":2,"variable":${map},"request":${request},
          "response":[{"__proto__":{"code":200},"header":${map}}],"protocolProfileBehavior":${map}}]}`;
    const answer = await ask(
      document,
      `{ name auth { type parameters { key } } scripts { listen } variables { key text } folders { totalCount }
         requests { nodes { __typename name settings variables { key text }
           url { query { key value } variables { key text } }
           headers { key value } body { ... on UrlEncodedBody { parameters { key value } } }
           auth { type parameters { key value } } examples { code headers { key value } } } } json }`,
    );
    const withheld = `{${names.map((name) => `"${name}":null`).join()}}`;
    const shownDocument = document.replace(
      `"auth":{"type":"__proto__","__proto__":${map}`,
      `"auth":{"type":"__proto__","__proto__":${withheld}`,
    );
    const variables = rows.map(({ key, value }) => ({ key, text: value }));
    const [asRead] = JSON.parse(`[${map}]`) as [object];
    expect(answer).toEqual(
      collection({
        name: null,
        auth: { type: 'constructor', parameters: [] },
        scripts: [{ listen: '' }],
        variables,
        folders: { totalCount: 0 },
        requests: {
          nodes: [
            {
              __typename: 'Request',
              name: null,
              settings: asRead,
              variables,
              url: { query: rows, variables },
              headers: rows,
              body: { parameters: rows },
              // Of an unknown type, names are shown, but no values.
              auth: { type: '__proto__', parameters: rows.map(({ key }) => ({ key, value: null })) },
              examples: [{ code: null, headers: rows }],
            },
          ],
        },
        json: JSON.parse(shownDocument) as unknown,
      }),
    );
    // toEqual does not distinguish a key from a prototype.
    expect(JSON.stringify(answer.data.collection.requests.nodes[0].settings)).toBe(JSON.stringify(asRead));
    expect(JSON.stringify(answer.data.collection.json)).toBe(JSON.stringify(JSON.parse(shownDocument)));
  });
});

describe('half a surrogate pair', () => {
  it('is unchanged in names, ids and cursors', async () => {
    const half = (letter: string) => `${letter}\uD83D`;
    const items = ['a', 'b', 'c'].map((letter) => ({ id: half(letter), name: half(letter), request: half(letter) }));
    const document = JSON.stringify({ info: { name: half('n') }, item: [{ name: half('f'), item: items }] });
    const page =
      '{ requests(first: 1, after: $after) { pageInfo { endCursor } nodes { itemId name path url { raw } } } }';
    let after: string | null = null;
    for (const letter of ['a', 'b', 'c']) {
      const answer = await ask(document, page, { after });
      after = answer.data.collection.requests.pageInfo.endCursor;
      expect(answer).toEqual(
        collection({
          requests: {
            pageInfo: { endCursor: expect.any(String) },
            nodes: [{ itemId: half(letter), name: half(letter), path: [half('f')], url: { raw: half(letter) } }],
          },
        }),
      );
    }
    const search = '{ requests(filter: { search: $search }) { nodes { name } } }';
    expect(await ask(document, search, { search: half('C') })).toEqual(
      collection({ requests: { nodes: [{ name: half('c') }] } }),
    );
  });
});

describe('a text of 10 MB', () => {
  const big = 'x'.repeat(10_000_000);

  it.each([
    ['as a name', { name: big }, 'name', { name: big }],
    [
      'as a body',
      { request: { body: { mode: 'raw', raw: big } } },
      'body { ... on RawBody { raw } }',
      { body: { raw: big } },
    ],
    [
      'as a line of a script',
      { event: [{ script: { exec: ['a', big] } }] },
      'scripts { source }',
      { scripts: [{ source: `a\n${big}` }] },
    ],
    [
      'as a URL',
      { request: big },
      'url { host port path query { key } variables { key } hash }',
      { url: { host: [big], port: null, path: [], query: [], variables: [], hash: null } },
    ],
    ['as an id', { id: big }, 'itemId', { itemId: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown }],
  ])('%s is answered', async (_where, item, selection, node) => {
    const answer = await ask(JSON.stringify({ info: {}, item: [item] }), `{ requests { nodes { ${selection} } } }`);
    expect(answer).toEqual(collection({ requests: { nodes: [node] } }));
  });

  it.each([
    ['name', { name: big }],
    ['uid', { uid: big }],
    ['method', { request: { method: big } }],
    ['url { protocol }', { request: { url: { host: ['a'], protocol: big } } }],
    ['url { host }', { request: { url: { host: [big] } } }],
    ['url { query { key } }', { request: { url: { host: ['a'], query: [{ key: big }] } } }],
    ['headers { key }', { request: { header: [{ key: big }] } }],
    ['auth { type }', { request: { auth: { type: big } } }],
    ['auth { parameters { value } }', { request: { auth: { type: 'jwt', jwt: [{ key: 'payload', value: [big] }] } } }],
    ['variables { description }', { variable: [{ description: big }] }],
    ['scripts { language }', { event: [{ script: { type: big } }] }],
    ['examples { status }', { response: [{ status: big }] }],
    ['settings', { protocolProfileBehavior: [big] }],
  ])('is not returned a hundred times: %s', async (field, item) => {
    const answer = await ask(
      JSON.stringify({ info: {}, item: [item] }),
      `{ requests { nodes { ${aliases(99, field)} } } }`,
    );
    expect(answer).toEqual(tooMuchText);
  });

  it('as the name of a folder is not returned once for each request in it', async () => {
    const document = { info: {}, item: [{ name: big, item: Array.from({ length: 100 }, () => ({})) }] };
    expect(await ask(JSON.stringify(document), '{ requests(first: 100) { nodes { path } } }')).toEqual(tooMuchText);
  });

  it('counts as it is written: control characters are six times as long', async () => {
    const document = { info: {}, item: [{ name: '\u0001'.repeat(5_000_000) }] };
    const names = `{ requests { nodes { ${aliases(5, 'name')} } } }`;
    expect(await ask(JSON.stringify(document), names)).toEqual(tooMuchText);
  });
});

describe('one id for everything', () => {
  it('still gives every item a unique id, by which paging works', async () => {
    const item = { id: 'same', uid: '1-same', name: 'r' };
    const document = JSON.stringify({ info: {}, item: [{ ...item, item: Array.from({ length: 250 }, () => item) }] });
    const ids: string[] = [];
    let after: string | null = null;
    for (const expected of [100, 100, 50]) {
      const { status, data, errors } = await ask(
        document,
        '{ requests(first: 100, after: $after) { totalCount pageInfo { hasNextPage endCursor } nodes { id uid } } }',
        { after },
      );
      const { totalCount, pageInfo, nodes } = data.collection.requests;
      expect({ status, errors, totalCount, nodes: nodes.length }).toEqual({
        status: 200,
        errors: [],
        totalCount: 250,
        nodes: expected,
      });
      expect(pageInfo.hasNextPage).toBe(expected === 100);
      ids.push(...nodes.map(({ id }: { id: string }) => id));
      after = pageInfo.endCursor;
    }
    expect(new Set(ids).size).toBe(250);
    // The folder was first.
    expect(ids).not.toContain('same');
  });
});

describe('a body larger than MAX_RESPONSE_BYTES', () => {
  it('is refused by that name, and read no further', async () => {
    const limit = 1_048_576;
    const { query } = await start({ MAX_RESPONSE_BYTES: String(limit) });
    let writtenBytes = 0;
    let isGone = false;
    send = (response) => {
      const { socket } = response;
      const part = 'x'.repeat(65_536);
      response.on('close', () => {
        writtenBytes = socket?.bytesWritten ?? Number.NaN;
        isGone = true;
      });
      response.write('{"collection":{"info":{"name":"');
      // A gigabyte, as long as the client reads.
      const write = (left: number) => {
        if (left > 0 && !response.destroyed) response.write(part, () => write(left - 1));
      };
      write(16_384);
    };
    const [hostile, neighbour] = await Promise.all([
      query('{ collection(uid: "hostile") { requests { totalCount } } }'),
      query('{ collection(uid: "neighbour") { requests { totalCount } } }'),
    ]);
    expect(plain(neighbour)).toEqual(collection({ requests: { totalCount: 1 } }));
    expect(plain(hostile)).toEqual({
      status: 200,
      data: { collection: null },
      errors: [
        {
          message: `Postman's response is larger than MAX_RESPONSE_BYTES, ${limit} bytes.`,
          path: ['collection'],
          locations: [expect.anything()],
          extensions: {
            code: 'UPSTREAM_BAD_RESPONSE',
            retryable: false,
            upstream: { status: 200, method: 'GET', route: '/collections/{uid}' },
          },
        },
      ],
    });
    await expect.poll(() => isGone).toBe(true);
    // The bytes written beyond the limit filled the buffers of the two sockets.
    expect(writtenBytes).toBeGreaterThan(limit);
    expect(writtenBytes).toBeLessThan(32 * limit);
  });
});

describe('numbers out of bounds', () => {
  it('are returned as near as JavaScript can represent them, or not at all', async () => {
    const answer = await ask(
      `{"info":{},"variable":[{"key":"a","value":9007199254740993},{"key":"b","value":1e400},{"key":"c","value":-1e-400}],
        "item":[{"id":12345678901234567890,"name":1e21,"request":{"method":1,"url":{"host":["a"],"port":99999999999999999999}},
          "response":[{"code":9007199254740993,"responseTime":1e400},{"code":2147483648,"responseTime":"9007199254740993"}]}]}`,
      `{ variables { key value text }
         requests { nodes { itemId name method url { port } examples { code responseTimeMs } } } }`,
    );
    expect(answer).toEqual(
      collection({
        variables: [
          { key: 'a', value: 9_007_199_254_740_992, text: '9007199254740992' },
          { key: 'b', value: null, text: 'Infinity' },
          { key: 'c', value: 0, text: '0' },
        ],
        requests: {
          nodes: [
            {
              itemId: '12345678901234567000',
              name: '1e+21',
              method: '1',
              url: { port: '100000000000000000000' },
              examples: [
                { code: null, responseTimeMs: null },
                { code: null, responseTimeMs: 9_007_199_254_740_992 },
              ],
            },
          ],
        },
      }),
    );
  });
});

describe('lists in place of objects', () => {
  const wrongShape = (message: string) => ({
    status: 200,
    data: { collection: null },
    errors: [
      {
        message: `Postman's response does not have the shape of this route. ${message}`,
        path: ['collection'],
        locations: [expect.anything()],
        extensions: {
          code: 'UPSTREAM_BAD_RESPONSE',
          retryable: false,
          upstream: { status: 200, method: 'GET', route: '/collections/{uid}' },
        },
      },
    ],
  });

  it.each([
    ['a collection', '[]', 'The response has no object "collection".'],
    ['its info', '{"info":[],"item":[]}', 'The response has no object "info".'],
  ])('%s is an error that says so', async (_what, document, message) => {
    expect(await ask(document, '{ requests { totalCount } }')).toEqual(wrongShape(message));
  });

  it('count as empty further down', async () => {
    const answer = await ask(
      `{"info":{},"auth":[],"event":[[]],"variable":[[]],"item":[[{}],{"request":[],"response":[[]],"auth":[],"event":[[]]},
        {"request":{"url":[],"header":[[]],"body":[],"auth":[[]]}},{"item":[[]],"auth":[]}]}`,
      `{ auth { type } scripts { listen } variables { key } folders { nodes { name items { id } auth { type } } }
         requests { nodes { name url { raw } headers { key } body { __typename } auth { type } scripts { listen } examples { id } } } }`,
    );
    const nothing = { name: null, url: null, headers: [], body: null, auth: null, scripts: [], examples: [] };
    expect(answer).toEqual(
      collection({
        auth: null,
        scripts: [],
        variables: [],
        folders: { nodes: [{ name: null, items: [], auth: null }] },
        requests: { nodes: [nothing, nothing] },
      }),
    );
  });
});

describe('a folder of a hundred requests', () => {
  const names = Array.from({ length: 100 }, (_, index) => ({
    name: `r${index}`,
    request: { url: 'https://a.example' },
  }));
  const text = JSON.stringify({ info: {}, item: [{ name: 'all', item: names }] });

  it('is returned with every request a hundred times, but not with every one a thousand times', async () => {
    const round = (inside: string) => `requests(first: 100) { nodes { parent { ${inside} } } }`;
    const { status, data, errors } = await ask(text, `{ ${round('requests(first: 100) { nodes { name } }')} }`);
    const [first] = data.collection.requests.nodes;
    expect({ status, errors, count: data.collection.requests.nodes.length, first }).toEqual({
      status: 200,
      errors: [],
      count: 100,
      first: { parent: { requests: { nodes: names.map(({ name }) => ({ name })) } } },
    });

    const everything = `{ ${round(round(round('requests(first: 100) { nodes { id } }')))} }`;
    expect(await ask(text, everything)).toEqual(tooManyValues);
  });
});

describe('a folder of a hundred long descriptions', () => {
  const description = 'long '.repeat(4_000);
  const text = JSON.stringify({ info: {}, item: [{ item: Array.from({ length: 100 }, () => ({ description })) }] });
  const search = 'requests(filter: { search: "nothing like it" }) { totalCount }';

  it('can be searched, but not a thousand times', async () => {
    expect(await ask(text, `{ ${search} }`)).toEqual(collection({ requests: { totalCount: 0 } }));
    expect(await ask(text, `{ requests { nodes { parent { ${aliases(90, search)} } } } }`)).toEqual(tooManyValues);
  });
});

describe('a collection of 10,000 requests', () => {
  const folder = (_: unknown, index: number) => ({
    name: `f${index}`,
    item: Array.from({ length: 100 }, (_, request) => ({
      name: `r${request}`,
      request: { url: 'https://a.example/b' },
    })),
  });
  const text = JSON.stringify({ info: {}, item: Array.from({ length: 100 }, folder) });
  const selection =
    'name path ... on Request { method url { raw host path } headers { key value } body { __typename } }';

  it('is returned whole, and other clients are served meanwhile', async () => {
    send = (response) => response.end(`{"collection":${text}}`);
    const { query } = await start();
    const whole = `{ collection(uid: "hostile") { items { ${selection} ... on Folder { items { ${selection} } } } } }`;
    await query(whole);
    const events: string[] = [];
    const long = query(whole).then(({ data, errors, upstream }) => {
      events.push('whole');
      return { folders: data.collection.items, errors, calls: upstream.calls };
    });
    for (let others = 0; others < 5; others++) {
      await query('{ rateLimit { limit } }');
      events.push('other');
    }
    const { folders, errors, calls } = await long;
    expect(events).toEqual([...Array.from({ length: 5 }, () => 'other'), 'whole']);
    expect({ errors, calls, count: folders.length }).toEqual({ errors: [], calls: 0, count: 100 });
    expect(folders[99]).toEqual({
      name: 'f99',
      path: [],
      items: Array.from({ length: 100 }, (_, request) => ({
        name: `r${request}`,
        path: ['f99'],
        method: 'GET',
        url: { raw: 'https://a.example/b', host: ['a', 'example'], path: ['b'] },
        headers: [],
        body: null,
      })),
    });
  });

  it('fails as a whole if one of its folders fails, even while others are still being resolved', async () => {
    const failing = `{ items { ... on Folder { items { ${selection} } folders(first: 0) { totalCount } } } }`;
    const { status, data, errors } = await ask(text, failing);
    expect({ status, data }).toEqual({ status: 200, data: { collection: { items: null } } });
    expect(errors[0]).toMatchObject({
      message: '"first" is 0; it must be from 1 to 100.',
      path: ['collection', 'items', expect.any(Number), 'folders'],
      extensions: { code: 'BAD_USER_INPUT', retryable: false },
    });
  });
});

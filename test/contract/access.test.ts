import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Facade, startFacade } from '../support/facade.ts';

let facade: Facade;
afterEach(() => facade.close());

const me = '{ me { username } }';
const myself = { me: { username: 'ines-aldana' } };
const json = { 'content-type': 'application/json' };

/** Sends a raw request to any path, and reads the response. */
async function send(
  path: string,
  { method = 'POST', headers = json, body }: { method?: string; headers?: Record<string, string>; body?: string } = {},
) {
  const response = await fetch(new URL(path, facade.url), {
    method,
    headers,
    redirect: 'manual',
    ...(method === 'POST' && { body: body ?? JSON.stringify({ query: me }) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  const parsed = isJson ? JSON.parse(text) : {};
  return { status: response.status, headers: response.headers, text, data: parsed.data, errors: parsed.errors };
}

/** Like `send`, with a custom `Host`, which fetch does not allow. */
async function sendAs(host: string) {
  const { hostname, port } = new URL(facade.url);
  const request = httpRequest({ host: hostname, port, path: '/graphql', method: 'POST', headers: { ...json, host } });
  request.end(JSON.stringify({ query: me }));
  const [response] = await once(request, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode as number, body: text === '' ? undefined : JSON.parse(text) };
}

const refusal = (code: string) => [{ message: expect.any(String), extensions: { code, retryable: false } }];

const SENT_TWICE = 'It contains white space, a comma or a semicolon: the key was sent twice, or with something else.';
const NOT_WHOLE =
  'It does not have the form of a complete API key (PMAK-, 24 characters, a hyphen, 34 characters): it may have been cut off, or be a placeholder.';

describe('the API key', () => {
  const keys = () => facade.postman.arrivals.map(({ keyIndex }) => keyIndex);

  it("of the request takes precedence over the server's", async () => {
    facade = await startFacade({}, { otherApiKeys: ['PMAK-of-the-client'] });
    await facade.query(me);
    await facade.query(me, { headers: { 'x-api-key': 'PMAK-of-the-client' } });
    expect(keys()).toEqual([0, 1]);
  });

  it.each(['', '   '])('of the server stands in for an empty header: "%s"', async (value) => {
    facade = await startFacade();
    expect((await facade.query(me, { headers: { 'x-api-key': value } })).data).toEqual(myself);
    expect(keys()).toEqual([0]);
  });

  it('of the request is used by a server without one', async () => {
    facade = await startFacade({ POSTMAN_API_KEY: '' });
    const answer = await facade.query(me, { headers: { 'x-api-key': facade.postman.apiKey } });
    expect(answer.data).toEqual(myself);
  });

  it('is required, and its absence is reported without a call', async () => {
    facade = await startFacade({ POSTMAN_API_KEY: '' });
    const { status, data, errors } = await facade.query(`{ me { username } rateLimit { limit } }`);
    expect({ status, data, errors }).toEqual({
      status: 200,
      data: { me: null, rateLimit: null },
      errors: [
        {
          message: 'There is no API key: send one in the X-Api-Key header.',
          path: ['me'],
          locations: [{ line: 1, column: 3 }],
          extensions: { code: 'UNAUTHENTICATED', retryable: false, upstream: { method: 'GET', route: '/me' } },
        },
      ],
    });
    expect(facade.postman.calls).toEqual([]);
  });

  it.each([
    ['two of them', 'PMAK-one, PMAK-two', SENT_TWICE],
    ['a blank inside', 'PMAK one', SENT_TWICE],
    ['a word before it', 'Bearer PMAK-one', 'There is a word before the key, such as Bearer: send the key alone.'],
    ['a letter that is not ASCII', 'PMAK-\u00e9', NOT_WHOLE],
    ['a tab', 'PMAK-\tone', SENT_TWICE],
    ['more than any key', 'PMAK-'.padEnd(257, 'k'), NOT_WHOLE],
  ])('is refused when it has %s', async (_what, value, advice) => {
    facade = await startFacade();
    const { status, data, errors } = await facade.query(me, { headers: { 'x-api-key': value } });
    expect({ status, data, errors }).toEqual({
      status: 400,
      data: undefined,
      errors: [
        {
          message: `X-Api-Key must be sent once and contain one Postman API key. ${advice}`,
          extensions: { code: 'BAD_USER_INPUT', retryable: false },
        },
      ],
    });
    expect(facade.postman.calls).toEqual([]);
  });

  it('is refused when it is sent in two headers', async () => {
    facade = await startFacade();
    const { hostname, port } = new URL(facade.url);
    const request = httpRequest({ host: hostname, port, path: '/graphql', method: 'POST', headers: json });
    request.setHeader('x-api-key', [facade.postman.apiKey, facade.postman.apiKey]);
    request.end(JSON.stringify({ query: me }));
    const [response] = await once(request, 'response');
    response.resume();
    expect(response.statusCode).toBe(400);
    expect(facade.postman.calls).toEqual([]);
  });

  it('that Postman refuses is reported with the reason, also from the cache', async () => {
    facade = await startFacade();
    const { host } = new URL(facade.postman.origin);
    const advice =
      'It begins with PMAT-, so it is a collection access key, which reads one collection and nothing else. Send an API key, which begins with PMAK-.';
    const apiKey = `PMAT-${'0123456789abcdef'.repeat(3)}`;
    for (let time = 0; time < 2; time++) {
      const { errors } = await facade.query(me, { headers: { 'x-api-key': apiKey } });
      expect(errors.map(({ message }) => message)).toEqual([
        `Postman refused the API key (status 401). The response says: Invalid API Key. A request needs a valid key. The key was sent to ${host}. ${advice}`,
      ]);
      expect(JSON.stringify([errors, facade.log])).not.toContain('0123456789abcdef');
    }
    expect(facade.postman.calls).toHaveLength(1);
  });

  it('is no other header, no parameter and no variable', async () => {
    facade = await startFacade({ POSTMAN_API_KEY: '' });
    const { apiKey } = facade.postman;
    const { errors } = await send(`/graphql?apikey=${apiKey}`, {
      headers: { ...json, authorization: `Bearer ${apiKey}`, 'postman-api-key': apiKey },
    });
    expect(errors).toMatchObject([
      {
        message:
          'There is no API key: send one in the X-Api-Key header. The authorization header is not read as a key.',
        extensions: { code: 'UNAUTHENTICATED' },
      },
    ]);
    expect(facade.postman.calls).toEqual([]);
    expect((await send(`/graphql?apikey=${apiKey}`, { headers: json })).errors).toMatchObject([
      {
        message:
          'There is no API key: send one in the X-Api-Key header. A key in the URL is not read, and should be replaced, because URLs end up in logs.',
      },
    ]);
  });
});

describe('the access token', () => {
  const authorization = 'Bearer t0ken';

  it.each<[string, Record<string, string>]>([
    ['missing', {}],
    ['wrong', { authorization: 'Bearer t0kem' }],
    ['half of it', { authorization: 'Bearer t0ke' }],
    ['under another scheme', { authorization: 'Basic t0ken' }],
    ['without a scheme', { authorization: 't0ken' }],
    ['empty', { authorization: 'Bearer ' }],
    ['sent as the API key', { 'x-api-key': 't0ken' }],
  ])('is required: %s', async (_what, headers) => {
    facade = await startFacade({ ACCESS_TOKEN: 't0ken' });
    const answer = await send('/graphql', { headers: { ...json, ...headers } });
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect({ data: answer.data, errors: answer.errors }).toEqual({ errors: refusal('UNAUTHENTICATED') });
    expect(facade.postman.calls).toEqual([]);
  });

  it.each([
    ['application/json', 'application/json'],
    ['application/graphql-response+json, application/json;q=0.9', 'application/graphql-response+json'],
  ])('is asked for in the content type that %s names', async (accept, type) => {
    facade = await startFacade({ ACCESS_TOKEN: 't0ken' });
    const answer = await send('/graphql', { headers: { ...json, accept } });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([401, `${type}; charset=utf-8`]);
  });

  it('lets in', async () => {
    facade = await startFacade({ ACCESS_TOKEN: 't0ken' });
    expect((await facade.query(me, { headers: { authorization } })).data).toEqual(myself);
    expect((await facade.query(me, { headers: { authorization: 'bearer  t0ken' } })).data).toEqual(myself);
  });

  it.each(['/graphql/', '/x/graphql', '/x?y=/graphql', '/health?x=/graphql', '/health/graphql', '//graphql'])(
    'is wanted at every address that is served: %s',
    async (path) => {
      facade = await startFacade({ ACCESS_TOKEN: 't0ken' });
      expect((await send(`${new URL(facade.url).origin}${path}`)).status).toBe(401);
      expect(facade.postman.calls).toEqual([]);
    },
  );

  it.each(['true', 'false'])('is wanted for data even by who can read pages, GRAPHIQL=%s', async (graphiql) => {
    facade = await startFacade({ ACCESS_TOKEN: 't0ken', GRAPHIQL: graphiql });
    const headers = { accept: 'application/json, text/html', 'x-graphql-yoga-csrf': '1' };
    for (const path of ['/graphql', '/graphql/', '/x/graphql']) {
      const { data } = await send(`${path}?query=${encodeURIComponent(me)}`, { method: 'GET', headers });
      expect(data).toBeUndefined();
    }
    expect(facade.postman.calls).toEqual([]);
  });

  it('is not required for the page, for the health check and for a preflight', async () => {
    facade = await startFacade({ ACCESS_TOKEN: 't0ken', CORS_ORIGINS: 'https://app.example' });
    const statuses = await Promise.all([
      send('/graphql', { method: 'GET', headers: { accept: 'text/html' } }),
      send('/health', { method: 'GET', headers: {} }),
      send('/graphql', {
        method: 'OPTIONS',
        headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
      }),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([200, 200, 204]);
  });
});

describe('a server on loopback', () => {
  const port = () => new URL(facade.url).port;

  it.each(['localhost', 'LOCALHOST', '127.0.0.1', '127.1.2.3', '[::1]', 'localhost.'])(
    'answers to its own names: %s',
    async (host) => {
      facade = await startFacade();
      expect((await sendAs(`${host}:${port()}`)).body.data).toEqual(myself);
    },
  );

  it.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil.example:4000',
    '192.168.0.1',
    '0.0.0.0',
  ])('serves no other host name: "%s"', async (host) => {
    facade = await startFacade();
    expect(await sendAs(host)).toEqual({ status: 403, body: { errors: refusal('FORBIDDEN') } });
    expect(facade.postman.calls).toEqual([]);
  });

  it('serves the host names of ALLOWED_HOSTS', async () => {
    facade = await startFacade({ ALLOWED_HOSTS: 'graphql.test, api.test:8080' });
    const statuses: Record<string, number> = {};
    for (const host of ['graphql.test', 'graphql.test:9', 'api.test:8080', 'api.test', 'x.graphql.test'])
      statuses[host] = (await sendAs(host)).status;
    expect(statuses).toEqual({
      'graphql.test': 200,
      'graphql.test:9': 200,
      'api.test:8080': 200,
      'api.test': 403,
      'x.graphql.test': 403,
    });
  });

  it.each([
    ['no Host', 'POST /graphql HTTP/1.1'],
    ['an empty Host', 'POST /graphql HTTP/1.1\r\nHost:'],
    ['a list of Hosts', 'POST /graphql HTTP/1.1\r\nHost: localhost, evil.example'],
    ['a user before the Host', 'POST /graphql HTTP/1.1\r\nHost: localhost@evil.example'],
    ['two ports', 'POST /graphql HTTP/1.1\r\nHost: localhost:80:80'],
    ['a number', 'POST /graphql HTTP/1.1\r\nHost: 2130706433'],
    ['half an address', 'POST /graphql HTTP/1.1\r\nHost: [::1'],
    ['a path in the Host', 'POST /graphql HTTP/1.1\r\nHost: evil.example/localhost'],
    ['no Host of an old client', 'POST /graphql HTTP/1.0'],
    ['a target that is no path', 'POST @evil.example/graphql HTTP/1.1\r\nHost: localhost'],
    ['a whole address of somebody else', 'POST http://evil.example/graphql HTTP/1.1\r\nHost: evil.example'],
    [
      'a forwarded Host',
      'POST /graphql HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: localhost\r\nForwarded: host=localhost',
    ],
    ['two lengths', 'POST /graphql HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked'],
  ])('is not deceived by %s', async (_what, head) => {
    facade = await startFacade();
    const body = JSON.stringify({ query: me });
    const socket = connect(Number(port()), '127.0.0.1');
    const rest = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
    socket.end(`${head}\r\n${rest}`);
    let text = '';
    for await (const chunk of socket) text += chunk;
    expect(text).toMatch(/^HTTP\/1\.1 (?:400|403) /);
    expect(text).not.toContain('node_modules');
    expect(facade.postman.calls).toEqual([]);
  });
});

describe('a foreign web page', () => {
  const address = `/graphql?query=${encodeURIComponent(me)}`;

  it.each<[string, number, string, Parameters<typeof send>[1]]>([
    ['a link', 403, address, { method: 'GET', headers: { 'sec-fetch-site': 'cross-site' } }],
    ['a link of a sibling host', 403, address, { method: 'GET', headers: { 'sec-fetch-site': 'same-site' } }],
    ['a link in a mail', 403, address, { method: 'GET', headers: { 'sec-fetch-site': 'none' } }],
    ['a link in an old browser', 403, address, { method: 'GET', headers: { 'user-agent': 'Mozilla/5.0 (Macintosh)' } }],
    ['a script', 403, address, { method: 'GET', headers: { origin: 'https://evil.example' } }],
    [
      'a link with a type',
      403,
      address,
      { method: 'GET', headers: { 'sec-fetch-site': 'cross-site', 'content-type': 'text/plain' } },
    ],
    [
      'a form',
      415,
      '/graphql',
      { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `query=${me}` },
    ],
    ['a form of text', 415, '/graphql', { headers: { 'content-type': 'text/plain' } }],
    ['a form of text, spelt otherwise', 415, '/graphql', { headers: { 'content-type': ' Text/Plain;charset=utf-8' } }],
    ['text that mentions JSON', 415, '/graphql', { headers: { 'content-type': 'text/plain; application/json' } }],
    ['a form of parts', 415, '/graphql', { headers: { 'content-type': 'multipart/form-data; boundary=x' } }],
    ['two types', 415, '/graphql', { headers: { 'content-type': 'text/plain, application/json' } }],
  ])('cannot send a query by %s', async (_what, status, path, init) => {
    facade = await startFacade();
    const answer = await send(path, init);
    expect(answer).toMatchObject({ status, data: undefined });
    expect(answer.errors).toEqual(refusal(status === 403 ? 'FORBIDDEN' : 'BAD_REQUEST'));
    expect(facade.postman.calls).toEqual([]);
  });

  it.each<[string, string, Parameters<typeof send>[1]]>([
    ['a POST of JSON', '/graphql', {}],
    ['a POST of JSON with a charset', '/graphql', { headers: { 'content-type': 'application/json; charset=utf-8' } }],
    [
      'a POST of JSON, spelt otherwise',
      '/graphql',
      { headers: { 'content-type': 'Application/JSON ;charset="UTF-8"' } },
    ],
    ...[
      'x-graphql-yoga-csrf',
      'apollo-require-preflight',
      'x-apollo-operation-name',
      'graphql-require-preflight',
      'graphql-preflight',
    ].map((name): [string, string, Parameters<typeof send>[1]] => [
      `a GET with ${name}`,
      address,
      { method: 'GET', headers: { 'sec-fetch-site': 'cross-site', [name]: 'Name' } },
    ]),
    [
      'a GET with a type of no form',
      address,
      { method: 'GET', headers: { 'sec-fetch-site': 'cross-site', 'content-type': 'application/json' } },
    ],
  ])('needs a preflight of the browser for %s, which works', async (_what, path, init) => {
    facade = await startFacade();
    const { status, data } = await send(path, init);
    expect({ status, data }).toEqual({ status: 200, data: myself });
  });

  it.each<[string, Record<string, string>]>([
    ['the page is its own', { 'sec-fetch-site': 'same-origin', 'user-agent': 'Mozilla/5.0' }],
    ['the page is of CORS_ORIGINS', { 'sec-fetch-site': 'cross-site', origin: 'https://app.example' }],
    ['no browser sent it', { 'user-agent': 'curl/8.5.0' }],
  ])('is not what sent a GET if %s', async (_what, headers) => {
    facade = await startFacade({ CORS_ORIGINS: 'https://app.example' });
    const { status, data } = await send(address, { method: 'GET', headers });
    expect({ status, data }).toEqual({ status: 200, data: myself });
  });

  const origin = 'https://app.example';
  const preflight = (from: string, requested = 'content-type,x-api-key') =>
    send('/graphql', {
      method: 'OPTIONS',
      headers: {
        origin: from,
        'access-control-request-method': 'POST',
        'access-control-request-headers': requested,
      },
    });
  const cors = (headers: Headers) =>
    Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control')));

  it('may read nothing by default', async () => {
    facade = await startFacade();
    expect(cors((await preflight(origin)).headers)).toEqual({});
    expect(cors((await send('/graphql', { headers: { ...json, origin } })).headers)).toEqual({});
  });

  it('of CORS_ORIGINS may read answers and what they say about limits', async () => {
    facade = await startFacade({ CORS_ORIGINS: `${origin}, https://other.example` });
    const asked = await preflight(origin);
    expect(asked.status).toBe(204);
    expect(cors(asked.headers)).toEqual({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'content-type, x-api-key',
      'access-control-max-age': '86400',
    });
    expect(asked.headers.get('vary')).toBe('Origin, Access-Control-Request-Headers');
    const answer = await send('/graphql', { headers: { ...json, origin } });
    expect(answer.data).toEqual(myself);
    expect(cors(answer.headers)).toEqual({
      'access-control-allow-origin': origin,
      'access-control-expose-headers':
        'Age, Retry-After, RateLimit, RateLimit-Policy, Preference-Applied, X-Request-Id',
    });
    expect(answer.headers.get('vary')).toBe('Origin, Accept, X-Api-Key, Authorization, Accept-Encoding');
  });

  it('of CORS_ORIGINS may send the headers that it requests, within a limit', async () => {
    facade = await startFacade({ CORS_ORIGINS: origin });
    const granted = async (requested: string) =>
      (await preflight(origin, requested)).headers.get('access-control-allow-headers');
    const ofLibraries = 'apollographql-client-name,baggage,content-type,sentry-trace,traceparent,x-request-id';
    expect(await granted(ofLibraries)).toBe(ofLibraries.replaceAll(',', ', '));
    expect(await granted('X-Mine , "quoted", two words, ')).toBe('x-mine');
    expect(await granted(`${'x'.repeat(65)},ok`)).toBe('ok');
    expect(await granted('()')).toBeNull();
    const many = Array.from({ length: 70 }, (_, index) => `x-${index}`);
    expect(await granted(many.join(','))).toBe(many.slice(0, 64).join(', '));
  });

  it('of CORS_ORIGINS may read why it is refused', async () => {
    facade = await startFacade({ CORS_ORIGINS: origin, ACCESS_TOKEN: 't0ken' });
    const refused = await send('/graphql', { headers: { ...json, origin } });
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, origin]);
  });

  it.each(['https://evil.example', 'http://app.example', 'https://app.example.evil.example', 'null'])(
    'of another origin is not let in: %s',
    async (other) => {
      facade = await startFacade({ CORS_ORIGINS: `${origin},https://other.example` });
      for (const { headers } of [
        await preflight(other),
        await send('/graphql', { headers: { ...json, origin: other } }),
      ])
        expect([other, '*']).not.toContain(headers.get('access-control-allow-origin'));
    },
  );
});

describe('other paths', () => {
  it('is the GraphiQL page, without the key and without anything from elsewhere', async () => {
    facade = await startFacade();
    const { status, headers, text } = await send('/graphql', { method: 'GET', headers: { accept: 'text/html' } });
    expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(text).toMatch(/<html/i);
    expect(text.includes(facade.postman.apiKey)).toBe(false);
    expect(text.match(/<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=["']?(?:https?:)?\/\/[^>]*>/gi)).toBeNull();
    expect(facade.postman.calls).toEqual([]);
  });

  it('is no page where GRAPHIQL is off', async () => {
    facade = await startFacade({ GRAPHIQL: 'false' });
    const { status, text } = await send('/graphql', { method: 'GET', headers: { accept: 'text/html' } });
    expect(status).toBe(406);
    expect(text).not.toMatch(/<html/i);
  });

  it('is the health check, and nothing at any other path', async () => {
    facade = await startFacade();
    const paths = ['/health', '/graphiql', '/metrics', '/graphql.json', '/../../etc/passwd'];
    const statuses = await Promise.all(paths.map((path) => send(path, { method: 'GET', headers: {} })));
    expect(statuses.map(({ status }) => status)).toEqual([200, 404, 404, 404, 404]);
    expect(statuses.map(({ text }) => text).slice(0, 1)).toEqual(['{"status":"ok"}\n']);
    for (const { errors } of statuses.slice(1)) expect(errors).toEqual(refusal('BAD_REQUEST'));
    expect(facade.postman.calls).toEqual([]);
  });
});

describe('the log', () => {
  const lines = () =>
    facade.log
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ msg }) => msg === 'request refused')
      .map(({ level, method, status }) => ({ level, method, status }));

  it('has a line for each request that is turned away before it is read, and none for the page or the health check', async () => {
    facade = await startFacade();
    await sendAs('evil.example');
    await fetch(`${facade.url}?query={me{username}}`, { headers: { 'sec-fetch-site': 'cross-site' } });
    await fetch(facade.url, { method: 'POST', body: 'query={me{username}}' });
    await fetch(facade.url, { headers: { accept: 'text/html' } });
    await fetch(new URL('/health', facade.url));
    expect(lines()).toEqual([
      { level: 30, method: 'POST', status: 403 },
      { level: 30, method: 'GET', status: 403 },
      { level: 30, method: 'POST', status: 415 },
    ]);
    expect(facade.log.join()).not.toContain('username');
  });
});

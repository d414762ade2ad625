import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';

let facade: Facade;
afterEach(() => facade.close());

const me = '{ me { username } }';
const json = { 'content-type': 'application/json' };
const busy = { kind: 'status', status: 503, headers: { 'Retry-After': '60' } } as const;

interface Headers {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Sends a raw request; the response is not decoded. */
function ask({
  method = 'POST',
  headers = json,
  body,
}: {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}): Promise<Headers> {
  return new Promise((resolve, reject) => {
    const asked = request(facade.url, { method, headers }, (response) => {
      response.resume();
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers }));
      response.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

const query = (text: string, more: object = {}) => JSON.stringify({ query: text, ...more });

/** The headers of a response that control caching. */
function told({ status, headers }: Headers) {
  const names = ['cache-control', 'vary', 'age', 'retry-after', 'ratelimit', 'preference-applied'];
  return [
    status,
    Object.fromEntries(
      names.flatMap((name) => {
        const value = headers[name];
        return value === undefined ? [] : [[name, name === 'ratelimit' ? 'told' : value]];
      }),
    ),
  ];
}

const uncached = { 'cache-control': 'private, no-store', vary: 'Accept, X-Api-Key, Authorization, Accept-Encoding' };
const ofAKey = { ...uncached, ratelimit: 'told' };

describe('caching headers of a response', () => {
  interface Kind {
    readonly what: string;
    readonly env?: Record<string, string>;
    /** An earlier query. */
    readonly before?: string;
    readonly breakDown?: () => void;
    readonly asked: Parameters<typeof ask>[0];
    readonly says: readonly [number, Readonly<Record<string, string>>];
  }

  it.each<Kind>([
    { what: 'data', asked: { body: query(me) }, says: [200, ofAKey] },
    { what: 'cached data', before: me, asked: { body: query(me) }, says: [200, { ...ofAKey, age: '0' }] },
    {
      what: 'data that may wait',
      asked: { body: query(me), headers: { ...json, prefer: 'wait=0' } },
      says: [200, { ...ofAKey, 'preference-applied': 'wait=1' }],
    },
    {
      what: 'data, and an error that has a time',
      breakDown: () => facade.postman.fail('/me', busy),
      asked: { body: query(`{ me { username } environment(uid: "${ids.environments.staging}") { name } }`) },
      says: [200, { ...ofAKey, 'retry-after': '60' }],
    },
    {
      what: 'two errors, of which the second is over first',
      breakDown: () => {
        facade.postman.fail('/me', busy);
        facade.postman.fail('/environments', { ...busy, headers: { 'Retry-After': '20' } });
      },
      asked: { body: query(`{ me { username } environment(uid: "${ids.environments.staging}") { name } }`) },
      says: [200, { ...ofAKey, 'retry-after': '60' }],
    },
    { what: 'no query', asked: { body: '{' }, says: [400, ofAKey] },
    { what: 'a query that does not fit the schema', asked: { body: query('{ nothing }') }, says: [200, ofAKey] },
    {
      what: 'no data for want of a key',
      env: { POSTMAN_API_KEY: '' },
      asked: { body: query(me) },
      says: [200, uncached],
    },
    {
      what: 'parts that the client does not take',
      asked: { body: query('{ ... @defer { me { username } } }'), headers: { ...json, accept: 'application/json' } },
      says: [406, ofAKey],
    },
  ])('$what', async ({ env = {}, before, breakDown, asked, says }) => {
    facade = await startFacade(env);
    if (before !== undefined) await facade.query(before);
    breakDown?.();
    expect(told(await ask(asked))).toEqual(says);
  });

  it('parts: not to be buffered', async () => {
    facade = await startFacade();
    const answer = await ask({
      body: query('{ ... @defer { me { username } } }'),
      headers: { ...json, accept: 'text/event-stream' },
    });
    expect(told(answer)).toEqual([
      200,
      {
        'cache-control': 'private, no-store, no-transform',
        vary: 'Accept, X-Api-Key, Authorization, Accept-Encoding',
        ratelimit: 'told',
      },
    ]);
    expect(answer.headers['x-accel-buffering']).toBe('no');
  });

  it.each([
    ['a skipped @defer', '{ me { ... @skip(if: true) @defer { username } id } }', {}],
    [
      'one in a fragment that is not included',
      'query ($no: Boolean = false) { ...F @include(if: $no) me { id } } fragment F on Query { ... @defer { me { username } } }',
      {},
    ],
    [
      'one that is switched off',
      'query ($no: Boolean!) { me { id ... @defer(if: $no) { username } } }',
      { variables: { no: false } },
    ],
  ])('%s makes no parts of an answer, for whoever takes none', async (_, text, more) => {
    facade = await startFacade();
    expect(told(await ask({ body: query(text, more), headers: { ...json, accept: 'application/json' } }))).toEqual([
      200,
      ofAKey,
    ]);
  });
});

describe('a body', () => {
  it('of several parts is refused, even with the header that no web page can send', async () => {
    facade = await startFacade();
    const part = (name: string, text: string) =>
      `--x\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`;
    const { status } = await ask({
      headers: { 'content-type': 'multipart/form-data; boundary=x', 'x-graphql-yoga-csrf': '1' },
      body: `${part('operations', query(me))}${part('map', '{}')}--x--\r\n`,
    });
    expect([status, facade.postman.calls]).toEqual([415, []]);
  });
});

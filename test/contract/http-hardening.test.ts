import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type ConnectionLimits,
  type Connections,
  createConnections,
  publicLimits,
} from '../../src/server/http/connections/connections.ts';
import { type Facade, startFacade } from '../support/facade.ts';

const body = JSON.stringify({ query: '{ me { username } }' });
const answer = '{"data":{"me":{"username":"ines-aldana"}}';
const size = body.length.toString(16);

const host = 'Host: localhost\r\n';
const json = `${host}Content-Type: application/json\r\n`;
const length = `Content-Length: ${body.length}\r\n`;
const chunked = 'Transfer-Encoding: chunked\r\n';

/** A request byte for byte, the last on its connection. */
function toRequest(fields: string, content: string | Buffer = body, line = 'POST /graphql HTTP/1.1'): Buffer {
  return Buffer.concat([Buffer.from(`${line}\r\n${fields}Connection: close\r\n\r\n`, 'latin1'), Buffer.from(content)]);
}

/** A POST of any bytes, with their length. */
const toPost = (content: Buffer, fields = json) => toRequest(`${fields}Content-Length: ${content.length}\r\n`, content);

/** Everything received until the server closes the connection; if it does not, the test times out. */
async function read(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('latin1').on('data', (part: string) => (text += part));
  socket.on('error', () => {});
  await once(socket, 'close');
  return text;
}

describe('a raw request', () => {
  let facade: Facade;
  beforeAll(async () => {
    // Nothing is cached, so that every accepted request shows upstream.
    facade = await startFacade({ CACHE_TTL_MS: '0' });
  });
  beforeEach(() => {
    facade.postman.reset();
    facade.log.length = 0;
  });
  afterAll(() => facade.close());

  /** Sends bytes and waits for the end of the connection; then the server has to work as before. */
  async function send(bytes: Buffer): Promise<string> {
    const socket = connect(Number(new URL(facade.url).port), '127.0.0.1');
    socket.write(bytes);
    const text = await read(socket);
    const calls = [...facade.postman.calls];
    const { status, data } = await facade.query('{ me { username } }');
    expect({ status, data }).toEqual({ status: 200, data: { me: { username: 'ines-aldana' } } });
    facade.postman.calls.splice(0, Infinity, ...calls);
    return text;
  }

  it.each<[string, Buffer]>([
    ['a length and chunks', toRequest(`${json}${length}${chunked}`, '0\r\n\r\n')],
    ['chunks and a length', toRequest(`${json}${chunked}${length}`, '0\r\n\r\n')],
    ['two lengths', toRequest(`${json}${length}Content-Length: 5\r\n`)],
    ['the same length twice', toRequest(`${json}${length}${length}`)],
    ['a list of lengths', toRequest(`${json}Content-Length: ${body.length}, ${body.length}\r\n`)],
    ['a length with a sign', toRequest(`${json}Content-Length: +${body.length}\r\n`)],
    ['a negative length', toRequest(`${json}Content-Length: -1\r\n`)],
    ['a length no number holds', toRequest(`${json}Content-Length: 99999999999999999999\r\n`)],
    ['chunks that are not the last coding', toRequest(`${json}Transfer-Encoding: chunked, identity\r\n`, '0\r\n\r\n')],
    ['a coding nobody knows', toRequest(`${json}Transfer-Encoding: xchunked\r\n`, '0\r\n\r\n')],
    ['two codings', toRequest(`${json}${chunked}Transfer-Encoding: identity\r\n`, '0\r\n\r\n')],
    ['a blank before the colon', toRequest(`${json}Transfer-Encoding : chunked\r\n`, '0\r\n\r\n')],
    ['a vertical tab before the coding', toRequest(`${json}Transfer-Encoding: \u000bchunked\r\n`, '0\r\n\r\n')],
    ['a folded field', toRequest(`${json}X-Api-Key: PMAK-one\r\n two\r\n${length}`)],
    ['a folded coding', toRequest(`${json}Transfer-Encoding:\r\n chunked\r\n${length}`)],
    ['lines that end in LF', Buffer.from(toRequest(`${json}${length}`).toString().replaceAll('\r', ''))],
    ['one line that ends in LF', toRequest(`${json}X: a\n${length}`)],
    ['a CR inside a line', toRequest(`${json}X: a\r${chunked}${length}`)],
    ['a chunk size of another notation', toRequest(`${json}${chunked}`, `0x${size}\r\n${body}\r\n0\r\n\r\n`)],
    ['a negative chunk size', toRequest(`${json}${chunked}`, `-1\r\n${body}\r\n0\r\n\r\n`)],
    ['a chunk size no number holds', toRequest(`${json}${chunked}`, `fffffffffffffffff\r\n${body}\r\n0\r\n\r\n`)],
    ['a chunk size that ends in LF', toRequest(`${json}${chunked}`, `${size}\n${body}\r\n0\r\n\r\n`)],
    ['a chunk extension with LF', toRequest(`${json}${chunked}`, `${size};a\nb\r\n${body}\r\n0\r\n\r\n`)],
    ['a chunk longer than it says', toRequest(`${json}${chunked}`, `${size}\r\n${body}XX\r\n0\r\n\r\n`)],
    [
      'a chunk extension without end',
      toRequest(`${json}${chunked}`, `${size};${'a'.repeat(20_000)}\r\n${body}\r\n0\r\n\r\n`),
    ],
    ['17 KB in one field', toRequest(`${json}${length}X-Big: ${'a'.repeat(17_000)}\r\n`)],
    ['17 KB in many fields', toRequest(`${json}${length}${'X-Abcd: efgh\r\n'.repeat(1_900)}`)],
    ['17 KB of target', toRequest(`${json}${length}`, body, `POST /graphql?${'a'.repeat(17_000)} HTTP/1.1`)],
    [
      'a whole address of another host',
      toRequest(`${json}${length}`, body, 'POST http://evil.example/graphql HTTP/1.1'),
    ],
    [
      'a whole address that cannot be read',
      toRequest(`${json}${length}`, body, 'POST http://local host/graphql HTTP/1.1'),
    ],
    ['a user and a password in Host', toRequest(`Host: a:b@localhost\r\n${length}`)],
    ['a second Host', toRequest(`${json}Host: evil.example\r\n${length}`)],
    ['no Host', toRequest(`Content-Type: application/json\r\n${length}`)],
    ['every path at once', toRequest(`${json}${length}`, body, 'POST * HTTP/1.1')],
    ['NUL in a field', toRequest(`${json}${length}X-Api-Key: a\0b\r\n`)],
    ['a control character in a field', toRequest(`${json}${length}X-Api-Key: a\u0001b\r\n`)],
    ['NUL in the target', toRequest(`${json}${length}`, body, 'POST /graphql\0 HTTP/1.1')],
    ['a blank in the target', toRequest(`${json}${length}`, body, 'POST /graph ql HTTP/1.1')],
    ['no colon', toRequest(`${json}${length}XY\r\n`)],
    ['a body that is UTF-16', toPost(Buffer.from(`\ufeff${body}`, 'utf16le'))],
    [
      'a body that is UTF-16, and says so',
      toPost(Buffer.from(`\ufeff${body}`, 'utf16le'), `${host}Content-Type: application/json; charset=utf-16\r\n`),
    ],
    ['a body that is no text', toPost(Buffer.from([0xff, 0xfe, 0xc0, 0x80]))],
    ['a gzipped body', toPost(gzipSync(body), `${json}Content-Encoding: gzip\r\n`)],
    ['a body in brotli', toPost(brotliCompressSync(body), `${json}Content-Encoding: br\r\n`)],
    [
      'a body gzipped on the way',
      toRequest(
        `${json}Transfer-Encoding: gzip, chunked\r\n`,
        Buffer.concat([
          Buffer.from(`${gzipSync(body).length.toString(16)}\r\n`),
          gzipSync(body),
          Buffer.from('\r\n0\r\n\r\n'),
        ]),
      ),
    ],
    ['an expectation nobody meets', toRequest(`${json}${length}Expect: the-worst\r\n`)],
    ['HTTP/2', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
    ['a later HTTP', toRequest(`${json}${length}`, body, 'POST /graphql HTTP/1.2')],
    ['an earlier HTTP', Buffer.from('GET /graphql\r\n\r\n')],
    ['TLS', Buffer.from('160301020001', 'hex')],
    ['nothing but NUL', Buffer.alloc(100)],
    ['a method nobody knows', toRequest(`${json}${length}`, body, 'FOO /graphql HTTP/1.1')],
    ['TRACE', toRequest(`${host}X-Secret: PMAK-mine\r\n`, '', 'TRACE /graphql HTTP/1.1')],
    ['PUT', toRequest(`${json}${length}`, body, 'PUT /graphql HTTP/1.1')],
    ['DELETE', toRequest(`${json}${length}`, body, 'DELETE /graphql HTTP/1.1')],
    [
      'markup in the address',
      toRequest(`${host}Accept: text/html\r\n`, '', 'GET /<img>?<script>alert(1)</script> HTTP/1.1'),
    ],
    ['markup as body', toPost(Buffer.from('<script>alert(1)</script>'), `${json}Accept: text/html, */*\r\n`)],
  ])('is refused without a call: %s', async (_what, bytes) => {
    const text = await send(bytes);
    expect(text).toMatch(/^HTTP\/1\.1 4\d\d /);
    // One request, one response.
    expect(text.match(/^HTTP\/1\.1 /gm)).toHaveLength(1);
    expect(text).not.toMatch(/text\/html|PMAK-mine|node_modules|\n {4}at /);
    // A response without a type has no content.
    expect(/^content-type:/im.test(text) && !/^x-content-type-options: nosniff$/im.test(text)).toBe(false);
    expect(facade.postman.calls).toEqual([]);
  });

  // llhttp 8, the parser of Node 20.19, lets these fields pass. The server reads no field of such a name.
  const isRefusedByParser = Number.parseInt(process.versions['llhttp'] ?? '', 10) >= 9;

  it.each<[string, Buffer]>([
    ['a blank in a name', toRequest(`${json}${length}X Y: a\r\n`)],
    ['no name', toRequest(`${json}${length}: a\r\n`)],
  ])('is refused without a call by the parser of Node, or is one request: %s', async (_what, bytes) => {
    const text = await send(bytes);
    expect(text).toMatch(isRefusedByParser ? /^HTTP\/1\.1 400 / : /^HTTP\/1\.1 200 /);
    expect(text.match(/^HTTP\/1\.1 /gm)).toHaveLength(1);
    expect(facade.postman.calls).toHaveLength(isRefusedByParser ? 0 : 1);
  });

  it('is not proxied to another host', async () => {
    expect(await send(toRequest(host, '', 'CONNECT localhost:443 HTTP/1.1'))).toBe('');
    expect(facade.postman.calls).toEqual([]);
  });

  it('is not decompressed when it is a bomb', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1_024 * 1_024, ' '));
    expect(await send(toPost(bomb, `${json}Content-Encoding: gzip\r\n`))).toMatch(/^HTTP\/1\.1 415 /);
  });

  it('is not read as UTF-8 when its type names another encoding', async () => {
    const utf7 = `${host}Content-Type: application/json; charset=utf-7\r\n${length}`;
    expect(await send(toRequest(utf7))).toMatch(/^HTTP\/1\.1 415 /);
    expect(facade.postman.calls).toEqual([]);
  });

  it.each<[string, Buffer]>([
    ['a charset in capitals', toRequest(`${host}Content-Type: application/json; charset="UTF-8"\r\n${length}`)],
    ['chunks', toRequest(`${json}${chunked}`, `${size}\r\n${body}\r\n0\r\n\r\n`)],
    ['chunks with a trailer', toRequest(`${json}${chunked}`, `${size}\r\n${body}\r\n0\r\nX-Api-Key: PMAK-x\r\n\r\n`)],
    ['the whole address of this host', toRequest(`${json}${length}`, body, 'POST http://localhost/graphql HTTP/1.1')],
    [
      'the whole address of this host, with its port',
      toRequest(
        `${json.replace('localhost', 'localhost:4000')}${length}`,
        body,
        'POST HTTP://localhost:4000/graphql HTTP/1.1',
      ),
    ],
    ['server-sent events', toRequest(`${json}Accept: text/event-stream\r\n${length}`)],
    ['HTTP/1.0', toRequest(`${json}${length}`, body, 'POST /graphql HTTP/1.0')],
    ['an upgrade nobody offers', toRequest(`${json}${length}Upgrade: h2c\r\nHTTP2-Settings: AAA\r\n`)],
    ['empty lines before', Buffer.concat([Buffer.from('\r\n\r\n'), toRequest(`${json}${length}`)])],
  ])('is served once when it is unusual and allowed: %s', async (_what, bytes) => {
    const text = await send(bytes);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).toMatch(/^x-content-type-options: nosniff$/im);
    expect(text.split(answer)).toHaveLength(2);
    expect(facade.postman.calls).toEqual(['GET /me']);
  });

  it.each<[string, Buffer]>([
    ['an operation', toRequest(`${json}${length}`)],
    ['parts', toRequest(`${json}Accept: multipart/mixed\r\n${length}`)],
    ['server-sent events', toRequest(`${json}Accept: text/event-stream\r\n${length}`)],
    ['a preflight', toRequest(`${host}Origin: http://localhost\r\n`, '', 'OPTIONS /graphql HTTP/1.1')],
    ['the page', toRequest(`${host}Accept: text/html\r\n`, '', 'GET /graphql HTTP/1.1')],
    ['the style of the page', toRequest(host, '', 'GET /graphql/graphiql/style.css HTTP/1.1')],
    ['the front page', toRequest(`${host}Accept: text/html\r\n`, '', 'GET / HTTP/1.1')],
    ['a probe', toRequest(host, '', 'GET /readyz HTTP/1.1')],
    ['an unknown path', toRequest(host, '', 'GET /nothing HTTP/1.1')],
    ['no GraphQL', toRequest(`${json}Content-Length: 2\r\n`, '{}')],
    ['an unknown type', toRequest(`${host}Content-Type: text/css\r\n${length}`)],
    ['an expectation', toRequest(`${json}${length}Expect: nothing\r\n`)],
    ['two hosts', toRequest(`${host}${json}${length}`)],
    ['an unknown host', toRequest(`Host: example.com\r\nContent-Type: application/json\r\n${length}`)],
  ])('gets each header once: %s', async (_what, bytes) => {
    const [head = ''] = (await send(bytes)).split('\r\n\r\n');
    const names = head.split('\r\n').flatMap((line) => /^([^:]+):/.exec(line)?.[1]?.toLowerCase() ?? []);
    expect(names).toContain('x-content-type-options');
    expect(names.filter((name, index) => names.indexOf(name) < index)).toEqual([]);
  });

  it('gets its response in order when it is pipelined', async () => {
    const first = Buffer.from(`POST /graphql HTTP/1.1\r\n${json}${length}\r\n${body}`);
    const text = await send(Buffer.concat([first, first, toRequest(`${json}${length}`)]));
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 200']);
    expect(text.split(answer)).toHaveLength(4);
  });

  it('is read after an Expect: 100-continue', async () => {
    const socket = connect(Number(new URL(facade.url).port), '127.0.0.1');
    socket.write(toRequest(`${json}${length}Expect: 100-continue\r\n`, ''));
    const [go] = (await once(socket, 'data')) as [Buffer];
    expect(go.toString()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write(body);
    expect(await read(socket)).toContain(answer);
  });

  it('learns nothing from the health check', async () => {
    const bare = (text: string) => text.replace(/^Date: .*\r\n/m, '');
    const nobody = bare(await send(toRequest(host, '', 'GET /health HTTP/1.1')));
    const somebody = bare(
      await send(toRequest(`${host}X-Api-Key: ${facade.postman.apiKey}\r\n`, '', 'GET /health HTTP/1.1')),
    );
    expect(somebody).toBe(nobody);
    expect(nobody.split('\r\n').sort()).toEqual([
      '',
      'Connection: close',
      'HTTP/1.1 200 OK',
      'X-Content-Type-Options: nosniff',
      'cache-control: no-store',
      'content-length: 16',
      'content-type: application/json; charset=utf-8',
      '{"status":"ok"}\n',
    ]);
    expect(facade.postman.calls).toEqual([]);
  });

  it('leaves no control characters in the log', async () => {
    const escape = '\u001b]0;owned\u0007\u009b2J\u202e\n{"level":60}';
    const queries = [
      { query: 'query A { me { username } }', operationName: escape },
      { query: `query ${escape} { me { username } }` },
      { query: '{ collection(uid: "a") { name } }', variables: { [escape]: escape }, operationName: 'A' },
    ];
    for (const query of queries) await send(toPost(Buffer.from(JSON.stringify(query))));
    expect(facade.log.length).toBeGreaterThanOrEqual(queries.length);
    for (const line of facade.log) {
      expect(line).toMatch(/^[^\p{Cc}\p{Cf}]+\n$/u);
      expect(JSON.parse(line)).not.toMatchObject({ level: 60 });
      expect(line).not.toContain('owned');
    }
  });
});

describe('a client that is slow', () => {
  const patient: ConnectionLimits = {
    maxConnections: 100,
    headersMs: 60_000,
    requestMs: 60_000,
    checkMs: 20,
    idleMs: 60_000,
    crowdedIdleMs: 60_000,
    stalledMs: 60_000,
  };
  const big = Buffer.alloc(32 * 1_024 * 1_024, 'x');
  let connections: Connections;
  let port: number;
  afterEach(() => connections.close(() => Promise.resolve()));

  async function serve(
    limits: Partial<ConnectionLimits>,
    listener: RequestListener = (_, response) => response.end('hello'),
  ) {
    connections = createConnections(listener, { ...patient, ...limits });
    connections.server.listen(0, '127.0.0.1');
    await once(connections.server, 'listening');
    port = (connections.server.address() as AddressInfo).port;
  }

  const open = (bytes: string) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(bytes);
    return socket;
  };

  const hello = async () => expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('hello');

  /** Sends one byte more every now and then, for as long as it is let. */
  function dribble(socket: Socket) {
    const timer = setInterval(() => socket.write('a'), 20);
    socket.once('close', () => clearInterval(timer));
  }

  it.each<[string, Partial<ConnectionLimits>, string, number]>([
    ['never sends anything', { headersMs: 200 }, '', 408],
    ['never ends its header', { headersMs: 200 }, 'GET / HTTP/1.1\r\nX: ', 408],
    [
      'never ends its body',
      { requestMs: 200, headersMs: 200 },
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n',
      408,
    ],
    [
      'never ends its chunks',
      { requestMs: 200, headersMs: 200 },
      `POST / HTTP/1.1\r\nHost: a\r\n${chunked}\r\nfff\r\n`,
      408,
    ],
  ])('and %s is cut off, while others are served', async (what, limits, bytes, status) => {
    // Only complete requests get a response.
    await serve(limits, (request, response) => request.resume().on('end', () => response.end('hello')));
    const slow = open(bytes);
    if (!what.includes('anything')) dribble(slow);
    const cut = read(slow);
    await hello();
    expect(await cut).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    await hello();
  });

  it('and sends nothing more is disconnected', async () => {
    // Node waits a second longer than it announces.
    await serve({ idleMs: 200 });
    expect(await read(open('GET / HTTP/1.1\r\nHost: a\r\n\r\n'))).toMatch(/hello$/);
  });

  it('and sends nothing more is disconnected sooner while more than half of the connections are in use', async () => {
    await serve({ maxConnections: 3, idleMs: 60_000, crowdedIdleMs: 200 });
    const first = open('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(String(await once(first, 'data'))).toMatch(/Keep-Alive: timeout=60\r\n/);
    const second = open('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await read(second)).toMatch(/Keep-Alive: timeout=0\r\n(?:.*\r\n)*.*hello/);
    // A client that was promised more time is not cut off.
    first.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(await read(first)).toMatch(/hello$/);
  });

  it('and stops reading is cut off, while others are served', async () => {
    await serve({ stalledMs: 200 }, (request, response) => response.end(request.url === '/big' ? big : 'hello'));
    const slow = open('GET /big HTTP/1.1\r\nHost: a\r\n\r\n');
    slow.pause();
    await hello();
    await expect.poll(() => connectionCount()).toBeLessThanOrEqual(1);
    // Only the bytes already in transit can still be read.
    slow.resume();
    expect((await read(slow)).length).toBeLessThan(big.length);
    await hello();
  });

  it('and stops reading is cut off also after a stream has disabled the time-out of its socket', async () => {
    await serve({ stalledMs: 200 }, (request, response) => {
      response.write(request.url === '/big' ? big : 'hello');
      request.socket.setTimeout(0);
    });
    const slow = open('GET /big HTTP/1.1\r\nHost: a\r\n\r\n');
    slow.pause();
    await expect.poll(() => connectionCount()).toBe(1);
    await expect.poll(() => connectionCount()).toBe(0);
  });

  it('and reads slowly gets everything', async () => {
    await serve({ stalledMs: 400 }, (_, response) => response.end(big));
    const slow = open('GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    let received = 0;
    slow.on('data', (part: Buffer) => {
      received += part.length;
      slow.pause();
      setTimeout(() => slow.resume(), 1);
    });
    await once(slow, 'close');
    expect(received).toBeGreaterThan(big.length);
  });

  it('to get a response is not cut off, and may send another request', async () => {
    await serve({ stalledMs: 50 }, (request, response) => {
      setTimeout(() => response.end(request.url === '/big' ? big : 'hello'), 300);
    });
    const waiting = open('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(String((await once(waiting, 'data'))[0])).toMatch(/hello$/);
    waiting.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(String((await once(waiting, 'data'))[0])).toMatch(/hello$/);
    // The deadline has passed several times before the response, but it counts from the start of the response.
    waiting.write('GET /big HTTP/1.1\r\nHost: a\r\n\r\n');
    waiting.pause();
    await expect.poll(() => connectionCount()).toBe(0);
    waiting.destroy();
  });

  it('cannot have more connections than allowed', async () => {
    await serve({ maxConnections: 3 });
    const held = [open(''), open(''), open('')];
    await expect.poll(() => connectionCount()).toBe(3);
    expect(await read(open('GET / HTTP/1.1\r\nHost: a\r\n\r\n'))).toBe('');
    held[0]?.destroy();
    await expect.poll(() => connectionCount()).toBe(2);
    expect(await read(open('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'))).toMatch(/hello$/);
    for (const socket of held) socket.destroy();
  });

  const connectionCount = () =>
    new Promise<number>((resolve, reject) =>
      connections.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
});

describe('a client of a server that was blocked', () => {
  const limits: ConnectionLimits = {
    maxConnections: 100,
    headersMs: 1_000,
    requestMs: 1_000,
    checkMs: 50,
    idleMs: 500,
    crowdedIdleMs: 60_000,
    stalledMs: 1_000,
  };
  // Longer than each of these limits, and the second that Node adds to the idle one.
  const STALL_MS = 2_500;
  const question = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody';
  const big = Buffer.alloc(32 * 1_024 * 1_024, 'x');
  let connections: Connections;
  let port: number;
  beforeEach(async () => {
    connections = createConnections(
      (request, response) => request.resume().on('end', () => response.end(request.url === '/big' ? big : 'hello')),
      limits,
    );
    connections.server.listen(0, '127.0.0.1');
    await once(connections.server, 'listening');
    ({ port } = connections.server.address() as AddressInfo);
  });
  afterEach(() => connections.close(() => Promise.resolve()));

  const stall = (ms = STALL_MS) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

  /** A connection that the server has accepted. */
  async function open() {
    const accepted = once(connections.server, 'connection');
    const socket = connect(port, '127.0.0.1');
    await Promise.all([once(socket, 'connect'), accepted]);
    return socket;
  }

  /** The status of the next response on a connection, or how the connection ended. */
  const nextStatus = (socket: Socket) =>
    new Promise<string>((resolve) => {
      socket.setEncoding('latin1').once('data', (text: string) => resolve(text.slice(9, 12)));
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
      socket.once('close', () => resolve('closed'));
    });

  it('is served the requests sent by then, on fresh connections and on used ones', async () => {
    const sockets: Socket[] = [];
    for (let index = 0; index < 30; index++) sockets.push(await open());
    const used = sockets.slice(0, 10);
    const first = used.map(nextStatus);
    for (const socket of used) socket.write(question);
    expect(await Promise.all(first)).toEqual(used.map(() => '200'));

    const statuses = sockets.map(nextStatus);
    for (const socket of sockets) socket.write(question);
    stall();
    expect(await Promise.all(statuses)).toEqual(sockets.map(() => '200'));
    for (const socket of sockets) socket.destroy();
  });

  it.each([
    ['header', 'POST / HTTP/1.1\r\nHost:'],
    ['body', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo'],
  ])('has the rest of its time after that to send the rest of a %s, and no more', async (_what, part) => {
    const [prompt, slow] = [await open(), await open()];
    const [status, cut] = [nextStatus(prompt), nextStatus(slow)];
    for (const socket of [prompt, slow]) socket.write(part);
    await setImmediate();
    stall();
    // Node checks for expired connections before it reads anything.
    for (let round = 0; round < 5; round++) await setImmediate();
    prompt.write(question.slice(part.length));
    expect(await status).toBe('200');
    expect(await cut).toBe('408');
    for (const socket of [prompt, slow]) socket.destroy();
  });

  it('may read its response after that', async () => {
    const socket = await open();
    socket.write('GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await once(socket, 'readable');
    // Once is not enough: Node itself extends the time of a client that has read something.
    for (let turn = 0; turn < 3; turn++) {
      stall(1_200);
      for (let round = 0; round < 5; round++) await setImmediate();
    }
    let received = 0;
    socket.on('data', (part: Buffer) => (received += part.length));
    await once(socket, 'close');
    expect(received).toBeGreaterThan(big.length);
  });
});

describe('a server that stops', () => {
  it('serves requests that arrive on open connections, and announces that it closes them', async () => {
    const connections = createConnections((_, response) => response.end('hello'), {
      maxConnections: 100,
      headersMs: 60_000,
      requestMs: 60_000,
      checkMs: 1_000,
      idleMs: 60_000,
      crowdedIdleMs: 60_000,
      stalledMs: 60_000,
    });
    connections.server.listen(0, '127.0.0.1');
    await once(connections.server, 'listening');
    const { port } = connections.server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(String((await once(socket, 'data'))[0])).toMatch(/Connection: keep-alive/);
    let drained = 0;
    const closed = connections.close(() => Promise.resolve(void drained++));
    while (connections.server.listening) await setImmediate();
    // The client does not know yet, and its request takes a while to arrive.
    for (let round = 0; round < 10; round++) await setImmediate();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const text = await read(socket);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n(?:.*\r\n)*Connection: close\r\n(?:.*\r\n)*.*hello/i);
    await closed;
    expect(drained).toBe(1);
    const [error] = (await once(connect(port, '127.0.0.1'), 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
  });

  it('does not wait for responses to pipelined requests of a client that has disconnected', async () => {
    const held: ServerResponse[] = [];
    const connections = createConnections((_, response) => void held.push(response), {
      ...publicLimits,
      idleMs: 65_000,
    });
    connections.server.listen(0, '127.0.0.1');
    await once(connections.server, 'listening');
    const socket = connect((connections.server.address() as AddressInfo).port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3));
    await expect.poll(() => held.length).toBe(3);
    socket.destroy();
    await once(held[0]!, 'close');
    await connections.close(() => Promise.resolve());
    expect(connections.server.listening).toBe(false);
  });
});

import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { brotliCompressSync, createGzip, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpClient, type HttpClientOptions } from '../../../src/upstream/http/http-client.ts';
import { Secret } from '../../../src/upstream/http/secret.ts';
import type { UpstreamError } from '../../../src/upstream/http/upstream-error.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

const KEY = 'PMAK-canary-0123456789';
const LIMITS = { maxBytes: 10_000, maxValues: 1_000, maxHeapBytes: 100_000 };
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function listen(server: Server | TcpServer): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A client of a server that runs `respond` for each request. */
async function createSetup(respond: RequestListener, options: Partial<HttpClientOptions> = {}) {
  return createClient(await listen(createServer(respond)), options);
}

/** A client of a server that responds to any request with these bytes, and then calls `after`. */
async function createRawSetup(
  bytes: string | Buffer,
  after: (socket: Socket) => void,
  options: Partial<HttpClientOptions> = {},
) {
  const closed: Promise<unknown>[] = [];
  const server = createTcpServer((socket) => {
    closed.push(once(socket, 'close'));
    socket.once('data', () => socket.write(bytes, () => after(socket)));
  });
  return { ...createClient(await listen(server), options), closed };
}

function createClient(origin: string, options: Partial<HttpClientOptions>) {
  const clock = createVirtualClock();
  const client = createHttpClient({
    origin,
    timeoutMs: 60_000,
    limits: LIMITS,
    maxBytesInFlight: 1_000_000,
    maxConnections: 4,
    clock,
    ...options,
  });
  closing.push(() => client.close());
  const get = (target = '/a?b=c') => client.get(target, '/thing/{id}', new Secret(KEY), 'key');
  /** Returns the error of a call, after checking that the API key occurs nowhere in it. */
  const fail = async () => {
    const error = await get().then(
      () => expect.unreachable('a response'),
      (reason: unknown) => reason as UpstreamError,
    );
    expect(inspect(error, { depth: 30, showHidden: true, getters: true })).not.toContain(KEY);
    return error;
  };
  return { clock, client, get, fail };
}

const kindAndMessage = ({ kind, message }: UpstreamError) => [kind, message];
const reset = (socket: Socket) => void socket.resetAndDestroy();
const nothing = () => undefined;

const NOT_UTF8 = ['badResponse', "Postman's response is not UTF-8 text."];
const NOT_GZIP = ['badResponse', "Postman's response is declared as gzip, but is not valid gzip."];
const TOO_LARGE = ['badResponse', "Postman's response is larger than MAX_RESPONSE_BYTES, 10000 bytes."];
const BROKEN = ['unavailable', 'The connection to Postman broke before the response was complete.'];

describe('a request', () => {
  it('is a GET that carries the key in one header and asks for JSON, at most as gzip', async () => {
    const requests: unknown[] = [];
    const { get } = await createSetup((request, response) => {
      requests.push([
        request.method,
        request.url,
        request.rawHeaders.filter((_, index) => index % 2 === 1 || request.rawHeaders[index] !== 'host'),
      ]);
      response.end('{}');
    });
    await get();
    const [method, url, headers] = requests[0] as [string, string, string[]];
    expect([method, url]).toEqual(['GET', '/a?b=c']);
    expect(headers.filter((text) => text.includes(KEY))).toEqual([KEY]);
    expect(headers[headers.indexOf(KEY) - 1]).toBe('x-api-key');
    expect(headers.join(' ')).toMatch(/accept application\/json accept-encoding gzip/);
  });
});

describe('a response', () => {
  it('has a status, headers and text, also with an error status', async () => {
    const { get } = await createSetup((_, response) => {
      response
        .writeHead(404, { 'content-type': 'application/json', 'x-ratelimit-remaining': '7' })
        .end('{"grüße":"😀"}');
    });
    const { status, headers, text } = await get();
    expect([status, headers['x-ratelimit-remaining'], text]).toEqual([404, '7', '{"grüße":"😀"}']);
  });

  it('in gzip is decoded', async () => {
    const { get } = await createSetup((_, response) => {
      response.writeHead(200, { 'content-encoding': 'GZIP' }).end(gzipSync('{"grüße":"😀"}'));
    });
    expect((await get()).text).toBe('{"grüße":"😀"}');
  });

  it('in gzip of several members is decoded whole', async () => {
    const { get } = await createSetup((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(Buffer.concat([gzipSync('{"a":'), gzipSync('1}')]));
    });
    expect((await get()).text).toBe('{"a":1}');
  });

  it('loses its byte order mark', async () => {
    const { get } = await createSetup((_, response) => response.end('\uFEFF{}'));
    expect((await get()).text).toBe('{}');
  });

  it('may be empty', async () => {
    const { get } = await createSetup((_, response) => void response.writeHead(204).end());
    expect(await get()).toMatchObject({ status: 204, text: '' });
  });

  it('of exactly the largest allowed size is read', async () => {
    for (const encoding of ['identity', 'gzip']) {
      const { get } = await createSetup((_, response) => {
        const body = Buffer.alloc(10_000, 'x');
        response.writeHead(200, { 'content-encoding': encoding }).end(encoding === 'gzip' ? gzipSync(body) : body);
      });
      expect((await get()).text).toHaveLength(10_000);
    }
  });

  it.each([
    ['UTF-16 with a byte order mark', Buffer.from('\uFEFF{"a":1}', 'utf16le')],
    ['Latin-1', Buffer.from('{"a":"ü"}', 'latin1')],
  ])('in %s is refused', async (_, body) => {
    const { fail } = await createSetup((__, response) => response.end(body));
    expect(kindAndMessage(await fail())).toEqual(NOT_UTF8);
  });

  it('in UTF-8 that ends within a character is read up to that character', async () => {
    const { get } = await createSetup((__, response) => response.end(Buffer.from('"😀').subarray(0, 3)));
    expect((await get()).text).toBe('"');
  });

  it.each(['br', 'deflate', 'gzip, gzip', 'x-gzip', 'zstd'])(
    'in the encoding "%s" is refused unread',
    async (encoding) => {
      const { fail } = await createSetup((_, response) => {
        response.writeHead(200, { 'content-encoding': encoding }).end(brotliCompressSync('{}'));
      });
      expect(kindAndMessage(await fail())).toEqual([
        'badResponse',
        'Postman responded in an encoding that was not requested.',
      ]);
    },
  );

  it.each([
    ['is not gzip', Buffer.from('{"a":1}')],
    ['has a wrong checksum', Buffer.concat([gzipSync('{"a":1}').subarray(0, -8), Buffer.alloc(8)])],
  ])('whose gzip %s is refused', async (_, body) => {
    const { fail } = await createSetup((__, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(body);
    });
    expect(kindAndMessage(await fail())).toEqual(NOT_GZIP);
  });

  it.each([
    ['is cut off', gzipSync('x'.repeat(1_000)).subarray(0, 20)],
    ['is empty', Buffer.alloc(0)],
  ])('whose gzip %s can be retried', async (_, body) => {
    const { fail } = await createSetup((__, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(body);
    });
    expect(kindAndMessage(await fail())).toEqual(BROKEN);
  });

  it.each<[string, string, (socket: Socket) => void]>([
    ['in another encoding', 'Content-Length: 3\r\nContent-Encoding: br\r\n\r\nxyz', nothing],
    ['that is empty instead of gzip', 'Content-Length: 0\r\nContent-Encoding: gzip\r\n\r\n', nothing],
    ['that is not UTF-8', 'Content-Length: 1\r\n\r\n\u00fc', nothing],
    ['that is too large', 'Content-Length: 10001\r\n\r\n', nothing],
    ['that breaks off', 'Content-Length: 10\r\n\r\n{', reset],
    ['that never arrives', 'Content-Length: 10\r\n\r\n', nothing],
  ])('with an error status is read despite a body %s', async (_, rest, after) => {
    const bytes = Buffer.from(`HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\n${rest}`, 'latin1');
    const { get } = await createRawSetup(bytes, after, { timeoutMs: 2_000 });
    expect(await get()).toMatchObject({ status: 429, headers: { 'retry-after': '7' }, text: '' });
  });

  it('with a redirect is not followed: the key goes nowhere else', async () => {
    const elsewhere: unknown[] = [];
    const canary = await listen(createServer((request, response) => (elsewhere.push(request.url), response.end('{}'))));
    for (const status of [301, 302, 303, 307, 308]) {
      const { get } = await createSetup(
        (_, response) => void response.writeHead(status, { location: `${canary}/stolen` }).end(),
      );
      expect(await get()).toMatchObject({ status, text: '' });
    }
    expect(elsewhere).toEqual([]);
  });
});

describe('a response that is too large', () => {
  it('is refused by its Content-Length before any of it is read', async () => {
    const { fail, closed } = await createRawSetup('HTTP/1.1 200 OK\r\nContent-Length: 10001\r\n\r\n', nothing);
    expect(kindAndMessage(await fail())).toEqual(TOO_LARGE);
    await closed[0];
  });

  it('is refused without a Content-Length, too, and its connection is closed', async () => {
    const { fail, closed } = await createRawSetup(
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2711\r\n${'x'.repeat(0x2711)}\r\n`,
      nothing,
    );
    expect(kindAndMessage(await fail())).toEqual(TOO_LARGE);
    await closed[0];
  });

  it.each([
    ['values', `[${'1,'.repeat(1_001)}1]`, 'has more values than MAX_RESPONSE_VALUES, 1000'],
    [
      'rows of keys',
      `{${Array.from({ length: 100 }, (_, index) => `"${index}":1`).join(',')}}`,
      'has more values than MAX_RESPONSE_VALUES, 1000',
    ],
    [
      'memory for items',
      `{"item":[${'{},'.repeat(90)}{}]}`,
      'would take more memory than MAX_HELD_BYTES_PER_OPERATION, 40000 bytes',
    ],
  ])('by its %s is refused before it is parsed, though its text is short', async (_, body, expected) => {
    for (const encoding of ['identity', 'gzip']) {
      const { fail } = await createSetup(
        (__, response) => {
          // The body never ends: its beginning is enough for a refusal.
          response.writeHead(200, { 'content-encoding': encoding });
          if (encoding === 'gzip') response.end(gzipSync(body));
          else response.write(body);
        },
        { limits: { ...LIMITS, maxHeapBytes: 40_000 } },
      );
      expect(kindAndMessage(await fail())).toEqual(['badResponse', `Postman's response ${expected}.`]);
    }
  });

  it('is refused by its memory alone, even if it has few values', async () => {
    const { fail } = await createSetup((_, response) => response.end(`"${'\u4e00'.repeat(3_000)}x"`), {
      limits: { ...LIMITS, maxHeapBytes: 6_000 },
    });
    expect(kindAndMessage(await fail())).toEqual([
      'badResponse',
      "Postman's response would take more memory than MAX_HELD_BYTES_PER_OPERATION, 6000 bytes.",
    ]);
  });

  it('with an error status is not read: the status is enough', async () => {
    let sentBytes = 0;
    const { get } = await createSetup((_, response) => {
      response.writeHead(502, { 'content-type': 'application/json', 'retry-after': '7' });
      const write = () => {
        while (!response.destroyed && sentBytes < 100_000_000) {
          sentBytes += 10_000;
          if (!response.write('['.repeat(10_000))) {
            response.once('drain', write);
            return;
          }
        }
      };
      write();
    });
    expect(await get()).toMatchObject({ status: 502, headers: { 'retry-after': '7' }, text: '' });
    expect(sentBytes).toBeLessThan(20_000_000);
  });

  it('after decompression is refused before it is decompressed entirely', async () => {
    let sentBytes = 0;
    const { fail } = await createSetup(
      (_, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' });
        const gzip = createGzip();
        const zeros = Buffer.alloc(1_000_000);
        gzip.on('data', (chunk: Buffer) => (sentBytes += chunk.length));
        gzip.pipe(response);
        response.on('close', () => gzip.destroy());
        // Writes up to a gigabyte, until the client stops reading.
        const write = (left: number) => {
          if (left === 0) gzip.end();
          else if (!gzip.destroyed) gzip.write(zeros, () => write(left - 1));
        };
        write(1_000);
      },
      { limits: { ...LIMITS, maxBytes: 5_000_000 } },
    );
    const before = process.memoryUsage().rss;
    expect((await fail()).kind).toBe('badResponse');
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
    // The whole response has about a megabyte.
    expect(sentBytes).toBeLessThan(500_000);
  });
});

describe('a large body', () => {
  /** A server that sends bodies in two halves; each call of `letGo` sends one second half. */
  function createHalves() {
    const waiting: (() => void)[] = [];
    const half = `"${'x'.repeat(200_000)}`;
    return {
      letGo: () => waiting.shift()?.(),
      waiting,
      respond: ((_, response) => {
        response.write(half);
        waiting.push(() => response.end(`${'x'.repeat(200_000)}"`));
      }) satisfies RequestListener,
      text: `${half}${'x'.repeat(200_000)}"`,
    };
  }
  const LARGE = {
    limits: { maxBytes: 1_000_000, maxValues: 10, maxHeapBytes: 1_000_000 },
    maxBytesInFlight: 1_300_000,
  };

  it('waits for memory, and is read when some is free', async () => {
    const { respond, letGo, waiting, text } = createHalves();
    const { get } = await createSetup(respond, LARGE);
    const responses = [get(), get(), get()];
    while (waiting.length < 3) await new Promise((resolve) => void setImmediate(resolve));
    for (let count = 0; count < 3; count++) letGo();
    const read = responses.map(async (response) => {
      const { status, text: whole, release } = await response;
      release();
      return [status, whole === text];
    });
    expect(await Promise.all(read)).toEqual([
      [200, true],
      [200, true],
      [200, true],
    ]);
  });

  it('fails with a retry time if no memory becomes free before the time-out', async () => {
    const { respond, letGo, waiting } = createHalves();
    const { get, client, clock } = await createSetup(respond, { ...LARGE, timeoutMs: 400 });
    const held = get();
    while (waiting.length < 1) await new Promise((resolve) => void setImmediate(resolve));
    letGo();
    // It keeps its memory until it is released.
    await held;
    const failures = await Promise.all(
      [1, 2, 3].map(() =>
        client.get('/b', '/thing/{id}', new Secret(KEY), 'key').catch((error: unknown) => error as UpstreamError),
      ),
    );
    const busy = failures.filter((failure) => failure instanceof Error && failure.kind === 'busy');
    expect(busy.length).toBeGreaterThan(0);
    for (const failure of busy) {
      expect(failure).toMatchObject({
        message:
          'This server already reads as many responses as its memory allows, and had none left for this one in time.',
        route: '/thing/{id}',
        retryAtMs: clock.nowMs() + 5_000,
      });
    }
  });
});

describe('a connection', () => {
  it.each<[string, string, (socket: Socket) => void, string[]]>([
    ['reset before the response', '', reset, BROKEN],
    ['closed before the response', '', (socket) => socket.end(), BROKEN],
    ['reset within the body', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":', reset, BROKEN],
    ['closed within the body', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":', (socket) => socket.end(), BROKEN],
    [
      'reset within a body in gzip',
      'HTTP/1.1 200 OK\r\nContent-Length: 100\r\nContent-Encoding: gzip\r\n\r\n\u001f',
      reset,
      BROKEN,
    ],
    [
      'closed within a chunk',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{',
      (socket) => socket.end(),
      BROKEN,
    ],
    ['to a server that speaks another protocol', 'SSH-2.0-OpenSSH_9.2\r\n', nothing, BROKEN],
    ['with endless headers', `HTTP/1.1 200 OK\r\n${`x-filler: ${'y'.repeat(1_000)}\r\n`.repeat(40)}`, nothing, BROKEN],
  ])('%s is an error with a retry time', async (_, bytes, after, expected) => {
    const { clock, fail } = await createRawSetup(Buffer.from(bytes, 'latin1'), after);
    const error = await fail();
    expect(kindAndMessage(error)).toEqual(expected);
    expect([error.route, error.retryAtMs]).toEqual(['/thing/{id}', clock.nowMs() + 10_000]);
  });

  it('that is refused is an error', async () => {
    const server = createTcpServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const error = await createClient(`http://127.0.0.1:${port}`, {}).fail();
    expect([kindAndMessage(error), error.isConnectFailure]).toEqual([
      ['unavailable', 'Could not connect to Postman: the connection was refused.'],
      true,
    ]);
  });

  it('that is reset during the TLS handshake is a connect failure', async () => {
    const server = createTcpServer((socket) => void socket.once('data', () => socket.resetAndDestroy()));
    const origin = await listen(server);
    const error = await createClient(origin.replace('http:', 'https:'), {}).fail();
    expect([kindAndMessage(error), error.isConnectFailure, error.retryAtMs]).toEqual([
      ['unavailable', 'Could not connect to Postman: the connection was reset before it could be used.'],
      true,
      expect.any(Number),
    ]);
  });

  it('to a server without TLS is a connect failure that retrying does not help', async () => {
    const server = createTcpServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const origin = await listen(server);
    const error = await createClient(origin.replace('http:', 'https:'), {}).fail();
    expect([error.kind, error.isConnectFailure, error.retryAtMs]).toEqual(['unreachable', true, undefined]);
    expect(error.message).toMatch(/^Cannot connect to Postman\. TLS: .* \(ERR_SSL_\w+\)\./);
    expect(error.message).not.toContain('127.0.0.1');
  });

  it.each([
    ['never responds', ''],
    ['stalls within the body', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":'],
    [
      'stalls within a body in gzip',
      `HTTP/1.1 200 OK\r\nContent-Length: 100\r\nContent-Encoding: gzip\r\n\r\n\u001f\u008b\u0008`,
    ],
  ])('that %s is closed after the time-out', async (_, bytes) => {
    const { fail, closed } = await createRawSetup(Buffer.from(bytes, 'latin1'), nothing, { timeoutMs: 60 });
    expect(kindAndMessage(await fail())).toEqual(['timeout', 'Postman did not respond within 60 ms.']);
    await closed[0];
  });

  it('that drips data is given up when the time-out has passed since the request was sent', async () => {
    const { fail } = await createSetup(
      (_, response) => {
        const drip = setInterval(() => response.write(' '), 10);
        response.on('close', () => clearInterval(drip));
      },
      { timeoutMs: 80 },
    );
    expect((await fail()).kind).toBe('timeout');
  });

  it('that failed does not spoil the next call', async () => {
    let requests = 0;
    const { get, fail } = await createSetup((request, response) =>
      ++requests === 1 ? request.socket.destroy() : response.end('{}'),
    );
    expect((await fail()).kind).toBe('unavailable');
    expect((await get()).text).toBe('{}');
  });

  it('ends at once when the client is closed', async () => {
    const { client, fail, closed } = await createRawSetup('', nothing);
    const failed = fail();
    while (closed.length === 0) await new Promise((resolve) => void setImmediate(resolve));
    await client.close();
    expect(kindAndMessage(await failed)).toEqual(BROKEN);
    await closed[0];
  });

  it('is never made with a key that is invalid in a header, and the error does not show the key', async () => {
    const requests: unknown[] = [];
    const origin = await listen(createServer((request, response) => (requests.push(request.url), response.end('{}'))));
    const { client } = createClient(origin, {});
    const error: unknown = await client
      .get('/a', '/a', new Secret(`${KEY}\r\nx-evil: 1`), 'key')
      .catch((reason: unknown) => reason);
    expect(inspect(error, { depth: 30, showHidden: true })).not.toContain(KEY);
    expect([(error as UpstreamError).kind, requests]).toEqual(['unavailable', []]);
  });
});

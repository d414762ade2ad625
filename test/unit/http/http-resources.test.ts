import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createHttpClient, type HttpClientOptions } from '../../../src/upstream/http/http-client.ts';
import { Secret } from '../../../src/upstream/http/secret.ts';
import type { UpstreamError } from '../../../src/upstream/http/upstream-error.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of closing.splice(0).reverse()) await close();
});

/** A client of a server that runs `respond` for each request. */
async function createSetup(respond: RequestListener, options: Partial<HttpClientOptions> = {}) {
  const server = createServer(respond).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const client = createHttpClient({
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    timeoutMs: 60_000,
    limits: { maxBytes: 10_000_000, maxValues: 1_000_000, maxHeapBytes: 100_000_000 },
    maxBytesInFlight: 100_000_000,
    maxConnections: 4,
    clock: createVirtualClock(),
    ...options,
  });
  closing.push(() => client.close());
  const get = (target: string) => client.get(target, '/thing/{id}', new Secret('PMAK-1'), 'key');
  const fail = (target = '/') =>
    get(target).then(
      () => expect.unreachable('a response'),
      (reason: unknown) => reason as UpstreamError,
    );
  return { get, fail };
}

it('requests only the encoding that it decodes', async () => {
  let accepted: string | undefined;
  const { get } = await createSetup((request, response) => {
    accepted = request.headersDistinct['accept-encoding']?.join();
    response.end('{}');
  });
  await get('/');
  expect(accepted).toBe('gzip');
});

describe('a body in gzip', () => {
  const text = JSON.stringify({ rows: Array.from({ length: 5_000 }, (_, index) => `row ${index}`) });

  it.each([
    ['small, and arrives in two pieces', text.slice(0, 1_000)],
    ['large after decompression', text],
  ])('is read whole if it is %s', async (_, whole) => {
    const { get } = await createSetup((_request, response) => {
      const body = gzipSync(whole);
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': body.length });
      response.write(body.subarray(0, 30), () => setImmediate(() => response.end(body.subarray(30))));
    });
    expect((await get('/')).text).toBe(whole);
  });

  it('that arrives at once is read whole if it is large', async () => {
    const { get } = await createSetup((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(text));
    });
    expect((await get('/')).text).toBe(text);
  });

  it('is refused as soon as its beginning is too large, even if the rest never comes', async () => {
    const { fail } = await createSetup(
      (_, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' }).write(gzipSync(text));
      },
      { limits: { maxBytes: 1_000, maxValues: 1_000_000, maxHeapBytes: 100_000_000 } },
    );
    expect((await fail()).kind).toBe('badResponse');
  });
});

describe('the body of an error', () => {
  it('is not read if it exceeds the limit for errors, even if larger responses are allowed', async () => {
    const { get } = await createSetup((_request, response) => {
      response
        .writeHead(404, { 'content-type': 'application/json' })
        .end(JSON.stringify({ text: 'x'.repeat(100_000) }));
    });
    const { status, text } = await get('/');
    expect([status, text]).toEqual([404, '']);
  });
});

describe('the memory for bodies', () => {
  const body = JSON.stringify({ text: 'x'.repeat(150_000) });

  it('is given back by calls that fail', async () => {
    let finish = () => {};
    const { get, fail } = await createSetup(
      (request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        if (request.url === '/broken') response.write(body, () => response.destroy());
        else if (request.url === '/held') {
          response.write(body.slice(0, -1));
          finish = () => response.end('}');
        } else response.end(body);
      },
      { maxBytesInFlight: 2_500_000, timeoutMs: 20_000 },
    );
    for (let count = 0; count < 10; count++) expect((await fail('/broken')).kind).toBe('unavailable');
    // If failed calls did not give back their memory, these two bodies would block each other.
    const held = get('/held');
    const other = await get('/other');
    expect(other.text).toBe(body);
    other.release();
    finish();
    expect((await held).text).toBe(body);
  });
});

it('closes the connection of a response that is not read to its end', async () => {
  const closed: Promise<unknown>[] = [];
  const { fail, get } = await createSetup(
    (request, response) => {
      if (request.url === '/short') {
        response.end('{}');
        return;
      }
      closed.push(once(request.socket, 'close'));
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('x'.repeat(10_000));
    },
    { limits: { maxBytes: 5_000, maxValues: 1_000, maxHeapBytes: 100_000 }, maxConnections: 1 },
  );
  expect((await fail('/endless')).kind).toBe('badResponse');
  await closed[0];
  expect((await get('/short')).text).toBe('{}');
});

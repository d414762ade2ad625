import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttpClient } from '../../../src/upstream/http/http-client.ts';
import { type ProxySettings, toProxy } from '../../../src/upstream/http/proxy.ts';
import { Secret } from '../../../src/upstream/http/secret.ts';
import type { UpstreamError } from '../../../src/upstream/http/upstream-error.ts';
import { type ConnectReply, type ConnectProxy, startConnectProxy } from '../../support/connect-proxy.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

let upstream: Server;
let port: number;
let proxy: ConnectProxy;
let reply: ConnectReply;
const closing: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  upstream = createServer((request, response) => response.end(JSON.stringify(request.headers['host'])));
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  ({ port } = upstream.address() as AddressInfo);
  reply = { port };
  proxy = await startConnectProxy(() => reply);
});

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await proxy.close();
  upstream.closeAllConnections();
  upstream.close();
  await once(upstream, 'close');
});

function createClient(origin: string, settings: Partial<ProxySettings> = {}, timeoutMs = 60_000) {
  const address = toProxy(`http://canary-user:canary%20password@${proxy.address}`);
  const client = createHttpClient({
    origin,
    timeoutMs,
    limits: { maxBytes: 10_000, maxValues: 1_000, maxHeapBytes: 100_000 },
    maxBytesInFlight: 1_000_000,
    maxConnections: 4,
    proxy: { ...address!, noProxy: '', ...settings },
    clock: createVirtualClock(),
  });
  closing.push(() => client.close());
  const get = () => client.get('/', '/', new Secret('PMAK-canary'), 'key');
  /** Returns the error of a call, after checking that no secret occurs anywhere in it. */
  const fail = async () => {
    const error = await get().then(
      () => expect.unreachable('a response'),
      (reason: unknown) => reason as UpstreamError,
    );
    expect(inspect(error, { depth: 30, showHidden: true, getters: true })).not.toMatch(/canary|Y2FuYXJ5/);
    return error;
  };
  return { get, fail };
}

const credentials = `Basic ${Buffer.from('canary-user:canary password').toString('base64')}`;
const expected = { target: 'postman.test:80', authorization: credentials };

describe('a proxy', () => {
  it('opens tunnels, which later calls reuse', async () => {
    const { get } = createClient('http://postman.test');
    for (let index = 0; index < 5; index++) expect((await get()).text).toBe('"postman.test"');
    // The second call is made before the first has returned its connection.
    expect([proxy.requests, proxy.others]).toEqual([[expected, expected], []]);
  });

  it('opens no more tunnels than the maximum number of connections', async () => {
    const { get } = createClient('http://postman.test');
    const responses = await Promise.all(Array.from({ length: 20 }, get));
    expect(responses.map(({ text }) => text)).toEqual(responses.map(() => '"postman.test"'));
    expect(proxy.requests.length).toBeLessThanOrEqual(4);
  });

  it.each(['postman.test', '.test', '*.test', 'other.test, postman.test:80', 'OTHER, POSTMAN.TEST', '*'])(
    'is not used for hosts of NO_PROXY: %s',
    async (noProxy) => {
      // There is no such host: calls without a tunnel fail.
      const { fail } = createClient('http://postman.test', { noProxy });
      expect((await fail()).kind).toBe('unreachable');
      expect([proxy.requests, proxy.others]).toEqual([[], []]);
    },
  );

  it.each(['man.test', 'postman.test:443', 'a.postman.test'])(
    'is used for all other hosts: NO_PROXY=%s',
    async (noProxy) => {
      const { get } = createClient('http://postman.test', { noProxy });
      expect((await get()).text).toBe('"postman.test"');
    },
  );

  it.each([407, 403, 502])('that responds %i is a connect failure, and the next call tries again', async (status) => {
    reply = { status };
    const { get, fail } = createClient('http://postman.test');
    const { kind, isConnectFailure } = await fail();
    expect([kind, isConnectFailure]).toEqual(['unavailable', true]);
    reply = { port };
    expect((await get()).text).toBe('"postman.test"');
  });

  it('that is not running is a connect failure', async () => {
    await proxy.close();
    const { kind, isConnectFailure } = await createClient('http://postman.test').fail();
    expect([kind, isConnectFailure]).toEqual(['unavailable', true]);
    proxy = await startConnectProxy(() => reply);
  });

  it('that does not respond fails the call, but not the calls after it', async () => {
    reply = 'silence';
    const { get, fail } = createClient('http://postman.test', {}, 1_500);
    expect((await fail()).kind).toMatch(/^(?:timeout|unavailable)$/);
    reply = { port };
    expect((await get()).text).toBe('"postman.test"');
  });
});

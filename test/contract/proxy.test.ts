import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { type BuiltServer, createBuiltServer, type RunningServer } from '../support/built-server.ts';
import { type ConnectProxy, startConnectProxy } from '../support/connect-proxy.ts';

const certificate = fileURLToPath(new URL('../support/postman.test.pem', import.meta.url));
const built: BuiltServer = createBuiltServer('proxy-test');
let postman: Sandbox;
let tls: Server;
let proxy: ConnectProxy;
let server: RunningServer;

beforeAll(async () => {
  built.build();
  postman = await startSandbox();
  const pem = readFileSync(certificate);
  // https://postman.test, which is known to the proxy alone.
  tls = createServer({ key: pem, cert: pem }, (socket: Socket) => {
    const plain = connect(Number(new URL(postman.origin).port), '127.0.0.1');
    for (const [one, other] of [[socket, plain] as const, [plain, socket] as const])
      one.on('error', () => other.destroy()).once('close', () => other.destroy());
    socket.pipe(plain).pipe(socket);
  });
  tls.listen(0, '127.0.0.1');
  await once(tls, 'listening');
  const { port } = tls.address() as AddressInfo;
  proxy = await startConnectProxy((target) => (target === 'postman.test:443' ? { port } : { status: 403 }));
}, 60_000);

afterEach(() => server.stop());

afterAll(async () => {
  await proxy.close();
  await postman.close();
  tls.close();
  built.remove();
});

const ask = async (query: string) => {
  const response = await fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return (await response.json()) as { data: unknown; errors?: unknown };
};

it.each(['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY'])(
  'calls an https Postman through the proxy of %s, with a certificate of NODE_EXTRA_CA_CERTS, and shows no password',
  async (variable) => {
    proxy.requests.length = 0;
    server = await built.start({
      POSTMAN_API_BASE_URL: 'https://postman.test',
      POSTMAN_API_KEY: postman.apiKey,
      [variable]: `http://canary-user:canary-password@${proxy.address}`,
      NODE_EXTRA_CA_CERTS: certificate,
      LOG_LEVEL: 'trace',
    });
    expect(await ask('{ me { username } }')).toMatchObject({ data: { me: { username: 'ines-aldana' } } });
    const authorization = `Basic ${Buffer.from('canary-user:canary-password').toString('base64')}`;
    expect([proxy.requests, proxy.others]).toEqual([[{ target: 'postman.test:443', authorization }], []]);
    await server.stop();
    expect(server.stderr()).toContain(`"proxy":"http://${proxy.address}"`);
    expect(server.stderr() + server.stdout()).not.toMatch(/canary|Y2FuYXJ5/);
  },
);

it('never goes through a proxy to loopback, be it Postman or the example account', async () => {
  proxy.requests.length = 0;
  const env = { HTTP_PROXY: `http://${proxy.address}`, HTTPS_PROXY: `http://${proxy.address}` };
  for (const account of [{ POSTMAN_API_BASE_URL: postman.origin, POSTMAN_API_KEY: postman.apiKey }, {}]) {
    server = await built.start({ ...env, ...account });
    expect(await ask('{ me { username } }')).toMatchObject({ data: { me: { username: 'ines-aldana' } } });
    await server.stop();
  }
  expect([proxy.requests, proxy.others]).toEqual([[], []]);
});

it('reads an empty variable as none', async () => {
  server = await built.start({
    POSTMAN_API_BASE_URL: postman.origin,
    POSTMAN_API_KEY: postman.apiKey,
    HTTPS_PROXY: '',
    NO_PROXY: '',
  });
  expect(server.stderr()).not.toContain('proxy');
});

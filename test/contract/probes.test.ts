import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { type Facade, startFacade } from '../support/facade.ts';
import { skipsRedis, startRedis } from '../support/redis-server.ts';

let facade: Facade;
afterEach(() => facade.close());

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly agent?: Agent;
}

/** Sends a request with any `Host`, which fetch does not allow, and reads the response. */
async function ask(path: string, { method = 'GET', headers = {}, agent }: Asked = {}) {
  const { hostname, port } = new URL(facade.url);
  const request = httpRequest({ host: hostname, port, path, method, headers, ...(agent && { agent }) });
  request.end();
  const [response] = await once(request, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode as number, headers: response.headers as Record<string, string>, text };
}

const ready = '{"status":"ready","circuitBreaker":"closed"}\n';

describe('a probe', () => {
  it.each([
    ['/healthz', '{"status":"ok"}\n'],
    ['/health', '{"status":"ok"}\n'],
    ['/readyz', ready],
    ['/readyz?verbose', ready],
  ])('of %s is answered for any Host, without a token and a call, and is not logged', async (path, body) => {
    facade = await startFacade({ ACCESS_TOKEN: 't0ken' });
    for (const host of ['10.1.2.3:4000', 'evil.example', 'localhost', '_'])
      expect(await ask(path, { headers: { host } })).toMatchObject({
        status: 200,
        headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
        text: body,
      });
    expect(await ask(path, { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
    expect(facade.postman.calls).toEqual([]);
    expect(facade.log.join()).not.toContain('refused');
  });

  it.each(['/readyz/', '/healthz/x', '/x/healthz', '//healthz'])(
    'is nothing else: %s wants the token',
    async (path) => {
      facade = await startFacade({ ACCESS_TOKEN: 't0ken' });
      expect((await ask(path)).status).toBe(401);
    },
  );

  it('is a GET: a POST needs the token', async () => {
    facade = await startFacade({ ACCESS_TOKEN: 't0ken' });
    expect((await ask('/readyz', { method: 'POST' })).status).toBe(401);
  });

  it('is ready, and says so, while Postman is down', async () => {
    facade = await startFacade();
    // Nothing listens there any more.
    await facade.postman.close();
    for (let index = 0; index < 12; index++) {
      facade.skip(1_000);
      await facade.query(`{ a${index}: collection(uid: "1-0000000${index}") { name } }`);
    }
    expect(facade.log.join('')).toContain('Postman does not serve');
    const down = { status: 200, text: '{"status":"ready","circuitBreaker":"open"}\n' };
    expect(await ask('/readyz')).toMatchObject(down);
    expect(await ask('/healthz')).toMatchObject({ status: 200 });
  });

  it.skipIf(skipsRedis)('is ready, and says so, while Redis is down', async () => {
    const redis = await startRedis();
    facade = await startFacade({ REDIS_URL: redis.url, TENANT_SECRET: 's'.repeat(44) });
    const withRedis = (state: string) => `{"status":"ready","circuitBreaker":"closed","redis":"${state}"}\n`;
    expect(await ask('/readyz')).toMatchObject({ status: 200, text: withRedis('up') });
    await redis.stop();
    // A call that needs a slot finds out.
    await facade.query('{ me { username } }', { headers: { prefer: 'wait=1' } });
    expect(await ask('/readyz')).toMatchObject({ status: 200, text: withRedis('down') });
    expect(await ask('/healthz')).toMatchObject({ status: 200, text: '{"status":"ok"}\n' });
  });

  it('is not ready, but alive, from the moment when the server is told to stop', async () => {
    facade = await startFacade();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect(await ask('/readyz', { agent })).toMatchObject({ status: 200, text: ready });
    const closed = facade.close();
    expect(await ask('/readyz', { agent })).toMatchObject({ status: 503, text: '{"status":"stopping"}\n' });
    agent.destroy();
    await closed;
    facade = await startFacade();
  });
});

describe('an address that people open', () => {
  const html = { accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' };
  const line = 'postman-graphql: POST GraphQL requests as JSON to graphql, relative to this address.\n';

  it.each([
    ['true', html, 302, ''],
    ['true', {}, 200, line],
    ['true', { accept: '*/*' }, 200, line],
    ['false', html, 200, line],
    ['false', {}, 200, line],
  ])('is / with GRAPHIQL=%s and %j: %i', async (graphiql, headers, status, text) => {
    facade = await startFacade({ GRAPHIQL: graphiql, ACCESS_TOKEN: 't0ken' });
    const answer = await ask('/', { headers });
    expect(answer).toMatchObject({ status, text });
    // Relative, so that a proxy's path stays before it.
    expect(answer.headers['location']).toBe(status === 302 ? 'graphql' : undefined);
    const head = await ask('/', { method: 'HEAD', headers });
    expect([head.status, head.text, head.headers['location']]).toEqual([status, '', answer.headers['location']]);
  });

  it('is / only for allowed hosts and for GET', async () => {
    facade = await startFacade({ ACCESS_TOKEN: 't0ken' });
    expect((await ask('/', { headers: { host: 'evil.example' } })).status).toBe(403);
    expect((await ask('/', { method: 'POST' })).status).toBe(401);
  });

  it('has no icon', async () => {
    facade = await startFacade({ ACCESS_TOKEN: 't0ken' });
    expect(await ask('/favicon.ico')).toMatchObject({ status: 204, text: '' });
  });

  it('gives HEAD the response of GET without the body', async () => {
    facade = await startFacade();
    for (const headers of [html, {}, { 'x-graphql-yoga-csrf': '1' }]) {
      const path = `/graphql?query=${encodeURIComponent('{ me { username } }')}`;
      const got = await ask(path, { headers });
      const head = await ask(path, { headers, method: 'HEAD' });
      expect([head.status, head.headers['content-type'], head.text]).toEqual([
        got.status,
        got.headers['content-type'],
        '',
      ]);
    }
  });
});

describe('a connection', () => {
  it('is kept for its next request for KEEP_ALIVE_TIMEOUT_MS, longer than balancers keep it', async () => {
    facade = await startFacade();
    expect((await ask('/healthz', { agent: new Agent({ keepAlive: true }) })).headers['keep-alive']).toBe('timeout=65');
    await facade.close();
    facade = await startFacade({ KEEP_ALIVE_TIMEOUT_MS: '90000' });
    expect((await ask('/healthz', { agent: new Agent({ keepAlive: true }) })).headers['keep-alive']).toBe('timeout=90');
  });
});

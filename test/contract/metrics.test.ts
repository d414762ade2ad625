import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { families } from '../../src/server/metrics/families.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { metricsUrlOf, scrape } from '../support/scrape.ts';

const { riderPlatform } = ids.workspaces;
const { rides, stations, pricing } = ids.collections;

let facade: Facade;
afterEach(() => facade.close());

const start = (env: Record<string, string> = {}) => startFacade({ METRICS_PORT: '0', ...env });
const nameOf = (uid: string) => `{ collection(uid: "${uid}") { name } }`;
const until = (condition: () => unknown) => vi.waitFor(condition, { interval: 2, timeout: 60_000 });

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

/** Sends a request to the metrics port, with any `Host`, and reads the response. */
async function ask(path: string, { method = 'GET', headers = {} }: Asked = {}) {
  const { hostname, port } = new URL(metricsUrlOf(facade));
  const request = httpRequest({ host: hostname, port, path, method, headers, agent: false });
  request.end();
  const [response] = await once(request, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode as number, headers: response.headers as Record<string, string>, text };
}

describe('metrics', () => {
  it("agree with upstream's log after hits, joined calls, failures of all kinds, retries and a revalidation", async () => {
    facade = await start({ UPSTREAM_TIMEOUT_MS: '1500', CACHE_RENEW_MS: '0' });
    const { postman, query } = facade;
    // Coalesced, then a hit.
    postman.fail('/me', { kind: 'delay', delayMs: 200 }, 1);
    const both = await Promise.all([query('{ me { username } }'), query('{ me { username } }')]);
    expect(both.map(({ upstream }) => upstream.calls + upstream.coalesced)).toEqual([1, 1]);
    await query('{ me { username } }');
    postman.fail(rides, { kind: 'status', status: 404 }, 1);
    expect((await query(`{ collection(uid: "${rides}") { requests { nodes { name } } } }`)).errors).toHaveLength(0);
    // A 5XX that is retried, one that is not, and a 429.
    postman.fail(stations, { kind: 'status', status: 500 }, 1);
    expect((await query(nameOf(stations))).errors).toEqual([]);
    postman.fail(pricing, { kind: 'status', status: 503, headers: { 'Retry-After': '60' } }, 1);
    expect((await query(nameOf(pricing))).errors).toHaveLength(1);
    postman.fail('/environments/', { kind: 'refusal', spelling: 'retry-after', waitSeconds: 1 }, 1);
    const waiting = query(`{ environment(uid: "${ids.environments.staging}") { name } }`);
    await until(() => expect(postman.arrivals.at(-1)?.status).toBe(429));
    expect((await waiting).errors).toEqual([]);
    // No response in time.
    postman.fail('/mocks/', { kind: 'hang' }, 1);
    expect((await query(`{ mock(uid: "${ids.mocks.rides}") { name } }`)).errors).toHaveLength(1);
    // A document that is not valid.
    await query('{ nothing }');
    // Stale, and revalidated in the background.
    facade.skip(70_000);
    const arrived = postman.arrivals.length;
    await query('{ me { username } }');
    await until(() => expect(postman.arrivals).toHaveLength(arrived + 1));
    await until(async () =>
      expect((await scrape(facade)).value('postman_graphql_revalidations_total{outcome="succeeded"}')).toBe(1),
    );

    const { sum, value } = await scrape(facade);
    const countOf = (status: number) => postman.arrivals.filter((arrival) => arrival.status === status).length;
    const calls = 'http_client_request_duration_seconds_count';
    for (const status of [200, 404, 429, 500, 503])
      expect([status, sum(calls, `http_response_status_code="${status}"`)]).toEqual([status, countOf(status)]);
    expect(countOf(404)).toBeGreaterThan(0);
    expect(sum(calls, 'error_type="timeout"')).toBe(1);
    expect(sum(calls)).toBe(postman.arrivals.length);
    const waits = 'postman_graphql_budget_wait_duration_seconds_count';
    expect(sum(waits)).toBe(postman.arrivals.length);
    const outcomes = ['hit', 'shared', 'stale', 'coalesced', 'miss'] as const;
    const reads = Object.fromEntries(
      outcomes.map((outcome) => [outcome, value(`postman_graphql_cache_requests_total{outcome="${outcome}"}`)]),
    );
    const retries = sum('postman_graphql_retries_total');
    // Every call is a new one, a retry or a revalidation.
    expect(reads).toEqual({ hit: 1, shared: 0, stale: 1, coalesced: 1, miss: postman.arrivals.length - retries - 1 });
    expect(value('postman_graphql_retries_total{outcome="succeeded"}')).toBe(2);
    expect(sum('postman_graphql_upstream_rate_limited_total')).toBe(1);
    const operations = 'postman_graphql_operation_duration_seconds_count';
    expect(['ok', 'partial', 'refused', 'failed'].map((outcome) => sum(operations, `outcome="${outcome}"`))).toEqual([
      7, 0, 1, 2,
    ]);
    expect(sum('postman_graphql_operation_calls_sum')).toBe(postman.arrivals.length - 1);
    expect(
      value('http_server_request_duration_seconds_count{http_request_method="POST",http_response_status_code="200"}'),
    ).toBe(sum(operations));
  });

  it('count waits, refusals and reservations, and show what a budget holds', async () => {
    facade = await start({ RATE_LIMIT: '2', RATE_LIMIT_WINDOW_MS: '60000', RESERVED_CALLS: '0' });
    const { query, skip, postman } = facade;
    await query(nameOf(rides));
    await query(nameOf(stations));
    // Refused, with a reservation; the client comes at the time that it was given, and once more does not.
    const refused = await query(nameOf(pricing));
    expect(refused.errors[0]?.extensions).toMatchObject({ code: 'RATE_LIMITED' });
    const full = await scrape(facade);
    expect(full.value('postman_graphql_calls_refused_total{reason="deadline"}')).toBe(1);
    expect(full.value('postman_graphql_budget_keys{state="full"}')).toBe(1);
    expect(full.value('postman_graphql_budget_used_ratio{window="general",statistic="max"}')).toBe(1);
    skip(Number(refused.headers.get('retry-after')) * 1_000);
    expect((await query(nameOf(pricing))).errors).toEqual([]);
    const used = await scrape(facade);
    expect(used.value('postman_graphql_slot_reservations_total{outcome="used"}')).toBe(1);
    await query(nameOf(ids.collections.payments));
    await query(nameOf(ids.collections.settlement));
    skip(70_000);
    await until(async () =>
      expect((await scrape(facade)).sum('postman_graphql_slot_reservations_total', 'expired')).toBe(1),
    );
    expect(postman.arrivals).toHaveLength(4);
  });

  it('count a wait, and show it while it lasts', async () => {
    facade = await start({ RATE_LIMIT: '1', RATE_LIMIT_WINDOW_MS: '5000', RESERVED_CALLS: '0' });
    await facade.query(nameOf(rides));
    const waiting = facade.query(nameOf(stations));
    const queued = 'postman_graphql_budget_queued{route_class="general"}';
    await until(async () => expect((await scrape(facade)).value(queued)).toBe(1));
    facade.skip(5_000);
    expect((await waiting).errors).toEqual([]);
    const { value } = await scrape(facade);
    expect(value(queued)).toBe(0);
    const waits = (part: string) => value(`postman_graphql_budget_wait_duration_seconds_${part}`);
    expect(waits('count{route_class="general"}') - waits('bucket{le="1",route_class="general"}')).toBe(1);
  });

  it('count the parts of streams, and those that are open', async () => {
    facade = await start();
    facade.postman.fail('/workspaces?', { kind: 'delay', delayMs: 300 });
    const response = fetch(facade.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'multipart/mixed' },
      body: JSON.stringify({ query: '{ me { username } ... @defer { workspaces { nodes { name } } } }' }),
    });
    await until(async () => expect((await scrape(facade)).value('postman_graphql_streams_open')).toBe(1));
    await (await response).text();
    await until(async () => expect((await scrape(facade)).value('postman_graphql_streams_open')).toBe(0));
    const { sum, value } = await scrape(facade);
    expect(value('postman_graphql_stream_parts_total')).toBe(2);
    expect(sum('postman_graphql_operation_duration_seconds_count', 'outcome="ok"')).toBe(1);
  });

  it('are those that the code lists, and the first event of each has a rate', async () => {
    facade = await start();
    const { text } = await scrape(facade);
    const types = Object.fromEntries(
      [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]),
    );
    expect(types).toMatchObject(Object.fromEntries(Object.entries(families).map(([name, { type }]) => [name, type])));
    expect(text).toContain('postman_graphql_calls_refused_total{reason="month"} 0\n');
    expect(text).not.toMatch(/^nodejs_active_\w+_total/m);
  });

  it('show no API key, secret, uid, name or client', async () => {
    const apiKey = 'PMAK-0123456789abcdef-secret';
    const accessToken = 'uW3fQ9rT2xLk8bNz';
    facade = await startFacade(
      { METRICS_PORT: '0', ACCESS_TOKEN: accessToken },
      {
        otherApiKeys: [apiKey],
      },
    );
    const headers = {
      authorization: `Bearer ${accessToken}`,
      'apollographql-client-name': 'my-dashboard',
      'user-agent': 'an-agent',
    };
    await facade.query(
      `query MyOperation { collection(uid: "${rides}") { name } workspace(id: "${riderPlatform}") { name } }`,
      {
        headers,
      },
    );
    await facade.query(nameOf(rides), { headers: { ...headers, 'x-api-key': apiKey } });
    const { text } = await scrape(facade);
    const keys = await ask('/metrics/keys', { headers });
    for (const hidden of [
      apiKey,
      facade.postman.apiKey,
      accessToken,
      rides,
      riderPlatform,
      'MyOperation',
      'dashboard',
      'an-agent',
      'Rides',
    ])
      expect(`${text}${keys.text}`).not.toContain(hidden);
  });
});

describe('the metrics port', () => {
  it('serves GET and HEAD of two paths, and refuses all else', async () => {
    facade = await start();
    const { status, headers, text } = await ask('/metrics');
    expect({ status, type: headers['content-type'], cache: headers['cache-control'] }).toEqual({
      status: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
      cache: 'no-store',
    });
    expect(text).toContain('process_cpu_seconds_total');
    expect(await ask('/metrics?x=1', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
      expect(await ask('/metrics', { method })).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    for (const path of ['/', '/graphql', '/metrics/', '/metrics/keys/1', '//metrics', '/healthz'])
      expect((await ask(path)).status).toBe(404);
  });

  it('on loopback refuses a foreign Host, unless it is allowed', async () => {
    facade = await start({ ALLOWED_HOSTS: 'metrics.test' });
    for (const [host, status] of [
      ['evil.example', 403],
      ['metrics.test', 200],
      ['localhost:9464', 200],
    ] as const)
      expect((await ask('/metrics', { headers: { host } })).status).toBe(status);
  });

  it('lists the fullest keys by the start of their hashes, to those who have the access token', async () => {
    facade = await start({ ACCESS_TOKEN: 't0ken', RATE_LIMIT: '60', BURST_LIMIT: '10' });
    const authorization = 'Bearer t0ken';
    await facade.query(nameOf(rides), { headers: { authorization } });
    expect(await ask('/metrics/keys')).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
    expect((await ask('/metrics/keys', { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
    expect((await ask('/metrics')).status).toBe(200);
    const { status, text } = await ask('/metrics/keys', { headers: { authorization } });
    expect({ status, body: JSON.parse(text) }).toEqual({
      status: 200,
      body: {
        keys: [
          {
            keys: [expect.stringMatching(/^[\w-]{8}$/)],
            state: 'busy',
            windows: [
              { windowSeconds: 60, limit: 60, used: 1 },
              { windowSeconds: 10, limit: 10, used: 0 },
            ],
            queued: 0,
            monthLimit: null,
            monthRemaining: null,
          },
        ],
      },
    });
  });

  it('lists them without an access token to clients on this machine', async () => {
    facade = await start();
    expect(await ask('/metrics/keys')).toMatchObject({ status: 200, text: '{"keys":[]}\n' });
  });

  it('has at most 64 connections', async () => {
    facade = await start();
    const { hostname, port } = new URL(metricsUrlOf(facade));
    const sockets = Array.from({ length: 65 }, () => connect(Number(port), hostname).on('error', () => undefined));
    await expect(Promise.race(sockets.map((socket) => once(socket, 'close')))).resolves.toEqual([false]);
    for (const socket of sockets) socket.destroy();
  });

  it('that is taken is named with its variable, and closes with the server', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await expect(start({ METRICS_PORT: String(port) })).rejects.toThrow(
      `port ${port} of 127.0.0.1 is in use, perhaps by another postman-graphql: set METRICS_PORT to another one, or to 0 for any free port (EADDRINUSE)`,
    );
    await new Promise((resolve) => other.close(resolve));
    facade = await start({ METRICS_PORT: String(port) });
    expect((await ask('/metrics')).status).toBe(200);
    await facade.close();
    await expect(ask('/metrics')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    facade = await startFacade();
    expect(facade.log.join()).not.toContain('/metrics');
  });
});

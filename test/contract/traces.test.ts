import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { type ReceivedSpan, startTraceReceiver, type TraceReceiver } from '../support/trace-receiver.ts';

let receiver: TraceReceiver;
let facade: Facade;
beforeEach(async () => {
  receiver = await startTraceReceiver();
});
afterEach(async () => {
  await facade.close();
  await receiver.close();
});

const start = async (env: Record<string, string> = {}, sandbox: Parameters<typeof startFacade>[1] = {}) => {
  facade = await startFacade({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, ...env }, sandbox);
};
/** Waits until the collector has so many spans of operations, and with them all spans below. */
const operationSpans = async (count: number): Promise<readonly ReceivedSpan[]> => {
  const operations = () => receiver.spans.filter(({ kind }) => kind === 'SERVER');
  await expect.poll(() => operations().length, { timeout: 10_000 }).toBe(count);
  return operations().toSorted((one, other) => one.startMs - other.startMs);
};
const below = ({ spanId }: ReceivedSpan) =>
  receiver.spans.filter(({ parentSpanId }) => parentSpanId === spanId).toSorted((a, b) => a.startMs - b.startMs);
const logged = (message: string) =>
  facade.log.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ msg }) => msg === message);

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';

describe('a traced operation', () => {
  it('has a span of its own, and one below for each call', async () => {
    await start();
    const { errors, headers } = await facade.query('query Me { me { username } again: me { fullName } }');
    expect(errors).toEqual([]);
    const [operation] = await operationSpans(1);
    const [line] = logged('operation');
    expect(operation).toMatchObject({
      parentSpanId: undefined,
      name: 'query',
      traceId: line?.['traceId'],
      attributes: {
        'http.request.method': 'POST',
        'graphql.operation.type': 'query',
        'graphql.operation.name': 'Me',
        'http.response.status_code': 200,
        'postman_graphql.request_id': headers.get('x-request-id'),
        'postman_graphql.outcome': 'ok',
        'postman_graphql.calls': 1,
        'postman_graphql.cached': 0,
        'postman_graphql.coalesced': 0,
        'postman_graphql.waited_ms': 0,
        'postman_graphql.key_hash': line?.['keyHash'],
      },
      isError: false,
    });
    expect(below(operation!)).toMatchObject([
      {
        name: 'GET /me',
        kind: 'CLIENT',
        traceId: operation?.traceId,
        attributes: {
          'http.request.method': 'GET',
          'url.template': '/me',
          'server.address': '127.0.0.1',
          'postman_graphql.route_class': 'general',
          'http.response.status_code': 200,
        },
        isError: false,
      },
    ]);
    expect(logged('upstream call')).toMatchObject([{ traceId: operation?.traceId }]);
    expect(receiver.requests).toMatchObject([{ path: '/v1/traces', service: 'postman-graphql' }]);
  });

  it('has a span for each sending of a call that fails', async () => {
    await start();
    facade.postman.failNext(1, { kind: 'status', status: 503 });
    await facade.query('{ me { username } }');
    const [operation] = await operationSpans(1);
    const calls = below(operation!).map(({ attributes, isError }) => [
      attributes['http.response.status_code'],
      attributes['error.type'],
      attributes['http.request.resend_count'],
      isError,
    ]);
    expect(calls).toEqual([
      [503, 'unavailable', undefined, true],
      [200, undefined, 1, false],
    ]);
  });

  it('is judged by its data and the codes of its errors', async () => {
    await start();
    facade.postman.failNext(1, { kind: 'status', status: 403 });
    await facade.query(`{ me { username } environment(uid: "${ids.environments.local}") { name } }`);
    await facade.query('{ nothing }');
    facade.postman.failNext(9, { kind: 'status', status: 500 });
    await facade.query('{ mocks: workspaces(first: 1) { nodes { name } } }');
    const spans = await operationSpans(3);
    expect(
      spans.map(({ name, attributes, isError }) => [
        name,
        attributes['http.response.status_code'],
        attributes['postman_graphql.outcome'],
        isError,
      ]),
    ).toEqual([
      ['query', 200, 'partial', false],
      ['GraphQL Operation', 200, 'refused', false],
      ['query', 200, 'failed', true],
    ]);
  });

  it('continues the trace of its client, which Postman never gets', async () => {
    await start();
    const traceparent = `00-${TRACE_ID}-${SPAN_ID}-01`;
    await facade.query('{ me { username } }', { headers: { traceparent, tracestate: 'a=b', baggage: 'c=d' } });
    const [operation] = await operationSpans(1);
    expect([operation?.traceId, operation?.parentSpanId]).toEqual([TRACE_ID, SPAN_ID]);
    expect(facade.postman.arrivals.map(({ headers }) => Object.keys(headers).toSorted())).toEqual([
      ['accept', 'accept-encoding', 'connection', 'host', 'user-agent', 'x-api-key'],
    ]);
  });

  it.each([
    ['of zeros', `00-${'0'.repeat(32)}-${SPAN_ID}-01`],
    ['without flags', `00-${TRACE_ID}-${SPAN_ID}`],
    ['with more than its version has', `00-${TRACE_ID}-${SPAN_ID}-01-more`],
    ['of no version', `ff-${TRACE_ID}-${SPAN_ID}-01`],
    ['in capital letters', `00-${TRACE_ID.toUpperCase()}-${SPAN_ID}-01`],
  ])('ignores a traceparent %s', async (_what, traceparent) => {
    await start();
    await facade.query('{ me { username } }', { headers: { traceparent } });
    const [operation] = await operationSpans(1);
    expect(operation?.parentSpanId).toBeUndefined();
    expect(operation?.traceId).not.toBe(TRACE_ID);
  });

  it('is chosen by the sampler: a client that is not sampled is not, and its lines still have its trace', async () => {
    await start({ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' });
    await facade.query('{ me { username } }', { headers: { traceparent: `00-${TRACE_ID}-${SPAN_ID}-00` } });
    await facade.query('{ me { username } }');
    await facade.query('query Chosen { me { username } }', {
      headers: { traceparent: `00-${TRACE_ID}-${SPAN_ID}-01` },
    });
    const [operation] = await operationSpans(1);
    expect(operation?.attributes['graphql.operation.name']).toBe('Chosen');
    expect(logged('operation').map(({ traceId }) => traceId)).toEqual([
      TRACE_ID,
      expect.stringMatching(/^[\da-f]{32}$/),
      TRACE_ID,
    ]);
    expect(receiver.spans).toHaveLength(1);
  });
});

describe('waiting', () => {
  it('is visible in the trace of a stream, which lasts until its last part', async () => {
    await start({ RATE_LIMIT: '3', RATE_LIMIT_WINDOW_MS: '300', BURST_LIMIT: '0' });
    const response = await fetch(facade.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'multipart/mixed' },
      body: JSON.stringify({
        query: 'query Rows { workspaces { nodes @stream(initialCount: 1) { name collections { totalCount } } } }',
      }),
    });
    await response.text();
    const endedMs = Date.now();
    const [operation] = await operationSpans(1);
    const spans = below(operation!);
    const waits = spans.filter(({ name }) => name === 'wait for slot');
    const calls = spans.filter(({ kind }) => kind === 'CLIENT');
    expect(calls.length).toBeGreaterThan(3);
    expect(waits.length).toBeGreaterThan(0);
    for (const wait of waits) {
      expect(wait.attributes).toMatchObject({ 'url.template': '/workspaces/{id}', 'postman_graphql.admitted': true });
      // The call follows its wait. Clocks of spans have whole milliseconds at their start.
      expect(calls.some(({ startMs }) => Math.abs(startMs - wait.endMs) <= 20)).toBe(true);
    }
    const waitedMs = Math.max(...waits.map(({ startMs, endMs }) => endMs - startMs));
    expect(waitedMs).toBeGreaterThan(100);
    expect(Number(operation?.attributes['postman_graphql.waited_ms'])).toBeGreaterThanOrEqual(
      Math.floor(waitedMs) - 20,
    );
    const parts = operation!.events.filter(({ name }) => name === 'part');
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.at(-1)!.atMs - parts[0]!.atMs).toBeGreaterThan(100);
    for (const span of spans) expect(span.endMs).toBeLessThanOrEqual(operation!.endMs + 2);
    expect(operation!.endMs).toBeLessThanOrEqual(endedMs + 2);
  });

  it('for a call of another operation is a span with a link to that call', async () => {
    await start();
    facade.postman.failNext(1, { kind: 'delay', delayMs: 300 });
    const first = facade.query('query First { me { username } }');
    await expect.poll(() => facade.postman.calls.length).toBe(1);
    const second = await facade.query('query Second { me { username } }');
    await first;
    expect(second.upstream).toMatchObject({ calls: 0, coalesced: 1 });
    const operations = await operationSpans(2);
    const [one, other] = operations.map(below);
    expect(one?.map(({ name }) => name)).toEqual(['GET /me']);
    expect(other).toMatchObject([
      { name: 'wait for shared call', kind: 'INTERNAL', attributes: { 'url.template': '/me' } },
    ]);
    expect(other?.[0]?.links).toEqual([one?.[0]?.spanId]);
    expect(operations[0]?.traceId).not.toBe(operations[1]?.traceId);
  });
});

describe('a collector', () => {
  const ask = async () => {
    const { errors, data } = await facade.query('{ me { username } }');
    expect([errors, typeof data.me.username]).toEqual([[], 'string']);
  };
  const failures = () => logged('traces cannot be sent: the collector does not take them').length;

  it('gets the configured headers and the name of the service', async () => {
    await start({ OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20canary,x-scope=a', OTEL_SERVICE_NAME: 'facade' });
    await ask();
    await operationSpans(1);
    expect(receiver.requests).toMatchObject([
      { headers: { authorization: 'Bearer canary', 'x-scope': 'a' }, service: 'facade' },
    ]);
    expect(facade.log.join()).not.toContain('canary');
  });

  it('that fails costs spans only, and the log says once that it fails and that it no longer does', async () => {
    await start();
    receiver.respond = 500;
    for (let index = 0; index < 3; index++) await ask();
    await expect.poll(failures, { timeout: 15_000 }).toBe(1);
    receiver.respond = 200;
    await ask();
    await operationSpans(1);
    await expect.poll(() => logged('traces are sent again').length).toBe(1);
    expect(failures()).toBe(1);
  });

  it('that is not there costs spans only', async () => {
    const { endpoint } = receiver;
    await receiver.close();
    receiver = await startTraceReceiver();
    await start({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
    await ask();
    await expect.poll(failures, { timeout: 15_000 }).toBe(1);
    await ask();
  });

  it('that does not respond does not keep the server from stopping', async () => {
    await start();
    receiver.respond = 'never';
    await ask();
    await expect.poll(() => receiver.requests.length, { timeout: 10_000 }).toBe(1);
    await ask();
    await facade.close();
    // The exporter would still wait for the response.
    expect(receiver.pending()).toBeGreaterThan(0);
    facade = await startFacade();
  });

  it('gets at the end the spans of the last operations', async () => {
    await start();
    await ask();
    await facade.close();
    expect(receiver.spans.map(({ name }) => name).toSorted()).toEqual(['GET /me', 'query']);
    facade = await startFacade();
  });
});

it('without a collector there are no traces, and no trace ids', async () => {
  facade = await startFacade();
  await facade.query(`{ environment(uid: "${ids.environments.local}") { name } }`, {
    headers: { traceparent: `00-${TRACE_ID}-${SPAN_ID}-01` },
  });
  expect(logged('operation')).toMatchObject([{ status: 200 }]);
  expect(facade.log.join()).not.toContain('traceId');
  expect(receiver.requests).toEqual([]);
});

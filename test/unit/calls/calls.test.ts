import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createResponseCache } from '../../../src/upstream/cache/response-cache.ts';
import { Budget, type BudgetOptions } from '../../../src/upstream/rate-limiter/budget.ts';
import type { RouteClass } from '../../../src/upstream/postman/route-class.ts';
import { type Calls, createCalls } from '../../../src/upstream/calls/calls.ts';
import type { HttpResponse, HttpClient } from '../../../src/upstream/http/http-client.ts';
import { UnexpectedShapeError } from '../../../src/upstream/postman/resources/body.ts';
import { uncountedResponses } from '../../../src/upstream/calls/operation/held-responses.ts';
import { openOperation } from '../../../src/upstream/calls/operation/operation.ts';
import { Secret } from '../../../src/upstream/http/secret.ts';
import { UpstreamError } from '../../../src/upstream/http/upstream-error.ts';
import { silentObserver } from '../../../src/upstream/observer.ts';
import { toHttpResponse } from '../../support/http-response.ts';
import { createVirtualClock, type VirtualClock } from '../../support/virtual-clock.ts';

const NOT_WHOLE = "Postman's response is not valid JSON: it may be cut off.";
const KEY = 'PMAK-canary-0123456789';

interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly text?: string;
  readonly fails?: unknown;
}

/** An upstream that responds to each call 100 ms after it was sent, with the result of `reply`. */
function createUpstream(clock: VirtualClock, startMs: number) {
  const sent: { readonly target: string; readonly atMs: number; readonly key: string }[] = [];
  const upstream = {
    sent,
    latencyMs: 100,
    reply: (target: string, _index: number): Reply => ({ body: { target } }),
    targets: () => sent.map(({ target }) => target),
  };
  const http: HttpClient = {
    get: (target, _route, apiKey) =>
      new Promise<HttpResponse>((resolve, reject) => {
        sent.push({ target, atMs: clock.nowMs() - startMs, key: apiKey.reveal() });
        const {
          status = 200,
          headers = {},
          body,
          text = JSON.stringify(body),
          fails,
        } = upstream.reply(target, sent.length - 1);
        clock.schedule(clock.nowMs() + upstream.latencyMs, () => {
          if (fails) reject(fails);
          else resolve(toHttpResponse({ status, headers: { 'content-type': 'application/json', ...headers }, text }));
        });
      }),
    close: () => Promise.resolve(),
  };
  return { upstream, http };
}

/** The call layer over a budget of 60 per minute and 10 per 10 s, and an upstream. */
function createSetup({ ttlMs = 60_000, ...options }: Partial<BudgetOptions> & { ttlMs?: number } = {}) {
  const clock = createVirtualClock();
  const startMs = clock.nowMs();
  const { upstream, http } = createUpstream(clock, startMs);
  const cache = createResponseCache({ ttlMs, swrMs: 0, staleIfErrorMs: 0, renewMs: 0, maxBytes: 1_000_000, clock });
  const outages: boolean[] = [];
  const calls = createCalls({
    http,
    cache,
    clock,
    random: () => 0.5,
    observer: { ...silentObserver, onCircuitChange: (isOpen) => void outages.push(isOpen) },
    isTrusted: () => true,
  });
  const newBudget = () =>
    new Budget({
      general: { limit: 60, windowMs: 60_000, isCap: false },
      burst: { limit: 10, windowMs: 10_000 },
      reservedCalls: 5,
      maxConcurrentCalls: 10,
      coldStart: 'off',
      processStartedAtMs: startMs,
      clock,
      ...options,
    });
  const budget = newBudget();
  return {
    clock,
    budget,
    newBudget,
    upstream,
    cache,
    outages,
    atMs: (sinceStartMs: number) => startMs + sinceStartMs,
    open: (options: { timeoutMs?: number; maxCalls?: number; tenant?: string; ofBudget?: Budget } = {}) =>
      openClient(calls, clock, startMs, { budget: options.ofBudget ?? budget, ...options }),
    /** Spends the whole general window: 60 calls of an operation each, ten at a time, so that the slots come back from 60.1 s to 60.6 s on. */
    async spend() {
      for (let index = 0; index < 60; index++) {
        void openClient(calls, clock, startMs, { budget }).get(`/spent/${index}`);
      }
      await clock.advance(1_000);
    },
  };
}

/** One client's operation, with the outcomes of its calls. */
function openClient(
  calls: Calls,
  clock: VirtualClock,
  startMs: number,
  {
    budget,
    timeoutMs = 30_000,
    maxCalls = 100,
    tenant = 'tenant',
  }: { budget: Budget; timeoutMs?: number; maxCalls?: number; tenant?: string },
) {
  const client = new AbortController();
  const opened = openOperation({
    keyHash: tenant,
    apiKey: new Secret(KEY),
    keyBudget: { current: budget, view: budget.view, belongsTo: () => {} },
    clientAddress: '127.0.0.1',
    heldResponses: { open: () => uncountedResponses },
    timeoutMs,
    clientGone: client.signal,
    maxCalls,
    clock,
  });
  const outcomes: {
    readonly target: string;
    readonly atMs: number;
    readonly value?: unknown;
    readonly error?: UpstreamError;
  }[] = [];
  return {
    ...opened,
    outcomes,
    leave: () => client.abort(),
    values: () => outcomes.map(({ value }) => value),
    errors: () => outcomes.flatMap(({ error }) => error ?? []),
    kinds: () => outcomes.map(({ error }) => error?.kind ?? 'answer'),
    get(target: string, routeClass: RouteClass = 'general') {
      const route = { template: '/thing/{id}', routeClass };
      return calls.make<unknown>({ route, target, parse: (body) => body }, opened.operation).then(
        (value) => void outcomes.push({ target, atMs: clock.nowMs() - startMs, value }),
        (error: unknown) => {
          if (!(error instanceof UpstreamError)) throw error;
          outcomes.push({ target, atMs: clock.nowMs() - startMs, error });
        },
      );
    },
    getAll(count: number, prefix: string, routeClass: RouteClass = 'general') {
      for (let index = 0; index < count; index++) void this.get(`/${prefix}/${index}`, routeClass);
    },
  };
}

describe('a response', () => {
  it('is parsed, cached, and counted', async () => {
    const { clock, open } = createSetup();
    const first = open();
    void first.get('/a');
    await clock.advance(100);
    const second = open();
    await second.get('/a');
    expect([first.values(), second.values()]).toEqual([[{ target: '/a' }], [{ target: '/a' }]]);
    expect(first.operation.meter.cost).toEqual({ calls: 1, cached: 0, coalesced: 0 });
    expect(second.operation.meter.cost).toEqual({ calls: 0, cached: 1, coalesced: 0 });
  });

  it('is requested again once it is no longer fresh', async () => {
    const { clock, upstream, open } = createSetup({ ttlMs: 1_000 });
    const client = open();
    for (const ms of [0, 1_100, 1]) {
      await clock.advance(ms);
      void client.get('/a');
      await clock.settle();
    }
    expect(upstream.sent.map(({ atMs }) => atMs)).toEqual([0, 1_101]);
  });

  it.each<[string, Reply, string, string]>([
    [
      'of another type',
      { text: '<html>', headers: { 'content-type': 'text/html' } },
      'serverError',
      'Postman, or a proxy in front of it, responded with something other than JSON.',
    ],
    ['that is cut off', { text: `{"key":"${KEY}` }, 'serverError', NOT_WHOLE],
    ['that is empty', { text: '' }, 'serverError', NOT_WHOLE],
    [
      'that is a redirect',
      { status: 302, text: '', headers: { location: 'https://elsewhere.example' } },
      'badResponse',
      'Postman sent a response that cannot be used (status 302).',
    ],
    [
      'of a server in trouble',
      { status: 503, text: '<html>' },
      'unavailable',
      'Postman is not available (status 503).',
    ],
    [
      'about a broken connection',
      { fails: new UpstreamError('unavailable', 'The connection to Postman failed.', { route: '/x' }) },
      'unavailable',
      'The connection to Postman failed.',
    ],
  ])('%s is an error that does not reveal the key, and is not cached', async (_, reply, kind, message) => {
    const { clock, upstream, open } = createSetup();
    upstream.reply = () => reply;
    const client = open();
    void client.get('/a');
    await clock.advance(1_000);
    expect(client.errors().map((error) => [error.kind, error.message])).toEqual([[kind, message]]);
    expect(inspect(client.errors(), { depth: 20, showHidden: true })).not.toContain(KEY);
    const before = upstream.sent.length;
    void client.get('/a');
    await clock.settle();
    expect(upstream.sent).toHaveLength(before + 1);
  });

  it.each<[Error, object]>([
    [new UnexpectedShapeError('It has no list.'), { kind: 'badResponse', cause: { message: 'It has no list.' } }],
    [new TypeError('a mistake of ours'), { message: 'a mistake of ours' }],
  ])('whose reading throws %s fails for everybody and gives its slot back', async (thrown, expected) => {
    const { clock, budget } = createSetup();
    const { http } = createUpstream(clock, clock.nowMs());
    const calls = createCalls({
      http,
      cache: createResponseCache({ ttlMs: 1_000, swrMs: 0, staleIfErrorMs: 0, renewMs: 0, maxBytes: 1_000, clock }),
      clock,
      random: Math.random,
      isTrusted: () => true,
    });
    const { operation } = openClient(calls, clock, 0, { budget });
    const parse = () => {
      throw thrown;
    };
    const route = { template: '/a', routeClass: 'general' } as const;
    const settled = Promise.allSettled([1, 2].map(() => calls.make({ route, target: '/a', parse }, operation)));
    await clock.advance(100);
    expect(await settled).toMatchObject([
      { status: 'rejected', reason: expected },
      { status: 'rejected', reason: expected },
    ]);
    await clock.advance(60_000);
    expect(budget.view.snapshot().remaining).toBe(60);
  });

  it('with 401 drops all cached responses of its key and nothing of others', async () => {
    const { clock, upstream, open, newBudget } = createSetup();
    const other = open({ tenant: 'other', ofBudget: newBudget() });
    const client = open();
    for (const target of ['/a', '/b']) for (const who of [client, other]) void who.get(target);
    await clock.advance(100);
    upstream.reply = () => ({
      status: 401,
      body: { error: { name: 'AuthenticationError', message: 'Invalid API Key.' } },
    });
    void client.get('/c');
    await clock.advance(100);
    for (const target of ['/a', '/b']) for (const who of [client, other]) void who.get(target);
    await clock.advance(100);
    expect(client.kinds()).toEqual(['answer', 'answer', 'unauthenticated', 'unauthenticated', 'unauthenticated']);
    expect(other.kinds()).toEqual(['answer', 'answer', 'answer', 'answer']);
    // Once its key has been refused, nothing is asked with it.
    expect(upstream.sent).toHaveLength(5);
  });
});

describe('a call in flight', () => {
  it('serves all operations that request the same, with one call', async () => {
    const { clock, upstream, open } = createSetup();
    const clients = Array.from({ length: 1_000 }, () => open());
    for (const client of clients) void client.get('/a');
    await clock.advance(100);
    expect(upstream.sent).toHaveLength(1);
    expect(clients.every((client) => client.values().length === 1)).toBe(true);
    expect(clients.map(({ operation }) => operation.meter.cost.coalesced)).toEqual([0, ...Array<number>(999).fill(1)]);
  });

  it('is never shared by two keys', async () => {
    const { clock, upstream, open, newBudget } = createSetup();
    const clients = Array.from({ length: 50 }, (_, index) =>
      open({ tenant: `tenant ${index}`, ofBudget: newBudget() }),
    );
    for (const client of clients) for (let index = 0; index < 10; index++) void client.get('/a');
    await clock.advance(100);
    expect(upstream.sent).toHaveLength(50);
    for (const client of clients) await client.get('/a');
    expect(upstream.sent).toHaveLength(50);
  });

  it('fails for all its waiters, and a later request calls again', async () => {
    const { clock, upstream, open } = createSetup();
    upstream.reply = (_, index) => (index === 0 ? { status: 403, body: {} } : { body: 1 });
    const clients = [open(), open(), open()];
    for (const client of clients) void client.get('/a');
    await clock.advance(100);
    expect(clients.flatMap((client) => client.kinds())).toEqual(['forbidden', 'forbidden', 'forbidden']);
    // A refusal is cached too, but not for long.
    await clock.advance(10_001);
    const later = open();
    void later.get('/a');
    await clock.advance(100);
    expect(later.kinds()).toEqual(['answer']);
  });

  it.each(['waiting', 'sent'])(
    'while %s still serves the others when the initiator has disconnected',
    async (state) => {
      const { clock, upstream, open, spend } = createSetup();
      if (state === 'waiting') await spend();
      const [first, second] = [open({ timeoutMs: 100_000 }), open({ timeoutMs: 100_000 })];
      void first.get('/a');
      void second.get('/a');
      await clock.settle();
      first.leave();
      await clock.advance(99_000);
      expect([first.errors().map(({ message }) => message), second.values()]).toEqual([
        ['The client has disconnected.'],
        [{ target: '/a' }],
      ]);
      expect(upstream.targets().filter((target) => target === '/a')).toHaveLength(1);
    },
  );

  it('leaves the queue and costs nothing if all waiters have disconnected before it was sent', async () => {
    const { clock, budget, upstream, open, spend } = createSetup();
    await spend();
    const clients = [open({ timeoutMs: 100_000 }), open({ timeoutMs: 100_000 })];
    for (const client of clients) void client.get('/a');
    await clock.settle();
    expect(budget.view.snapshot().queuedCalls).toBe(1);
    for (const client of clients) client.leave();
    await clock.settle();
    expect(budget.view.snapshot().queuedCalls).toBe(0);
    await clock.advance(100_000);
    expect(upstream.targets()).not.toContain('/a');
    expect(clients.map(({ operation }) => operation.meter.cost.calls)).toEqual([0, 0]);
  });

  it('gives its slot back if all waiters disconnect between its grant and its sending', async () => {
    const { clock, budget, upstream, open, spend } = createSetup();
    await spend();
    const gone = open({ timeoutMs: 100_000 });
    void gone.get('/a');
    await clock.settle();
    const { slots } = budget;
    const take = slots.take.bind(slots);
    let grants = 0;
    slots.take = (request, done) =>
      take(request, (grant) => {
        done(grant);
        if (!grant) return;
        grants++;
        gone.leave();
      });
    await clock.advance(100_000);
    expect([grants, upstream.targets().includes('/a'), gone.operation.meter.cost.calls]).toEqual([1, false, 0]);
    expect([slots.view.callsInFlight(), budget.view.snapshot()]).toMatchObject([0, { remaining: 60, queuedCalls: 0 }]);
    const next = open();
    void next.get('/a');
    await clock.advance(100);
    expect(next.values()).toEqual([{ target: '/a' }]);
  });

  it('can be requested again after it has left the queue', async () => {
    const { clock, open, spend } = createSetup();
    await spend();
    const [gone, next] = [open({ timeoutMs: 100_000 }), open({ timeoutMs: 100_000 })];
    void gone.get('/a');
    await clock.settle();
    gone.leave();
    void next.get('/a');
    await clock.advance(100_000);
    expect([next.values(), next.operation.meter.cost]).toEqual([
      [{ target: '/a' }],
      { calls: 1, cached: 0, coalesced: 0 },
    ]);
  });

  it('ends in the cache if all waiters disconnect after it was sent', async () => {
    const { clock, upstream, open } = createSetup();
    const gone = open();
    void gone.get('/a');
    await clock.settle();
    gone.leave();
    await clock.advance(100);
    expect(gone.kinds()).toEqual(['timeout']);
    const next = open();
    await next.get('/a');
    expect([next.values(), upstream.sent.length]).toEqual([[{ target: '/a' }], 1]);
  });

  it('refuses only the waiters that cannot wait as long', async () => {
    const { clock, open, spend, atMs } = createSetup();
    await spend();
    const [patient, hasty] = [open({ timeoutMs: 100_000 }), open({ timeoutMs: 10_000 })];
    void patient.get('/a');
    void hasty.get('/a');
    await clock.settle();
    expect(hasty.outcomes).toMatchObject([
      { atMs: 1_000, error: { kind: 'rateLimited', limitedBy: 'facade', retryAtMs: atMs(60_100) } },
    ]);
    await clock.advance(100_000);
    expect(patient.outcomes).toMatchObject([{ atMs: 60_200, value: { target: '/a' } }]);
  });

  it('moves to the slot of a small operation that joins it, if that slot comes earlier', async () => {
    const { clock, upstream, open } = createSetup();
    const large = open({ timeoutMs: 300_000 });
    large.getAll(80, 'thing');
    await clock.advance(3_000);
    // The last five slots are reserved for first calls.
    expect(upstream.sent).toHaveLength(55);
    const small = open();
    void small.get('/thing/79');
    await clock.advance(100);
    expect(small.outcomes).toEqual([{ target: '/thing/79', atMs: 3_100, value: { target: '/thing/79' } }]);
    expect(small.operation.meter.cost).toEqual({ calls: 0, cached: 0, coalesced: 1 });
    await clock.advance(120_000);
    expect(upstream.sent).toHaveLength(80);
    expect(large.outcomes).toHaveLength(80);
    expect(large.errors()).toEqual([]);
    expect(large.operation.meter.wait.totalMs()).toBeGreaterThan(50_000);
  });

  it('keeps the earlier slot of a small operation that has disconnected', async () => {
    const { clock, upstream, open } = createSetup({ general: { limit: 12, windowMs: 60_000, isCap: false } });
    const large = open({ timeoutMs: 300_000 });
    large.getAll(30, 'thing');
    await clock.advance(1_000);
    const others = open();
    others.getAll(5, 'other');
    await clock.advance(1_000);
    const small = open({ timeoutMs: 120_000 });
    void small.get('/thing/29');
    small.leave();
    await clock.advance(65_000);
    expect(upstream.targets().slice(12)).toContain('/thing/29');
    expect(small.kinds()).toEqual(['timeout']);
    await clock.advance(200_000);
    expect([upstream.sent.length, large.errors()]).toEqual([35, []]);
  });

  it('refuses a call of an operation that has ended', async () => {
    const { open } = createSetup();
    const client = open();
    client.leave();
    await client.get('/a');
    expect(client.kinds()).toEqual(['timeout']);
  });
});

describe('a deadline', () => {
  it('refuses at once a call whose slot comes later, with the time of that slot', async () => {
    const { clock, budget, upstream, open, spend, atMs } = createSetup();
    await spend();
    const clients = Array.from({ length: 70 }, () => open());
    for (const [index, client] of clients.entries()) void client.get(`/a/${index}`);
    await clock.settle();
    const refusals = clients.flatMap((client) => client.errors());
    expect(refusals.map(({ kind, limitedBy, route }) => [kind, limitedBy, route])).toEqual(
      Array.from({ length: 70 }, () => ['rateLimited', 'facade', '/thing/{id}']),
    );
    // As many get the same time as slots come back then: ten each 100 ms, and again a window and a round trip later.
    const secondRoundMs = refusals.slice(60).map(({ retryAtMs }) => (retryAtMs ?? 0) - atMs(120_000));
    expect(refusals.slice(0, 60).map(({ retryAtMs }) => retryAtMs)).toEqual(
      Array.from({ length: 60 }, (_, index) => atMs(60_100 + 100 * Math.floor(index / 10))),
    );
    expect(secondRoundMs).toEqual(Array(10).fill(200));
    expect([upstream.sent.length, budget.view.snapshot().queuedCalls]).toEqual([60, 0]);
  });

  it('gives all calls of an operation the time of their first slot, and each gets its own slot then', async () => {
    const { clock, upstream, open, spend, atMs } = createSetup({ maxConcurrentCalls: 1, reservedCalls: 0 });
    await spend();
    await clock.advance(6_000);
    const client = open();
    client.getAll(5, 'late');
    await clock.settle();
    const errors = client.errors();
    expect(errors.map(({ retryAtMs }) => retryAtMs)).toEqual(Array(5).fill(atMs(60_100)));
    expect(new Set(errors).size).toBe(1);
    // Calls of others wait meanwhile, behind the reserved slots.
    await clock.advance(34_100);
    open().getAll(5, 'other');
    await clock.advance(20_000);
    upstream.sent.length = 0;
    const again = open();
    again.getAll(5, 'late');
    await clock.advance(600);
    expect(again.kinds()).toEqual(Array(5).fill('answer'));
    expect(upstream.targets().slice(0, 5)).toEqual([0, 1, 2, 3, 4].map((index) => `/late/${index}`));
  });

  it('that passes while calls wait for a connection refuses them one after the other', async () => {
    const { clock, upstream, open } = createSetup({
      general: { limit: 3, windowMs: 20_000, isCap: true },
      maxConcurrentCalls: 1,
      reservedCalls: 0,
    });
    upstream.latencyMs = 40_000;
    const client = open();
    client.getAll(3, 'a');
    await clock.advance(30_000);
    expect(client.outcomes.map(({ target, atMs, error }) => [target, atMs, error?.kind])).toEqual([
      ['/a/2', 30_000, 'rateLimited'],
      ['/a/1', 30_000, 'rateLimited'],
      ['/a/0', 30_000, 'timeout'],
    ]);
    const [last, first] = client.errors();
    expect(last).toBe(first);
    expect(upstream.sent).toHaveLength(1);
  });

  it('that passes after the call was sent is a timeout, and the response is cached', async () => {
    const { clock, upstream, open, atMs } = createSetup();
    upstream.latencyMs = 40_000;
    const client = open();
    void client.get('/a');
    await clock.advance(40_000);
    expect(client.outcomes).toMatchObject([{ atMs: 30_000, error: { kind: 'timeout', retryAtMs: atMs(40_000) } }]);
    const next = open();
    await next.get('/a');
    expect(next.kinds()).toEqual(['answer']);
  });

  it('can be brought forward', async () => {
    const { clock, open } = createSetup();
    const client = open();
    void client.get('/a');
    await clock.settle();
    client.expire();
    await clock.settle();
    void client.get('/b');
    await clock.settle();
    expect(client.kinds()).toEqual(['timeout', 'timeout']);
  });

  it('does not move with the wall clock', async () => {
    const { clock, upstream, open, spend } = createSetup();
    await spend();
    const client = open({ timeoutMs: 90_000 });
    client.getAll(5, 'a');
    clock.jumpWallClock(3_600_000);
    await clock.advance(30_000);
    clock.jumpWallClock(-7_200_000);
    await clock.advance(29_000);
    expect(upstream.sent).toHaveLength(60);
    await clock.advance(3_000);
    expect(client.kinds()).toEqual(Array(5).fill('answer'));
  });
});

describe('cost', () => {
  it('counts calls sent, and the time in which at least one waited', async () => {
    const { clock, open, spend } = createSetup({ reservedCalls: 0 });
    await spend();
    const client = open({ timeoutMs: 100_000 });
    client.getAll(3, 'a');
    await clock.advance(70_000);
    expect(client.operation.meter.cost).toEqual({ calls: 3, cached: 0, coalesced: 0 });
    // From 1 s, when they were asked for, to 60.1 s, when the first answer's slot came back.
    expect(client.operation.meter.wait.totalMs()).toBe(59_100);
  });

  it('counts the waiting of operations that share a call and of those that disconnect', async () => {
    const { clock, open, spend } = createSetup({ reservedCalls: 0 });
    await spend();
    const [first, second] = [open({ timeoutMs: 100_000 }), open({ timeoutMs: 100_000 })];
    void first.get('/a');
    await clock.advance(10_000);
    void second.get('/a');
    await clock.advance(10_000);
    first.leave();
    await clock.advance(100_000);
    expect([first.operation.meter.wait.totalMs(), second.operation.meter.wait.totalMs()]).toEqual([20_000, 49_100]);
  });

  it('has a ceiling that joined calls and cached responses do not count towards', async () => {
    const { clock, upstream, open } = createSetup();
    const other = open();
    void other.get('/cached');
    await clock.advance(100);
    void other.get('/shared');
    const client = open({ maxCalls: 2 });
    for (const target of ['/cached', '/shared', '/a', '/b', '/c']) void client.get(target);
    await clock.advance(100);
    const [error] = client.errors();
    expect(client.values().filter(Boolean)).toHaveLength(4);
    expect([error?.kind, error?.limitedBy, error?.ceiling]).toEqual(['rateLimited', 'operation', 2]);
    expect(upstream.targets()).toEqual(['/cached', '/shared', '/a', '/b']);
  });
});

describe('a 429', () => {
  const refuse = (headers: Record<string, string> = { 'retry-after': '7' }, body: unknown = {}): Reply => ({
    status: 429,
    headers,
    body,
  });

  it('pauses all calls of the key, then sends the refused one first', async () => {
    const { clock, upstream, open } = createSetup({ maxConcurrentCalls: 2 });
    const nothingLeft = { 'retry-after': '7', ratelimit: 'limit=60, remaining=0, reset=60' };
    const muchLeft = { ratelimit: 'limit=60, remaining=50, reset=60' };
    upstream.reply = (target, index) => (index === 0 ? refuse(nothingLeft) : { headers: muchLeft, body: { target } });
    const [first, second] = [open({ timeoutMs: 100_000 }), open({ timeoutMs: 100_000 })];
    first.getAll(10, 'a');
    second.getAll(5, 'b', 'burst');
    await clock.advance(20_000);
    expect(upstream.sent.map(({ target, atMs }) => [target, atMs]).slice(0, 4)).toEqual([
      ['/a/0', 0],
      ['/a/1', 0],
      ['/a/0', 7_100],
      // The first one alone, to see whether it is over.
      ['/b/0', 7_200],
    ]);
    expect([...first.kinds(), ...second.kinds()]).toEqual(Array(15).fill('answer'));
    expect(upstream.sent).toHaveLength(16);
  });

  it('that does not say what is left means that nothing is left: slots come back bit by bit', async () => {
    const { clock, upstream, open } = createSetup({ reservedCalls: 0 });
    upstream.reply = (target, index) => (index === 0 ? refuse({ 'retry-after': '10' }) : { body: { target } });
    const client = open({ timeoutMs: 600_000 });
    client.getAll(80, 'a');
    await clock.advance(10_100);
    expect(upstream.sent).toHaveLength(11);
    await clock.advance(25_000);
    expect(upstream.sent).toHaveLength(36);
    await clock.advance(25_000);
    // And those of the first ten a window after their answers.
    expect(upstream.sent).toHaveLength(60 + 10);
  });

  it('lets responses that are on their way arrive', async () => {
    const { clock, upstream, open } = createSetup();
    upstream.reply = (target) => (target === '/a/0' ? refuse() : { body: { target } });
    const client = open({ timeoutMs: 5_000 });
    client.getAll(4, 'a');
    await clock.advance(100);
    expect(client.kinds()).toEqual(['rateLimited', 'answer', 'answer', 'answer']);
  });

  it('fails with its time when the operation cannot wait so long', async () => {
    const { clock, upstream, open, atMs } = createSetup();
    upstream.reply = () => refuse({ 'retry-after': '40' });
    const client = open();
    void client.get('/a');
    await clock.advance(100);
    expect(client.outcomes).toMatchObject([
      { atMs: 100, error: { kind: 'rateLimited', limitedBy: 'upstream', retryAtMs: atMs(40_100) } },
    ]);
    await clock.advance(100_000);
    expect(upstream.sent).toHaveLength(1);
  });

  it('is waited for by the waiters that can, when others of the same call cannot', async () => {
    const { clock, upstream, open } = createSetup();
    upstream.reply = (target, index) => (index === 0 ? refuse({ 'retry-after': '40' }) : { body: { target } });
    const [hasty, patient] = [open(), open({ timeoutMs: 60_000 })];
    void hasty.get('/a');
    void patient.get('/a');
    await clock.advance(60_000);
    expect([hasty.kinds(), patient.kinds(), upstream.sent.length]).toEqual([['rateLimited'], ['answer'], 2]);
    expect(patient.operation.meter.wait.totalMs()).toBe(40_000);
  });

  it('refuses at once queued calls that now cannot be sent in time, with one error per operation and the time of its last slot', async () => {
    const { clock, upstream, open, atMs } = createSetup({ general: { limit: 1, windowMs: 60_000, isCap: true } });
    upstream.reply = () => refuse({ 'retry-after': '200' });
    const client = open({ timeoutMs: 190_000 });
    client.getAll(3, 'a');
    await clock.advance(100);
    expect(client.outcomes.map(({ atMs, error }) => [atMs, error?.limitedBy])).toEqual([
      [100, 'facade'],
      [100, 'facade'],
      [100, 'upstream'],
    ]);
    const [first, second, refused] = client.errors();
    expect(first).toBe(second);
    expect([first?.retryAtMs, refused?.retryAtMs]).toEqual([atMs(260_400), atMs(200_100)]);
    await clock.advance(300_000);
    expect(upstream.sent).toHaveLength(1);
  });

  it('with a short pause fails at once where our own window is full for longer', async () => {
    const { clock, upstream, open, atMs } = createSetup({ general: { limit: 1, windowMs: 60_000, isCap: true } });
    upstream.reply = () => refuse();
    const client = open();
    void client.get('/a');
    await clock.advance(100);
    expect(client.outcomes).toMatchObject([
      { atMs: 100, error: { kind: 'rateLimited', limitedBy: 'facade', retryAtMs: atMs(60_100) } },
    ]);
  });

  it('that comes again pauses again, until the operation cannot wait', async () => {
    const { clock, upstream, open } = createSetup();
    upstream.reply = () => refuse();
    const client = open();
    void client.get('/a');
    await clock.advance(60_000);
    expect(upstream.sent.map(({ atMs }) => atMs)).toEqual([0, 7_100, 14_200, 21_300, 29_400]);
    // The last pause is one of eight seconds: each time in a row it lasts twice as long at least.
    expect(client.outcomes).toMatchObject([{ atMs: 29_500, error: { kind: 'rateLimited' } }]);
    expect(client.operation.meter.cost.calls).toBe(5);
  });

  it('about the monthly quota is not retried, and stops all other calls until the next check', async () => {
    const { clock, upstream, open } = createSetup({ maxConcurrentCalls: 1 });
    upstream.reply = (target, index) =>
      index === 0
        ? refuse({ 'retry-after': '7' }, { error: { name: 'serviceLimitExhausted', message: 'x' } })
        : { body: { target } };
    const [first, second] = [open(), open()];
    void first.get('/a');
    void second.get('/b');
    await clock.advance(100);
    void second.get('/c');
    await clock.settle();
    expect([first.kinds(), second.kinds(), upstream.targets()]).toEqual([
      ['quotaExhausted'],
      ['quotaExhausted', 'quotaExhausted'],
      ['/a'],
    ]);
    await clock.advance(600_000);
    const third = open();
    void third.get('/c');
    await clock.advance(100);
    expect([third.kinds(), upstream.targets()]).toEqual([['answer'], ['/a', '/c']]);
  });

  it('about the quota of one feature stops nothing else', async () => {
    const { clock, upstream, open } = createSetup();
    upstream.reply = (target) =>
      target === '/a'
        ? refuse({}, { type: 'x/rate-limit-exceeded', title: 'Your plan allows no more packages' })
        : { body: {} };
    const client = open();
    for (const target of ['/a', '/b']) {
      void client.get(target);
      await clock.advance(100);
    }
    expect(client.kinds()).toEqual(['quotaExhausted', 'answer']);
  });

  it.each<[string, Record<string, string>, number]>([
    ['Retry-After', { 'retry-after': '7' }, 7_000],
    ['RetryAfter', { retryafter: '8' }, 8_000],
    ['an epoch in X-RateLimit-Reset', { 'x-ratelimit-reset': String(Date.UTC(2026, 0, 15, 12, 0, 9) / 1_000) }, 8_900],
    ['RateLimit', { ratelimit: 'limit=60, remaining=0, reset=12' }, 12_000],
    ['a date', { 'retry-after': 'Thu, 15 Jan 2026 12:00:20 GMT' }, 19_900],
    ['nothing', {}, 60_000],
    ['zero', { 'retry-after': '0' }, 1_000],
    ['less than nothing', { 'retry-after': '-5' }, 1_000],
    ['hours', { 'retry-after': '36000' }, 300_000],
    ['a billion seconds', { 'retry-after': '1000000000' }, 60_000],
    ['words', { 'retry-after': 'soon' }, 60_000],
  ])('that names %s sends nothing during the pause', async (_, headers, pauseMs) => {
    const { clock, upstream, open } = createSetup();
    upstream.reply = (target, index) => (index === 0 ? refuse(headers) : { body: { target } });
    const hasty = open();
    void hasty.get('/refused');
    await clock.advance(100);
    const patient = open({ timeoutMs: 600_000 });
    patient.getAll(3, 'a');
    await clock.advance(pauseMs - 1);
    expect(upstream.sent).toHaveLength(1);
    await clock.advance(1);
    expect(upstream.sent.length).toBeGreaterThan(1);
    expect(upstream.sent.slice(1).every(({ atMs }) => atMs === 100 + pauseMs)).toBe(true);
  });
});

describe('a call that fails', () => {
  const failing: Reply = { status: 502, text: '<html>', headers: { 'content-type': 'text/html' } };

  it('is retried once, a moment later, and before queued calls', async () => {
    const { clock, upstream, open } = createSetup({ maxConcurrentCalls: 1 });
    upstream.reply = (target, index) => (index === 0 ? failing : { body: { target } });
    const client = open();
    void client.get('/a');
    client.getAll(8, 'b');
    await clock.advance(10_000);
    // 600 ms after it has failed; random is 0.5.
    expect(upstream.sent.map(({ target, atMs }) => [target, atMs]).slice(0, 9)).toEqual([
      ['/a', 0],
      ...[100, 200, 300, 400, 500, 600].map((atMs, index) => [`/b/${index}`, atMs]),
      ['/a', 700],
      ['/b/6', 800],
    ]);
    expect(client.kinds()).toEqual(Array(9).fill('answer'));
    expect(client.operation.meter.cost.calls).toBe(10);
  });

  it('is not made a third time', async () => {
    const { clock, upstream, open } = createSetup();
    upstream.reply = () => failing;
    const client = open();
    void client.get('/a');
    await clock.advance(10_000);
    expect([upstream.sent.map(({ atMs }) => atMs), client.kinds()]).toEqual([[0, 700], ['unavailable']]);
  });

  it('fails at once for those who cannot wait so long, and is made again for the others', async () => {
    const { clock, upstream, open } = createSetup();
    upstream.reply = (target, index) => (index === 0 ? failing : { body: { target } });
    const [hasty, patient] = [open({ timeoutMs: 500 }), open()];
    for (const client of [hasty, patient]) void client.get('/a');
    await clock.advance(100);
    expect([hasty.kinds(), patient.kinds()]).toEqual([['unavailable'], []]);
    await clock.advance(700);
    expect(patient.kinds()).toEqual(['answer']);
  });

  it('is not retried when nobody waits for it any more', async () => {
    const { clock, upstream, open } = createSetup();
    upstream.reply = () => failing;
    const client = open();
    void client.get('/a');
    await clock.advance(200);
    client.leave();
    await clock.advance(10_000);
    expect([upstream.sent.length, client.kinds()]).toEqual([1, ['timeout']]);
    void open().get('/a');
    await clock.settle();
    expect(upstream.sent).toHaveLength(2);
  });

  it('is joined by requests for the same before it is retried', async () => {
    const { clock, upstream, open } = createSetup();
    upstream.reply = (target, index) => (index === 0 ? failing : { body: { target } });
    const [first, second] = [open(), open()];
    void first.get('/a');
    await clock.advance(200);
    void second.get('/a');
    await clock.advance(1_000);
    expect([first.kinds(), second.kinds(), upstream.sent.length]).toEqual([['answer'], ['answer'], 2]);
  });

  it('is retried once for every ten responses, plus three times', async () => {
    const { clock, upstream, open } = createSetup({ general: { limit: 1_000, windowMs: 60_000, isCap: true } });
    upstream.reply = (target) => (target.startsWith('/bad') ? failing : { body: {} });
    const client = open({ maxCalls: 1_000 });
    client.getAll(10, 'bad');
    await clock.advance(10_000);
    expect(upstream.sent).toHaveLength(13);
    client.getAll(20, 'good');
    await clock.advance(1_000);
    client.getAll(10, 'bad again');
    await clock.advance(10_000);
    expect(upstream.sent).toHaveLength(13 + 20 + 12);
  });

  it('is retried after the wait that upstream names, up to five seconds', async () => {
    const { clock, upstream, open } = createSetup();
    upstream.reply = (target) => ({ ...failing, headers: { 'retry-after': target === '/short' ? '4' : '6' } });
    const client = open();
    for (const target of ['/short', '/long']) void client.get(target);
    await clock.advance(20_000);
    expect(upstream.sent.map(({ target, atMs }) => [target, atMs])).toEqual([
      ['/short', 0],
      ['/long', 0],
      ['/short', 4_100],
    ]);
  });

  it('is not retried after a timeout', async () => {
    const { clock, upstream, open } = createSetup();
    upstream.reply = () => ({ fails: new UpstreamError('timeout', 'Too late.', { route: '/x' }) });
    const client = open();
    void client.get('/a');
    await clock.advance(20_000);
    expect([upstream.sent.length, client.kinds()]).toEqual([1, ['timeout']]);
  });
});

describe('an upstream that is down', () => {
  const refused: Reply = {
    fails: new UpstreamError('unavailable', 'No connection.', { route: '/x', isConnectFailure: true }),
  };

  /** Has five calls fail, a second apart, so that calls are no longer made from 4,100 ms on. */
  async function createDown(options: Parameters<typeof createSetup>[0] = {}) {
    const setup = createSetup(options);
    setup.upstream.reply = () => refused;
    const client = setup.open({ timeoutMs: 600_000 });
    for (let index = 0; index < 5; index++) {
      void setup.open({ timeoutMs: 600 }).get(`/first/${index}`);
      await setup.clock.advance(1_000);
    }
    return { ...setup, client };
  }

  it('gets only a probe every six seconds, and all other calls fail with the time of the next one', async () => {
    const { clock, upstream, open, outages, atMs } = await createDown();
    expect([upstream.sent.length, outages]).toEqual([5, [true]]);
    const clients: ReturnType<typeof open>[] = [];
    for (let second = 0; second < 60; second++) {
      const client = open();
      clients.push(client);
      client.getAll(2, `${second}`);
      await clock.advance(1_000);
    }
    expect(upstream.sent.slice(5).map(({ atMs }) => atMs)).toEqual(
      Array.from({ length: 7 }, (_, index) => 11_000 + 8_000 * index),
    );
    const errors = clients.flatMap((client) => client.errors());
    expect(errors.map(({ kind }) => kind)).toEqual(Array(120).fill('unavailable'));
    expect(errors[0]?.retryAtMs).toBe(atMs(10_100));
    expect(errors.filter(({ retryAtMs }) => retryAtMs === atMs(10_100))).toHaveLength(12);
    expect(outages).toEqual([true]);
  });

  it('is used again as soon as a probe gets a response', async () => {
    const { clock, upstream, open, outages } = await createDown();
    upstream.reply = (target) => ({ body: { target } });
    await clock.advance(6_000);
    const client = open();
    client.getAll(3, 'a');
    await clock.advance(100);
    client.getAll(3, 'b');
    await clock.advance(100);
    expect(client.kinds()).toEqual(['unavailable', 'unavailable', 'answer', 'answer', 'answer', 'answer']);
    expect(outages).toEqual([true, false]);
  });

  it('is reported at once to all queued calls, of every key', async () => {
    const { clock, upstream, open, newBudget, atMs } = createSetup();
    const other = newBudget();
    other.slots.pause(clock.nowMs() + 100_000);
    const waiting = open({ ofBudget: other, tenant: 'other', timeoutMs: 600_000 });
    waiting.getAll(3, 'waiting');
    upstream.reply = () => refused;
    for (let index = 0; index < 5; index++) {
      void open({ timeoutMs: 600 }).get(`/first/${index}`);
      await clock.advance(1_000);
    }
    expect(waiting.outcomes.map(({ atMs, error }) => [atMs, error?.kind, error?.retryAtMs])).toEqual(
      Array.from({ length: 3 }, () => [4_100, 'unavailable', atMs(10_100)]),
    );
    expect(other.view.snapshot().queuedCalls).toBe(0);
  });

  it('gets the next call as its probe when the client of a queued probe disconnects', async () => {
    const { clock, upstream, budget, open } = await createDown();
    await clock.advance(6_000);
    budget.slots.pause(clock.nowMs() + 5_000);
    const gone = open();
    void gone.get('/a');
    await clock.settle();
    gone.leave();
    upstream.reply = () => ({ body: {} });
    const client = open();
    void client.get('/b');
    await clock.advance(6_000);
    expect([upstream.targets().slice(5), client.kinds()]).toEqual([['/b'], ['answer']]);
  });

  it('still serves what is cached', async () => {
    const { clock, upstream, open } = createSetup({ ttlMs: 60_000 });
    void open().get('/cached');
    await clock.advance(100);
    upstream.reply = () => refused;
    for (let index = 0; index < 5; index++) {
      void open({ timeoutMs: 600 }).get(`/first/${index}`);
      await clock.advance(1_000);
    }
    const client = open();
    void client.get('/cached');
    void client.get('/new');
    await clock.settle();
    expect(client.kinds().sort()).toEqual(['answer', 'unavailable']);
  });

  it('is not assumed when one route always fails', async () => {
    const { clock, upstream, open, outages } = createSetup();
    upstream.reply = () => ({ status: 500, body: {} });
    for (let index = 0; index < 20; index++) {
      void open().get(`/a/${index}`);
      await clock.advance(1_000);
    }
    expect([upstream.sent.length, outages]).toEqual([23, []]);
  });
});

interface Judge {
  readonly http: HttpClient;
  readonly arrivals: { readonly atMs: number; readonly isBurst: boolean }[];
  readonly roundTrips: number[];
  refusals: number;
}

type Model = 'constant' | 'jitter' | 'heavy tail' | 'step' | 'black holes';

/** An upstream that counts arrivals in rolling windows, refuses whatever is over, and announces what is left. */
function createJudge(
  clock: VirtualClock,
  random: () => number,
  model: Model,
  limits: { general: number; windowMs: number; burst: number; burstMs: number },
): Judge {
  const timeoutMs = 5_000;
  const startMs = clock.nowMs();
  const legMs = () => {
    if (model === 'constant') return 50;
    if (model === 'jitter') return 5 + random() * 50;
    if (model === 'step') return clock.nowMs() - startMs < limits.windowMs ? 25 : 2_000 + random() * 400;
    return random() < 0.1 ? 200 + random() * 2_200 : 5 + random() * 50;
  };
  const judge: Judge = {
    arrivals: [],
    roundTrips: [],
    refusals: 0,
    http: {
      get: (target) =>
        new Promise((resolve, reject) => {
          const sentAtMs = clock.nowMs();
          const isBurst = target.startsWith('/burst');
          const isLost = model === 'black holes' && random() < 0.1;
          clock.schedule(sentAtMs + (isLost ? random() * timeoutMs : legMs()), () => {
            const nowMs = clock.nowMs();
            judge.arrivals.push({ atMs: nowMs, isBurst });
            const count = (ms: number, ofBurst: boolean) =>
              judge.arrivals.filter((arrival) => arrival.atMs > nowMs - ms && (!ofBurst || arrival.isBurst)).length;
            const left = limits.general - count(limits.windowMs, false);
            const isOver = left < 0 || (isBurst && count(limits.burstMs, true) > limits.burst);
            if (isOver) judge.refusals++;
            const headers = {
              'content-type': 'application/json',
              'ratelimit-policy': `${limits.general};w=${limits.windowMs / 1_000}`,
              ratelimit: `limit=${limits.general}, remaining=${Math.max(0, left)}, reset=${limits.windowMs / 1_000}`,
            };
            if (isLost) return;
            clock.schedule(nowMs + legMs(), () => {
              judge.roundTrips.push(clock.nowMs() - sentAtMs);
              resolve(toHttpResponse({ status: isOver ? 429 : 200, headers, text: '{}' }));
            });
          });
          if (isLost)
            clock.schedule(sentAtMs + timeoutMs, () => reject(new UpstreamError('timeout', 'lost', { route: '/x' })));
        }),
      close: () => Promise.resolve(),
    },
  };
  return judge;
}

/** The most arrivals in any rolling window. */
function mostIn(arrivals: readonly number[], windowMs: number): number {
  let most = 0;
  let first = 0;
  for (const [index, atMs] of arrivals.entries()) {
    while ((arrivals[first] ?? 0) <= atMs - windowMs) first++;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

/** mulberry32 */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const MODELS: readonly Model[] = ['constant', 'jitter', 'heavy tail', 'step', 'black holes'];

describe('as the upstream sees it', () => {
  it.each(MODELS)('no rolling window ever has more than its limit, at %s latency', async (model) => {
    let total = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const random = createRandom(seed);
      const pick = (most: number) => 1 + Math.floor(random() * most);
      const clock = createVirtualClock();
      const limits = {
        general: 10 + pick(50),
        windowMs: 10_000 * pick(3),
        burst: pick(10),
        burstMs: 5_000 + 1_000 * pick(5),
      };
      const judge = createJudge(clock, random, model, limits);
      const calls = createCalls({
        http: judge.http,
        cache: createResponseCache({ ttlMs: 0, swrMs: 0, staleIfErrorMs: 0, renewMs: 0, maxBytes: 1, clock }),
        clock,
        random,
        isTrusted: () => true,
      });
      const budget = new Budget({
        general: { limit: limits.general, windowMs: limits.windowMs, isCap: true },
        burst: { limit: limits.burst, windowMs: limits.burstMs },
        reservedCalls: pick(6) - 1,
        maxConcurrentCalls: pick(20),
        coldStart: 'off',
        processStartedAtMs: 0,
        clock,
      });
      let asked = 0;
      let over = 0;
      for (let target = 0; asked < 200; target++) {
        const client = openClient(calls, clock, 0, { budget, timeoutMs: 1_000 * pick(60), maxCalls: 1_000 });
        for (let left = pick(random() < 0.2 ? 60 : 6); left > 0; left--) {
          asked++;
          const isBurst = random() < 0.4;
          void client
            .get(`/${isBurst ? 'burst' : 'general'}/${seed}/${target}/${left}`, isBurst ? 'burst' : 'general')
            .then(() => over++);
        }
        if (random() < 0.1) clock.schedule(clock.nowMs() + random() * 10_000, client.leave);
        await clock.advance(random() * 4_000);
      }
      await clock.advance(200_000);
      const general = judge.arrivals.map(({ atMs }) => atMs);
      const burst = judge.arrivals.filter(({ isBurst }) => isBurst).map(({ atMs }) => atMs);
      total += general.length;
      const worst = [mostIn(general, limits.windowMs) - limits.general, mostIn(burst, limits.burstMs) - limits.burst];
      expect({
        seed,
        isOver: worst.some((excess) => excess > 0),
        refusals: judge.refusals,
        unanswered: asked - over,
      }).toEqual({
        seed,
        isOver: false,
        refusals: 0,
        unanswered: 0,
      });
      expect(budget.view.snapshot()).toMatchObject({ remaining: limits.general, queuedCalls: 0 });
    }
    expect(total).toBeGreaterThan(3_500);
  });

  it.each<[Model, RouteClass]>([
    ['constant', 'general'],
    ['jitter', 'general'],
    ['heavy tail', 'general'],
    ['constant', 'burst'],
    ['jitter', 'burst'],
    ['heavy tail', 'burst'],
  ])('the whole budget is used under steady demand, at %s latency, of %s calls', async (model, routeClass) => {
    const clock = createVirtualClock();
    const startMs = clock.nowMs();
    const judge = createJudge(clock, createRandom(11), model, {
      general: 60,
      windowMs: 60_000,
      burst: 10,
      burstMs: 10_000,
    });
    const calls = createCalls({
      http: judge.http,
      cache: createResponseCache({ ttlMs: 0, swrMs: 0, staleIfErrorMs: 0, renewMs: 0, maxBytes: 1, clock }),
      clock,
      random: () => 0,
      isTrusted: () => true,
    });
    const budget = new Budget({
      general: { limit: 60, windowMs: 60_000, isCap: true },
      burst: { limit: 10, windowMs: 10_000 },
      reservedCalls: 5,
      maxConcurrentCalls: 10,
      coldStart: 'off',
      processStartedAtMs: 0,
      clock,
    });
    const windowMs = routeClass === 'burst' ? 10_000 : 60_000;
    const windows = routeClass === 'burst' ? 60 : 20;
    const limit = routeClass === 'burst' ? 10 : 60;
    for (let index = 0; clock.nowMs() < startMs + windows * windowMs; index++) {
      // Small operations, each for itself: always more of them than slots.
      while (budget.view.snapshot().queuedCalls < 30) {
        const client = openClient(calls, clock, startMs, { budget, timeoutMs: 600_000 });
        client.getAll(3, `${routeClass}/${index++}`, routeClass);
      }
      await clock.advance(1_000);
    }
    const counted = judge.arrivals.filter(
      ({ atMs }) => atMs >= startMs + windowMs && atMs < startMs + windows * windowMs,
    ).length;
    const meanMs = judge.roundTrips.reduce((sum, ms) => sum + ms, 0) / judge.roundTrips.length;
    const used = counted / (limit * (windows - 1));
    // What is possible: each slot is away for one window and one round trip.
    const possible = windowMs / (windowMs + meanMs);
    expect(judge.refusals).toBe(0);
    expect(used).toBeGreaterThanOrEqual(possible * 0.99);
  });
});

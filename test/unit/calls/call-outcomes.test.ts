import { describe, expect, it } from 'vitest';
import { createResponseCache } from '../../../src/upstream/cache/response-cache.ts';
import { Budget } from '../../../src/upstream/rate-limiter/budget.ts';
import { createCalls } from '../../../src/upstream/calls/calls.ts';
import type { CacheDirectives } from '../../../src/upstream/cache/freshness.ts';
import { createHeldResponses, uncountedResponses } from '../../../src/upstream/calls/operation/held-responses.ts';
import type { HttpResponse, HttpClient } from '../../../src/upstream/http/http-client.ts';
import { openOperation } from '../../../src/upstream/calls/operation/operation.ts';
import { Secret } from '../../../src/upstream/http/secret.ts';
import { UpstreamError, type UpstreamErrorKind } from '../../../src/upstream/http/upstream-error.ts';
import { toHttpResponse } from '../../support/http-response.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

const MINUTE_MS = 60_000;
const route = { template: '/collections/{uid}', routeClass: 'general' } as const;

interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  /** The call fails without an answer. */
  readonly fails?: UpstreamErrorKind;
  /** Default 100. */
  readonly latencyMs?: number;
}

/** The call layer with the default periods of the cache, before an upstream that answers what a test says. */
function createSetup({ isTrusted = true, windowLimit = 60, maxBytesPerOperation = Number.POSITIVE_INFINITY } = {}) {
  const clock = createVirtualClock();
  const sent: string[] = [];
  let released = 0;
  const upstream = { reply: (target: string): Reply => ({ body: { target } }) };
  const http: HttpClient = {
    get: (target, template) =>
      new Promise<HttpResponse>((resolve, reject) => {
        sent.push(target);
        const { status = 200, headers = {}, body, fails, latencyMs = 100 } = upstream.reply(target);
        clock.schedule(clock.nowMs() + latencyMs, () => {
          if (fails) reject(new UpstreamError(fails, 'No answer.', { route: template }));
          else
            resolve({
              ...toHttpResponse({
                status,
                headers: { 'content-type': 'application/json', ...headers },
                text: JSON.stringify(body ?? {}),
              }),
              release: () => released++,
            });
        });
      }),
    close: () => Promise.resolve(),
  };
  const cache = createResponseCache({
    ttlMs: MINUTE_MS,
    swrMs: 0,
    staleIfErrorMs: 60 * MINUTE_MS,
    renewMs: 0,
    maxBytes: 100_000_000,
    clock,
  });
  const calls = createCalls({ http, cache, clock, random: () => 0.5, isTrusted: () => isTrusted });
  const budget = new Budget({
    general: { limit: windowLimit, windowMs: MINUTE_MS, isCap: true },
    reservedCalls: 0,
    maxConcurrentCalls: 10,
    coldStart: 'off',
    processStartedAtMs: clock.nowMs(),
    clock,
  });
  const held = createHeldResponses({ maxBytes: Number.POSITIVE_INFINITY, maxBytesPerOperation });
  const open = ({ directives = {}, timeoutMs = 30_000 }: { directives?: CacheDirectives; timeoutMs?: number } = {}) =>
    openOperation({
      keyHash: 'tenant',
      apiKey: new Secret('key'),
      keyBudget: { current: budget, view: budget.view, belongsTo() {} },
      clientAddress: '127.0.0.1',
      heldResponses: maxBytesPerOperation === Number.POSITIVE_INFINITY ? { open: () => uncountedResponses } : held,
      timeoutMs,
      clientGone: new AbortController().signal,
      maxCalls: 1_000,
      directives,
      clock,
    });
  /** What comes of one call: its value, or the kind of its error. */
  const make = async (target: string, opened = open()) => {
    try {
      return await calls.make({ route, target, parse: (body) => body as { target: string } }, opened.operation);
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      return error.kind;
    }
  };
  /** The same, once it has come. */
  const made = async (target: string, opened?: ReturnType<typeof open>, withinMs = 1_000) => {
    const outcome = make(target, opened);
    await clock.advance(withinMs);
    return outcome;
  };
  return { clock, budget, upstream, sent, cache, calls, open, make, made, released: () => released };
}

describe('a cached response whose call fails', () => {
  it.each<[string, Reply, UpstreamErrorKind, boolean]>([
    ['503', { status: 503, headers: { 'retry-after': '60' } }, 'unavailable', true],
    ['500', { status: 500, headers: { 'retry-after': '60' } }, 'serverError', true],
    ['no answer in time', { fails: 'timeout' }, 'timeout', true],
    ['no room for its body', { fails: 'busy' }, 'busy', true],
    [
      'an allowance that is used up',
      { status: 429, body: { error: { name: 'serviceLimitExhausted' } } },
      'quotaExhausted',
      true,
    ],
    ['a refusal', { status: 403 }, 'forbidden', false],
    ['a refused key', { status: 401 }, 'unauthenticated', false],
    ['nothing there', { status: 404 }, 'notFound', false],
    ['a bad answer', { fails: 'badResponse' }, 'badResponse', false],
  ])('(%s) is served, unless the failure shows it to be wrong', async (_, reply, kind, isServed) => {
    const { clock, upstream, made, open } = createSetup();
    expect(await made('/a')).toEqual({ target: '/a' });
    await clock.advance(2 * MINUTE_MS);
    upstream.reply = () => reply;
    expect(await made('/a', open({ directives: { maxAgeMs: MINUTE_MS } }))).toBe(kind);
    expect(await made('/a')).toEqual(isServed ? { target: '/a' } : kind);
  });

  it('is not served when its key was rejected in the meantime', async () => {
    const { clock, upstream, make, made, sent } = createSetup();
    await made('/a');
    await clock.advance(2 * MINUTE_MS);
    upstream.reply = (target) =>
      target === '/a' ? { fails: 'timeout', latencyMs: 500 } : { status: 401, latencyMs: 100 };
    const outcomes = Promise.all([make('/a'), make('/b')]);
    await clock.advance(5_000);
    expect([await outcomes, sent]).toEqual([
      ['timeout', 'unauthenticated'],
      ['/a', '/a', '/b'],
    ]);
  });

  it('that is a 404 is served only while it is fresh', async () => {
    const { clock, upstream, made, sent } = createSetup();
    upstream.reply = () => ({ status: 404 });
    expect(await made('/a')).toBe('notFound');
    upstream.reply = () => ({ status: 503, headers: { 'retry-after': '60' } });
    await clock.advance(5_000);
    expect(await made('/a')).toBe('notFound');
    await clock.advance(5_000);
    expect(await made('/a')).toBe('unavailable');
    expect(sent).toHaveLength(2);
  });
});

describe('what upstream says about a call', () => {
  it.each([400, 403, 404, 409])('(%i) is cached, and not requested again at once', async (status) => {
    const { upstream, made, sent } = createSetup();
    upstream.reply = () => ({ status });
    const first = await made('/a');
    expect(await made('/a')).toBe(first);
    expect(sent).toEqual(['/a']);
  });

  it.each<[number, Reply, boolean]>([
    [200, {}, true],
    [400, { status: 400 }, true],
    [403, { status: 403 }, true],
    [404, { status: 404 }, true],
    [429, { status: 429, body: { error: { name: 'serviceLimitExhausted' } } }, true],
    [401, { status: 401 }, false],
    [500, { status: 500 }, false],
  ])('(%i) shows whether it has accepted the key', async (_, reply, isAccepted) => {
    const { upstream, made, open, calls } = createSetup({ isTrusted: false });
    upstream.reply = () => reply;
    await made('/a', undefined, 5_000);
    expect(calls.apiKeys.isAccepted(open().operation.caller.keyHash)).toBe(isAccepted);
  });

  it('releases the memory of its body, whatever it says', async () => {
    const { upstream, made, sent, released } = createSetup();
    for (const status of [200, 404, 500]) {
      upstream.reply = () => ({ status, headers: { 'retry-after': '60' } });
      await made(`/${status}`);
    }
    expect([released(), sent.length]).toEqual([3, 3]);
  });

  it('is read by the wall clock where it names a moment', async () => {
    const { clock, upstream, made, budget } = createSetup();
    const resetAt = Math.ceil(clock.epochMs() / 1_000) + 30;
    upstream.reply = () => ({
      headers: { 'x-ratelimit-limit': '60', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(resetAt) },
    });
    await made('/a', undefined, 200);
    const waitMs =
      budget.expectedSlotAtMs('general', { lastVirtualTime: { general: 0, burst: 0 }, requestedCalls: 0 }, '/b') -
      clock.nowMs();
    expect(waitMs).toBeGreaterThan(25_000);
    expect(waitMs).toBeLessThan(35_000);
  });
});

describe('an operation', () => {
  it('that exceeded its response memory makes no further call, and is served nothing from the cache', async () => {
    const { upstream, made, open, sent } = createSetup({ maxBytesPerOperation: 100 });
    upstream.reply = (target) => ({ body: { target, text: target === '/large' ? 'x'.repeat(200) : '' } });
    await made('/small', open());
    const opened = open();
    expect(await made('/large', opened)).toBe('tooExpensive');
    expect(await made('/small', opened)).toBe('tooExpensive');
    expect(await made('/other', opened)).toBe('tooExpensive');
    expect(sent).toEqual(['/small', '/large']);
  });

  it('that gets a stale response in place of a refusal has no slot reserved', async () => {
    const { clock, made, open, budget } = createSetup({ windowLimit: 3 });
    await made('/a');
    await clock.advance(2 * MINUTE_MS);
    for (const target of ['/1', '/2', '/3']) await made(target, undefined, 200);
    const slotAtMs = () =>
      budget.expectedSlotAtMs('general', { lastVirtualTime: { general: 0, burst: 0 }, requestedCalls: 0 }, '/new');
    const before = slotAtMs();
    for (let index = 0; index < 5; index++) {
      expect(await made('/a', open({ timeoutMs: 1_000 }), 0)).toEqual({ target: '/a' });
    }
    expect(slotAtMs()).toBe(before);
    // Whoever has nothing cached does, and so those who come after it come later.
    for (const target of ['/b', '/c', '/d'])
      expect(await made(target, open({ timeoutMs: 1_000 }), 0)).toBe('rateLimited');
    expect(slotAtMs()).toBeGreaterThan(before);
  });
});

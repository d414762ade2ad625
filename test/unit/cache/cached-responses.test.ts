import { describe, expect, it } from 'vitest';
import { createResponseCache } from '../../../src/upstream/cache/response-cache.ts';
import { Budget } from '../../../src/upstream/rate-limiter/budget.ts';
import { createCalls } from '../../../src/upstream/calls/calls.ts';
import type { CacheDirectives } from '../../../src/upstream/cache/freshness.ts';
import type { HttpClient } from '../../../src/upstream/http/http-client.ts';
import { uncountedResponses } from '../../../src/upstream/calls/operation/held-responses.ts';
import { type Operation, openOperation } from '../../../src/upstream/calls/operation/operation.ts';
import { Secret } from '../../../src/upstream/http/secret.ts';
import { UpstreamError } from '../../../src/upstream/http/upstream-error.ts';
import { toHttpResponse } from '../../support/http-response.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

const MINUTE_MS = 60_000;
const route = { template: '/collections/{uid}', routeClass: 'general' } as const;

/**
 * Calls through a cache with the default periods. Postman is simulated: it fails, or responds after 100 ms with a count
 * of its calls.
 */
function createSetup({ windowLimit = 60 } = {}) {
  const clock = createVirtualClock();
  const upstream = { isDead: false, calls: 0, headers: {} as Record<string, string> };
  const http: HttpClient = {
    get: (target, template) =>
      new Promise((resolve, reject) => {
        upstream.calls++;
        const call = upstream.calls;
        clock.schedule(clock.nowMs() + 100, () => {
          if (upstream.isDead)
            reject(
              new UpstreamError('unavailable', 'Refused.', {
                route: template,
                isConnectFailure: true,
                retryAtMs: clock.nowMs() + 10_000,
              }),
            );
          else
            resolve(
              toHttpResponse({
                status: 200,
                headers: { 'content-type': 'application/json', ...upstream.headers },
                text: JSON.stringify({ target, call }),
              }),
            );
        });
      }),
    close: () => Promise.resolve(),
  };
  const cache = createResponseCache({
    ttlMs: MINUTE_MS,
    swrMs: MINUTE_MS,
    staleIfErrorMs: 60 * MINUTE_MS,
    renewMs: 60 * MINUTE_MS,
    maxBytes: 100_000_000,
    clock,
  });
  const calls = createCalls({ http, cache, clock, random: () => 0.5, isTrusted: () => true });
  const newBudget = () =>
    new Budget({
      general: { limit: windowLimit, windowMs: MINUTE_MS, isCap: true },
      reservedCalls: 0,
      maxConcurrentCalls: 10,
      coldStart: 'off',
      processStartedAtMs: clock.nowMs(),
      clock,
    });
  const budgets = new Map<string, ReturnType<typeof newBudget>>();
  const open = (keyHash = 'key', directives: CacheDirectives = {}): { operation: Operation; close: () => void } => {
    const budget = budgets.get(keyHash) ?? newBudget();
    budgets.set(keyHash, budget);
    return openOperation({
      keyHash,
      apiKey: new Secret(keyHash),
      keyBudget: { current: budget, view: budget.view, belongsTo: () => {} },
      clientAddress: '127.0.0.1',
      heldResponses: { open: () => uncountedResponses },
      timeoutMs: 30_000,
      clientGone: new AbortController().signal,
      maxCalls: 1_000,
      directives,
      clock,
    });
  };
  /** Reads one target in its own operation, and returns the value or the error. */
  const read = async (target: string, keyHash?: string, directives?: CacheDirectives) => {
    const { operation, close } = open(keyHash, directives);
    const startMs = clock.nowMs();
    try {
      const value = await calls.make({ route, target, parse: (body) => body as { call: number } }, operation);
      return { value, staleMs: operation.meter.ages.staleMs(value), tookMs: clock.nowMs() - startMs };
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      return { error, tookMs: clock.nowMs() - startMs };
    } finally {
      close();
    }
  };
  return { clock, upstream, cache, calls, read };
}

describe('while Postman is down for five minutes', () => {
  it('cached responses are served and marked stale; other reads fail with a retry time, most of them at once', async () => {
    const { clock, upstream, read } = createSetup();
    const targets = Array.from({ length: 50 }, (_, index) => `/known/${index}`);
    const warmUp = targets.map((target) => read(target));
    await clock.advance(5_000);
    await Promise.all(warmUp);
    await clock.advance(2 * MINUTE_MS);
    upstream.isDead = true;
    upstream.calls = 0;
    const known: ReturnType<typeof read>[] = [];
    const unknown: ReturnType<typeof read>[] = [];
    for (let index = 0; index < 3_000; index++) {
      known.push(read(targets[index % targets.length] ?? ''));
      if (index % 10 === 0) unknown.push(read(`/unknown/${index}`));
      await clock.advance(100);
    }
    await clock.advance(30_000);
    const responses = await Promise.all(known);
    expect(responses.filter(({ value, staleMs }) => value && (staleMs ?? 0) > MINUTE_MS)).toHaveLength(3_000);
    // The rest found out that Postman is down, or were probes.
    expect(responses.filter(({ tookMs }) => tookMs > 0).length).toBeLessThan(90);
    const failures = await Promise.all(unknown);
    expect(failures.filter(({ error }) => error?.retryAtMs !== undefined)).toHaveLength(300);
    expect(failures.filter(({ tookMs }) => tookMs > 0).length).toBeLessThan(60);
    // One probe every six seconds, and the calls that found out.
    expect(upstream.calls).toBeLessThan(75);
    upstream.isDead = false;
    await clock.advance(10_000);
    const [after] = await Promise.all([read('/known/0'), clock.advance(1_000)]);
    expect(after).toMatchObject({ value: { target: '/known/0' }, staleMs: undefined });
  });
});

describe('while the budget is empty', () => {
  it('cached responses are served at once, and reserve no slot', async () => {
    const { clock, upstream, read } = createSetup({ windowLimit: 2 });
    const [first] = await Promise.all([read('/a'), clock.advance(1_000)]);
    await clock.advance(3 * MINUTE_MS);
    await Promise.all([read('/b'), read('/c'), clock.advance(1_000)]);
    const stale = await read('/a');
    expect(stale).toEqual({ value: first?.value, staleMs: 3 * MINUTE_MS + 1_900, tookMs: 0 });
    expect((await read('/d')).error).toMatchObject({ kind: 'rateLimited', limitedBy: 'facade' });
    expect(upstream.calls).toBe(3);
  });
});

describe('a client with no-cache', () => {
  it('does not receive the response to a call that was sent before its request', async () => {
    const { clock, upstream, read } = createSetup();
    const early = read('/a');
    await clock.advance(50);
    const late = read('/a', 'key', { noCache: true });
    const joined = read('/a');
    await clock.advance(200);
    const values = (await Promise.all([early, late, joined])).map(({ value }) => value?.call);
    expect([values, upstream.calls]).toEqual([[1, 2, 2], 2]);
    expect((await read('/a')).value?.call).toBe(2);
  });
});

describe('different API keys', () => {
  it.each([
    'public, max-age=86400',
    'public, s-maxage=86400, immutable',
    'private, max-age=60',
    'no-store',
    'no-cache',
    'max-age=0, must-revalidate',
    'stale-while-revalidate=86400, stale-if-error=86400',
    '',
  ])("never see each other's responses, whatever Cache-Control Postman sends (%s)", async (cacheControl) => {
    const { clock, upstream, read } = createSetup();
    upstream.headers = { 'cache-control': cacheControl, vary: '*', expires: '0', age: '100' };
    const reads = ['one', 'two', 'one ', 'One', 'one'].map(async (keyHash) => (await read('/a', keyHash)).value?.call);
    await clock.advance(1_000);
    expect(await Promise.all(reads)).toEqual([1, 2, 3, 4, 1]);
    expect((await read('/a', 'two')).value?.call).toBe(2);
    expect(upstream.calls).toBe(4);
  });
});

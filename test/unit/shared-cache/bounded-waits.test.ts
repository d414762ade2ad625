import { describe, expect, it } from 'vitest';
import { createResponseCache } from '../../../src/upstream/cache/response-cache.ts';
import { createCalls } from '../../../src/upstream/calls/calls.ts';
import { uncountedResponses } from '../../../src/upstream/calls/operation/held-responses.ts';
import { openOperation } from '../../../src/upstream/calls/operation/operation.ts';
import { Secret } from '../../../src/upstream/http/secret.ts';
import { Budget } from '../../../src/upstream/rate-limiter/budget.ts';
import { createSharedCache } from '../../../src/upstream/shared-cache/create-shared-cache.ts';
import { createCallLocks } from '../../../src/upstream/shared-cache/locks/call-locks.ts';
import { LOCK_SCRIPT, REPLACE_SCRIPT } from '../../../src/upstream/shared-cache/locks/lock-scripts.ts';
import type { CacheRedis, Reply } from '../../../src/upstream/shared-cache/store/cache-redis.ts';
import { CHANGES_SCRIPT, READ_SCRIPT, WRITE_SCRIPT } from '../../../src/upstream/shared-cache/store/scripts.ts';
import { toHttpResponse } from '../../support/http-response.ts';
import { toTenantSecret } from '../../support/shared-cache.ts';
import { createVirtualClock, type VirtualClock } from '../../support/virtual-clock.ts';

const TIMEOUT_MS = 50;
const RESPONSE_MS = 100;
const HANGS = Number.POSITIVE_INFINITY;
const apiKey = new Secret('PMAK-one');

/** A Redis without responses, each of whose replies comes after the same time. */
function createSlowRedis(clock: VirtualClock) {
  const names: Record<string, string> = {
    [LOCK_SCRIPT]: 'lock',
    [REPLACE_SCRIPT]: 'replace',
    [READ_SCRIPT]: 'read',
    [WRITE_SCRIPT]: 'write',
    [CHANGES_SCRIPT]: 'changes',
  };
  const slow = { delayMs: 0, commands: [] as string[] };
  const later = <Value>(value: Value) =>
    new Promise<Value>((resolve) => {
      if (slow.delayMs !== HANGS) clock.schedule(clock.nowMs() + slow.delayMs, () => resolve(value));
    });
  const redis: CacheRedis = {
    run(script, keys, args) {
      const name = names[script];
      if (name) slow.commands.push(name === 'replace' ? `replace by ${String(args[1]).split(' ', 1)[0]}` : name);
      const now = Math.floor(clock.epochMs());
      const replies: Record<string, Reply> = {
        lock: [Buffer.from(String(args[0]))],
        replace: [1],
        read: [now, Buffer.from('0'), ...keys.slice(2).flatMap(() => [null, null])],
        write: [now, 1],
        changes: [now, Buffer.from('0')],
      };
      return later(replies[name ?? ''] ?? [now]);
    },
    unlink: () => later(0),
    memoryInfo: () => later(''),
    close() {},
  };
  return { redis, slow };
}

async function start(delayMs: number, upstream = { text: '{}' }) {
  const clock = createVirtualClock();
  const { redis, slow } = createSlowRedis(clock);
  const opening = createSharedCache({
    redis,
    clock,
    secrets: [toTenantSecret(1)],
    timeoutMs: TIMEOUT_MS,
    servedForMs: 60_000,
    storedForMs: 60_000,
    renewMs: 60_000,
    onKeyDropped() {},
    onChange() {},
  });
  await clock.advance(0);
  const sharedCache = await opening;
  const sent: { readonly target: string; readonly atMs: number }[] = [];
  const startMs = clock.nowMs();
  const calls = createCalls({
    http: {
      get: (target) =>
        new Promise((resolve) => {
          sent.push({ target, atMs: clock.nowMs() - startMs });
          const headers = { 'content-type': 'application/json' };
          const response = toHttpResponse({ status: 200, headers, text: upstream.text });
          clock.schedule(clock.nowMs() + RESPONSE_MS, () => resolve(response));
        }),
      close: () => Promise.resolve(),
    },
    cache: createResponseCache({
      ttlMs: 60_000,
      swrMs: 0,
      staleIfErrorMs: 0,
      renewMs: 0,
      maxBytes: 1_000_000,
      clock,
    }),
    sharedCache,
    locks: createCallLocks({ redis, clock, secret: toTenantSecret(1), timeoutMs: TIMEOUT_MS }),
    clock,
    random: () => 0.5,
    isTrusted: () => true,
  });
  const budget = new Budget({
    general: { limit: 60, windowMs: 60_000, isCap: false },
    burst: { limit: 10, windowMs: 10_000 },
    reservedCalls: 0,
    maxConcurrentCalls: 10,
    coldStart: 'off',
    processStartedAtMs: startMs,
    clock,
  });
  slow.delayMs = delayMs;
  slow.commands = [];
  return {
    clock,
    slow,
    sent,
    /** Begins an operation, as the server does, which makes one call. Resolves with the time that this took. */
    async get(target: string): Promise<number> {
      const beganAtMs = clock.nowMs();
      const { operation } = openOperation({
        keyHash: 'one',
        apiKey,
        keyBudget: { current: budget, view: budget.view, belongsTo() {} },
        clientAddress: '127.0.0.1',
        heldResponses: { open: () => uncountedResponses },
        timeoutMs: 30_000,
        clientGone: new AbortController().signal,
        maxCalls: 10,
        clock,
      });
      await calls.prepare(operation);
      const route = { template: '/thing/{id}', routeClass: 'general' as const };
      await calls.make({ route, target, parse: (body) => body }, operation);
      return clock.nowMs() - beganAtMs;
    },
  };
}

/** Advances the clock until a promise has settled. */
async function inVirtualTime<Value>(clock: VirtualClock, promise: Promise<Value>): Promise<Value> {
  const state = { isSettled: false };
  void promise.finally(() => (state.isSettled = true));
  await clock.settle();
  while (!state.isSettled) await clock.advance(1);
  return promise;
}

/** Waits until Redis has got the response, which is compressed outside of virtual time. */
async function written(clock: VirtualClock, { commands }: { readonly commands: readonly string[] }): Promise<void> {
  while (!commands.includes('write')) await clock.settle();
  await clock.advance(0);
}

/** Starts an instance that has made a call already, and delays what follows. */
async function startKnown(target: string, delayMs: number) {
  const started = await start(0);
  const { clock, slow, get } = started;
  await inVirtualTime(clock, get(target));
  await written(clock, slow);
  slow.delayMs = delayMs;
  slow.commands = [];
  return started;
}

describe('A call, when Redis is slow,', () => {
  it.each([
    [20, 40],
    [40, 50],
    [50, 50],
    [60, 50],
    [HANGS, 50],
  ])('whose replies come after %d ms, waits %d ms in all', async (delayMs, waitedMs) => {
    const { clock, get } = await startKnown('/first', delayMs);
    expect(await inVirtualTime(clock, get('/a'))).toBe(waitedMs + RESPONSE_MS);
  });

  it('is not waited for by a second one while a reply is overdue, and its operation waits once', async () => {
    const { clock, get } = await start(HANGS);
    const first = get('/a');
    await clock.advance(TIMEOUT_MS);
    // A wait ends two rounds of the event loop after its time.
    for (let round = 0; round < 3; round++) await clock.settle();
    const second = get('/b');
    expect(await inVirtualTime(clock, Promise.all([first, second]))).toEqual([TIMEOUT_MS + RESPONSE_MS, RESPONSE_MS]);
  });

  it('releases a lock that it got too late', async () => {
    const { clock, slow, get } = await startKnown('/first', 40);
    await inVirtualTime(clock, get('/a'));
    await written(clock, slow);
    await clock.advance(100);
    expect(slow.commands).toEqual(['read', 'lock', 'write', 'replace by ended']);
  });

  it('is not locked once its response has been too long to be shared, until it is shorter', async () => {
    const upstream = { text: JSON.stringify('x'.repeat(8 * 1_048_576)) };
    const { clock, slow, get } = await start(0, upstream);
    const commandsOf = async () => {
      slow.commands = [];
      await inVirtualTime(clock, get('/long'));
      await clock.advance(100);
      return slow.commands.filter((command) => command !== 'changes');
    };
    expect(await commandsOf()).toEqual(['read', 'lock', 'replace by ended']);
    expect(await commandsOf()).toEqual(['read']);
    upstream.text = JSON.stringify('x'.repeat(1_048_576));
    await commandsOf();
    expect(await commandsOf()).toEqual(expect.arrayContaining(['lock']));
  });

  it('is spared a command by a cached response', async () => {
    const { clock, slow, sent, get } = await startKnown('/a', HANGS);
    expect(await inVirtualTime(clock, get('/a'))).toBe(0);
    expect([slow.commands, sent.map(({ target }) => target)]).toEqual([[], ['/a']]);
  });
});

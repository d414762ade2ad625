import { describe, expect, it } from 'vitest';
import { createApiKeys } from '../../../src/upstream/calls/api-keys/api-keys.ts';
import type { KeyBudget } from '../../../src/upstream/rate-limiter/budget-registry.ts';
import type { Route } from '../../../src/upstream/postman/call.ts';
import { uncountedResponses } from '../../../src/upstream/calls/operation/held-responses.ts';
import { openOperation } from '../../../src/upstream/calls/operation/operation.ts';
import { Secret } from '../../../src/upstream/http/secret.ts';
import { UpstreamError } from '../../../src/upstream/http/upstream-error.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

const route: Route = { template: '/me', routeClass: 'general' };
const refusal = () =>
  new UpstreamError('unauthenticated', 'Postman refused the API key.', {
    route: '/me',
    status: 401,
    upstreamName: 'AuthenticationError',
  });

function createSetup() {
  const clock = createVirtualClock();
  const refusedKeys: string[] = [];
  const keys = createApiKeys({
    clock,
    isTrusted: (tenant) => tenant === 'server',
    onRefused: (tenant) => void refusedKeys.push(tenant),
  });
  const made: string[] = [];
  const open = (tenant: string, timeoutMs = 30_000) =>
    openOperation({
      keyHash: tenant,
      apiKey: new Secret('PMAK-x'),
      clientAddress: '127.0.0.1',
      heldResponses: { open: () => uncountedResponses },
      keyBudget: {} as KeyBudget,
      timeoutMs,
      clientGone: new AbortController().signal,
      maxCalls: 60,
      clock,
    }).operation;
  return {
    clock,
    keys,
    refusedKeys,
    made,
    /** Makes a call that takes `tookMs` (default 100) and ends as `answer` says. */
    ask(
      tenant: string,
      name: string,
      answer: 'good' | 'refused' | 'fails' = 'good',
      { tookMs = 100, timeoutMs = 30_000 } = {},
    ): Promise<string> {
      const operation = open(tenant, timeoutMs);
      return keys
        .admit(operation, route, async () => {
          made.push(name);
          await new Promise<void>((resolve) => void clock.schedule(clock.nowMs() + tookMs, resolve));
          if (answer === 'good') keys.accept(tenant);
          if (answer === 'refused') {
            keys.refuse(tenant, refusal());
            throw refusal();
          }
          if (answer === 'fails') throw new UpstreamError('serverError', 'It failed.', { route: '/me' });
          return name;
        })
        .catch((error: unknown) => (error instanceof UpstreamError ? error.kind : Promise.reject(error)));
    },
  };
}

describe('createApiKeys', () => {
  it('lets the first call of a key go alone, and all others after it', async () => {
    const { clock, made, ask } = createSetup();
    const answers = Promise.all([ask('a', '1'), ask('a', '2'), ask('a', '3')]);
    await clock.advance(99);
    const first = [...made];
    await clock.advance(1);
    const then = [...made];
    await clock.advance(100);
    expect([first, then, await answers]).toEqual([['1'], ['1', '2', '3'], ['1', '2', '3']]);
  });

  it('does not let a key wait for the check of another', async () => {
    const { clock, made, ask } = createSetup();
    void ask('a', '1');
    void ask('b', '2');
    void ask('server', '3');
    void ask('server', '4');
    await clock.settle();
    expect(made).toEqual(['1', '2', '3', '4']);
  });

  it('refuses all calls of a rejected key for twenty seconds', async () => {
    const { clock, made, refusedKeys, ask } = createSetup();
    const answers = Promise.all(Array.from({ length: 40 }, (_, index) => ask('a', String(index), 'refused')));
    await clock.advance(100);
    const afterwards = ask('a', 'soon', 'refused');
    await clock.advance(19_999);
    const late = ask('a', 'late', 'refused');
    expect([made, refusedKeys]).toEqual([['0'], ['a']]);
    void ask('a', 'later', 'refused');
    await clock.advance(1);
    void ask('a', 'again', 'refused');
    await clock.settle();
    expect(made).toEqual(['0', 'again']);
    expect([...(await answers), await afterwards, await late]).toEqual(Array(42).fill('unauthenticated'));
  });

  it('repeats what upstream said about a rejected key, in an error that references nothing else', async () => {
    const { keys, clock, ask } = createSetup();
    const first = ask('a', '1', 'refused');
    await clock.advance(100);
    await first;
    const operation = openOperation({
      keyHash: 'a',
      apiKey: new Secret('PMAK-x'),
      clientAddress: '127.0.0.1',
      heldResponses: { open: () => uncountedResponses },
      keyBudget: {} as KeyBudget,
      timeoutMs: 1_000,
      clientGone: new AbortController().signal,
      maxCalls: 60,
      clock,
    }).operation;
    const errors = await Promise.all(
      [1, 2].map(() => keys.admit(operation, route, () => Promise.resolve()).catch((error: unknown) => error)),
    );
    for (const error of errors)
      expect(JSON.parse(JSON.stringify(error))).toEqual(JSON.parse(JSON.stringify(refusal())));
    expect(errors[0]).not.toBe(errors[1]);
  });

  it('also refuses a rejected key that was accepted before or that the server was started with', async () => {
    const { clock, made, ask } = createSetup();
    void ask('a', '1');
    await clock.advance(100);
    for (const tenant of ['a', 'server']) {
      void ask(tenant, `${tenant} refused`, 'refused');
      await clock.advance(100);
      void ask(tenant, `${tenant} next`);
      await clock.advance(100);
    }
    expect(made).toEqual(['1', 'a refused', 'server refused']);
  });

  it('lets the next call check the key if the first has failed', async () => {
    const { clock, made, ask } = createSetup();
    const answers = Promise.all([ask('a', '1', 'fails'), ask('a', '2', 'fails'), ask('a', '3'), ask('a', '4')]);
    const seen: number[] = [];
    for (let step = 0; step < 4; step++) {
      await clock.advance(step === 0 ? 0 : 100);
      seen.push(made.length);
    }
    await clock.advance(100);
    expect([seen, await answers]).toEqual([
      [1, 2, 3, 4],
      ['serverError', 'serverError', '3', '4'],
    ]);
  });

  it('waits two seconds for a call that checks a key, then makes another', async () => {
    const { clock, made, ask } = createSetup();
    void ask('a', '1', 'good', { tookMs: 60_000 });
    void ask('a', '2');
    void ask('a', '3');
    await clock.advance(1_999);
    const before = [...made];
    await clock.advance(1);
    const then = [...made];
    await clock.advance(100);
    expect([before, then, made]).toEqual([['1'], ['1', '2'], ['1', '2', '3']]);
  });

  it('lets no call wait longer than its operation lasts', async () => {
    const { clock, ask } = createSetup();
    void ask('a', '1', 'good', { tookMs: 1_500 });
    const waiting = ask('a', '2', 'good', { timeoutMs: 1_000 });
    await clock.advance(1_000);
    expect(await waiting).toBe('timeout');
  });

  it('refuses new keys of an address whose keys were rejected too often, and gives the time', async () => {
    const { clock, made, ask } = createSetup();
    for (let index = 0; index < 60; index++) void ask(`made-up-${index}`, String(index), 'refused', { tookMs: 0 });
    await clock.advance(0);
    const waiting = Array.from({ length: 4 }, (_, index) => ask(`more-${index}`, `more ${index}`, 'refused'));
    await clock.advance(30_000);
    expect(await Promise.all(waiting)).toEqual([
      'unauthenticated',
      'unauthenticated',
      'unauthenticated',
      'rateLimited',
    ]);
    expect(made.slice(60)).toEqual(['more 0', 'more 1', 'more 2']);
  });
});

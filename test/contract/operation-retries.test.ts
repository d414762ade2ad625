import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type FacadeResponse, type Facade, startFacade } from '../support/facade.ts';
import { createGridAccount } from '../support/grid-account.ts';

let facade: Facade;
const servers: Server[] = [];
afterEach(async () => {
  await facade.close();
  for (const server of servers.splice(0)) server.close();
});

const extensionsOf = ({ errors }: FacadeResponse) => errors.map(({ extensions }) => extensions ?? {});

/**
 * Comes back when the first error says, until there is nothing to come back for. Returns how many calls each time took.
 */
async function comeBack(query: string, headers: Record<string, string> = {}) {
  const calls: number[] = [];
  for (;;) {
    const answer = await facade.query(query, { headers });
    calls.push(answer.upstream.calls);
    const waits = extensionsOf(answer).flatMap(({ retryable, retryAfterSeconds }) =>
      retryable === true ? [Number(retryAfterSeconds)] : [],
    );
    if (waits.length === 0 || calls.length > 60) return { answer, calls };
    facade.skip(Math.max(1, ...waits) * 1_000);
  }
}

describe('an operation that has made all calls it may', () => {
  const DESCRIPTIONS = '{ collections(first: 99) { nodes { description } } }';

  it('says that asking again reads the rest, and it does', async () => {
    facade = await startFacade({}, { account: createGridAccount(1, 99, 0).account });
    const cut = await facade.query(DESCRIPTIONS);
    const told = extensionsOf(cut);
    expect(told).toEqual(
      Array.from({ length: 40 }, () => ({
        code: 'RATE_LIMITED',
        retryable: true,
        retryAfterSeconds: 0,
        retryAt: expect.any(String) as string,
        limitedBy: 'operation',
        ceiling: 60,
        upstream: { method: 'GET', route: '/collections/{uid}' },
      })),
    );
    expect(cut.headers.get('retry-after')).toBe('0');
    const whole = await facade.query(DESCRIPTIONS);
    expect([whole.errors, whole.upstream.calls, facade.postman.calls.length]).toEqual([[], 40, 100]);
  });

  it('reads each thing once, also where it has to come back for longer than answers are fresh', async () => {
    facade = await startFacade(
      {
        MAX_CALLS_PER_OPERATION: '12',
        RATE_LIMIT: '12',
        RESERVED_CALLS: '0',
        BURST_LIMIT: '0',
        OPERATION_TIMEOUT_MS: '1000',
      },
      { account: createGridAccount(100, 0, 0).account },
    );
    const { answer, calls } = await comeBack('{ workspaces(first: 100) { nodes { description } } }');
    expect(answer.errors).toEqual([]);
    expect(answer.upstream.stale).not.toBe(undefined);
    // A hundred workspaces, and the list, once.
    expect(calls.reduce((sum, count) => sum + count)).toBe(101);
    expect(new Set(facade.postman.calls).size).toBe(101);
  });

  it.each<[string, Record<string, string>, Record<string, string>]>([
    ['there is no cache', { CACHE_TTL_MS: '0' }, {}],
    ['its client takes nothing from it', {}, { 'cache-control': 'no-cache' }],
  ])('says that asking again is in vain where %s', async (_, env, headers) => {
    facade = await startFacade(
      { MAX_CALLS_PER_OPERATION: '4', ...env },
      { account: createGridAccount(6, 0, 0).account },
    );
    for (let times = 0; times < 2; times++) {
      const answer = await facade.query('{ workspaces { nodes { description } } }', { headers });
      expect(answer.headers.get('retry-after')).toBe(null);
      expect(extensionsOf(answer)).toEqual(
        Array.from({ length: 3 }, () => ({
          code: 'OPERATION_TOO_EXPENSIVE',
          retryable: false,
          calls: 7,
          upstream: { method: 'GET', route: '/workspaces/{id}' },
        })),
      );
    }
  });
});

describe('an operation of which nothing may serve twice', () => {
  it('is told when there is room for all of its calls, and comes back once', async () => {
    facade = await startFacade(
      { CACHE_TTL_MS: '0', RATE_LIMIT: '8', RESERVED_CALLS: '0', BURST_LIMIT: '0', OPERATION_TIMEOUT_MS: '3000' },
      { account: createGridAccount(5, 0, 0).account },
    );
    await facade.query('{ workspaces { nodes { id } } environments(first: 1) { nodes { id } } me { id } }');
    facade.skip(30_000);
    await facade.query('{ me { id } }');
    const { answer, calls } = await comeBack('{ workspaces { nodes { description } } }');
    expect([answer.errors, calls]).toEqual([[], [4, 6]]);
  });
});

describe('a request that there is never room for', () => {
  it('is told so, however little else there is', async () => {
    facade = await startFacade({ MAX_REQUEST_BYTES_IN_FLIGHT: '60000' });
    const { status, errors, headers } = await facade.query(`{ __typename } #${'x'.repeat(40_000)}`);
    expect([status, errors.map(({ extensions }) => extensions), headers.get('retry-after')]).toEqual([
      413,
      [{ code: 'REQUEST_ENTITY_TOO_LARGE', retryable: false }],
      null,
    ]);
  });
});

describe('what is not Postman', () => {
  it.each([401, 403, 404, 407, 451])('is not taken for it where it answers with %s', async (status) => {
    facade = await startFacade();
    await facade.query('{ me { username } }');
    facade.postman.fail('/environments', { kind: 'html', status });
    const refused = await facade.query('{ environments(first: 1) { nodes { name } } me { username } }');
    expect(refused.data).toEqual({ environments: null, me: { username: expect.any(String) as string } });
    expect(extensionsOf(refused)).toEqual([
      {
        code: 'UPSTREAM_UNREACHABLE',
        retryable: false,
        upstream: { status, method: 'GET', route: '/environments' },
      },
    ]);
    expect(refused.errors[0]?.message).toMatch(/^The response came not from Postman/);
    // Neither the key nor the route is cached as refused.
    facade.postman.heal();
    expect((await facade.query('{ environments(first: 1) { nodes { name } } }')).errors).toEqual([]);
  });

  it('spends nothing where no connection is made, and its circuit breaker says why', async () => {
    const reset = createServer((socket: Socket) => void socket.once('data', () => socket.resetAndDestroy()));
    servers.push(reset);
    reset.listen(0, '127.0.0.1');
    await once(reset, 'listening');
    const { port } = reset.address() as AddressInfo;
    facade = await startFacade({
      POSTMAN_API_BASE_URL: `https://127.0.0.1:${port}`,
      POSTMAN_API_KEY: 'PMAK-canary',
      RATE_LIMIT: '60',
      BURST_LIMIT: '0',
    });
    const uids = Array.from({ length: 40 }, (_, index) => `c${index}: environment(uid: "1-${index}") { name }`);
    const answer = await facade.query(`{ ${uids.join(' ')} }`);
    expect([new Set(extensionsOf(answer).map(({ code }) => code)), answer.upstream.calls]).toEqual([
      new Set(['UPSTREAM_UNAVAILABLE']),
      0,
    ]);
    expect((await facade.query('{ rateLimit { remaining } }')).data).toEqual({ rateLimit: { remaining: 60 } });
  });

  it('is final where waiting mends nothing, also while its circuit breaker is open', async () => {
    const plain = createServer((socket: Socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    servers.push(plain);
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
    const { port } = plain.address() as AddressInfo;
    facade = await startFacade({ POSTMAN_API_BASE_URL: `https://127.0.0.1:${port}`, POSTMAN_API_KEY: 'PMAK-canary' });
    const seen: unknown[] = [];
    for (let times = 0; times < 12; times++) {
      seen.push(...extensionsOf(await facade.query(`{ environment(uid: "1-${times}") { name } }`)));
      facade.skip(500);
    }
    const upstream = { method: 'GET', route: '/environments/{uid}' };
    expect(seen).toEqual(seen.map(() => ({ code: 'UPSTREAM_UNREACHABLE', retryable: false, upstream })));
    expect(facade.log.filter((line) => line.includes('Postman does not serve calls'))).toHaveLength(1);
  });
});

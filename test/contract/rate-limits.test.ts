import { Pool } from 'undici';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createDemoAccount } from '../../src/sandbox/account/demo.ts';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type RefusalSpelling, refusalSpellings } from '../../src/sandbox/rate-refusals.ts';
import type { Arrival, SandboxOptions } from '../../src/sandbox/sandbox.ts';
import { type FacadeResponse, type Facade, startFacade } from '../support/facade.ts';

const started: Facade[] = [];
async function start(env: Record<string, string>, sandbox: SandboxOptions = {}): Promise<Facade> {
  const facade = await startFacade(env, sandbox);
  started.push(facade);
  return facade;
}
afterEach(async () => {
  await Promise.all(started.splice(0).map((facade) => facade.close()));
});

const wide = { limit: 100_000, windowMs: 60_000 };
const me = '{ me { username } }';
const myself = { me: { username: 'ines-aldana' } };
const names = { local: 'Local', staging: 'Staging', production: 'Production', openData: 'Open data' } as const;
const environment = (name: keyof typeof names) => `{ environment(uid: "${ids.environments[name]}") { name } }`;
const environmentRead = (name: keyof typeof names) => `GET /environments/${ids.environments[name]}`;
/** Operations of one call each, for an object that does not exist. */
const missing = (index: number) => `{ environment(uid: "${ids.users.ines}-none-${index}") { name } }`;
const missingRead = (index: number) => `GET /environments/${ids.users.ines}-none-${index}`;
const workspaceMissing = (index: number) => `{ workspace(id: "none-${index}") { name } }`;
const extensionsOf = ({ errors }: FacadeResponse) => errors.map(({ extensions }) => extensions);
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);
/** Calls that exceeded the limit: less than a window after the call `limit` calls earlier. */
const tooClose = (arrivals: readonly Arrival[], { limit, windowMs }: typeof wide) =>
  arrivals.slice(limit).filter(({ atMs }, index) => atMs - (arrivals[index]?.atMs ?? 0) < windowMs);
const until = (condition: () => unknown) => vi.waitFor(condition, { interval: 10, timeout: 60_000 });
const queued = async (facade: Facade) =>
  (await facade.query('{ rateLimit { queued } }')).data.rateLimit.queued as number;

describe('slow calls', () => {
  it('never exceed a limit, and all arrive', async () => {
    const general = { limit: 20, windowMs: 600 };
    const burst = { limit: 4, windowMs: 200 };
    // From nothing to half a window, so that calls arrive in another order and at other distances than they were sent.
    const delays = upTo(200).map((index) => ((index * 37) % 100) * 3);
    const facade = await start(
      {
        RATE_LIMIT: String(general.limit),
        RATE_LIMIT_WINDOW_MS: String(general.windowMs),
        BURST_LIMIT: String(burst.limit),
        BURST_LIMIT_WINDOW_MS: String(burst.windowMs),
      },
      {
        limits: { general, burst },
        latency: () => {
          const requestMs = delays.shift() ?? 0;
          return { requestMs, responseMs: (300 - requestMs) / 10 };
        },
      },
    );
    const ask = (index: number) => facade.query(index % 5 === 0 ? workspaceMissing(index) : missing(index));
    const answers = await Promise.all(upTo(70).map(ask));
    expect(answers.map(({ data, errors }) => [Object.values(data as object), errors])).toEqual(
      upTo(70).map(() => [[null], []]),
    );
    const { arrivals, calls } = facade.postman;
    const reads = upTo(70).map((index) =>
      index % 5 === 0 ? `GET /workspaces/none-${index}?include=team,mocks:deactivated` : missingRead(index),
    );
    expect([...calls].sort()).toEqual(reads.sort());
    const isBurst = ({ requestLine }: Arrival) => requestLine.startsWith('GET /workspaces');
    expect({
      refused: arrivals.filter(({ status }) => status === 429),
      aboveGeneral: tooClose(arrivals, general),
      aboveBurst: tooClose(arrivals.filter(isBurst), burst),
    }).toEqual({ refused: [], aboveGeneral: [], aboveBurst: [] });
  });
});

describe('equal requests', () => {
  const CHUNK = 500;
  const answerTo = JSON.stringify({ data: myself }).slice(0, -1);

  /** Sends them over reused connections; returns the starts of the responses, and their total cost. */
  async function askMany(facade: Facade, count: number, keys: readonly string[]) {
    const pool = new Pool(new URL(facade.url).origin, { connections: 100 });
    const body = JSON.stringify({ query: me });
    const starts = new Set<string>();
    const cost = { calls: 0, fromOthers: 0 };
    const ask = async (index: number) => {
      const key = keys[index % keys.length] ?? '';
      const headers = { 'content-type': 'application/json', 'x-api-key': key };
      const text = await (await pool.request({ path: '/graphql', method: 'POST', headers, body })).body.text();
      starts.add(text.slice(0, answerTo.length));
      const { upstream } = (JSON.parse(text) as { extensions: { upstream: FacadeResponse['upstream'] } }).extensions;
      cost.calls += upstream.calls;
      cost.fromOthers += upstream.cached + upstream.coalesced;
    };
    for (let sent = 0; sent < count; sent += CHUNK) await Promise.all(upTo(CHUNK).map((index) => ask(sent + index)));
    await pool.close();
    return { starts: [...starts], ...cost };
  }

  it('of one key are one call, 10,000 of them', async () => {
    const facade = await start({ LOG_LEVEL: 'silent', CACHE_TTL_MS: '3600000' });
    const outcome = await askMany(facade, 10_000, [facade.postman.apiKey]);
    expect(outcome).toEqual({ starts: [answerTo], calls: 1, fromOthers: 9_999 });
    expect(facade.postman.calls).toEqual(['GET /me']);
  });

  it('of 50 keys are 50 calls, one with each key', async () => {
    const otherApiKeys = upTo(49).map((index) => `PMAK-other-${index}`);
    const facade = await start({ LOG_LEVEL: 'silent', CACHE_TTL_MS: '3600000' }, { otherApiKeys });
    const outcome = await askMany(facade, 2_500, [facade.postman.apiKey, ...otherApiKeys]);
    expect(outcome).toEqual({ starts: [answerTo], calls: 50, fromOthers: 2_450 });
    const sent = facade.postman.arrivals.map(({ requestLine, keyIndex }) => [requestLine, keyIndex]);
    expect(sent.sort(([, a], [, b]) => Number(a) - Number(b))).toEqual(upTo(50).map((index) => ['GET /me', index]));
  });
});

describe('a 429 while others wait', () => {
  const waiting = ['staging', 'production', 'openData'] as const;
  // The monthly one is no pause, and the one without a hint means a whole window.
  const spellings = refusalSpellings.filter((spelling) => spelling !== 'monthly' && spelling !== 'no-hint');

  /** Sends one call, which is refused after the others have queued behind it. */
  async function refuseFirst(spelling: RefusalSpelling, headers: Record<string, string>) {
    let onTheWay = 0;
    const facade = await start(
      { MAX_CONCURRENT_CALLS: '1', OPERATION_TIMEOUT_MS: '500' },
      { latency: () => ({ requestMs: onTheWay++ === 0 ? 1_500 : 0, responseMs: 0 }) },
    );
    facade.postman.failNext(1, { kind: 'refusal', spelling, waitSeconds: 1 });
    const asking = [facade.query(environment('local'), { headers })];
    await until(() => expect(onTheWay).toBe(1));
    for (const name of waiting) asking.push(facade.query(environment(name), { headers }));
    await until(async () => expect(await queued(facade)).toBe(3));
    expect(facade.postman.calls).toEqual([]);
    return { facade, answers: await Promise.all(asking) };
  }

  it('stops every call until the time it names, whatever its spelling, and loses nothing', async () => {
    const outcomes = await Promise.all(
      spellings.map(async (spelling) => {
        const { facade, answers } = await refuseFirst(spelling, { prefer: 'wait=60' });
        const [refused, ...later] = facade.postman.arrivals;
        return {
          spelling,
          refusals: facade.postman.arrivals.map(({ status }) => status).filter((status) => status !== 200),
          insideThePause: later.filter(({ atMs }) => atMs - (refused?.atMs ?? 0) < 1_000).length,
          calls: facade.postman.calls.slice(0, 2),
          others: facade.postman.calls.slice(2).sort(),
          answers: answers.map(({ data, errors, upstream }) => [data, errors, upstream.calls]),
        };
      }),
    );
    expect(outcomes).toEqual(
      spellings.map((spelling) => ({
        spelling,
        refusals: [429],
        insideThePause: 0,
        // The refused call is sent first again.
        calls: [environmentRead('local'), environmentRead('local')],
        others: waiting.map(environmentRead).sort(),
        answers: [
          [{ environment: { name: 'Local' } }, [], 2],
          ...waiting.map((name) => [{ environment: { name: names[name] } }, [], 1]),
        ],
      })),
    );
  });

  it('without a time also fails the operations that cannot wait for a whole window', async () => {
    const { facade, answers } = await refuseFirst('no-hint', { prefer: 'wait=30' });
    const [first, ...others] = answers.flatMap(extensionsOf);
    const limited = { code: 'RATE_LIMITED', retryable: true, retryAt: expect.any(String) as string };
    const route = { method: 'GET', route: '/environments/{uid}' };
    expect(first).toEqual({
      ...limited,
      limitedBy: 'upstream',
      retryAfterSeconds: expect.toBeOneOf([59, 60]) as number,
      upstream: { ...route, status: 429, name: 'rateLimited' },
    });
    expect(others).toEqual(
      waiting.map(() => ({
        ...limited,
        limitedBy: 'facade',
        retryAfterSeconds: expect.any(Number) as number,
        upstream: route,
      })),
    );
    expect(Math.min(...others.map((extensions) => Number(extensions?.['retryAfterSeconds'])))).toBeGreaterThan(55);
    expect(facade.postman.calls).toEqual([environmentRead('local')]);
  });
});

describe('an account with 300 calls a minute', () => {
  it('is used to its limit after its first response, when no limit is configured', async () => {
    const facade = await start(
      { RATE_LIMIT: '', BURST_LIMIT: '', MAX_CONCURRENT_CALLS: '50' },
      { limits: { general: { limit: 300, windowMs: 60_000 }, burst: { limit: 10, windowMs: 10_000 } } },
    );
    const budget = async () => (await facade.query('{ rateLimit { limit remaining } }')).data.rateLimit as object;
    expect(await budget()).toEqual({ limit: 60, remaining: 60 });
    expect((await facade.query(me)).data).toEqual(myself);
    expect(await budget()).toEqual({ limit: 300, remaining: 299 });
    const answers: FacadeResponse[] = [];
    // No more at a time than may be out: what waits for a connection does not wait for the limit.
    for (let sent = 0; sent < 200; sent += 50)
      answers.push(...(await Promise.all(upTo(50).map((index) => facade.query(missing(sent + index))))));
    expect(answers.map(({ data, errors, upstream }) => [data, errors, upstream.calls, upstream.waitedMs])).toEqual(
      upTo(200).map(() => [{ environment: null }, [], 1, 0]),
    );
    expect(facade.postman.arrivals.filter(({ status }) => status === 429)).toEqual([]);
    expect([...facade.postman.calls].sort()).toEqual(['GET /me', ...upTo(200).map(missingRead)].sort());
    expect(await budget()).toEqual({ limit: 300, remaining: 99 });
  });
});

describe('a monthly quota that is used up', () => {
  const spentAfter = (calls: number) => ({
    account: {
      ...createDemoAccount(),
      operations: [{ name: 'api_usage', limit: 1_000, usage: 1_000 - calls, overage: 0 }],
    },
    limits: { general: wide, burst: wide },
  });
  const unsent = {
    code: 'QUOTA_EXHAUSTED',
    retryable: false,
    upstream: { method: 'GET', route: '/environments/{uid}' },
  };
  const answered = { status: 429, name: 'serviceLimitExhausted' };

  it('is known from the headers of its last call, and nothing more is sent', async () => {
    const facade = await start({}, spentAfter(2));
    expect((await facade.query(me)).data).toEqual(myself);
    const last = await facade.query(environment('staging'));
    expect([last.data, last.errors]).toEqual([{ environment: { name: 'Staging' } }, []]);
    const budget = await facade.query('{ rateLimit { monthLimit monthRemaining } }');
    expect(budget.data).toEqual({ rateLimit: { monthLimit: 1_000, monthRemaining: 0 } });

    const together = await Promise.all(upTo(5).map((index) => facade.query(missing(index))));
    const later = await facade.query(environment('local'), { headers: { prefer: 'wait=60' } });
    for (const answer of [...together, later]) {
      expect([answer.status, answer.data, extensionsOf(answer), answer.headers.get('retry-after')]).toEqual([
        200,
        { environment: null },
        [unsent],
        null,
      ]);
    }
    // Cached data is still served.
    const both = await facade.query(`{ me { username } ${environment('local').slice(1)}`);
    expect([both.data, extensionsOf(both)]).toEqual([{ ...myself, environment: null }, [unsent]]);
    expect(facade.postman.calls).toEqual(['GET /me', environmentRead('staging')]);
  });

  it('is known from a refusal, and operations that wait behind it fail without a call', async () => {
    // This behavior has no headers for the monthly quota.
    const facade = await start({ MAX_CONCURRENT_CALLS: '1' }, { ...spentAfter(1), behavior: 'v2017' });
    expect((await facade.query(me)).data).toEqual(myself);
    const together = await Promise.all(upTo(5).map((index) => facade.query(missing(index))));
    const [told, ...others] = together
      .flatMap(extensionsOf)
      .sort((a, b) => JSON.stringify(b).length - JSON.stringify(a).length);
    expect(told).toEqual({ ...unsent, upstream: { ...unsent.upstream, ...answered } });
    expect(others).toEqual(upTo(4).map(() => unsent));
    expect(extensionsOf(await facade.query(environment('local')))).toEqual([unsent]);
    expect(facade.postman.calls).toEqual(['GET /me', expect.stringMatching(/^GET \/environments\/\d+-none-\d$/)]);
  });
});

describe('an outage', () => {
  it('is reported to all waiting operations, with a time, and ends when Postman is back', async () => {
    const facade = await start({ MAX_CONCURRENT_CALLS: '1' });
    facade.postman.failNext(1, { kind: 'hang' });
    const asking = [facade.query(environment('local'))];
    await until(() => expect(facade.postman.calls).toHaveLength(1));
    asking.push(...upTo(7).map((index) => facade.query(missing(index))));
    await until(async () => expect(await queued(facade)).toBe(7));
    await facade.postman.goDown();
    const answers = await Promise.all(asking);
    for (const answer of answers) {
      const [extensions] = extensionsOf(answer);
      expect({ status: answer.status, data: answer.data, extensions: extensionsOf(answer) }).toEqual({
        status: 200,
        data: { environment: null },
        extensions: [
          {
            code: 'UPSTREAM_UNAVAILABLE',
            retryable: true,
            retryAfterSeconds: expect.any(Number) as number,
            retryAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
            upstream: { method: 'GET', route: '/environments/{uid}' },
          },
        ],
      });
      expect(answer.headers.get('retry-after')).toBe(String(extensions?.['retryAfterSeconds']));
    }
    expect(facade.postman.calls).toEqual([environmentRead('local')]);

    await facade.postman.comeBack();
    await vi.waitFor(async () => expect((await facade.query(environment('local'))).errors).toEqual([]), {
      interval: 200,
      timeout: 120_000,
    });
    const served = await Promise.all(upTo(7).map((index) => facade.query(missing(index))));
    expect(served.map(({ data, errors }) => [data, errors])).toEqual(upTo(7).map(() => [{ environment: null }, []]));
    const [hung, first, ...others] = facade.postman.calls;
    expect([hung, first, others.sort()]).toEqual([
      environmentRead('local'),
      environmentRead('local'),
      upTo(7).map(missingRead),
    ]);
  });
});

describe('the reported budget', () => {
  const WINDOW_MS = 60_000;

  /** Remaining calls and reset time according to upstream's log, without refused calls. */
  function countOf({ postman }: Facade, limit: number) {
    const counted = postman.arrivals.filter(
      ({ status, atMs }) => status !== 429 && atMs > performance.now() - WINDOW_MS,
    );
    const lastMs = Math.max(...counted.map(({ atMs }) => atMs));
    return {
      remaining: Math.max(0, limit - counted.length),
      restoredAtMs: counted.length === 0 ? undefined : performance.timeOrigin + lastMs + WINDOW_MS,
    };
  }

  /** Queries the budget, and checks that the headers of the response agree. */
  async function told(facade: Facade) {
    const { data, headers } = await facade.query('{ rateLimit { limit remaining resetAt queued } }');
    const { limit, remaining, resetAt, queued } = data.rateLimit as {
      limit: number;
      remaining: number;
      resetAt: string | null;
      queued: number;
    };
    expect(headers.get('ratelimit-policy')).toBe(`"general";q=${limit};w=60`);
    const [, r, t] = /^"general";r=(\d+);t=(\d+)$/.exec(headers.get('ratelimit') ?? '') ?? [];
    const resetAtMs = resetAt === null ? Date.now() : Date.parse(resetAt);
    expect(Number(r)).toBe(remaining);
    expect(Math.abs(Number(t) - Math.ceil((resetAtMs - Date.now()) / 1_000))).toBeLessThanOrEqual(1);
    return { limit, remaining, queued, resetAtMs: resetAt === null ? undefined : resetAtMs };
  }

  /** Never earlier than for upstream: a slot is free again one window after its response. */
  function expectNotEarly(resetAtMs: number | undefined, { restoredAtMs }: ReturnType<typeof countOf>) {
    // The wall clock and the monotonic one do not run quite alike.
    expect(resetAtMs).toBeGreaterThanOrEqual((restoredAtMs ?? Number.NaN) - 50);
  }

  it("agrees with upstream's own count: unused, in use, with a call out, shared, lowered, used up and waited for", async () => {
    const general = (limit: number) => ({ general: { limit, windowMs: WINDOW_MS }, burst: wide });
    const facade = await start({ RATE_LIMIT: '10', BURST_LIMIT: '0' }, { limits: general(10) });
    const { postman } = facade;
    expect(await told(facade)).toEqual({ limit: 10, remaining: 10, queued: 0, resetAtMs: undefined });
    expect(countOf(facade, 10)).toEqual({ remaining: 10, restoredAtMs: undefined });

    const agree = async (limit: number, remaining: number, queued: number) => {
      const { resetAtMs, ...rest } = await told(facade);
      expect(rest).toEqual({ limit, remaining, queued });
      const count = countOf(facade, limit);
      expect(count.remaining).toBe(remaining);
      expectNotEarly(resetAtMs, count);
    };

    await facade.query(me);
    await facade.query(missing(0));
    await agree(10, 8, 0);

    postman.failNext(1, { kind: 'hang' });
    const hangUp = new AbortController();
    const lost = [facade.query(missing(1), { signal: hangUp.signal })];
    await until(() => expect(postman.calls).toHaveLength(3));
    await agree(10, 7, 0);

    await fetch(`${postman.origin}/me`, { headers: { 'x-api-key': postman.apiKey } });
    await facade.query(missing(2));
    await agree(10, 5, 0);

    postman.setLimits(general(7));
    await facade.query(missing(3));
    await agree(7, 1, 0);

    await facade.query(missing(4));
    await agree(7, 0, 0);

    const patient = { headers: { prefer: 'wait=200' }, signal: hangUp.signal };
    lost.push(...[5, 6, 7].map((index) => facade.query(missing(index), patient)));
    await until(async () => expect(await queued(facade)).toBe(3));
    await agree(7, 0, 3);

    hangUp.abort();
    expect((await Promise.allSettled(lost)).map(({ status }) => status)).toEqual(upTo(4).map(() => 'rejected'));
    await until(async () => expect(await queued(facade)).toBe(0));
    await agree(7, 0, 0);
    const own = ['GET /me', ...[0, 1, 2, 3, 4].map(missingRead)];
    expect([...postman.calls].sort()).toEqual(['GET /me', ...own].sort());
  });

  it('is 0 for as long as upstream has requested a pause', async () => {
    const limits = { general: { limit: 10, windowMs: WINDOW_MS }, burst: wide };
    const facade = await start({ RATE_LIMIT: '10', BURST_LIMIT: '0' }, { limits });
    await facade.query(me);
    facade.postman.failNext(1, { kind: 'refusal', spelling: 'retry-after', waitSeconds: 90 });
    await facade.query(missing(0));
    const pausedAtMs = performance.timeOrigin + (facade.postman.arrivals[1]?.atMs ?? Number.NaN);
    const { resetAtMs, ...rest } = await told(facade);
    expect(rest).toEqual({ limit: 10, remaining: 0, queued: 0 });
    expect(resetAtMs).toBeGreaterThanOrEqual(pausedAtMs + 90_000 - 50);
  });
});

describe('keys of one user', () => {
  it('share one budget once their user is known', async () => {
    const general = { limit: 4, windowMs: 60_000 };
    const { user } = createDemoAccount();
    const facade = await start(
      { RATE_LIMIT: '4', BURST_LIMIT: '0', RESERVED_CALLS: '0', OPERATION_TIMEOUT_MS: '5000' },
      { limits: { general, burst: general }, otherApiKeys: [{ apiKey: 'PMAK-second', user }] },
    );
    const second = { headers: { 'x-api-key': 'PMAK-second' } };
    const answers = [
      await facade.query(me),
      await facade.query(me, second),
      await facade.query(missing(1)),
      await facade.query(missing(2), second),
      await facade.query(missing(3)),
      await facade.query(missing(4), second),
    ];
    expect(answers.map((answer) => extensionsOf(answer).map((extensions) => extensions?.['limitedBy']))).toEqual([
      [],
      [],
      [],
      [],
      ['facade'],
      ['facade'],
    ]);
    expect(facade.postman.arrivals.map(({ keyIndex, status }) => [keyIndex, status])).toEqual([
      [0, 200],
      [1, 200],
      [0, 400],
      [1, 400],
    ]);
  });
});

describe('a process that starts when the budget is nearly used up', () => {
  const general = { limit: 6, windowMs: 60_000 };
  /** Five calls of an earlier process, and then six simultaneous operations of a new process. */
  const restart = async (coldStart: string) => {
    const facade = await start(
      { RATE_LIMIT: '6', BURST_LIMIT: '0', RESERVED_CALLS: '0', OPERATION_TIMEOUT_MS: '5000', COLD_START: coldStart },
      { limits: { general, burst: general } },
    );
    const { origin, apiKey } = facade.postman;
    for (let index = 0; index < 5; index++) await fetch(`${origin}/me`, { headers: { 'x-api-key': apiKey } });
    const answers = await Promise.all(upTo(6).map((index) => facade.query(missing(index))));
    return {
      codes: answers.flatMap((answer) => extensionsOf(answer).map((extensions) => extensions?.['limitedBy'])),
      statuses: facade.postman.arrivals.slice(5).map(({ status }) => status),
    };
  };

  it('sends one call alone, and learns from its response that no slot is free', async () => {
    expect(await restart('probe')).toEqual({ codes: Array(5).fill('facade'), statuses: [400] });
  });

  it('sends nothing until a window has passed if it is configured to wait', async () => {
    expect(await restart('wait')).toEqual({ codes: Array(6).fill('facade'), statuses: [] });
  });
});

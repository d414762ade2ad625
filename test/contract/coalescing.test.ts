import { request } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type FacadeResponse, type Facade, startFacade } from '../support/facade.ts';

const { riderPlatform: platform } = ids.workspaces;
const overview = `{ workspace(id: "${platform}") { name collections { nodes { name } } } }`;
const overviewData = {
  workspace: {
    name: 'Rider Platform',
    collections: {
      nodes: ['Rides API', 'Stations API', 'Pricing (GraphQL)', 'Fleet telemetry (draft)'].map((name) => ({ name })),
    },
  },
};
const platformRead = `GET /workspaces/${platform}?include=team,mocks:deactivated`;
// Long enough for other requests to arrive in the meantime; no test waits for all of it.
const late = { kind: 'delay', delayMs: 200 } as const;

let facade: Facade;
afterEach(() => facade.close());

const until = (condition: () => unknown) => vi.waitFor(condition, { interval: 2, timeout: 60_000 });
const untilCalls = (count: number) => until(() => expect(facade.postman.calls).toHaveLength(count));
const untilQueued = (queued: number) =>
  until(async () => expect((await facade.query('{ rateLimit { queued } }')).data).toEqual({ rateLimit: { queued } }));

const sum = (answers: readonly FacadeResponse[], part: 'calls' | 'cached' | 'coalesced') =>
  answers.reduce((total, { upstream }) => total + upstream[part], 0);

describe('operations of one key', () => {
  it.each([
    { what: 'with a cache', env: {}, delayMs: 0 },
    // Long enough for all 50 to arrive while the first call is in flight, also on a busy machine.
    { what: 'without one', env: { CACHE_TTL_MS: '0' }, delayMs: 2_000 },
  ])('at the same time and equal, 50 of them, cost as much as one, $what', async ({ env, delayMs }) => {
    facade = await startFacade(env);
    facade.postman.fail('/workspaces', { kind: 'delay', delayMs });
    const answers = await Promise.all(Array.from({ length: 50 }, () => facade.query(overview)));
    for (const { data, errors } of answers) expect({ data, errors }).toEqual({ data: overviewData, errors: [] });
    expect(facade.postman.calls).toEqual([platformRead]);
    expect(sum(answers, 'calls')).toBe(1);
    expect(sum(answers, 'cached') + sum(answers, 'coalesced')).toBe(49);
  });

  it('at the same time and different share the calls they have in common', async () => {
    facade = await startFacade({ CACHE_TTL_MS: '0' });
    facade.postman.fail('/workspaces', late);
    const [one, other] = await Promise.all([
      facade.query(overview),
      facade.query(`{ me { username } workspace(id: "${platform}") { environments { nodes { name } } about } }`),
    ]);
    expect(one.data).toEqual(overviewData);
    expect(other.data).toEqual({
      me: { username: 'ines-aldana' },
      workspace: {
        environments: { nodes: [{ name: 'Local' }, { name: 'Staging' }, { name: 'Production' }] },
        about: 'APIs behind the rider app: rides, stations, prices',
      },
    });
    expect([...facade.postman.calls].sort()).toEqual(['GET /me', platformRead]);
    expect([sum([one, other], 'calls'), sum([one, other], 'coalesced')]).toEqual([2, 1]);
  });

  it('share a failure, also with operations soon after; one that accepts nothing cached retries', async () => {
    facade = await startFacade();
    facade.postman.fail('/workspaces', { kind: 'status', status: 403 }, 1);
    const failed = await facade.query(overview);
    expect(failed).toMatchObject({ data: { workspace: null }, errors: [{ extensions: { code: 'FORBIDDEN' } }] });
    expect(await facade.query(overview)).toMatchObject({ data: failed.data, errors: failed.errors });
    expect(facade.postman.calls).toEqual([platformRead]);
    const anew = await facade.query(overview, { headers: { 'cache-control': 'no-cache' } });
    expect(anew.data).toEqual(overviewData);
    expect(facade.postman.calls).toEqual([platformRead, platformRead]);
  });
});

describe('operations of different keys', () => {
  const other = { 'x-api-key': 'PMAK-other' };

  it.each([
    { what: 'one after the other', isTogether: false },
    { what: 'at the same time', isTogether: true },
  ])('share nothing, $what', async ({ isTogether }) => {
    facade = await startFacade({}, { otherApiKeys: ['PMAK-other'] });
    if (isTogether) facade.postman.fail('/workspaces', late);
    const first = facade.query(overview);
    if (!isTogether) await first;
    const answers = await Promise.all([first, facade.query(overview, { headers: other })]);
    expect(answers.map(({ data }) => data)).toEqual([overviewData, overviewData]);
    expect(answers.map(({ upstream }) => upstream)).toMatchObject([
      { calls: 1, cached: 0, coalesced: 0 },
      { calls: 1, cached: 0, coalesced: 0 },
    ]);
    const arrived = facade.postman.arrivals.map(({ requestLine, keyIndex, keyIn }) => ({
      requestLine,
      keyIndex,
      keyIn,
    }));
    expect(arrived.sort((a, b) => a.keyIndex - b.keyIndex)).toEqual([
      { requestLine: platformRead, keyIndex: 0, keyIn: 'header' },
      { requestLine: platformRead, keyIndex: 1, keyIn: 'header' },
    ]);
  });

  it('show nothing cached to a key that upstream does not know', async () => {
    facade = await startFacade();
    await facade.query(overview);
    const { data, errors } = await facade.query(overview, { headers: { 'x-api-key': 'PMAK-unknown' } });
    expect({ data, errors }).toMatchObject({
      data: { workspace: null },
      errors: [{ path: ['workspace'], extensions: { code: 'UNAUTHENTICATED', retryable: false } }],
    });
    expect(facade.postman.arrivals.map(({ keyIndex }) => keyIndex)).toEqual([0, -1]);
  });
});

describe('a client that goes away', () => {
  /** Sends a query over a new connection; returns a function that drops the connection. */
  const askAndLeave = (query: string) => {
    const asking = request(facade.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      agent: false,
    });
    asking.on('error', () => undefined).end(JSON.stringify({ query }));
    return () => new Promise<void>((resolve) => asking.once('close', resolve).destroy());
  };

  it('does not cancel a call that others wait for', async () => {
    facade = await startFacade({ CACHE_TTL_MS: '0' });
    facade.postman.fail('/workspaces', late);
    const leave = askAndLeave(overview);
    await untilCalls(1);
    const follower = facade.query(`{ me { username } ${overview.slice(1)}`);
    // Both of its fields are requested in one tick: once the second call has arrived, the operation waits for the
    // first.
    await untilCalls(2);
    await leave();
    const { data, errors, upstream } = await follower;
    expect({ data, errors }).toEqual({ data: { me: { username: 'ines-aldana' }, ...overviewData }, errors: [] });
    expect(upstream).toMatchObject({ calls: 1, coalesced: 1 });
    expect(facade.postman.calls).toEqual([platformRead, 'GET /me']);
  });

  it('leaves its slot in the queue to others that wait for the same call', async () => {
    facade = await startFacade({ CACHE_TTL_MS: '0', MAX_CONCURRENT_CALLS: '1' });
    facade.postman.fail('/me', late);
    const blocker = facade.query('{ me { username } }');
    await untilCalls(1);
    const leave = askAndLeave(overview);
    await untilQueued(1);
    const follower = facade.query(`{ environments { totalCount } ${overview.slice(1)}`);
    await untilQueued(2);
    await leave();
    expect((await follower).data).toEqual({ environments: { totalCount: 7 }, ...overviewData });
    await blocker;
    expect([...facade.postman.calls].sort()).toEqual(['GET /environments', 'GET /me', platformRead]);
  });

  it('cancels unsent calls that no one else waits for', async () => {
    facade = await startFacade({ MAX_CONCURRENT_CALLS: '1' });
    facade.postman.fail('/me', late);
    const blocker = facade.query('{ me { username } }');
    await untilCalls(1);
    const leave = askAndLeave(overview);
    await untilQueued(1);
    await leave();
    await untilQueued(0);
    await blocker;
    await facade.query('{ environments { totalCount } }');
    expect(facade.postman.calls).toEqual(['GET /me', 'GET /environments']);
  });

  it('leaves the response of a sent call in the cache: it has been paid for', async () => {
    facade = await startFacade();
    facade.postman.fail('/workspaces', late);
    const leave = askAndLeave(overview);
    await untilCalls(1);
    await leave();
    await until(() => expect(facade.postman.arrivals[0]?.finishedAtMs).toBeDefined());
    const { data, upstream } = await facade.query(overview);
    expect({ data, calls: upstream.calls }).toEqual({ data: overviewData, calls: 0 });
    expect(facade.postman.calls).toEqual([platformRead]);
    expect(facade.postman.arrivals[0]).toMatchObject({ status: 200 });
  });
});

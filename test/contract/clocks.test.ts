import { afterEach, describe, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';

let facade: Facade;
afterEach(() => facade.close());

const HOUR_MS = 3_600_000;
const me = '{ me { username } }';
const both = `{ me { username } collection(uid: "${ids.collections.rides}") { name } }`;

describe.each([
  ['set back', -HOUR_MS],
  ['set forward', HOUR_MS],
])('a wall clock that is %s by an hour', (_how, jumpMs) => {
  it('while an operation waits does not change how long it waits', async () => {
    facade = await startFacade({ RATE_LIMIT: '2', RESERVED_CALLS: '0', BURST_LIMIT: '0' });
    await facade.query('{ environments { totalCount } }');
    facade.postman.fail('/me', { kind: 'delay', delayMs: 200 });
    const answer = facade.query(both);
    await expect.poll(() => facade.postman.calls.length, { interval: 5 }).toBe(2);
    facade.jumpWallClock(jumpMs);
    const { data, errors, headers } = await answer;
    expect(data).toEqual({ me: { username: 'ines-aldana' }, collection: null });
    expect(errors).toMatchObject([{ extensions: { code: 'RATE_LIMITED', retryAfterSeconds: 60 } }]);
    expect(headers.get('retry-after')).toBe('60');
    expect(headers.get('ratelimit')).toBe('"general";r=0;t=60');
    expect(Date.parse(String(errors[0]?.extensions?.['retryAt']))).toBeGreaterThan(Date.now() + jumpMs + 50_000);
    expect(Date.parse(String(errors[0]?.extensions?.['retryAt']))).toBeLessThan(Date.now() + jumpMs + 70_000);
    expect(facade.postman.calls).toEqual(['GET /environments', 'GET /me']);
  });

  it('between two operations does not affect the rate windows', async () => {
    facade = await startFacade({ RATE_LIMIT: '1', RESERVED_CALLS: '0', BURST_LIMIT: '0' });
    await facade.query(me);
    facade.jumpWallClock(jumpMs);
    const { errors } = await facade.query('{ environments { totalCount } }');
    expect(errors).toMatchObject([{ extensions: { code: 'RATE_LIMITED', retryAfterSeconds: 60 } }]);
    facade.skip(60_000);
    expect((await facade.query('{ environments { totalCount } }')).errors).toEqual([]);
    expect(facade.postman.calls).toEqual(['GET /me', 'GET /environments']);
  });
});

describe('a machine that has slept, so that only the wall clock advanced', () => {
  it('knows how old its cached responses are', async () => {
    facade = await startFacade();
    await facade.query(me);
    facade.jumpWallClock(90_000);
    const stale = await facade.query(me);
    expect([stale.headers.get('age'), stale.upstream.stale]).toEqual(['90', [{ path: ['me'], ageSeconds: 90 }]]);
    // Revalidation is over when nothing is stale.
    await expect.poll(async () => (await facade.query(me)).upstream.stale, { interval: 5 }).toBeUndefined();
    facade.jumpWallClock(HOUR_MS + 1_000);
    const { headers, upstream } = await facade.query(me);
    expect([headers.get('age'), upstream.calls]).toEqual([null, 1]);
    expect(facade.postman.calls).toEqual(['GET /me', 'GET /me', 'GET /me']);
  });

  it('does not count them as younger when the wall clock is set back', async () => {
    facade = await startFacade();
    await facade.query(me);
    facade.jumpWallClock(-HOUR_MS);
    facade.skip(30_000);
    const { headers, upstream } = await facade.query(me);
    expect([headers.get('age'), upstream.calls, upstream.stale]).toEqual(['30', 0, undefined]);
  });
});

describe('the budget beside other fields', () => {
  const remainingOf = (headers: Headers) => Number(/"general";r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1]);

  it('is what the other fields have left of it, as in the headers, with the fields in the requested order', async () => {
    facade = await startFacade({ RATE_LIMIT: '20' });
    const { data, headers } = await facade.query(
      `query ($uid: ID!) {
      first: rateLimit { remaining ...queue }
      me { username }
      ... { last: rateLimit { remaining cost } }
      collection(uid: $uid) { name }
      __typename
    } fragment queue on RateLimit { queued }`,
      { variables: { uid: ids.collections.rides } },
    );
    expect(JSON.stringify(data)).toBe(
      JSON.stringify({
        first: { remaining: 18, queued: 0 },
        me: { username: 'ines-aldana' },
        last: { remaining: 18, cost: 2 },
        collection: { name: 'Rides API' },
        __typename: 'Query',
      }),
    );
    expect(remainingOf(headers)).toBe(18);
    expect(facade.postman.calls).toEqual(['GET /me', `GET /collections/${ids.collections.rides}?model=minimal`]);
  });

  it('is reported even if they fail, and so are their errors', async () => {
    facade = await startFacade({ RATE_LIMIT: '20' });
    facade.postman.fail('/me', { kind: 'status', status: 403 });
    const { data, errors } = await facade.query(
      '{ rateLimit { remaining } me { username } environments(first: 1000) { totalCount } }',
    );
    expect(data).toEqual({ rateLimit: { remaining: 19 }, me: null, environments: null });
    expect(errors.map(({ path, extensions }) => [path, extensions?.['code']])).toEqual([
      [['environments'], 'BAD_USER_INPUT'],
      [['me'], 'FORBIDDEN'],
    ]);
  });

  it('is the budget at the start of an incremental response', async () => {
    facade = await startFacade({ RATE_LIMIT: '20' });
    const response = await fetch(facade.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: '{ rateLimit { remaining } ... @defer { me { username } } }' }),
    });
    const parts = (await response.text()).match(/^data: \{.*$/gm)?.map((line) => JSON.parse(line.slice(6)) as object);
    expect(parts?.[0]).toMatchObject({ data: { rateLimit: { remaining: 20 } }, hasNext: true });
    expect(response.headers.get('ratelimit')).toMatch(/^"general";r=20;/);
  });
});

import { assert, asyncProperty } from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLiveAccount, type LiveAccount } from '../../bench/likely-cost/live-account.ts';
import { toKeys } from '../support/any-account.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { toRuns } from '../support/property-runs.ts';
import {
  anyBodies,
  anySteps,
  compareRepeatedRequests,
  REPEATED_ENV,
  sendRequest,
  TTL_MS,
  withoutSeconds,
} from '../support/repeated-requests.ts';
import { anySmallAccount } from '../support/small-account.ts';

const runs = toRuns(40);

describe('equal requests', () => {
  const query =
    'query Names($first: Int) { workspaces(first: $first) { nodes { name collections { nodes { name } } } } }';
  const body = JSON.stringify({ query, variables: { first: 3 } });

  it.each<[string, Record<string, string>, ('GET' | 'POST')?]>([
    ['plain', {}],
    ['compressed', { 'accept-encoding': 'gzip' }],
    ['to a web page', { origin: 'https://app.example' }],
    ['with preferences', { prefer: 'wait=5, errors=by-cause', 'graphql-client-name': 'board' }],
    ['in the media type of GraphQL', { accept: 'application/graphql-response+json' }],
    ['by GET', { 'x-graphql-yoga-csrf': '1' }, 'GET'],
  ])('get the same bytes and headers as an executed operation: %s', async (_, headers, method = 'POST') => {
    const request = { body, headers, method };
    const facade = await startFacade({ CORS_ORIGINS: 'https://app.example' });
    for (let sent = 0; sent < 3; sent++) await sendRequest(facade.url, request);
    facade.skip(7_000);
    const executed = await sendRequest(facade.url, request, true);
    const log = facade.log.at(-1)?.replace(/"durationMs":\d+/, '');
    const repeats = [await sendRequest(facade.url, request), await sendRequest(facade.url, request)];
    expect(executed.calls).toBe(0);
    expect(repeats.map(withoutSeconds)).toEqual([withoutSeconds(executed), withoutSeconds(executed)]);
    const age = Number(repeats[1]?.headers['age']);
    expect(age).toBeGreaterThanOrEqual(7);
    const toComparable = (line = '') =>
      line.replace(/"durationMs":\d+/, '').replace(/"(?:time|requestId)":[^,]+,/g, '');
    expect(toComparable(facade.log.at(-1))).toBe(toComparable(log));
    facade.skip(2_000);
    expect(Number((await sendRequest(facade.url, request)).headers['age'])).toBeGreaterThanOrEqual(age + 2);
    await facade.close();
  });

  it('are executed as soon as what they were made of is renewed, outdated or expired', async () => {
    const facade = await startFacade({ CACHE_SWR_MS: '0', CACHE_STALE_IF_ERROR_MS: '0' });
    const repeat = async () => (await sendRequest(facade.url, { body, headers: {} })).calls;
    expect([await repeat(), await repeat(), await repeat(), await repeat()]).toEqual([4, 0, 0, 0]);
    facade.skip(TTL_MS + 1_000);
    expect([await repeat(), await repeat(), await repeat()]).toEqual([4, 0, 0]);
    await facade.close();
  });

  it('of other keys, other tokens and pages that may not read are not served', async () => {
    const token = 'a-token-of-sixteen-characters';
    const facade = await startFacade({ ACCESS_TOKEN: token });
    const headers = { authorization: `Bearer ${token}` };
    for (let sent = 0; sent < 3; sent++) await sendRequest(facade.url, { body, headers });
    expect(await sendRequest(facade.url, { body, headers: {} })).toMatchObject({ status: 401 });
    expect(await sendRequest(facade.url, { body, headers: { authorization: `Bearer ${token}x` } })).toMatchObject({
      status: 401,
    });
    expect(await sendRequest(facade.url, { body, headers: { ...headers, 'x-api-key': 'PMAK-unknown' } })).toMatchObject(
      {
        codes: ['UNAUTHENTICATED'],
      },
    );
    expect(
      await sendRequest(facade.url, { body, headers: { ...headers, 'content-type': 'text/plain' } }),
    ).toMatchObject({ status: 415 });
    expect(await sendRequest(facade.url, { body, headers: { ...headers, 'cache-control': 'no-cache' } })).toMatchObject(
      { calls: 4 },
    );
    await facade.close();
  });

  it('about the budget are always executed', async () => {
    const facade = await startFacade({ RATE_LIMIT: '100' });
    const budget = JSON.stringify({ query: '{ me { username } rateLimit { remaining } }' });
    for (let sent = 0; sent < 4; sent++) await sendRequest(facade.url, { body: budget, headers: {} });
    const before = await sendRequest(facade.url, { body: budget, headers: {} });
    await sendRequest(facade.url, {
      body: JSON.stringify({ query: '{ environments { nodes { name } } }' }),
      headers: {},
    });
    const after = await sendRequest(facade.url, { body: budget, headers: {} });
    expect([before.text, after.text].map((text) => /"remaining":(\d+)/.exec(text)?.[1])).toEqual(['99', '98']);
    await facade.close();
  });
});

describe('any operations, changes and failures', () => {
  let live: LiveAccount;
  let facade: Facade;
  const keys = toKeys(2 * runs.numRuns + 4_000);
  let usedKeys = 0;
  beforeAll(async () => {
    live = createLiveAccount();
    facade = await startFacade(REPEATED_ENV, { account: live.account, otherApiKeys: keys });
  });
  afterAll(() => facade.close());

  it('a repeated request gets what an executed one gets', async () => {
    const seen = { repeated: 0, compared: 0, interrupted: 0 };
    await assert(
      asyncProperty(anySmallAccount, anyBodies, anySteps(1), async (account, bodies, steps) => {
        facade.postman.reset();
        const instances = {
          facades: [facade],
          live,
          skip: async (ms: number) => facade.skip(ms),
          failNext: (count: number, status: number) => facade.postman.failNext(count, { kind: 'status', status }),
        };
        const keysOfRun = [keys[usedKeys++] ?? '', keys[usedKeys++] ?? ''];
        await compareRepeatedRequests(instances, account, bodies, keysOfRun, steps, seen);
      }),
      runs,
    );
    if (process.env['RUNS']) process.stdout.write(`${JSON.stringify(seen)}\n`);
    expect(seen.compared).toBeGreaterThan(seen.repeated / 3);
  }, 3_600_000);
});

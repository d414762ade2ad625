import { assert, asyncProperty, nat, option, tuple } from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LARGEST_COST } from '../../src/graph/planning/estimate.ts';
import { createLiveAccount, type LiveAccount } from '../../bench/likely-cost/live-account.ts';
import { toKeys, UNLIMITED } from '../support/any-account.ts';
import { anyOperation, toText, withKnownCursors } from '../support/any-operation.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { createGridAccount } from '../support/grid-account.ts';
import { anyInventory, anyWarmUp } from '../support/measured-operation.ts';
import { toRuns } from '../support/property-runs.ts';
import { type RedisServer, skipsRedis, startRedis } from '../support/redis-server.ts';
import { countShared, toTenantSecret } from '../support/shared-cache.ts';
import { anySmallAccount, toServedAccount } from '../support/small-account.ts';

const runs = toRuns(25);
// Most operations find something in the lists of everything.
const anyHistory = tuple(option(anyInventory, { freq: 2 }), anyWarmUp).map(([lists, more]) => [
  ...(lists ?? []),
  ...more,
]);
const secret = toTenantSecret(8);
// Instances poll every second.
const POLL_MS = 1_100;

describe.skipIf(skipsRedis)(`instances that share cached responses${skipsRedis && ` (${skipsRedis})`}`, () => {
  let redis: RedisServer;
  let live: LiveAccount;
  let one: Facade;
  let other: Facade;
  const keys = toKeys(2 * runs.numRuns + 4_000);
  let usedKeys = 0;
  let requests = 0;

  beforeAll(async () => {
    redis = await startRedis();
    live = createLiveAccount();
    const env = {
      ...UNLIMITED,
      CACHE_REDIS_URL: redis.url,
      TENANT_SECRET: secret.reveal(),
      CACHE_REDIS_TIMEOUT_MS: '5000',
      CACHE_TTL_MS: '3600000',
      LOG_LEVEL: 'silent',
    };
    one = await startFacade(env, { account: live.account, otherApiKeys: keys });
    const { origin, apiKey } = one.postman;
    other = await startFacade({ ...env, POSTMAN_API_BASE_URL: origin, POSTMAN_API_KEY: apiKey });
  });
  afterAll(async () => {
    await other?.close();
    await one?.close();
    await redis?.stop();
  });

  /** Runs a query. Returns its GETs in order of their targets, because they may be sent in any order. */
  const run = async (facade: Facade, query: string, key: string) => {
    one.postman.reset();
    // No request has the text of an earlier one, whose response would be served again.
    const text = query + ' '.repeat(requests++);
    const { data, errors, upstream } = await facade.query(text, { headers: { 'x-api-key': key } });
    return { data, errors, cached: upstream.cached, gets: one.postman.calls.toSorted() };
  };
  const stored = async (key: string, count: number) => {
    await expect.poll(() => countShared(redis, key, secret), { timeout: 20_000 }).toBe(count);
  };
  const dryRun = async (facade: Facade, query: string, key: string) => {
    const { data, errors, gets } = await run(
      facade,
      query.replace('{', '{ rateLimit(dryRun: true) { cost costAtLeast plan { path atLeast atMost } }'),
      key,
    );
    expect([errors, gets]).toEqual([[], []]);
    const { cost } = data.rateLimit;
    // A simulation that reaches the largest cost is cut off, and what it has planned by then depends on learned sizes.
    return cost < LARGEST_COST ? data.rateLimit : { cost };
  };

  it.each([
    ['has just started', false],
    ['knew the API key before', true],
  ])('find an object in a long list that another one has read: one that %s', async (_, isKnown) => {
    const grid = createGridAccount(1, 0, 1_500);
    live.serve(grid.account);
    const key = keys[usedKeys++] ?? '';
    if (isKnown) await run(other, '{ __typename }', key);
    // Longer than what is opened at once.
    const list = `{ workspace(id: "${grid.workspaceIds[0]}") { environments { nodes { updatedAt } } } }`;
    const { gets } = await run(one, list, key);
    await stored(key, gets.length);
    if (isKnown) await sleep(POLL_MS);
    const query = `{ environment(uid: "${grid.environmentUids[1_400]}") { name updatedAt } }`;
    expect(await dryRun(other, query, key)).toEqual({ cost: 0, costAtLeast: 0, plan: [] });
    expect(await run(other, query, key)).toMatchObject({
      data: { environment: { name: 'Environment 1400' } },
      errors: [],
      gets: [],
    });
  });

  it('plan any operation as one instance does that has read everything itself, and so do dry runs', async () => {
    const seen = { runs: 0, gets: 0, cached: 0 };
    await assert(
      asyncProperty(anySmallAccount, anyHistory, anyOperation, nat(3), async (account, steps, fields, side) => {
        live.serve(toServedAccount(account));
        const query = toText(withKnownCursors(fields, false), new Map());
        const history = steps.map((step) => {
          if (typeof step === 'string') return step;
          const again = typeof step === 'number' ? fields[step % fields.length] : undefined;
          return toText(withKnownCursors(again ? [again] : typeof step === 'number' ? fields : step, false), new Map());
        });
        const plans = [];
        for (const last of [one, other]) {
          const key = keys[usedKeys++] ?? '';
          // An instance that knows the API key already learns of the responses of others by polling.
          const isKnown = side === 0;
          if (isKnown) await run(other, '{ __typename }', key);
          const read = new Set<string>();
          for (const earlier of history) for (const get of (await run(one, earlier, key)).gets) read.add(get);
          await stored(key, read.size);
          if (isKnown) await sleep(POLL_MS);
          const cost = await dryRun(last, query, key);
          const result = await run(last, query, key);
          const repeated = await run(last, query, key);
          for (const earlier of history) await run(last, earlier, key);
          const { cached } = await run(last, query, key);
          plans.push({ cost, ...result, repeated: [repeated.cached, repeated.gets], cached: [result.cached, cached] });
        }
        const [warm, cold] = plans;
        expect({ query, history, ...cold }).toEqual({ query, history, ...warm });
        expect(warm?.cached[1]).toBe(warm?.repeated[0]);
        seen.runs++;
        seen.gets += warm?.gets.length ?? 0;
        seen.cached += warm?.cached[0] ?? 0;
      }),
      runs,
    );
    if (process.env['RUNS']) process.stdout.write(`${JSON.stringify(seen)}\n`);
  }, 3_600_000);
});

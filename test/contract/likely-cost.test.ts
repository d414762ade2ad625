import { afterEach, describe, expect, it } from 'vitest';
import { personsAndCompanies, teams } from '../../bench/likely-cost/accounts.ts';
import { measureLikelyCost, STATES, toError, toFactor } from '../../bench/likely-cost/measure.ts';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { createGridAccount } from '../support/grid-account.ts';

const TEN_MINUTES_MS = 600_000;
const TWO_DAYS_MS = 172_800_000;
const DASHBOARD =
  'workspaces { nodes { name collections { nodes { name updatedAt } } environments { nodes { name updatedAt } } } }';
const DESCRIPTIONS = 'workspaces { nodes { collections { nodes { uid description } } } }';

let facade: Facade;
const start = async (env: Record<string, string> = {}, sandbox: Parameters<typeof startFacade>[1] = {}) => {
  facade = await startFacade(env, sandbox);
};
afterEach(() => facade.close());

type Headers = Record<string, string>;

/** The bounds of what an operation costs, with what is likely between them; asking costs nothing. */
async function foretold(fields: string, headers: Headers = {}): Promise<readonly [number, number, number]> {
  const before = facade.postman.calls.length;
  const { data, errors } = await facade.query(`{ rateLimit(dryRun: true) { costAtLeast likelyCost cost } ${fields} }`, {
    headers,
  });
  expect({ errors, calls: facade.postman.calls.slice(before) }).toEqual({ errors: [], calls: [] });
  const { costAtLeast, likelyCost, cost } = data.rateLimit;
  return [costAtLeast, likelyCost, cost];
}
const likelyCost = async (fields: string, headers: Headers = {}) => (await foretold(fields, headers))[1];
const realCost = async (fields: string, headers: Headers = {}) =>
  (await facade.query(`{ ${fields} }`, { headers })).upstream.calls;

describe('the likely cost for an unknown account', () => {
  it('is that of an account of the assumed size, between the bounds, by route and with a time of its own', async () => {
    await start({ RATE_LIMIT: '60', BURST_LIMIT: '10' });
    const { data } = await facade.query(
      `{ rateLimit(dryRun: true) { costAtLeast likelyCost cost readyAt likelyReadyAt plan { path atLeast likely atMost } } ${DASHBOARD} }`,
    );
    const { readyAt, likelyReadyAt, ...costs } = data.rateLimit;
    expect(costs).toEqual({
      costAtLeast: 1,
      likelyCost: 18,
      cost: 83,
      plan: [
        { path: '/collections', atLeast: 0, likely: 1, atMost: 41 },
        { path: '/environments', atLeast: 0, likely: 1, atMost: 21 },
        { path: '/workspaces', atLeast: 1, likely: 1, atMost: 1 },
        { path: '/workspaces/{id}', atLeast: 0, likely: 15, atMost: 20 },
      ],
    });
    expect(Date.parse(likelyReadyAt)).toBeLessThan(Date.parse(readyAt));
    expect(await foretold('collections(first: 100) { nodes { description } }')).toEqual([1, 61, 102]);
    expect(await foretold('environments(first: 100) { nodes { values { key } } }')).toEqual([1, 31, 101]);
    expect(facade.postman.calls).toEqual([]);
  });

  it('stays at what is certain and possible where that is less, or more', async () => {
    await start();
    expect(await foretold('workspaces(first: 3) { nodes { description } }')).toEqual([1, 4, 4]);
    expect(await foretold(`me { id } workspaces(first: 2) { nodes { name } }`)).toEqual([2, 2, 2]);
    expect(await foretold('__typename')).toEqual([0, 0, 0]);
  });

  it('assumes that named objects exist, and that lists have them', async () => {
    await start();
    const { rides, openDataFork } = ids.collections;
    expect(await foretold(`collection(uid: "${rides}") { name isPublic fork { parent { name } } }`)).toEqual([1, 2, 3]);
    // One list has both, where many are looked up.
    expect(
      await foretold(
        [rides, openDataFork].map((uid, index) => `c${index}: collection(uid: "${uid}") { updatedAt }`).join(' '),
      ),
    ).toEqual([1, 1, 4]);
    expect(await foretold('collections(name: "Rides API") { nodes { description } }')).toEqual([1, 2, 21]);
    // Half of fifteen workspaces.
    expect(await foretold('workspaces(visibility: TEAM) { nodes { description } }')).toEqual([1, 9, 21]);
    // One collection in ten is a fork.
    expect(await foretold('collections(first: 100) { nodes { fork { parent { description } } } }')).toEqual([
      1, 7, 102,
    ]);
  });

  it('assumes that a list is longer than the position of its cursor', async () => {
    await start();
    const after = Buffer.from(JSON.stringify(['', 119, 'x'])).toString('base64url');
    expect(await foretold(`environments(first: 20, after: "${after}") { nodes { values { key } } }`)).toEqual([
      1, 21, 22,
    ]);
  });

  it('contains no data of other keys: sizes learned with one key are not used for another', async () => {
    await start({}, { otherApiKeys: ['PMAK-other'] });
    await realCost(DASHBOARD);
    facade.skip(TWO_DAYS_MS);
    expect(await likelyCost(DASHBOARD)).toBe(10);
    expect(await likelyCost(DASHBOARD, { 'x-api-key': 'PMAK-other' })).toBe(18);
  });
});

describe('the likely cost for an account that was read', () => {
  it.each([
    ['the names of everything', DASHBOARD],
    ['collections and environments', 'collections { nodes { description } } environments { nodes { values { key } } }'],
    ['what each workspace has of its own', 'workspaces { nodes { description globals { key } } }'],
    ['what a filter leaves', 'workspaces(visibility: TEAM) { nodes { description } }'],
    ['one workspace', `workspace(id: "${ids.workspaces.riderPlatform}") { collections { nodes { description } } }`],
  ])('rests on the lengths of its lists, which outlive them: %s', async (_what, fields) => {
    await start();
    await realCost(`${DASHBOARD} collections { totalCount } environments { totalCount }`);
    facade.skip(TWO_DAYS_MS);
    const [atLeast, likely] = await foretold(fields);
    expect(atLeast).toBe(1 + (fields.includes('environments {') && fields.startsWith('collections') ? 1 : 0));
    expect(likely).toBe(await realCost(fields));
  });

  it('learns even if nothing is cached', async () => {
    await start({ CACHE_TTL_MS: '0' });
    expect([await realCost(DASHBOARD), await likelyCost(DASHBOARD)]).toEqual([10, 10]);
  });

  it.each([98, 99, 100, 230])('knows the pages of a list of %i collections', async (count) => {
    const { account, workspaceIds } = createGridAccount(1, count, 0);
    await start({ CACHE_TTL_MS: '0' }, { account });
    const list = `collections(workspaceId: "${workspaceIds[0]}", first: 100) { nodes { updatedAt } }`;
    await realCost(list);
    expect(await likelyCost(list)).toBe(await realCost(list));
  });

  it('knows by how many collections were read how many are forks', async () => {
    const { account } = createGridAccount(2, 20, 0);
    const [parent] = account.collections;
    const collections = account.collections.map((one) => ({
      ...one,
      fork: { label: 'fork', createdAt: '2026-01-02T03:04:05.000Z', from: `${parent!.owner}-${parent!.id}` },
    }));
    await start({ CACHE_TTL_MS: '0' }, { account: { ...account, collections } });
    const forks = 'collections(first: 40) { nodes { fork { parent { description } } } }';
    expect(await likelyCost(forks)).toBe(5);
    await realCost('collections { totalCount }');
    // Each may be the fork of another.
    expect(await likelyCost(forks)).toBe(41);
  });

  it('uses cached data, and assumes that stale lists are unchanged', async () => {
    const { account } = createGridAccount(20, 10, 0);
    await start({ MAX_CALLS_PER_OPERATION: '1000' }, { account });
    expect(await realCost(DESCRIPTIONS)).toBe(221);
    expect(await foretold(DESCRIPTIONS)).toEqual([0, 0, 0]);
    facade.skip(TEN_MINUTES_MS);
    // The lists, which renew the rest.
    const [, likely, most] = await foretold(DESCRIPTIONS);
    expect({ likely, isMuchLess: likely < most / 10 }).toEqual({ likely: 21, isMuchLess: true });
    expect(await realCost(DESCRIPTIONS)).toBe(21);
    facade.skip(TEN_MINUTES_MS);
    // What may not be answered from the cache is as long all the same.
    expect(await likelyCost(DESCRIPTIONS, { 'cache-control': 'no-cache' })).toBe(221);
    expect(await likelyCost(DESCRIPTIONS, { 'cache-control': 'only-if-cached' })).toBe(0);
  });

  it('knows that one list revalidates earlier lookups', async () => {
    await start();
    const lookUps = Object.values(ids.collections)
      .slice(0, 6)
      .map((uid, index) => `c${index}: collection(uid: "${uid}") { description }`)
      .join(' ');
    await realCost(lookUps);
    facade.skip(TEN_MINUTES_MS);
    expect([await likelyCost(lookUps), await realCost(lookUps)]).toEqual([1, 1]);
  });

  it('knows that one list of everything revalidates the known elements of workspaces', async () => {
    const { account } = createGridAccount(4, 10, 0);
    await start({}, { account });
    const fields = 'workspaces { nodes { description collections { nodes { description } } } }';
    expect(await realCost(fields)).toBe(45);
    facade.skip(TEN_MINUTES_MS);
    expect([await likelyCost(fields), await realCost(fields)]).toEqual([6, 6]);
  });

  it('forgets the sizes learned with a key that Postman refuses', async () => {
    await start();
    await realCost(DASHBOARD);
    facade.skip(TWO_DAYS_MS);
    facade.postman.fail('/me', { kind: 'status', status: 401 }, 1);
    await facade.query('{ me { id } }');
    facade.skip(TEN_MINUTES_MS);
    expect(await likelyCost(DASHBOARD)).toBe(18);
  });
});

it('says nothing of a time outside a dry run, and of nothing that it is ready now', async () => {
  await start();
  const { data } = await facade.query('{ rateLimit { likelyCost likelyReadyAt } me { id } }');
  expect(data.rateLimit).toEqual({ likelyCost: 1, likelyReadyAt: null });
  const dry = await facade.query('{ rateLimit(dryRun: true) { likelyReadyAt readyAt } me { id } }');
  expect(dry.data.rateLimit.likelyReadyAt).toBe(dry.data.rateLimit.readyAt);
});

describe.each([teams, personsAndCompanies])('over operations on accounts of $name', (population) => {
  it('is seldom far from the real cost, and always between the bounds', async () => {
    await start();
    const samples = await measureLikelyCost(population, 60, 1);
    const medians = STATES.map((state) => {
      for (const { query, atLeast, likely, atMost, real } of samples[state]) {
        const isBetween = [likely, real].every((cost) => atLeast <= cost && cost <= atMost);
        expect(isBetween, `${atLeast} <= ${likely}, ${real} <= ${atMost}: ${query}`).toBe(true);
      }
      const uncertain = samples[state].filter(({ atLeast, atMost }) => toFactor(atMost, atLeast) > 1.5);
      return [samples[state], uncertain].map((some) => toError(some, ({ likely }) => likely).median);
    });
    for (const [all, uncertain] of medians) {
      expect(all).toBeLessThanOrEqual(1.5);
      expect(uncertain).toBeLessThanOrEqual(2);
    }
    expect(medians.slice(1)).toEqual([
      [1, 1],
      [1, 1],
    ]);
  }, 300_000);
});

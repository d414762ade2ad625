import { afterEach, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';

const { rides, stations, pricing } = ids.collections;
const ASK = '{ rateLimit { spentBy { operation client calls } } }';
const authorization = 'Bearer t0ken';

let facade: Facade;
afterEach(() => facade.close());

const ask = async (headers: Record<string, string> = { authorization }) =>
  (await facade.query(ASK, { headers })).data.rateLimit.spentBy as readonly { readonly calls: number }[] | null;

it("names who made the calls of a key, as many as upstream's log has, with retries and shared calls", async () => {
  facade = await startFacade({ ACCESS_TOKEN: 't0ken' });
  const { postman, query } = facade;
  const as = (client: string) => ({ headers: { authorization, 'apollographql-client-name': client } });
  postman.fail('/me', { kind: 'delay', delayMs: 200 }, 1);
  await Promise.all([
    query('query Mine { me { username } }', as('web')),
    query('query Mine { me { username } }', as('web')),
  ]);
  // Retried once.
  postman.fail(rides, { kind: 'status', status: 500 }, 1);
  await query(`query Rides { collection(uid: "${rides}") { name description } }`, as('web'));
  postman.fail(stations, { kind: 'status', status: 404 }, 1);
  await query(`query ${'L'.repeat(80)} { collection(uid: "${stations}") { name description } }`, as('c'.repeat(80)));
  await query(`{ collection(uid: "${pricing}") { name description } }`, {
    headers: { authorization, 'graphql-client-name': 'batch' },
  });
  // Costs nothing, so it is not in the list.
  await query('query Cached { me { username } }', as('web'));
  // Served stale: the revalidation is counted for it.
  facade.skip(70_000);
  const before = postman.calls.length;
  await query('query Late { me { username } }', as('web'));
  await expect
    .poll(() => postman.arrivals.slice(before).map(({ finishedAtMs }) => finishedAtMs))
    .toEqual([expect.any(Number)]);
  await expect.poll(async () => (await ask())?.reduce((sum, { calls }) => sum + calls, 0)).toBe(postman.calls.length);
  const rows = await ask();
  const log = [
    { operation: 'Rides', client: 'web', calls: 2 },
    { operation: 'Mine', client: 'web', calls: 1 },
    { operation: 'L'.repeat(64), client: 'c'.repeat(64), calls: 1 },
    { operation: null, client: 'batch', calls: 1 },
    { operation: 'Late', client: 'web', calls: 1 },
  ];
  expect(rows).toEqual(log);
});

it("shows the use of the server's own key only with an access token, and never that of another key", async () => {
  facade = await startFacade({ ACCESS_TOKEN: 't0ken' }, { otherApiKeys: ['PMAK-other'] });
  await facade.query('query Own { me { username } }', { headers: { authorization } });
  expect(await ask()).toEqual([{ operation: 'Own', client: null, calls: 1 }]);
  expect(await ask({ authorization, 'x-api-key': 'PMAK-other' })).toEqual([]);
  await facade.close();

  facade = await startFacade({}, { otherApiKeys: ['PMAK-other'] });
  await facade.query('query Own { me { username } }');
  const headers = { 'x-api-key': 'PMAK-other' };
  await facade.query('query Other { me { username } }', { headers });
  expect(await ask({})).toBeNull();
  expect(await ask(headers)).toEqual([{ operation: 'Other', client: null, calls: 1 }]);
});

it('is not changed by a dry run, which shows it too', async () => {
  facade = await startFacade({ ACCESS_TOKEN: 't0ken' });
  const query = `query Dry { rateLimit(dryRun: true) { cost spentBy { calls } } collection(uid: "${rides}") { name } }`;
  const { data } = await facade.query(query, { headers: { authorization } });
  expect(data).toEqual({ rateLimit: { cost: 1, spentBy: [] } });
  expect(facade.postman.calls).toEqual([]);
  expect(await ask()).toEqual([]);
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { createDemoAccount } from '../../src/sandbox/account/demo.ts';
import { type Facade, startFacade } from '../support/facade.ts';

const account = createDemoAccount();
const { workspaces, collections, environments, mocks } = ids;
const uidOf = ({ owner, id }: { readonly owner: string; readonly id: string }) => `${owner}-${id}`;
const rides = account.collections.find((one) => uidOf(one) === collections.rides);
const platform = account.workspaces.find(({ id }) => id === workspaces.riderPlatform);

let facade: Facade;
beforeEach(async () => {
  facade = await startFacade({ CACHE_TTL_MS: '60000', CACHE_SWR_MS: '600000' });
});
afterEach(() => facade.close());

async function run(query: string) {
  facade.postman.reset();
  const dry = await facade.query(query.replace('{', '{ rateLimit(dryRun: true) { costAtLeast cost } '));
  const { data, errors, upstream } = await facade.query(query);
  expect(errors).toEqual([]);
  const gets = facade.postman.calls;
  const { costAtLeast, cost } = dry.data.rateLimit;
  expect(costAtLeast).toBeLessThanOrEqual(gets.length);
  expect(cost).toBeGreaterThanOrEqual(gets.length);
  return { data, gets, upstream, cost };
}

const byUid = (fields: string) => `{ collection(uid: "${collections.rides}") { ${fields} } }`;

describe('an object that a client names costs nothing', () => {
  const read = `{ workspace(id: "${workspaces.riderPlatform}") { description } }`;

  it('if a cached workspace says its name, also for `node` and gateways', async () => {
    await run(read);
    expect(await run(byUid('id uid name ownerId owner { id }'))).toMatchObject({
      data: { collection: { id: `Collection:${collections.rides}`, uid: collections.rides, name: rides?.name } },
      gets: [],
      cost: 0,
    });
    const environment = platform?.environments[0];
    expect(
      await run(`{ node(id: "Environment:${environment}") { ... on Environment { uid name } }
        _entities(representations: [{ __typename: "Collection", uid: "${collections.rides}" }]) { ... on Collection { name } } }`),
    ).toMatchObject({ data: { node: { uid: environment }, _entities: [{ name: rides?.name }] }, gets: [], cost: 0 });
  });

  it('if a cached list has it: of a workspace, by name, or of everything', async () => {
    for (const list of [
      `{ workspace(id: "${workspaces.riderPlatform}") { collections { nodes { updatedAt } } } }`,
      `{ collections(name: "${rides?.name}") { nodes { updatedAt } } }`,
      '{ collections(first: 2) { nodes { updatedAt } } }',
    ]) {
      await facade.close();
      facade = await startFacade();
      await run(list);
      const { data, gets, cost } = await run(byUid('name updatedAt isPublic'));
      expect({ data, gets, cost }).toEqual({
        cost: 0,
        data: { collection: { name: rides?.name, updatedAt: rides?.updatedAt, isPublic: rides?.isPublic } },
        gets: [],
      });
    }
  });

  it('and is taken from the same list each time, whichever was last served from the cache', async () => {
    const environment = platform?.environments[0];
    const named = `{ environment(uid: "${environment}") { name }
      workspace(id: "${workspaces.riderPlatform}") { environments { nodes { updatedAt } } } }`;
    const all = '{ environments { nodes { updatedAt } } }';
    let executions = 0;
    // The response to an equal request would be served again.
    const cachedIn = async (query: string) => {
      const { gets, upstream } = await run(query + ' '.repeat(executions++));
      return [gets.length, upstream.cached];
    };
    for (const list of [named, all]) await cachedIn(list);
    const seen = [await cachedIn(named), await cachedIn(named)];
    await cachedIn(all);
    seen.push(await cachedIn(named));
    expect(seen).toEqual(Array.from({ length: 3 }, () => seen[0]));
    expect(seen[0]?.[0]).toBe(0);
  });

  it('if it is a workspace in a cached list, however that was filtered', async () => {
    await run('{ workspaces(visibility: TEAM) { nodes { name } } }');
    const { data, gets } = await run(`{ workspace(id: "${workspaces.riderPlatform}") { name visibility } }`);
    expect({ data, gets }).toEqual({ data: { workspace: { name: platform?.name, visibility: 'TEAM' } }, gets: [] });
  });

  it('but what only its single read carries costs that read, and nothing else', async () => {
    await run(read);
    expect((await run(byUid('name description'))).gets).toEqual([
      `GET /collections/${collections.rides}?model=minimal`,
    ]);
    for (const [uid, isActive] of [
      [mocks.rides, true],
      [mocks.pricing, false],
    ] as const) {
      const { data, gets } = await run(`{ mock(uid: "${uid}") { isActive } }`);
      expect({ data, gets }).toEqual({ data: { mock: { isActive } }, gets: [] });
    }
  });

  it('but what only lists carry costs one search by its name', async () => {
    await run(read);
    const { data, gets } = await run(byUid('uid isPublic updatedAt'));
    expect({ data, gets }).toEqual({
      data: { collection: { uid: collections.rides, isPublic: rides?.isPublic, updatedAt: rides?.updatedAt } },
      gets: [`GET /collections?name=${encodeURIComponent(rides?.name ?? '')}`],
    });
  });

  it('and so does a list in a workspace if the cached workspace has none of its items', async () => {
    await facade.close();
    const emptied = account.workspaces.map((workspace) => ({ ...workspace, environments: [] }));
    facade = await startFacade({}, { account: { ...account, workspaces: emptied } });
    await run(read);
    const { data, gets } = await run(`{ workspace(id: "${workspaces.riderPlatform}") {
      names: environments { nodes { uid name } } dates: environments { nodes { updatedAt } }
    } }`);
    expect({ data, gets }).toEqual({ data: { workspace: { names: { nodes: [] }, dates: { nodes: [] } } }, gets: [] });
  });

  it('and is marked as stale if what says so is', async () => {
    await run(read);
    facade.skip(90_000);
    const { upstream, gets } = await run(byUid('name'));
    expect(upstream.stale?.map(({ path }) => path)).toEqual([['collection']]);
    expect(gets).toEqual([]);
  });
});

describe('the workspace of an object', () => {
  it('is marked as stale if the contents that show it are', async () => {
    await run('{ workspaces { nodes { description } } }');
    facade.skip(90_000);
    // Only the list of workspaces is read again.
    await facade.query('{ workspaces { nodes { name } } }', { headers: { 'cache-control': 'no-cache' } });
    const { data, upstream } = await facade.query(
      `{ environment(uid: "${environments.openData}") { uid workspace { name } } }`,
    );
    expect(data.environment.workspace).toEqual({ name: 'Kestrel Open Data' });
    expect(upstream.stale?.map(({ path }) => path)).toEqual([['environment'], ['environment', 'workspace']]);
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { createDemoAccount } from '../../src/sandbox/account/demo.ts';
import { type Facade, startFacade } from '../support/facade.ts';

const account = createDemoAccount();
const { collections, environments } = ids;
const allWorkspaces = 'GET /workspaces?limit=100';
const allCollections = 'GET /collections?limit=99&offset=0';
const workspaceRead = ({ id }: { readonly id: string }) => `GET /workspaces/${id}?include=team,mocks:deactivated`;
const uidOf = ({ owner, id }: { readonly owner: string; readonly id: string }) => `${owner}-${id}`;
const FAILURE = { kind: 'status', status: 503, headers: { 'Retry-After': '60' } } as const;

/** Dates by uid, as the account has them. */
const dates = new Map([...account.collections, ...account.environments].map((one) => [uidOf(one), one.updatedAt]));
const toRows = (uids: readonly string[]) => ({ nodes: uids.map((uid) => ({ uid, updatedAt: dates.get(uid) })) });

let facade: Facade;
afterEach(() => facade.close());

describe('when the burst window is spent', () => {
  const ROWS = '{ nodes { uid updatedAt } }';

  it.each([2, 5, 8])('after %i of its calls, dates come for every workspace that was read', async (limit) => {
    facade = await startFacade({ BURST_LIMIT: String(limit), BURST_LIMIT_WINDOW_MS: '60000', RESERVED_CALLS: '10' });
    const { data, errors } = await facade.query(
      `{ workspaces { nodes { collections ${ROWS} environments ${ROWS} } } }`,
    );
    // One call lists the workspaces, another one all collections.
    const readCount = limit - 2;
    expect(data).toEqual({
      workspaces: {
        nodes: account.workspaces.map((one, index) => ({
          collections: index < readCount ? toRows(one.collections) : null,
          environments: toRows(one.environments),
        })),
      },
    });
    expect(errors.map(({ path, extensions }) => [path, extensions?.['code']])).toEqual(
      account.workspaces
        .map((_, index) => [['workspaces', 'nodes', index, 'collections'], 'RATE_LIMITED'])
        .slice(readCount),
    );
    expect(facade.postman.calls).toEqual([
      allWorkspaces,
      allCollections,
      'GET /environments',
      ...account.workspaces.slice(0, readCount).map(workspaceRead),
      ...account.workspaces.slice(readCount).map(({ id }) => `GET /environments?workspace=${id}`),
    ]);
  });

  it('collections have what cached workspaces say of them, and no call is made for the rest', async () => {
    facade = await startFacade({ BURST_LIMIT: '8', BURST_LIMIT_WINDOW_MS: '60000', RESERVED_CALLS: '10' });
    await facade.query('{ workspaces { nodes { description } } }');
    await facade.query(`{ collection(uid: "${collections.rides}") { description } }`);
    facade.postman.reset();
    const { data, errors } = await facade.query(
      '{ workspaces { nodes { collections { nodes { uid name updatedAt } } } } }',
    );
    const known = account.workspaces.flatMap((one) => one.collections);
    const rows = data.workspaces.nodes.flatMap((one: { collections: { nodes: object[] } }) => one.collections.nodes);
    expect(rows).toEqual(
      known.map((uid) => ({
        uid,
        name: account.collections.find((one) => uidOf(one) === uid)?.name,
        updatedAt: uid === collections.rides ? dates.get(uid) : null,
      })),
    );
    expect(errors.map(({ path }) => path?.at(-1))).toEqual(
      known.filter((uid) => uid !== collections.rides).map(() => 'updatedAt'),
    );
    expect(facade.postman.calls).toEqual([]);
  });
});

describe('when a list fails', () => {
  it('named collections are read singly, and those on the pages so far not at all', async () => {
    facade = await startFacade();
    facade.postman.fail('/collections?', FAILURE);
    const uids = [collections.rides, collections.payments];
    const { data, errors } = await facade.query(
      `{ ${uids.map((uid, index) => `c${index}: collection(uid: "${uid}") { updatedAt }`).join(' ')} }`,
    );
    expect({ data, errors }).toEqual({
      data: Object.fromEntries(uids.map((uid, index) => [`c${index}`, { updatedAt: dates.get(uid) }])),
      errors: [],
    });
    expect(facade.postman.calls).toEqual([
      allCollections,
      ...uids.map((uid) => `GET /collections/${uid}?model=minimal`),
    ]);
  });

  it('a list ordered by date fails, although the workspace names its items', async () => {
    facade = await startFacade();
    await facade.query('{ workspaces { nodes { description } } }');
    facade.postman.fail('/collections?', FAILURE);
    const { data } = await facade.query(
      '{ workspaces { nodes { collections(orderBy: { field: UPDATED_AT }) { nodes { uid } } } } }',
    );
    expect(data.workspaces.nodes).toEqual(
      account.workspaces.map((one) => ({ collections: one.collections.length > 0 ? null : { nodes: [] } })),
    );
  });
});

describe('when a workspace cannot be read', () => {
  const [first, second] = account.workspaces;

  it('its environments are searched in their list', async () => {
    facade = await startFacade();
    facade.postman.fail('/workspaces/', FAILURE);
    const uid = second?.environments[0] ?? '';
    const { data, errors } = await facade.query(
      `{ environment(uid: "${uid}") { updatedAt workspace { id description } } }`,
    );
    expect(data).toEqual({
      environment: { updatedAt: dates.get(uid), workspace: { id: second?.id, description: null } },
    });
    expect(errors.map(({ path }) => path)).toEqual([['environment', 'workspace', 'description']]);
  });

  it('collections are looked up, and environments searched in lists', async () => {
    facade = await startFacade();
    await facade.query('{ workspaces { nodes { name } } }');
    facade.postman.fail(`/workspaces/${first?.id}`, FAILURE);
    const { data, errors } = await facade.query(
      `{ environment(uid: "${environments.openData}") { workspace { name } }
        collections(first: 100) { nodes { uid workspace { id } } } }`,
    );
    expect(errors).toEqual([]);
    expect(data.environment).toEqual({ workspace: { name: 'Kestrel Open Data' } });
    expect(data.collections.nodes).toEqual(
      account.collections.map((one) => ({
        uid: uidOf(one),
        workspace: { id: account.workspaces.find(({ collections: uids }) => uids.includes(uidOf(one)))?.id },
      })),
    );
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { createDemoAccount } from '../../src/sandbox/account/demo.ts';
import { type Facade, startFacade } from '../support/facade.ts';

const { workspaces, collections, environments } = ids;
const account = createDemoAccount();
const workspaceRead = (id: string) => `GET /workspaces/${id}?include=team,mocks:deactivated`;
const allWorkspaces = 'GET /workspaces?limit=100';
const allCollections = 'GET /collections?limit=99&offset=0';
const lookUp = (uid: string) => `GET /workspaces?elementType=collection&elementId=${uid}`;
const uidOf = ({ owner, id }: { readonly owner: string; readonly id: string }) => `${owner}-${id}`;

/** The first workspace that holds an object. */
const workspaceOf = (member: 'collections' | 'environments', uid: string) =>
  account.workspaces.find((workspace) => workspace[member].includes(uid))?.name;

let facade: Facade;
beforeEach(async () => {
  facade = await startFacade();
});
afterEach(() => facade.close());

async function run(query: string, headers: Record<string, string> = {}) {
  facade.postman.reset();
  const { data, errors } = await facade.query(query, { headers });
  expect(errors).toEqual([]);
  return { data, gets: facade.postman.calls };
}

const readEverything = () =>
  run('{ workspaces { nodes { name collections { nodes { name } } environments { nodes { name } } } } }');

describe('the workspace of each collection', () => {
  const query = '{ collections(first: 100) { nodes { uid workspace { name } } } }';
  const data = {
    collections: {
      nodes: account.collections.map((one) => ({
        uid: uidOf(one),
        workspace: { name: workspaceOf('collections', uidOf(one)) },
      })),
    },
  };

  it('costs nothing once the workspaces and the list of collections have been read', async () => {
    await readEverything();
    await run('{ collections { nodes { updatedAt } } }');
    expect(await run(query)).toEqual({ data, gets: [] });
  });

  it('is read from the workspaces, and looked up for the last collections, where that takes fewer calls', async () => {
    expect(await run(query)).toEqual({
      data,
      gets: [
        allCollections,
        allWorkspaces,
        ...[workspaces.riderPlatform, workspaces.payments, workspaces.openData, workspaces.release].map(workspaceRead),
        lookUp(collections.openDataFork),
        lookUp(collections.scratch),
      ],
    });
  });

  it('costs nothing if the collection was reached through the workspaces', async () => {
    const { data: reached, gets } = await run(
      '{ workspaces { nodes { name collections { nodes { uid workspace { name } } } } } }',
      { 'cache-control': 'no-cache' },
    );
    expect(reached).toEqual({
      workspaces: {
        nodes: account.workspaces.map(({ name, collections: uids }) => ({
          name,
          // A collection in two workspaces has the same one, whichever it was reached through.
          collections: { nodes: uids.map((uid) => ({ uid, workspace: { name: workspaceOf('collections', uid) } })) },
        })),
      },
    });
    expect(gets).toEqual([allWorkspaces, ...account.workspaces.map(({ id }) => workspaceRead(id))]);
  });

  it('is looked up for a single collection', async () => {
    expect(await run(`{ collection(uid: "${collections.rides}") { workspace { name } } }`)).toEqual({
      data: { collection: { workspace: { name: 'Rider Platform' } } },
      gets: [lookUp(collections.rides)],
    });
  });
});

describe('the workspace of an environment', () => {
  it('is found in the lists of the workspaces, up to the one that holds it', async () => {
    const query = `{ environment(uid: "${environments.openData}") { name workspace { id name } } }`;
    expect(await run(query)).toEqual({
      data: {
        environment: { name: 'Open data', workspace: { id: workspaces.openData, name: 'Kestrel Open Data' } },
      },
      gets: [
        `GET /environments/${environments.openData}`,
        allWorkspaces,
        ...[workspaces.riderPlatform, workspaces.payments, workspaces.openData].map(
          (id) => `GET /environments?workspace=${id}`,
        ),
      ],
    });
  });

  it('costs nothing once the workspaces have been read', async () => {
    await readEverything();
    expect(await run('{ environments(first: 100) { nodes { uid workspace { name } } } }')).toEqual({
      data: {
        environments: {
          nodes: account.environments.map((one) => ({
            uid: uidOf(one),
            workspace: { name: workspaceOf('environments', uidOf(one)) },
          })),
        },
      },
      gets: ['GET /environments'],
    });
  });

  it('is null if no workspace holds it', async () => {
    await facade.close();
    const emptied = account.workspaces.map((workspace) => ({ ...workspace, environments: [] }));
    facade = await startFacade({}, { account: { ...account, workspaces: emptied } });
    const { data, gets } = await run(`{ environment(uid: "${environments.openData}") { uid workspace { name } } }`);
    expect(data).toEqual({ environment: { uid: environments.openData, workspace: null } });
    expect(gets.length).toBe(2 + account.workspaces.length);
  });
});

describe('the dates in all workspaces', () => {
  const query = `{ workspaces { nodes {
    collections { nodes { uid updatedAt } } environments { nodes { uid updatedAt } }
  } } }`;
  const rows = (all: readonly { owner: string; id: string; updatedAt: string }[], uids: readonly string[]) => ({
    nodes: uids.map((uid) => ({ uid, updatedAt: all.find((one) => uidOf(one) === uid)?.updatedAt })),
  });
  const data = {
    workspaces: {
      nodes: account.workspaces.map((one) => ({
        collections: rows(account.collections, one.collections),
        environments: rows(account.environments, one.environments),
      })),
    },
  };
  const reads = [
    allWorkspaces,
    allCollections,
    'GET /environments',
    ...account.workspaces.map(({ id }) => workspaceRead(id)),
  ];

  it('come from one list of everything for each type, and the workspaces', async () => {
    expect(await run(query)).toEqual({ data, gets: reads });
  });

  it('come from the list of a workspace for a collection that the list of everything lacks', async () => {
    await facade.close();
    const listed = account.collections.filter((one) => uidOf(one) !== collections.payments);
    const stored = [...account.collections];
    // The sandbox builds the list of everything with `filter`, and finds single objects by other methods.
    stored.filter = listed.filter.bind(listed);
    facade = await startFacade({}, { account: { ...account, collections: stored } });
    expect(await run(query)).toEqual({
      data,
      gets: [...reads, `GET /collections?workspace=${workspaces.payments}&limit=99&offset=0`],
    });
  });
});

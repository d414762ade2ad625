import { afterEach, describe, expect, it } from 'vitest';
import { type Facade, startFacade } from '../support/facade.ts';
import { createGridAccount } from '../support/grid-account.ts';

let facade: Facade;
afterEach(() => facade.close());

describe('who can see a workspace', () => {
  const known = ['personal', 'team', 'private', 'public', 'partner'];

  it('is the enum value for the name that Postman uses, or OTHER', async () => {
    const { account } = createGridAccount(known.length + 1, 0, 0);
    const workspaces = account.workspaces.map((workspace, index) => ({
      ...workspace,
      visibility: known[index] ?? 'galaxy',
    }));
    facade = await startFacade({}, { account: { ...account, workspaces } });
    const { data, errors } = await facade.query('{ workspaces { nodes { visibility } } }');
    expect({ data, errors }).toEqual({
      data: {
        workspaces: {
          nodes: ['PERSONAL', 'TEAM', 'PRIVATE', 'PUBLIC', 'PARTNER', 'OTHER'].map((visibility) => ({ visibility })),
        },
      },
      errors: [],
    });
  });
});

describe('the workspace of a collection', () => {
  it.each([
    [
      'its whole uid',
      (uid: string) => uid,
      (uid: string) => [`GET /workspaces?elementType=collection&elementId=${uid}`],
    ],
    [
      'its bare id: by its uid, once that is known',
      (uid: string) => uid.slice(-36),
      (uid: string) => [
        `GET /collections/${uid.slice(-36)}?model=minimal`,
        `GET /workspaces?elementType=collection&elementId=${uid}`,
      ],
    ],
  ])('is found by %s', async (_, toName, toGets) => {
    const { account, collectionUids } = createGridAccount(1, 2, 0);
    facade = await startFacade({ CACHE_TTL_MS: '0' }, { account });
    const [uid = ''] = collectionUids;
    const { data, errors } = await facade.query(`{ collection(uid: "${toName(uid)}") { workspace { name } } }`);
    expect({ data, errors }).toEqual({ data: { collection: { workspace: { name: 'Workspace 0' } } }, errors: [] });
    expect(facade.postman.calls).toEqual(toGets(uid));
  });
});

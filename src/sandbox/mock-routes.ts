import { type Account, type StoredMock, type StoredWorkspace, toUid } from './account/account.ts';
import { findByUids, findElement } from './account/find-elements.ts';
import { type ServiceResponse, type Behavior, toData, toNamedError } from './behaviors.ts';

/**
 * `GET /mocks`: lists the active mock servers of the queried workspace, else of the queried team, else of the key's
 * user. The list is empty for an unknown workspace or team.
 */
export function listMocks(account: Account, query: URLSearchParams): ServiceResponse {
  const all = account.mocks ?? [];
  const workspaceId = query.get('workspace');
  const teamId = query.get('teamId');
  const { user } = account;
  const uids = account.workspaces.find(({ id }) => id === workspaceId)?.mocks ?? [];
  const found =
    workspaceId === null
      ? all.filter(({ owner }) => (teamId === null ? owner === String(user.id) : teamId === String(user.teamId)))
      : findByUids(all, uids);
  return toData({ mocks: found.filter(({ deactivated }) => !deactivated).map(toMock) });
}

/** `GET /mocks/{id}`: also serves deactivated mock servers. */
export function getMock(account: Account, behavior: Behavior, id: string): ServiceResponse {
  const mock = findElement(account, account.mocks ?? [], id);
  if (mock === undefined) {
    return toNamedError(behavior, 404, 'mockNotFoundError', 'We could not find the mock server.');
  }
  return toData({ mock: { ...toMock(mock), deactivated: mock.deactivated } });
}

/**
 * References to mock servers inside `GET /workspaces/{id}`. Before 2022 they had only an id.
 *
 * @param include - Values of the query's `include`; `mocks:deactivated` adds the deactivated ones.
 */
export function toMockRefs(
  account: Account,
  behavior: Behavior,
  workspace: StoredWorkspace,
  include: readonly string[],
): readonly unknown[] {
  return findByUids(account.mocks ?? [], workspace.mocks ?? [])
    .filter(({ deactivated }) => !deactivated || include.includes('mocks:deactivated'))
    .map((mock) => {
      const { id, name, deactivated } = mock;
      return behavior === 'v2017' ? { id } : { id, name, uid: toUid(mock), deactivated };
    });
}

function toMock(mock: StoredMock) {
  const { id, owner, name, collection, environment, isPublic, createdAt, updatedAt, config } = mock;
  const mockUrl = `https://${id}.mock.pstmn.io`;
  return {
    id,
    owner,
    uid: toUid(mock),
    collection,
    mockUrl,
    name,
    config,
    createdAt,
    updatedAt,
    environment,
    isPublic,
  };
}

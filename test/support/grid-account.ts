import type { Account, StoredCollection, StoredEnvironment, StoredMock } from '../../src/sandbox/account/account.ts';
import { newMockConfig } from '../../src/sandbox/account/demo-mocks.ts';

const OWNER = '31415926';
const MADE_AT = '2026-01-02T03:04:05.000Z';

/** A regular account whose objects can be edited. */
export interface GridAccount {
  readonly account: Account;
  readonly workspaceIds: readonly string[];
  readonly collectionUids: readonly string[];
  readonly environmentUids: readonly string[];
  readonly mockUids: readonly string[];
  /** Changes a collection's description, as a user of the Postman app would. */
  editCollection(index: number, description: string): void;
}

const toId = (kind: number, index: number) =>
  `${String(kind).padStart(8, '0')}-0000-4000-8000-${String(index).padStart(12, '0')}`;

/**
 * Creates an account of that many workspaces, each with its own collections, environments and mock servers. All mock
 * servers serve their workspace's first collection.
 */
export function createGridAccount(
  workspaces: number,
  collectionsEach: number,
  environmentsEach: number,
  mocksEach = 0,
): GridAccount {
  const toCollection = (index: number): StoredCollection => {
    const id = toId(2, index);
    const name = `Collection ${index}`;
    return {
      id,
      owner: OWNER,
      name,
      isPublic: index % 2 === 0,
      createdAt: MADE_AT,
      updatedAt: MADE_AT,
      lastUpdatedBy: OWNER,
      document: {
        info: {
          name,
          description: `About ${name}`,
          schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
        },
        item: [],
      },
    };
  };
  const toEnvironment = (index: number): StoredEnvironment => ({
    id: toId(3, index),
    owner: OWNER,
    name: `Environment ${index}`,
    isPublic: false,
    createdAt: MADE_AT,
    updatedAt: MADE_AT,
    values: [{ key: 'number', value: String(index), type: 'default', enabled: true }],
  });
  const toMock = (index: number): StoredMock => ({
    id: toId(4, index),
    owner: OWNER,
    name: `Mock ${index}`,
    collection: `${OWNER}-${toId(2, Math.floor(index / mocksEach) * collectionsEach)}`,
    isPublic: false,
    deactivated: false,
    createdAt: MADE_AT,
    updatedAt: MADE_AT,
    config: newMockConfig,
  });
  const collections = Array.from({ length: workspaces * collectionsEach }, (_, index) => toCollection(index));
  const environments = Array.from({ length: workspaces * environmentsEach }, (_, index) => toEnvironment(index));
  const mocks = Array.from({ length: workspaces * mocksEach }, (_, index) => toMock(index));
  const toUid = ({ id }: { readonly id: string }) => `${OWNER}-${id}`;
  const account: Account = {
    user: {
      id: Number(OWNER),
      sub: OWNER,
      username: 'grid',
      email: 'grid@example.com',
      fullName: 'Grid',
      avatar: null,
      isPublic: false,
      emailVerified: true,
      teamId: 0,
      roles: ['user'],
    },
    workspaces: Array.from({ length: workspaces }, (_, index) => ({
      id: toId(1, index),
      name: `Workspace ${index}`,
      type: 'team',
      visibility: 'team',
      createdBy: OWNER,
      updatedBy: OWNER,
      createdAt: MADE_AT,
      updatedAt: MADE_AT,
      collections: collections.slice(index * collectionsEach, (index + 1) * collectionsEach).map(toUid),
      environments: environments.slice(index * environmentsEach, (index + 1) * environmentsEach).map(toUid),
      mocks: mocks.slice(index * mocksEach, (index + 1) * mocksEach).map(toUid),
      globals: [],
    })),
    collections,
    environments,
    mocks,
  };
  let edits = 0;
  return {
    account,
    workspaceIds: account.workspaces.map(({ id }) => id),
    collectionUids: collections.map(toUid),
    environmentUids: environments.map(toUid),
    mockUids: mocks.map(toUid),
    editCollection(index, description) {
      const old = collections[index];
      if (!old) throw new RangeError(`There is no collection ${index}`);
      edits++;
      collections[index] = {
        ...old,
        updatedAt: new Date(Date.parse(MADE_AT) + edits * 1_000).toISOString(),
        document: { ...old.document, info: { ...old.document.info, description } },
      };
    },
  };
}

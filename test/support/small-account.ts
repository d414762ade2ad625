import { type Arbitrary, array, boolean, constantFrom, integer, nat, option, record } from 'fast-check';
import type {
  Account,
  StoredCollection,
  StoredEnvironment,
  StoredMock,
  StoredWorkspace,
} from '../../src/sandbox/account/account.ts';
import { createDemoAccount } from '../../src/sandbox/account/demo.ts';
import { newMockConfig } from '../../src/sandbox/account/demo-mocks.ts';

/**
 * A collection, and whether the list of all collections has it. Collections of other users can be read, and may be in a
 * workspace, without being in that list.
 */
export interface SmallCollection extends StoredCollection {
  readonly uid: string;
  readonly isListed: boolean;
}

/** An environment with its uid. */
export interface SmallEnvironment extends StoredEnvironment {
  readonly uid: string;
}

/** A mock server with its uid. */
export interface SmallMock extends StoredMock {
  readonly uid: string;
}

/** A small account: everything that a key can read. */
export interface SmallAccount {
  readonly workspaces: readonly StoredWorkspace[];
  readonly collections: readonly SmallCollection[];
  readonly environments: readonly SmallEnvironment[];
  readonly mocks: readonly SmallMock[];
}

const OWNERS = ['41829063', '55301274'] as const;
/** The key's user. */
export const KEY_OWNER = OWNERS[0];
const SCHEMA = 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json';
const AT = '2026-01-01T00:00:00.000Z';
const { user, team } = createDemoAccount();

const toUuid = (kind: number, index: number) => `${kind}0000000-0000-4000-8000-${String(index).padStart(12, '0')}`;

/** The id of the user with that index; nobody of the team has the third id. */
export const userIdAt = (index: number) => [...OWNERS, '7'][index] ?? OWNERS[1];
/** The id of the workspace with that index, whether or not the account has it. */
export const workspaceIdAt = (index: number) => toUuid(3, index);
/** The uid of the collection with that index, whether or not the account has it. */
export const collectionUidAt = (index: number) => `${OWNERS[index % 3 === 0 ? 1 : 0]}-${toUuid(1, index)}`;
/** The uid of the environment with that index, whether or not the account has it. */
export const environmentUidAt = (index: number) => `${OWNERS[0]}-${toUuid(2, index)}`;

/** The uid of the mock server with that index, whether or not the account has it. */
export const mockUidAt = (index: number) => `${OWNERS[index % 2]}-${toUuid(4, index)}`;

const IDENTIFIERS: Readonly<Record<string, (index: number) => string>> = {
  User: userIdAt,
  Workspace: workspaceIdAt,
  Collection: collectionUidAt,
  Environment: environmentUidAt,
  Mock: mockUidAt,
};

/**
 * Returns the function that maps an index to the id or uid of an object of a GraphQL type.
 *
 * @throws {Error} Names a type that these accounts do not have.
 */
export function identifierAt(type: string): (index: number) => string {
  const identifier = IDENTIFIERS[type];
  if (!identifier) throw new Error(`test/support/small-account.ts has nothing of the type ${type}`);
  return identifier;
}

/** One of the few names that objects of a type have. */
export const nameAt = (type: string, index: number) => `${type} ${index}`;

/**
 * Generates accounts: objects with few different names, in several workspaces or none, some in no list; forks of each
 * other and of unreadable collections.
 */
export const anySmallAccount: Arbitrary<SmallAccount> = record({
  collections: array(
    record({
      name: nat(3),
      isListed: integer({ min: 0, max: 5 }).map((side) => side > 0),
      fork: option(nat(7), { nil: undefined, freq: 1 }),
      in: array(nat(3), { maxLength: 2 }),
    }),
    { maxLength: 6 },
  ),
  environments: array(record({ in: array(nat(3), { maxLength: 2 }) }), { maxLength: 4 }),
  mocks: array(
    record({
      collection: nat(7),
      environment: option(nat(4), { nil: undefined }),
      deactivated: integer({ min: 0, max: 3 }).map((side) => side === 0),
      in: option(nat(3), { nil: undefined, freq: 8 }),
    }),
    { maxLength: 4 },
  ),
  workspaces: array(record({ isTeam: boolean(), hasGlobals: boolean(), about: constantFrom('A', 'B') }), {
    minLength: 2,
    maxLength: 4,
  }),
}).map(({ collections, environments, mocks, workspaces }) => {
  const things = {
    collections: collections.map(({ name, isListed, fork }, index) => ({
      id: toUuid(1, index),
      uid: collectionUidAt(index),
      owner: collectionUidAt(index).slice(0, -37),
      name: nameAt('Collection', name),
      isListed,
      isPublic: index % 2 === 0,
      createdAt: AT,
      updatedAt: `2026-02-0${index + 1}T00:00:00.000Z`,
      lastUpdatedBy: OWNERS[0],
      ...(fork !== undefined && { fork: { label: `fork ${index}`, createdAt: AT, from: collectionUidAt(fork) } }),
      document: {
        info: { name: `Collection ${name}`, description: `About ${index}`, schema: SCHEMA },
        item: [],
      } as unknown as StoredCollection['document'],
    })),
    environments: environments.map((_, index) => ({
      id: toUuid(2, index),
      uid: environmentUidAt(index),
      owner: OWNERS[0],
      name: `Environment ${index}`,
      isPublic: index % 2 === 0,
      createdAt: AT,
      updatedAt: `2026-02-0${index + 1}T00:00:00.000Z`,
      values: [{ key: `key ${index}`, value: 'v', type: 'default', enabled: true }],
    })),
    mocks: mocks.map(({ collection, environment, deactivated }, index) => ({
      id: toUuid(4, index),
      uid: mockUidAt(index),
      owner: mockUidAt(index).slice(0, -37),
      name: `Mock ${index}`,
      collection: collectionUidAt(collection),
      ...(environment !== undefined && { environment: environmentUidAt(environment) }),
      isPublic: index % 2 === 0,
      deactivated,
      createdAt: AT,
      updatedAt: `2026-02-0${index + 1}T00:00:00.000Z`,
      config: newMockConfig,
    })),
  };
  return {
    ...things,
    workspaces: workspaces.map(({ isTeam, hasGlobals, about }, index) => ({
      id: workspaceIdAt(index),
      name: `Workspace ${index}`,
      type: 'team',
      visibility: isTeam ? 'team' : 'personal',
      about,
      description: `About workspace ${index}`,
      createdBy: OWNERS[0],
      updatedBy: OWNERS[1],
      createdAt: AT,
      updatedAt: AT,
      collections: things.collections.flatMap(({ uid }, position) =>
        collections[position]?.in.includes(index) ? [uid] : [],
      ),
      environments: things.environments.flatMap(({ uid }, position) =>
        environments[position]?.in.includes(index) ? [uid] : [],
      ),
      mocks: things.mocks.flatMap(({ uid }, position) => (mocks[position]?.in === index ? [uid] : [])),
      globals: hasGlobals ? [{ key: `global ${index}`, value: 'v', type: 'default', enabled: true }] : [],
    })),
  };
});

/** Collections with only a uid and a date, each in the list of all collections or not. */
export function toPlainAccount(areListed: readonly boolean[]): SmallAccount {
  const collections = areListed.map((isListed, index) => ({
    id: collectionUidAt(index).slice(-36),
    uid: collectionUidAt(index),
    owner: collectionUidAt(index).slice(0, -37),
    name: `Collection ${index}`,
    isListed,
    isPublic: false,
    createdAt: AT,
    updatedAt: AT,
    lastUpdatedBy: OWNERS[0],
    document: { info: { name: `Collection ${index}`, schema: 'v2.1.0' }, item: [] } as StoredCollection['document'],
  }));
  return { collections, environments: [], mocks: [], workspaces: [] };
}

/**
 * The account in the form that the sandbox serves. The sandbox builds the list of everything with `filter`, and finds
 * single objects by other methods.
 */
export function toServedAccount({ workspaces, collections, environments, mocks }: SmallAccount): Account {
  const served = [...collections];
  const listed = collections.filter(({ isListed }) => isListed);
  served.filter = listed.filter.bind(listed);
  return { user, ...(team && { team }), workspaces, collections: served, environments, mocks };
}

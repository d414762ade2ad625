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

/** A collection, and whether the list of all collections has it: what belongs to others can be read, and can be in a workspace, but need not be there. */
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

/** An account that can be surveyed: everything a key can read. */
export interface SmallAccount {
  readonly workspaces: readonly StoredWorkspace[];
  readonly collections: readonly SmallCollection[];
  readonly environments: readonly SmallEnvironment[];
  readonly mocks: readonly SmallMock[];
}

const OWNERS = ['41829063', '55301274'] as const;
/** The user whose key it is. */
export const KEY_OWNER = OWNERS[0];
const SCHEMA = 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json';
const AT = '2026-01-01T00:00:00.000Z';
const { user } = createDemoAccount();

const toUuid = (kind: number, index: number) => `${kind}0000000-0000-4000-8000-${String(index).padStart(12, '0')}`;

/** The id of the workspace of that place, whether the account has it or not. */
export const workspaceIdAt = (index: number) => toUuid(3, index);
/** The uid of the collection of that place, whether the account has it or not. */
export const collectionUidAt = (index: number) => `${OWNERS[index % 3 === 0 ? 1 : 0]}-${toUuid(1, index)}`;
/** The uid of the environment of that place, whether the account has it or not. */
export const environmentUidAt = (index: number) => `${OWNERS[0]}-${toUuid(2, index)}`;

/** The uid of the mock server of that place, whether the account has it or not. */
export const mockUidAt = (index: number) => `${OWNERS[index % 2]}-${toUuid(4, index)}`;

const IDENTIFIERS: Readonly<Record<string, (index: number) => string>> = {
  User: (index) => OWNERS[index === 0 ? 0 : 1],
  Workspace: workspaceIdAt,
  Collection: collectionUidAt,
  Environment: environmentUidAt,
  Mock: mockUidAt,
};

/**
 * What names the things of a type of the graph, by their places.
 *
 * @throws {Error} Names a type of which these accounts have none.
 */
export function identifierAt(type: string): (index: number) => string {
  const identifier = IDENTIFIERS[type];
  if (!identifier) throw new Error(`test/support/small-account.ts has nothing of the type ${type}`);
  return identifier;
}

/** One of the few names that the things of a type have. */
export const nameAt = (type: string, index: number) => `${type} ${index}`;

/** Things of few names, in several workspaces or in none, some of them in no list; forks of each other and of what nobody may see. */
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

/** Collections of nothing but a uid and a date, each in the list of all or not. */
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

/** The account as the simulated service takes it: it makes the list of everything with `filter`, and finds the rest by other ways. */
export function toServedAccount({ workspaces, collections, environments, mocks }: SmallAccount): Account {
  const served = [...collections];
  const listed = collections.filter(({ isListed }) => isListed);
  served.filter = listed.filter.bind(listed);
  return { user, workspaces, collections: served, environments, mocks };
}

import type {
  Account,
  StoredCollection,
  StoredEnvironment,
  StoredWorkspace,
} from '../../src/sandbox/account/account.ts';
import type { Random } from '../budget/random.ts';

/** The size of one account. */
export interface AccountShape {
  readonly workspaceCount: number;
  countCollections(): number;
  countEnvironments(): number;
  readonly forkFraction: number;
}

/** A population of accounts. */
export interface Population {
  readonly name: string;
  draw(random: Random): AccountShape;
}

const OWNER = '41829063';
const AT = '2026-01-01T00:00:00.000Z';
const SHARED_FRACTION = 1 / 20;

/** Draws values of which most are near the median and a few are many times as large. */
function logNormal(random: Random, median: number, sigma: number, most: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  return Math.min(most, Math.max(1, Math.round(median * Math.exp(sigma * normal))));
}

/**
 * Teams of all sizes. Half of them have ten workspaces at most. A workspace that is not empty has four collections and
 * two environments at the median, and sometimes many more.
 */
export const teams: Population = {
  name: 'teams',
  draw: (random) => ({
    workspaceCount: logNormal(random, 10, 0.8, 100),
    countCollections: () => (random.chance(0.15) ? 0 : logNormal(random, 4, 1, 150)),
    countEnvironments: () => (random.chance(0.25) ? 0 : logNormal(random, 2, 0.8, 40)),
    forkFraction: 0.08,
  }),
};

/**
 * Three of five accounts belong to one person and have few workspaces. Two belong to a company and have many, of which
 * a third or more are empty.
 */
export const personsAndCompanies: Population = {
  name: 'persons and companies',
  draw: (random) =>
    random.chance(0.6)
      ? {
          workspaceCount: 1 + Math.floor(random.exponential(1.5)),
          countCollections: () => 1 + Math.floor(random.exponential(6)),
          countEnvironments: () => Math.floor(random.exponential(1.5)),
          forkFraction: 0.2,
        }
      : {
          workspaceCount: random.whole(40, 150),
          countCollections: () => (random.chance(0.35) ? 0 : 1 + Math.floor(random.exponential(7))),
          countEnvironments: () => (random.chance(0.5) ? 0 : 1 + Math.floor(random.exponential(2))),
          forkFraction: 0.05,
        },
};

const toId = (kind: number, index: number) => `${kind}0000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
const toUid = ({ id }: { readonly id: string }) => `${OWNER}-${id}`;

/**
 * Creates a random account of a population. One collection in twenty is in two workspaces. Any collection can be
 * forked.
 */
export function createAnyAccount(population: Population, random: Random): Account {
  const { workspaceCount, countCollections, countEnvironments, forkFraction } = population.draw(random);
  const collections: StoredCollection[] = [];
  const environments: StoredEnvironment[] = [];
  const workspaces = Array.from({ length: workspaceCount }, (_, index): StoredWorkspace => {
    const workspaceCollections = Array.from({ length: countCollections() }, () => {
      const other = collections.length > 0 ? collections[random.whole(0, collections.length - 1)] : undefined;
      if (other && random.chance(SHARED_FRACTION)) return toUid(other);
      const one = createCollection(collections.length, random.chance(forkFraction) ? other : undefined);
      collections.push(one);
      return toUid(one);
    });
    const workspaceEnvironments = Array.from({ length: countEnvironments() }, () => {
      const one = createEnvironment(environments.length);
      environments.push(one);
      return toUid(one);
    });
    return {
      id: toId(3, index),
      name: `Workspace ${index}`,
      type: 'team',
      visibility: random.chance(0.6) ? 'team' : 'personal',
      createdBy: OWNER,
      updatedBy: OWNER,
      createdAt: AT,
      updatedAt: AT,
      collections: [...new Set(workspaceCollections)],
      environments: workspaceEnvironments,
      globals: random.chance(0.5) ? [{ key: 'a', value: 'b', type: 'default', enabled: true }] : [],
    };
  });
  return {
    user: {
      id: Number(OWNER),
      sub: OWNER,
      username: 'any',
      email: 'any@example.com',
      fullName: 'Any',
      avatar: null,
      isPublic: false,
      emailVerified: true,
      teamId: 0,
      roles: [],
    },
    collections,
    environments,
    workspaces,
  };
}

function createCollection(index: number, parent: StoredCollection | undefined): StoredCollection {
  // One name in ten belongs to two collections.
  const name = `Collection ${index % 10 === 0 ? index + 1 : index}`;
  return {
    id: toId(1, index),
    owner: OWNER,
    name,
    isPublic: index % 9 === 0,
    createdAt: AT,
    updatedAt: AT,
    lastUpdatedBy: OWNER,
    ...(parent && { fork: { label: 'fork', createdAt: AT, from: toUid(parent) } }),
    document: { info: { name, schema: 'v2.1.0' }, item: [] },
  };
}

function createEnvironment(index: number): StoredEnvironment {
  return {
    id: toId(2, index),
    owner: OWNER,
    name: `Environment ${index}`,
    isPublic: false,
    createdAt: AT,
    updatedAt: AT,
    values: [],
  };
}

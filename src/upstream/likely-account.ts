import type { AccountSizes, ListLengths } from './account-sizes.ts';
import type { Imagination, ListedKind } from './imagination.ts';

/**
 * What is assumed of an account as far as nothing has been learned of it: what lies between a small account, of 7 workspaces with 13 collections, and
 * that of a team, of 30 workspaces with 200 collections and 60 environments.
 */
export const ASSUMED_SIZES = {
  workspaces: 15,
  collectionsPerWorkspace: 4,
  environmentsPerWorkspace: 2,
  forkShare: 1 / 10,
  /** What a filter leaves of the list of workspaces. */
  filteredShare: 1 / 2,
} as const;

/** Lists that a workspace has, and that there are of everything the key sees. */
export type WorkspaceListKind = Exclude<ListedKind, 'workspaces'>;

/** An account that is as large as is likely, and in which everything exists that a client names. */
export interface LikelyAccount {
  /** Ids of the first page of a list of workspaces. */
  workspaceIds(filter: {
    readonly visibility: string | undefined;
    readonly createdBy: string | undefined;
  }): readonly string[];
  readonly hasMoreWorkspaces: boolean;
  /** Length of a list; `workspaceId` null: of everything the key sees. */
  lengthOf(kind: WorkspaceListKind, workspaceId: string | null): number;
  /** Uids of a stretch of that list. */
  uidsOf(kind: WorkspaceListKind, workspaceId: string | null, from: number, count: number): readonly string[];
  /** Says that there is such a thing: the list of everything has it, unless that has been made before. */
  add(kind: WorkspaceListKind, uid: string): void;
  /** The workspace that holds a collection; undefined: the account has none. */
  homeOf(uid: string): string | undefined;
  /** From which collection one was forked; null: it is no fork. */
  parentOf(uid: string): string | null;
}

/** What a likely account is made of. */
export interface LikelyAccountOptions {
  /** undefined: nothing has been learned. */
  readonly sizes: AccountSizes | undefined;
  /** Ids and uids that the client has named. */
  readonly named: Readonly<Record<ListedKind, readonly string[]>>;
  readonly imagination: Imagination;
}

const PER_WORKSPACE = {
  collections: ASSUMED_SIZES.collectionsPerWorkspace,
  environments: ASSUMED_SIZES.environmentsPerWorkspace,
} as const;
// The golden ratio: its multiples are spread evenly between whole numbers, however many there are.
const EVEN_SPREAD = (Math.sqrt(5) - 1) / 2;
// Nobody is told of a cost that has more.
const LONGEST_LIST = 2_000;
// How the list of a workspace is called that its collections are in.
const IN_WORKSPACE = 'collections of ';

/** Makes the account of one simulation. The things it has are those that the other scenarios imagine, as far as they are the same. */
export function createLikelyAccount({ sizes, named, imagination }: LikelyAccountOptions): LikelyAccount {
  const { idOf, uidsOf, isSought, placeOf, places, listLength } = imagination;
  const learned = sizes?.workspaces;
  const hasMoreWorkspaces = sizes?.hasMoreWorkspaces ?? false;
  const ids = learned
    ? learned.map(({ id }) => id)
    : withNamed(
        Array.from({ length: Math.max(ASSUMED_SIZES.workspaces, named.workspaces.length) }, (_, index) =>
          idOf('likely workspaces', index),
        ),
        named.workspaces,
      );
  const isGoneOn = places.some(({ page }) => page === '');

  const existing = { collections: new Set(named.collections), environments: new Set(named.environments) };
  const lengths = new Map<string, number>();
  const toLength = (kind: WorkspaceListKind, workspaceId: string): number => {
    const known = sizes?.ofWorkspaces.get(workspaceId)?.[kind];
    if (known !== undefined) return known;
    // Where a client goes on from a place, the list is longer than that.
    if (isGoneOn && !ids.includes(workspaceId)) return listLength;
    // As many are rounded down as make the mean what it is.
    return Math.floor(toMean(kind, sizes) + ((lengths.size * EVEN_SPREAD) % 1));
  };
  const lengthOfOne = (kind: WorkspaceListKind, workspaceId: string): number => {
    const key = `${kind} ${workspaceId}`;
    const length = lengths.get(key) ?? toLength(kind, workspaceId);
    lengths.set(key, length);
    return length;
  };
  const lengthOfAll = (kind: WorkspaceListKind): number => {
    const known = sizes?.ofAll[kind];
    if (known !== undefined) return known;
    const sum = ids.reduce((total, id) => total + lengthOfOne(kind, id), 0);
    // What comes after the first page of workspaces is as much again.
    return Math.max(sum * (hasMoreWorkspaces ? 2 : 1), existing[kind].size, isGoneOn ? listLength : 0);
  };

  const all = new Map<WorkspaceListKind, readonly string[]>();
  const toAll = (kind: WorkspaceListKind): readonly string[] => {
    const length = Math.min(LONGEST_LIST, lengthOfAll(kind));
    const uids: string[] = [];
    for (const id of ids) {
      if (uids.length >= length) break;
      uids.push(...uidsOf(`${kind} of ${id}`, 0, Math.min(length - uids.length, lengthOfOne(kind, id))));
    }
    uids.push(...uidsOf(`${kind} outside workspaces`, 0, length - uids.length));
    return withNamed(uids, [...existing[kind]]);
  };

  const homes = new Map<string, string | undefined>();
  const toHome = (uid: string): string | undefined => {
    const list = placeOf(uid)?.list ?? '';
    if (list.startsWith(IN_WORKSPACE)) return list.slice(IN_WORKSPACE.length);
    // What is named is of as many of them as it can be.
    return ids[homes.size % Math.max(1, ids.length)];
  };

  return {
    workspaceIds({ visibility, createdBy }) {
      if (visibility === undefined && createdBy === undefined) return ids;
      if (!learned) return ids.filter((_, index) => (index * ASSUMED_SIZES.filteredShare) % 1 === 0);
      return learned
        .filter((one) => visibility === undefined || one.visibility === visibility)
        .filter((one) => createdBy === undefined || one.createdBy === createdBy)
        .map(({ id }) => id);
    },
    hasMoreWorkspaces,
    lengthOf: (kind, workspaceId) => (workspaceId === null ? lengthOfAll(kind) : lengthOfOne(kind, workspaceId)),
    uidsOf(kind, workspaceId, from, count) {
      if (workspaceId !== null) {
        const left = Math.min(LONGEST_LIST, lengthOfOne(kind, workspaceId)) - from;
        return uidsOf(`${kind} of ${workspaceId}`, from, Math.max(0, Math.min(count, left)));
      }
      const uids = all.get(kind) ?? toAll(kind);
      all.set(kind, uids);
      return uids.slice(from, from + count);
    },
    add: (kind, uid) => void existing[kind].add(uid),
    homeOf(uid) {
      const home = homes.has(uid) ? homes.get(uid) : toHome(uid);
      homes.set(uid, home);
      return home;
    },
    parentOf(uid) {
      // Of what a client has named, and of what another was forked from, most are none.
      const place = isSought(uid) ? undefined : placeOf(uid);
      if (!place) return null;
      const share = sizes?.forkShare ?? ASSUMED_SIZES.forkShare;
      const { listNumber, index } = place;
      const start = (listNumber * EVEN_SPREAD) % 1;
      const isFork = Math.floor((index + 1) * share + start) > Math.floor(index * share + start);
      return isFork ? imagination.parentOf(uid) : null;
    },
  };
}

function toMean(kind: WorkspaceListKind, sizes: AccountSizes | undefined): number {
  const known = [...(sizes?.ofWorkspaces.values() ?? [])].flatMap((lengths: ListLengths) => lengths[kind] ?? []);
  if (known.length > 0) return known.reduce((sum, length) => sum + length, 0) / known.length;
  const total = sizes?.ofAll[kind];
  return total !== undefined && sizes?.workspaces && !sizes.hasMoreWorkspaces
    ? total / Math.max(1, sizes.workspaces.length)
    : PER_WORKSPACE[kind];
}

/** Has what is known by its id stand somewhere in a list of everything: evenly spread, in the place of others. */
function withNamed(list: readonly string[], named: readonly string[]): readonly string[] {
  if (named.length >= list.length) return named.slice(0, list.length);
  const listed = new Set(list);
  const all = [...list];
  named.forEach((id, index) => {
    if (!listed.has(id)) all[Math.floor(((index + 0.5) * all.length) / named.length)] = id;
  });
  return all;
}

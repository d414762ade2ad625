import { ASSUMED_SIZES } from '../graph/planning/estimate.ts';
import type { AccountSizes } from '../upstream/postman/list-sizes.ts';
import { type ChildListName, childLists, childTypes, leveledTypes, type ListName } from '../upstream/postman/levels.ts';
import type { SimulatedFilter } from '../upstream/postman/simulated-world.ts';
import type { SimulatedIds } from './simulated-ids.ts';

/** An account of the likely size, in which everything that the client names exists. */
export interface LikelyAccount {
  /** Ids on the first page of the filtered list of workspaces. */
  workspaceIds(filter: SimulatedFilter): readonly string[];
  /** Whether that list has a second page. */
  readonly hasMoreWorkspaces: boolean;
  /** Length of a list. `workspaceId` null: the list of everything the key sees. */
  lengthOf(list: ChildListName, workspaceId: string | null): number;
  /** Up to `count` uids of that list, starting at position `from`. */
  uidsOf(list: ChildListName, workspaceId: string | null, from: number, count: number): readonly string[];
  /** Adds an existing object to the list of everything. Has no effect on that list once it has been read. */
  add(list: ChildListName, uid: string): void;
  /** Id of the workspace that contains a collection; undefined if the account has no workspaces. */
  workspaceOf(uid: string): string | undefined;
  /** Uid of the collection that this one was forked from; null if it is not a fork. */
  parentOf(uid: string): string | null;
}

/** Input of {@link createLikelyAccount}. */
export interface LikelyAccountOptions {
  /** List sizes seen in earlier responses; undefined if there are none. */
  readonly sizes: AccountSizes | undefined;
  /** Ids and uids that the client has named, by list. */
  readonly named: ReadonlyMap<ListName, ReadonlySet<string>>;
  readonly simulatedIds: SimulatedIds;
}

// The golden ratio: the fractional parts of its multiples are evenly spread over 0 to 1, however many there are.
const EVEN_SPREAD = (Math.sqrt(5) - 1) / 2;
// Longer lists cost more than `LARGEST_COST`, so their exact length makes no difference.
const LONGEST_LIST = 2_000;
// Prefix of the names that simulated ids use for the collection lists of workspaces.
const IN_WORKSPACE = 'collections of ';

/** Creates the account of one simulation. Its objects have the same ids as in the other scenarios. */
export function createLikelyAccount({ sizes, named, simulatedIds }: LikelyAccountOptions): LikelyAccount {
  const { uidsOf, isLookedUp, positionOf } = simulatedIds;
  const learned = sizes?.workspaces;
  const ids = learned
    ? learned.map(({ id }) => id)
    : toAssumedWorkspaces([...(named.get('workspaces') ?? [])], simulatedIds);
  const existing = new Map(childLists.map((list) => [list, new Set(named.get(list))]));
  const { lengthOfOne, lengthOfAll } = createLengths(ids, existing, sizes, simulatedIds);

  const all = new Map<ChildListName, readonly string[]>();
  const toAll = (list: ChildListName): readonly string[] => {
    const length = Math.min(LONGEST_LIST, lengthOfAll(list));
    const uids: string[] = [];
    for (const id of ids) {
      if (uids.length >= length) break;
      uids.push(...uidsOf(`${list} of ${id}`, 0, Math.min(length - uids.length, lengthOfOne(list, id))));
    }
    uids.push(...uidsOf(`${list} outside workspaces`, 0, length - uids.length));
    return withNamed(uids, [...(existing.get(list) ?? [])]);
  };
  const allOf = (list: ChildListName): readonly string[] => {
    const uids = all.get(list) ?? toAll(list);
    all.set(list, uids);
    return uids;
  };
  /** If workspaces have more objects than the list of everything, the last ones share those of the first. */
  const withShared = (list: ChildListName, workspaceId: string, from: number, uids: readonly string[]) => {
    const overall = sizes?.overall[list];
    const position = ids.indexOf(workspaceId);
    if (overall === undefined || position === -1) return uids;
    const start = ids.slice(0, position).reduce((sum, id) => sum + lengthOfOne(list, id), from);
    if (start + uids.length <= overall) return uids;
    return uids.map((uid, index) => (start + index < overall ? uid : (allOf(list)[(start + index) % overall] ?? uid)));
  };

  const workspaceByUid = new Map<string, string | undefined>();
  const toWorkspace = (uid: string): string | undefined => {
    const list = positionOf(uid)?.list ?? '';
    if (list.startsWith(IN_WORKSPACE)) return list.slice(IN_WORKSPACE.length);
    // Spread the collections that the client names over as many workspaces as possible.
    return ids[workspaceByUid.size % Math.max(1, ids.length)];
  };

  return {
    workspaceIds({ visibility, createdBy }) {
      if (visibility === undefined && createdBy === undefined) return ids;
      if (!learned) return ids.filter((_, index) => (index * ASSUMED_SIZES.filteredFraction) % 1 === 0);
      return learned
        .filter((one) => visibility === undefined || one.visibility === visibility)
        .filter((one) => createdBy === undefined || one.createdBy === createdBy)
        .map(({ id }) => id);
    },
    hasMoreWorkspaces: sizes?.hasMoreWorkspaces ?? false,
    lengthOf: (list, workspaceId) => (workspaceId === null ? lengthOfAll(list) : lengthOfOne(list, workspaceId)),
    uidsOf(list, workspaceId, from, count) {
      if (workspaceId !== null) {
        const left = Math.min(LONGEST_LIST, lengthOfOne(list, workspaceId)) - from;
        const inWorkspace = uidsOf(`${list} of ${workspaceId}`, from, Math.max(0, Math.min(count, left)));
        return withShared(list, workspaceId, from, inWorkspace);
      }
      return allOf(list).slice(from, from + count);
    },
    add: (list, uid) => void existing.get(list)?.add(uid),
    workspaceOf(uid) {
      const workspaceId = workspaceByUid.has(uid) ? workspaceByUid.get(uid) : toWorkspace(uid);
      workspaceByUid.set(uid, workspaceId);
      return workspaceId;
    },
    parentOf(uid) {
      // Most collections that a client names, or that others were forked from, are not forks.
      const position = isLookedUp(uid) ? undefined : positionOf(uid);
      if (!position) return null;
      const fraction = sizes?.forkFraction ?? ASSUMED_SIZES.forkFraction;
      const { listNumber, index } = position;
      const start = (listNumber * EVEN_SPREAD) % 1;
      const isFork = Math.floor((index + 1) * fraction + start) > Math.floor(index * fraction + start);
      return isFork ? simulatedIds.parentOf(uid) : null;
    },
  };
}

function toAssumedWorkspaces(named: readonly string[], { idOf }: SimulatedIds): readonly string[] {
  const length = Math.max(ASSUMED_SIZES.workspaces, named.length);
  return withNamed(
    Array.from({ length }, (_, index) => idOf('likely workspaces', index)),
    named,
  );
}

/** Creates the functions that return list lengths. Each length is computed once. */
function createLengths(
  ids: readonly string[],
  existing: ReadonlyMap<ChildListName, ReadonlySet<string>>,
  sizes: AccountSizes | undefined,
  { cursors, listLength }: SimulatedIds,
) {
  const isContinued = cursors.some(({ page }) => page === '');
  const lengths = new Map<string, number>();

  const toLength = (list: ChildListName, workspaceId: string): number => {
    const known = sizes?.byWorkspaceId.get(workspaceId)?.[list];
    if (known !== undefined) return known;
    // If the client continues a list after a position, the list is longer than that.
    if (isContinued && !ids.includes(workspaceId)) return listLength;
    // Round up just as many lengths as it takes to have this mean.
    return Math.floor(toMean(list, sizes) + ((lengths.size * EVEN_SPREAD) % 1));
  };
  const lengthOfOne = (list: ChildListName, workspaceId: string): number => {
    const key = `${list} ${workspaceId}`;
    const length = lengths.get(key) ?? toLength(list, workspaceId);
    lengths.set(key, length);
    return length;
  };

  return {
    lengthOfOne,
    lengthOfAll(list: ChildListName): number {
      const known = sizes?.overall[list];
      if (known !== undefined) return known;
      const sum = ids.reduce((total, id) => total + lengthOfOne(list, id), 0);
      // Assume that the workspaces beyond the first page hold as much again.
      const likely = sum * (sizes?.hasMoreWorkspaces ? 2 : 1);
      return Math.max(likely, existing.get(list)?.size ?? 0, isContinued ? listLength : 0);
    },
  };
}

function toMean(list: ChildListName, sizes: AccountSizes | undefined): number {
  const known = [...(sizes?.byWorkspaceId.values() ?? [])].flatMap((lengths) => lengths[list] ?? []);
  if (known.length > 0) return known.reduce((sum, length) => sum + length, 0) / known.length;
  const total = sizes?.overall[list];
  if (total !== undefined && sizes?.workspaces && !sizes.hasMoreWorkspaces)
    return total / Math.max(1, sizes.workspaces.length);
  const type = childTypes.find((one) => leveledTypes[one].list === list);
  return type ? leveledTypes[type].assumedPerWorkspace : 0;
}

/** Replaces items of a list by named ids that it lacks, at evenly spread positions. */
function withNamed(list: readonly string[], named: readonly string[]): readonly string[] {
  if (named.length >= list.length) return named.slice(0, list.length);
  const listed = new Set(list);
  const all = [...list];
  named.forEach((id, index) => {
    if (!listed.has(id)) all[Math.floor(((index + 0.5) * all.length) / named.length)] = id;
  });
  return all;
}

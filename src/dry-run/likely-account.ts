import { ASSUMED_SIZES } from '../graph/planning/estimate.ts';
import type { AccountSizes } from '../upstream/postman/list-sizes.ts';
import { type ChildListName, childLists, childTypes, leveledTypes, type ListName } from '../upstream/postman/levels.ts';
import type { SimulatedFilter } from '../upstream/postman/simulated-world.ts';
import type { SimulatedIds } from './simulated-ids.ts';

/** An account that is as large as is likely, and in which everything exists that a client names. */
export interface LikelyAccount {
  /** Ids of the first page of a list of workspaces. */
  workspaceIds(filter: SimulatedFilter): readonly string[];
  readonly hasMoreWorkspaces: boolean;
  /** Length of a list; `workspaceId` null: of everything the key sees. */
  lengthOf(list: ChildListName, workspaceId: string | null): number;
  /** Uids of a stretch of that list. */
  uidsOf(list: ChildListName, workspaceId: string | null, from: number, count: number): readonly string[];
  /** Adds a thing that exists: the list of everything has it, unless that has been made before. */
  add(list: ChildListName, uid: string): void;
  /** The workspace that holds a collection; undefined: the account has none. */
  workspaceOf(uid: string): string | undefined;
  /** From which collection one was forked; null: it is no fork. */
  parentOf(uid: string): string | null;
}

/** What a likely account is made of. */
export interface LikelyAccountOptions {
  /** undefined: nothing has been learned. */
  readonly sizes: AccountSizes | undefined;
  /** Ids and uids that the client has named. */
  readonly named: ReadonlyMap<ListName, ReadonlySet<string>>;
  readonly simulatedIds: SimulatedIds;
}

// The golden ratio: its multiples are spread evenly between whole numbers, however many there are.
const EVEN_SPREAD = (Math.sqrt(5) - 1) / 2;
// Costs beyond that are all reported as the largest.
const LONGEST_LIST = 2_000;
// The list of a workspace that its collections are in is called so.
const IN_WORKSPACE = 'collections of ';

/** Makes the account of one simulation. The things it has are those of the other scenarios, as far as they are the same. */
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

  const workspaceByUid = new Map<string, string | undefined>();
  const toWorkspace = (uid: string): string | undefined => {
    const list = positionOf(uid)?.list ?? '';
    if (list.startsWith(IN_WORKSPACE)) return list.slice(IN_WORKSPACE.length);
    // What is named is spread over as many of them as possible.
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
        return uidsOf(`${list} of ${workspaceId}`, from, Math.max(0, Math.min(count, left)));
      }
      const uids = all.get(list) ?? toAll(list);
      all.set(list, uids);
      return uids.slice(from, from + count);
    },
    add: (list, uid) => void existing.get(list)?.add(uid),
    workspaceOf(uid) {
      const workspaceId = workspaceByUid.has(uid) ? workspaceByUid.get(uid) : toWorkspace(uid);
      workspaceByUid.set(uid, workspaceId);
      return workspaceId;
    },
    parentOf(uid) {
      // Most collections that a client has named, or that another was forked from, are no forks.
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

/** How long the lists of an account are, each found out once. */
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
    // Where a client continues a list after a place, it is longer than that.
    if (isContinued && !ids.includes(workspaceId)) return listLength;
    // As many are rounded down as make the mean what it is.
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
      // Behind the first page of workspaces as many follow again.
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

/** Puts what is known by its id somewhere into a list of everything: evenly spread, in the place of others. */
function withNamed(list: readonly string[], named: readonly string[]): readonly string[] {
  if (named.length >= list.length) return named.slice(0, list.length);
  const listed = new Set(list);
  const all = [...list];
  named.forEach((id, index) => {
    if (!listed.has(id)) all[Math.floor(((index + 0.5) * all.length) / named.length)] = id;
  });
  return all;
}

import { ASSUMED_SIZES } from '../graph/planning/estimate.ts';
import type { ChildListName, ListName } from '../upstream/postman/levels.ts';
import type { ShownContents } from '../upstream/postman/postman-call.ts';
import { ANY_USER, NOBODY_ELSE, type SimulatedWorld } from '../upstream/postman/simulated-world.ts';
import type { LikelyAccount } from './likely-account.ts';
import { fromSimulatedName, type SimulatedIds, toSimulatedName } from './simulated-ids.ts';
import type { Work } from './simulation-work.ts';

/** What exists upstream in one run, apart from cached responses, and in which order calls get responses. */
export interface Scenario {
  /** true: lists are as full as they can be, and single objects exist. false: lists are empty, and nothing exists. */
  readonly exists: boolean;
  /** Which pending call gets its response first: the oldest, the newest, or the oldest that reads a list. */
  readonly respondToFirst: 'oldest' | 'newest' | 'lists';
  /** Lists contain exactly these objects. */
  readonly listed?: ListContents;
  /** Lists in workspaces contain the items that cursors name, and nothing about those items is cached. */
  readonly hasCursorItems?: true;
  /** Length in pages of the list of everything. Default: more than any client reads. */
  readonly pages?: number;
  /** Cached lists are ignored. All lists are simulated, and reading them costs nothing. */
  readonly ignoresCachedLists?: true;
  /** Lists contain the objects of this account. A call whose response was seen before gets that response again. */
  readonly account?: LikelyAccount;
  /** Every search finds enough before it reads a collection. Default: it finds nothing, and reads all of them. */
  readonly searchesEndAtOnce?: true;
  /** The check whether an object is in a workspace ignores simulated ones; its `workspace` field still finds one. */
  readonly deniesWorkspaces?: true;
  /**
   * Every workspace holds every object whose workspace the operation has requested so far, and the list of everything
   * has one page, with every object that a cached response has named.
   */
  readonly holdsSought?: true;
}

/** What the lists of a scenario contain. */
export interface ListContents {
  /** Uids, or ids of workspaces, by list. */
  readonly things: ReadonlyMap<ListName, ReadonlySet<string>>;
  /** Only the list of this target contains them. Default: every list of their type. */
  readonly target?: string;
  /** They come after as many other objects as a client can request, all of them fully cached. */
  readonly followsCachedItems?: true;
  /** Lists that this server orders or filters have them, but not on the requested pages. */
  readonly isOffPage?: true;
}

/** What simulated responses of a run depended on. A list of everything has all objects of a type that the key sees. */
export type WorldQuestion = 'workspaces of an object' | 'length of a list of everything' | 'matches of a search';

/** The world of one scenario. */
export interface ScenarioWorld {
  /** Returns the world as the call of a target sees it. */
  viewFor(target: string): SimulatedWorld;
  /** Notes that the operation requests the workspace of an object. */
  seek(list: ChildListName, uid: string): void;
  /** Notes the objects that a cached response names. */
  name(shown: Pick<ShownContents, 'list' | 'items'>): void;
  /** The questions that simulated responses and searches have asked so far. */
  readonly questions: ReadonlySet<WorldQuestion>;
  /** Returns how many matches each collection of a search has; Infinity: the search reads no collection. */
  matchesOf(isFiltered: boolean): number;
}

const MANY_PAGES = 10_000;
const WHOLE = { listLength: Number.POSITIVE_INFINITY, pageLength: Number.POSITIVE_INFINITY } as const;
// Steps to simulate an item of a list and to record it.
const ITEM_STEPS = 1 / 2;

/** Creates the world of a scenario. */
export function createScenarioWorld(scenario: Scenario, ids: SimulatedIds, work: Pick<Work, 'add'>): ScenarioWorld {
  const { exists, pages, account, listed, searchesEndAtOnce } = scenario;
  const { idOf } = ids;
  // Lists of a likely account are not cut: they are short, and loaders that search them depend on their length.
  const { listLength, pageLength } = account ? WHOLE : ids;
  const { parentOf } = account ?? ids;
  const listedIn = createListContents(scenario, ids);
  const { toUids, toStretch } = createStretches(scenario, ids, work);
  const questions = new Set<WorldQuestion>();
  const toMoreWorkspaces = () => idOf('more workspaces', 0);
  const { withSought, ...noted } = createSoughtObjects(scenario, questions);

  const toTotal = (list: ChildListName, workspaceId: string | null, end: number, size: number) => {
    if (account) return account.lengthOf(list, workspaceId);
    // A loader that searches for several objects reads on while few pages are left: report one more until the last.
    const isLast = pages !== undefined && workspaceId === null && end >= pages * size;
    const pagesLeft = pages === undefined || workspaceId !== null ? MANY_PAGES : isLast ? 0 : 1;
    return end + pagesLeft * size;
  };

  const toWorkspaceIds = (list: string, cursor: string | null, size: number): readonly string[] => {
    const count = Math.min(size, pageLength);
    work.add(count * ITEM_STEPS);
    const page = Array.from({ length: count }, (_, index) => idOf(list, index));
    // A client that continues after a cursor gets the items behind the one it names, and not that item again.
    for (const itemCursor of ids.cursors)
      if (itemCursor.page === (cursor ?? '') && itemCursor.index < count) page[itemCursor.index] = itemCursor.id;
    return page;
  };

  /** @param foundIn - Returns what the scenario lists, or undefined if it leaves the list open. */
  const toWorld = (foundIn: (list: ListName) => readonly string[] | undefined): SimulatedWorld => ({
    exists,
    isOnPage: listed?.isOffPage !== true,
    nameOf: toSimulatedName,
    parentOf,
    linkOf(uid, list) {
      if (!exists) return null;
      const linked = ids.parentOf(uid);
      account?.add(list, linked);
      return linked;
    },
    uidsIn: (list, workspaceId) =>
      withSought(list, workspaceId, foundIn(list) ?? toStretch(list, workspaceId, 0, listLength)),
    pageOf(list, workspaceId, offset, size) {
      if (workspaceId === null) questions.add('length of a list of everything');
      const found = foundIn(list) ?? toStretch(list, workspaceId, offset, Math.min(size, pageLength));
      const uids = withSought(list, workspaceId, found);
      if (scenario.holdsSought && workspaceId === null) return { uids, total: offset + uids.length };
      return { uids, total: exists ? toTotal(list, workspaceId, offset + size, size) : uids.length };
    },
    uidsNamed(list, name, workspaceId) {
      const uid = exists ? fromSimulatedName(name) : undefined;
      if (uid !== undefined) return [uid];
      // A name that a client knows most likely belongs to one object.
      const count = account ? 1 : listLength;
      return foundIn(list) ?? toUids(`${list} ${name} of ${workspaceId ?? '*'}`, 0, count);
    },
    workspacePage(filter, cursor, size) {
      if (account && cursor === null) {
        const likely = account.workspaceIds(filter);
        work.add(likely.length * ITEM_STEPS);
        return { ids: likely, nextCursor: account.hasMoreWorkspaces ? toMoreWorkspaces() : null };
      }
      const found = foundIn('workspaces');
      if (found || !exists) return { ids: found ?? [], nextCursor: null };
      const list = JSON.stringify(['workspaces', filter, cursor]);
      // A likely account has two pages, so that a list that is read to its end has one.
      const nextCursor = account && cursor === toMoreWorkspaces() ? null : idOf(`after ${list}`, 0);
      return { ids: toWorkspaceIds(list, cursor, size), nextCursor };
    },
    // With the fewest calls, `GET /me` describes every user; with the most, `GET /users` has to.
    keyOwnerId: exists ? NOBODY_ELSE : ANY_USER,
    get memberIds() {
      if (!exists) return [];
      work.add(ids.listLength * ITEM_STEPS);
      return [ANY_USER, ...Array.from({ length: ids.listLength }, (_, index) => idOf('users', index))];
    },
    workspacesOf(uid) {
      questions.add('workspaces of an object');
      const workspaceId = account ? account.workspaceOf(uid) : exists ? idOf(`workspaces of ${uid}`, 0) : undefined;
      return workspaceId === undefined ? [] : [workspaceId];
    },
  });

  const withListed = toWorld(listedIn);
  const withoutListed = toWorld(() => undefined);
  return {
    questions,
    matchesOf(isFiltered) {
      questions.add('matches of a search');
      if (searchesEndAtOnce) return Number.POSITIVE_INFINITY;
      return account && !isFiltered ? ASSUMED_SIZES.itemsPerCollection : 0;
    },
    ...noted,
    viewFor: (target) => (listed?.target === undefined || listed.target === target ? withListed : withoutListed),
  };
}

/** Creates the objects that the lists of a scenario with `holdsSought` have in addition. */
function createSoughtObjects({ holdsSought }: Scenario, questions: Set<WorldQuestion>) {
  const sought = new Map<ChildListName, Set<string>>();
  const named = new Map<ChildListName, Set<string>>();
  const setOf = (sets: Map<ChildListName, Set<string>>, list: ChildListName) => {
    const set = sets.get(list) ?? new Set();
    sets.set(list, set);
    return set;
  };
  return {
    withSought: (list: ChildListName, workspaceId: string | null, uids: readonly string[]): readonly string[] =>
      holdsSought ? [...((workspaceId === null ? named : sought).get(list) ?? []), ...uids] : uids,
    name({ list, items }: Pick<ShownContents, 'list' | 'items'>) {
      if (holdsSought) for (const { uid } of items) setOf(named, list).add(uid);
    },
    seek(list: ChildListName, uid: string) {
      questions.add('workspaces of an object');
      setOf(sought, list).add(uid);
    },
  };
}

/** Creates the function that returns what a scenario lists; undefined if the scenario does not say. */
function createListContents({ listed }: Scenario, { cachedOf }: SimulatedIds) {
  const known = new Map<ListName, readonly string[]>();
  return (list: ListName): readonly string[] | undefined => {
    if (!listed) return undefined;
    const found = known.get(list) ?? [
      ...(listed.followsCachedItems ? cachedOf(list) : []),
      ...(listed.things.get(list) ?? []),
    ];
    known.set(list, found);
    return found;
  };
}

/** Creates the functions that return parts of lists whose items a scenario does not specify. */
function createStretches({ exists, hasCursorItems, account }: Scenario, ids: SimulatedIds, work: Pick<Work, 'add'>) {
  const onFirstPage = hasCursorItems ? ids.cursors.filter(({ page }) => page === '') : [];
  const cursorItems = new Map(onFirstPage.map(({ index, id }) => [index, id]));
  const countCursorItems = (before: number) => [...cursorItems.keys()].filter((index) => index < before).length;

  const toUids = (list: string, from: number, count: number): readonly string[] => {
    if (!exists) return [];
    work.add(count * ITEM_STEPS);
    const others = ids.uidsOf(list, from - countCursorItems(from), count);
    if (cursorItems.size === 0) return others;
    let skipped = 0;
    return others.map((_, index) => {
      const uid = cursorItems.get(from + index);
      if (uid !== undefined) skipped++;
      return uid ?? others[index - skipped] ?? '';
    });
  };

  return {
    toUids,
    toStretch(list: ChildListName, workspaceId: string | null, from: number, count: number): readonly string[] {
      if (!account) return toUids(`${list} of ${workspaceId ?? '*'}`, from, count);
      const uids = account.uidsOf(list, workspaceId, from, count);
      work.add(uids.length * ITEM_STEPS);
      return uids;
    },
  };
}

import type { ChildListName, ListName } from '../upstream/postman/levels.ts';
import type { SimulatedWorld } from '../upstream/postman/simulated-world.ts';
import type { LikelyAccount } from './likely-account.ts';
import { fromSimulatedName, type SimulatedIds, toSimulatedName } from './simulated-ids.ts';
import type { Work } from './simulation-work.ts';

/** What upstream has in one run of a simulation where nothing is cached, and how the run is made. */
export interface Scenario {
  /** Lists are as full as they can be, and single things exist; or lists are empty, and nothing exists. */
  readonly exists: boolean;
  /** Which of the calls without an answer is answered first: the oldest, the newest, or the oldest that asks for a list. */
  readonly respondToFirst: 'oldest' | 'newest' | 'lists';
  /** Lists have these, and nothing else. */
  readonly listed?: ListContents;
  /** Lists of children have the items that cursors name, and nothing of those is cached. */
  readonly hasCursorItems?: true;
  /** How many pages the list of everything has where that is not known. Default: more than any client reads. */
  readonly pages?: number;
  /** Cached lists do not count: all of them are simulated, at no cost. */
  readonly ignoresCachedLists?: true;
  /** Lists have what this account has. A call that was answered before is likely answered so again. */
  readonly account?: LikelyAccount;
  /** Nothing is in a workspace for a look-up that asks only whether it is; but everything is for a field that asks for its workspace. */
  readonly deniesWorkspaces?: true;
}

/** What lists have. */
export interface ListContents {
  /** Uids, or ids, by list. */
  readonly things: ReadonlyMap<ListName, ReadonlySet<string>>;
  /** Only the list of this target has them. Default: every one that can. */
  readonly target?: string;
  /** Before them come as many others as a client can ask for, all of them fully cached. */
  readonly followsCachedItems?: true;
}

/** What simulated answers of a run have rested on: which workspace holds a thing; how many pages a list of everything has. */
export type WorldQuestion = 'holders' | 'pages of everything';

/** The world of one scenario. */
export interface ScenarioWorld {
  /** The world as the call of a target sees it. */
  viewFor(target: string): SimulatedWorld;
  /** What has been asked of it. */
  readonly questions: ReadonlySet<WorldQuestion>;
}

const MANY_PAGES = 10_000;
const WHOLE = { listLength: Number.POSITIVE_INFINITY, pageLength: Number.POSITIVE_INFINITY } as const;
// To make an item of a list, and to note it.
const ITEM_STEPS = 1 / 2;

/** Makes the world of a scenario. */
export function createScenarioWorld(scenario: Scenario, ids: SimulatedIds, work: Pick<Work, 'add'>): ScenarioWorld {
  const { exists, pages, account, listed } = scenario;
  const { idOf } = ids;
  // Likely lists come whole: they are short, and loaders that search them go by how long they are.
  const { listLength, pageLength } = account ? WHOLE : ids;
  const { parentOf } = account ?? ids;
  const listedIn = createListContents(scenario, ids);
  const { toUids, toStretch } = createStretches(scenario, ids, work);
  const questions = new Set<WorldQuestion>();

  const toTotal = (list: ChildListName, workspaceId: string | null, end: number, size: number) => {
    if (account) return account.lengthOf(list, workspaceId);
    // A loader that searches for several things goes on as long as few pages are left: one is left always, up to the last.
    const isLast = pages !== undefined && workspaceId === null && end >= pages * size;
    const pagesLeft = pages === undefined || workspaceId !== null ? MANY_PAGES : isLast ? 0 : 1;
    return end + pagesLeft * size;
  };

  const toWorkspaceIds = (list: string, cursor: string | null, size: number): readonly string[] => {
    const count = Math.min(size, pageLength);
    work.add(count * ITEM_STEPS);
    const page = Array.from({ length: count }, (_, index) => idOf(list, index));
    // A client that continues there gets everything after the item, and not the item again.
    for (const itemCursor of ids.cursors)
      if (itemCursor.page === (cursor ?? '') && itemCursor.index < count) page[itemCursor.index] = itemCursor.id;
    return page;
  };

  /** @param foundIn - What the scenario says that a list has. */
  const toWorld = (foundIn: (list: ListName) => readonly string[] | undefined): SimulatedWorld => ({
    exists,
    nameOf: toSimulatedName,
    parentOf,
    linkOf(uid, list) {
      if (!exists) return null;
      const linked = ids.parentOf(uid);
      account?.add(list, linked);
      return linked;
    },
    uidsIn: (list, workspaceId) => foundIn(list) ?? toStretch(list, workspaceId, 0, listLength),
    pageOf(list, workspaceId, offset, size) {
      if (workspaceId === null) questions.add('pages of everything');
      const uids = foundIn(list) ?? toStretch(list, workspaceId, offset, Math.min(size, pageLength));
      return { uids, total: exists ? toTotal(list, workspaceId, offset + size, size) : uids.length };
    },
    uidsNamed(list, name, workspaceId) {
      const uid = exists ? fromSimulatedName(name) : undefined;
      if (uid !== undefined) return [uid];
      // A name that a client knows is likely that of one thing.
      const count = account ? 1 : listLength;
      return foundIn(list) ?? toUids(`${list} ${name} of ${workspaceId ?? '*'}`, 0, count);
    },
    workspacePage(filter, cursor, size) {
      if (account && cursor === null) {
        const likely = account.workspaceIds(filter);
        work.add(likely.length * ITEM_STEPS);
        return { ids: likely, nextCursor: account.hasMoreWorkspaces ? idOf('more workspaces', 0) : null };
      }
      const found = foundIn('workspaces');
      if (found || !exists) return { ids: found ?? [], nextCursor: null };
      const list = JSON.stringify(['workspaces', filter, cursor]);
      return { ids: toWorkspaceIds(list, cursor, size), nextCursor: idOf(`after ${list}`, 0) };
    },
    workspacesOf(uid) {
      questions.add('holders');
      const workspaceId = account ? account.workspaceOf(uid) : exists ? idOf(`holders of ${uid}`, 0) : undefined;
      return workspaceId === undefined ? [] : [workspaceId];
    },
  });

  const withListed = toWorld(listedIn);
  const withoutListed = toWorld(() => undefined);
  return {
    questions,
    viewFor: (target) => (listed?.target === undefined || listed.target === target ? withListed : withoutListed),
  };
}

/** What a scenario says that a list has; undefined: nothing of it. */
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

/** Makes stretches of lists of which a scenario says no more than how full they are. */
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

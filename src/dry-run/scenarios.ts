import type { ListName } from '../upstream/postman/levels.ts';
import { collectionsRoute } from '../upstream/postman/resources/collections.ts';
import type { ListContents, Scenario, WorldQuestion } from './scenario-world.ts';
import type { RecordedCall, RecordedCalls } from './simulated-session.ts';
import type { SimulatedIds } from './simulated-ids.ts';

/** Results of the runs of a simulation so far. */
export interface Findings {
  readonly ids: SimulatedIds;
  /** Calls recorded in runs that count for the upper bound. */
  readonly possible: RecordedCalls;
  /** What simulated responses of those runs depended on. */
  readonly questions: ReadonlySet<WorldQuestion>;
  /** Whether the latest run used a cached response. */
  readonly usedCache: boolean;
  /** Whether the client accepts cached responses and the cache has any for its API key. */
  readonly cachesAny: boolean;
}

/** One row of the table of scenarios. */
export interface ScenarioRow {
  readonly name: string;
  /**
   * Which bound its calls count for. Upper: the calls are possible. Lower: no other calls are certain.
   *
   * Whatever upstream responds, an operation makes only calls recorded in an upper run (or others in their place), and
   * makes every call recorded in all lower runs.
   */
  readonly bounds: 'both' | 'upper' | 'lower';
  /** Whether the row can change the bounds. Default: always. */
  when?(findings: Findings): boolean;
  /** The scenarios of this row; each is one run. */
  variants(findings: Findings): readonly Scenario[];
  /** The row has too many variants to run: no single read counts as certain. */
  readonly dropsCertainSingles?: true;
}

const nothing: Scenario = { exists: false, respondToFirst: 'oldest' };
// Respond to the newest call first, so that an oversized simulation reaches its limit early.
const everything: Scenario = { exists: true, respondToFirst: 'newest' };
// Each list takes one run.
const MAX_LISTS = 8;

/** The scenario with the fewest calls. It runs first: the likely account contains the objects that it names. */
export const FIRST_SCENARIO: ScenarioRow = { name: 'nothing exists', bounds: 'both', variants: () => [nothing] };

// A list that contains objects the client names saves their single reads, or leads to those reads.
const namedInEveryList: ScenarioRow = {
  name: 'named things exist, in every list',
  bounds: 'lower',
  when: namesAny,
  variants: (findings) => [toListed(findings)],
};

/** The other scenarios that bound the cost of an operation, in the order in which they run. */
export const COST_SCENARIOS: readonly ScenarioRow[] = [
  // Empty lists lead to no further calls; full lists lead to all of them.
  { name: 'everything exists', bounds: 'both', variants: () => [everything] },
  // Cached data can lead to the same object by several paths. Which path wins depends on the order of responses.
  {
    name: 'everything exists, oldest call answered first',
    bounds: 'both',
    when: ({ usedCache }) => usedCache,
    variants: () => [{ ...everything, respondToFirst: 'oldest' }],
  },
  // A cursor names an item and its position. A list continues after the item, or at the position if the item is gone.
  {
    name: 'everything exists, and lists have the items that cursors name',
    bounds: 'upper',
    when: ({ ids }) => ids.cursors.some(({ page }) => page === ''),
    variants: () => [{ ...everything, hasCursorItems: true }],
  },
  // A lookup that finds no workspace reads the object itself.
  {
    name: 'everything exists, but nothing is in a workspace',
    bounds: 'upper',
    when: ({ questions }) => questions.has('workspaces of an object'),
    variants: () => [{ ...everything, deniesWorkspaces: true }],
  },
  // Workspaces are read one after the other until all objects are found in them: the first can hold all of them. The
  // list of everything can have all objects that cached workspaces hold, which saves the lists of these workspaces.
  {
    name: 'everything exists, and is where it is looked for first',
    bounds: 'lower',
    when: ({ usedCache, questions }) => usedCache || questions.has('workspaces of an object'),
    variants: () => [{ ...everything, holdsSought: true }],
  },
  // A search for several objects reads up to the last page, and then reads each missing object by itself.
  {
    name: 'everything exists, and the list of everything ends',
    bounds: 'upper',
    when: ({ questions }) => questions.has('length of a list of everything'),
    variants: ({ ids, possible }) => [
      { ...everything, pages: Math.max(countLookedUp(possible, ids), countCollectionLists(possible)) },
    ],
  },
  // A search ends when its page is full, which cached collections may do already.
  {
    name: 'nothing exists, and searches end at once',
    bounds: 'lower',
    when: ({ questions }) => questions.has('matches of a search'),
    variants: () => [{ ...nothing, searchesEndAtOnce: true }],
  },
  {
    name: 'named things exist, in one of many lists',
    bounds: 'lower',
    when: (findings) => namesAny(findings) && knownLists(findings).length > MAX_LISTS,
    variants: () => [],
    dropsCertainSingles: true,
  },
  namedInEveryList,
  {
    name: 'named things exist, in one list',
    bounds: 'lower',
    when: (findings) => namesAny(findings) && knownLists(findings).length <= MAX_LISTS,
    variants: (findings) => knownLists(findings).map((target) => toListed(findings, { target })),
  },
  // An ordered or filtered list that has a named object saves its single read, wherever in the list the object is.
  {
    name: 'named things exist, in every list or in one, but not on the pages of ordered lists',
    bounds: 'lower',
    when: (findings) => findings.ids.ordersLists && namesAny(findings),
    variants: (findings) =>
      [undefined, ...(knownLists(findings).length <= MAX_LISTS ? knownLists(findings) : [])].map((target) =>
        toListed(findings, { isOffPage: true, ...(target !== undefined && { target }) }),
      ),
  },
  // Cached objects in front of the named ones need no single read, so a list is not worth its call.
  {
    name: 'named things exist, in every list behind cached ones',
    bounds: 'lower',
    when: (findings) => findings.cachesAny && namesAny(findings),
    variants: (findings) => [toListed(findings, { followsCachedItems: true })],
  },
];

/**
 * The scenarios that check whether an operation certainly needs too many calls. The scenario that nearly always saves
 * the most reads runs first, because it can end the check before the longer ones.
 */
export const CHECK_SCENARIOS: readonly ScenarioRow[] = [namedInEveryList, ...COST_SCENARIOS];

/** Returns the ids of all objects that were read singly and are not simulated, by the list of their type. */
export function namedThings(recorded: RecordedCalls, ids: SimulatedIds): ListContents['things'] {
  const named = new Map<ListName, Set<string>>();
  for (const [list, id] of singleReads(recorded))
    if (!ids.isSimulated(id)) named.set(list, (named.get(list) ?? new Set()).add(id));
  return named;
}

function namesAny({ possible, ids }: Findings): boolean {
  return namedThings(possible, ids).size > 0;
}

function toListed({ possible, ids }: Findings, more: Omit<ListContents, 'things'> = {}): Scenario {
  return { ...nothing, respondToFirst: 'lists', listed: { things: namedThings(possible, ids), ...more } };
}

/** Targets of the recorded lists that do not depend on a simulated object. */
function knownLists({ possible }: Findings): readonly string[] {
  const isKnownList = ({ single, isSimulated }: RecordedCall) => single === null && !isSimulated;
  return [...possible].flatMap(([target, call]) => (isKnownList(call) ? [target] : []));
}

function* singleReads(recorded: RecordedCalls): Iterable<readonly [ListName, string]> {
  for (const { hasOneOf, id } of recorded.values())
    if (hasOneOf !== undefined && id !== undefined) yield [hasOneOf, id];
}

/** Upper bound for the number of lists of collections that pages of the list of everything are read for. */
const countCollectionLists = (recorded: RecordedCalls): number =>
  [...recorded.values()].filter(({ route }) => route.template === collectionsRoute.template).length;

/** Upper bound for the number of collections searched at once: responses that arrive together can each add some. */
function countLookedUp(recorded: RecordedCalls, ids: SimulatedIds): number {
  const lookedUp = new Set<string>();
  for (const [list, uid] of singleReads(recorded)) if (list === 'collections' && ids.isLookedUp(uid)) lookedUp.add(uid);
  return Math.max(1, lookedUp.size);
}

import type { ListName } from '../upstream/postman/levels.ts';
import type { ListContents, Scenario, WorldQuestion } from './scenario-world.ts';
import type { RecordedCall, RecordedCalls } from './simulated-session.ts';
import type { SimulatedIds } from './simulated-ids.ts';

/** What the runs of a simulation have shown so far. */
export interface Findings {
  readonly ids: SimulatedIds;
  /** Calls recorded in a run that counts for the upper bound. */
  readonly possible: RecordedCalls;
  /** What answers of such runs have rested on. */
  readonly questions: ReadonlySet<WorldQuestion>;
  /** Whether the cache answered anything in the latest run. */
  readonly usedCache: boolean;
  /** Whether the cache has anything that could answer the operation. */
  readonly cachesAny: boolean;
}

/** One row of the table of scenarios. */
export interface ScenarioRow {
  readonly name: string;
  /**
   * What its calls count for. Upper: they are possible. Lower: no other calls are certain. Whatever upstream answers, an operation makes no call but those
   * recorded in one of the scenarios, or others in their place, and it makes those that were recorded in each of them.
   */
  readonly bounds: 'both' | 'upper' | 'lower';
  /** Whether it can show anything new. Default: always. */
  when?(findings: Findings): boolean;
  /** What exists, and the order of answers; one run for each. */
  variants(findings: Findings): readonly Scenario[];
  /** Its variants are too many to be run: no single read counts as certain. */
  readonly dropsCertainSingles?: true;
}

const nothing: Scenario = { exists: false, respondToFirst: 'oldest' };
// The newest call is answered first, so that an oversized simulation reaches its limit early.
const everything: Scenario = { exists: true, respondToFirst: 'newest' };
// One run for each.
const MAX_LISTS = 8;

/** The scenario in which an operation makes the fewest calls. It comes before the likely account, which has what it names. */
export const FIRST_SCENARIO: ScenarioRow = { name: 'nothing exists', bounds: 'both', variants: () => [nothing] };

// A list that has what is known already saves single reads of it, or leads to them.
const namedInEveryList: ScenarioRow = {
  name: 'named things exist, in every list',
  bounds: 'lower',
  when: namesAny,
  variants: (findings) => [toListed(findings)],
};

/** The scenarios that bound the cost of an operation beside the first, in the order in which they are run. */
export const COST_SCENARIOS: readonly ScenarioRow[] = [
  // Lists without anything lead nowhere; full lists lead to everything.
  { name: 'everything exists', bounds: 'both', variants: () => [everything] },
  // Cached data can lead to the same thing by several paths. Which path wins depends on the order of answers.
  {
    name: 'everything exists, oldest call answered first',
    bounds: 'both',
    when: ({ usedCache }) => usedCache,
    variants: () => [{ ...everything, respondToFirst: 'oldest' }],
  },
  // A client that continues a list gets what follows the item it names; where that is not found, what stands in its place now.
  {
    name: 'everything exists, and lists have the items that cursors name',
    bounds: 'upper',
    when: ({ ids }) => ids.cursors.some(({ page }) => page === ''),
    variants: () => [{ ...everything, hasCursorItems: true }],
  },
  // A look-up that finds no workspace reads the thing itself.
  {
    name: 'everything exists, but nothing is in a workspace',
    bounds: 'upper',
    when: ({ questions }) => questions.has('holders'),
    variants: () => [{ ...everything, deniesWorkspaces: true }],
  },
  // A search for several things goes on to the last page, and then reads singly what it has not found.
  {
    name: 'everything exists, and the list of everything ends',
    bounds: 'upper',
    when: ({ questions }) => questions.has('pages of everything'),
    variants: ({ ids, possible }) => [{ ...everything, pages: countLookedUp(possible, ids) }],
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
  // Things in front of them need no single read, so that a list is not worth it.
  {
    name: 'named things exist, in every list behind cached ones',
    bounds: 'lower',
    when: (findings) => findings.cachesAny && namesAny(findings),
    variants: (findings) => [toListed(findings, { followsCachedItems: true })],
  },
];

/**
 * Those by which an operation is found to need too many calls certainly: the list that nearly always saves most of the reads comes before the lengthier
 * scenarios.
 */
export const CHECK_SCENARIOS: readonly ScenarioRow[] = [namedInEveryList, ...COST_SCENARIOS];

/** Everything that is not simulated, and was asked for singly, by list. */
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

/** Targets of the lists that are asked for whatever upstream answers. */
function knownLists({ possible }: Findings): readonly string[] {
  const isKnownList = ({ single, isSimulated }: RecordedCall) => single === null && !isSimulated;
  return [...possible].flatMap(([target, call]) => (isKnownList(call) ? [target] : []));
}

function* singleReads(recorded: RecordedCalls): Iterable<readonly [ListName, string]> {
  for (const { hasOneOf, id } of recorded.values())
    if (hasOneOf !== undefined && id !== undefined) yield [hasOneOf, id];
}

/** How many collections, at most, can have been looked for at once: answers that come at the same time can lead to some each. */
function countLookedUp(recorded: RecordedCalls, ids: SimulatedIds): number {
  const lookedUp = new Set<string>();
  for (const [list, uid] of singleReads(recorded)) if (list === 'collections' && ids.isLookedUp(uid)) lookedUp.add(uid);
  return Math.max(1, lookedUp.size);
}

import type { DocumentNode, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import type { AnswerSize } from '../graph/answer-size.ts';
import { createAskingFields } from '../graph/asking-fields.ts';
import { createOperationContext } from '../graph/tracked-reads.ts';
import { LARGEST_COST } from '../graph/estimate.ts';
import type { DocumentReader } from '../graph/served-fields.ts';
import { unpacedRows } from '../graph/streamed-rows.ts';
import { unsliced } from '../graph/time-slices.ts';
import { createLoaders } from '../loaders/loaders.ts';
import type { Calls } from '../upstream/calls.ts';
import { createCollectionTree } from '../upstream/collection-format/collection-tree.ts';
import { createImagination, type Imagination, type ListedKind } from '../upstream/imagination.ts';
import type { Listed, Scenario } from '../upstream/imagined-answers.ts';
import { createImaginedCalls, type ImaginedCalls, type NotedCall } from '../upstream/imagined-upstream.ts';
import { createLikelyAccount } from '../upstream/likely-account.ts';
import { type Operation, toBackground } from '../upstream/operation.ts';
import { createPostmanSession } from '../upstream/postman/session.ts';
import { createWork, type Work } from '../upstream/work.ts';
import { toListDemand } from './list-demand.ts';
import { type Cost, createTally, type Noted, type Tally } from './simulated-cost.ts';
import { simulateExecution } from './simulated-execution.ts';

/** A GraphQL operation that could be executed. */
export interface Rehearsable {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly definition: OperationDefinitionNode;
  readonly reader: DocumentReader;
  /** Whose key it is, and what it wants of kept answers. */
  readonly operation: Operation;
  readonly calls: Pick<Calls, 'kept' | 'lastOutcome' | 'sizesOf' | 'keepsAny' | 'isRenewable' | 'fairShareOf'>;
}

const nothing: Scenario = { isFull: false, answersFirst: 'oldest' };
// What is asked for last is answered first, so that a simulation that is too long is so soon.
const everything: Scenario = { isFull: true, answersFirst: 'newest' };
// Each of them is a scenario more.
const MOST_LISTS = 8;
const LISTED_KINDS = {
  '/workspaces/{id}': 'workspaces',
  '/collections/{uid}': 'collections',
  '/environments/{uid}': 'environments',
} as const satisfies Record<string, ListedKind>;
const MAX_STEPS_PER_SCENARIO = 60_000;
const MAX_STEPS = 150_000;
// What is likely is small, or soon seen to be large.
const MAX_LIKELY_STEPS = 30_000;
// To go through a list, for each of its items.
const PLACED_STEPS = 1 / 16;

/**
 * Foretells what an operation costs, by simulating it, with the real resolvers and loaders, before an upstream that is imagined: where nothing
 * is kept, once nothing exists, once everything does, and so on. Whatever upstream answers, no call is made but those that were noted in
 * one of these scenarios, or others in their place; and those that were noted in each of them are made. In one scenario more, upstream is as is likely.
 */
export async function rehearse(operation: Rehearsable): Promise<Cost> {
  const rehearsal = createRehearsal(operation);
  const tally = createTally();
  const none = await rehearsal.play(nothing);
  // What is certain already is more than is told.
  const likely = none.noted.size >= LARGEST_COST ? none : await rehearsal.playLikely(none.noted);
  tally.addLikely(likely.noted);
  await rehearsal.playMost(nothing, none, tally, { isDecided: () => tally.countCertain() === 0, wantsPossible: true });
  return tally.toCost(rehearsal.isWhole());
}

/**
 * Foretells which calls an operation certainly makes by what its client itself has named: what kept lists lead to does not count, so that
 * an operation over a long list can be repeated until all of it is kept.
 *
 * @param enough - Up to so many are not worth finding out.
 * @returns undefined where there are not more.
 */
export async function rehearseNamed(operation: Rehearsable, enough: number): Promise<Cost | undefined> {
  const rehearsal = createRehearsal(operation);
  const forgetful = { ...nothing, forgetsLists: true } as const;
  const none = await rehearsal.play(forgetful);
  const tally = createTally();
  const isEnough = () => tally.countCertain() <= enough;
  tally.addOptimistic(none.noted);
  if (isEnough()) return undefined;
  // Nearly always one list would save most of the reads: that shows without the lengthier scenarios.
  tally.addOptimistic((await rehearsal.playListed(forgetful, none.noted)).noted);
  if (!isEnough()) await rehearsal.playMost(forgetful, none, tally, { isDecided: isEnough, wantsPossible: false });
  return isEnough() ? undefined : tally.toCost(rehearsal.isWhole());
}

/** What is simulated besides what upstream would answer. */
interface How {
  /** Whoever wants to know of a collection whether it is in a workspace is told that it is not; all the same it is, for whoever asks for its workspace. */
  readonly deniesWorkspaces?: true;
  readonly maxSteps?: number;
}

function createRehearsal({ schema, document, definition, reader, operation, calls }: Rehearsable) {
  const imagination = createImagination(toListDemand(document, reader.variables));
  // It wants of kept answers what the real one does. Its budget is not looked at, which would make one.
  const rehearsed: Operation = Object.assign(
    toBackground(operation.caller, Number.POSITIVE_INFINITY, operation.refusals),
    {
      directives: operation.directives,
      belongsTo() {},
    },
  );

  let work: Work | undefined;
  const fields = createAskingFields(schema, definition, reader, (count) => work?.add(count));
  let stepsLeft = MAX_STEPS;
  let isWhole = true;

  const play = async (
    scenario: Scenario,
    { deniesWorkspaces, maxSteps = MAX_STEPS_PER_SCENARIO }: How = {},
  ): Promise<ImaginedCalls> => {
    const own = createWork(Math.min(stepsLeft, maxSteps));
    work = own;
    const imagined = createImaginedCalls({ scenario, imagination, calls, maxNoted: LARGEST_COST, work: own });
    const loaders = createLoaders(createPostmanSession(imagined, rehearsed));
    const isKnownToBeInWorkspace = async (uid: string) => {
      const workspace = await loaders.workspaceOfCollection(uid);
      return workspace !== null && !imagination.isImagined(workspace.id);
    };
    const context = createOperationContext({
      readAhead: deniesWorkspaces ? { ...loaders, isInWorkspace: isKnownToBeInWorkspace } : loaders,
      budget: () => null,
      clock: { epochMs: () => 0 },
      estimate: () => Promise.reject(new TypeError('A simulation is not simulated')),
      trackRead(value) {
        if (Array.isArray(value)) own.add(value.length * PLACED_STEPS);
      },
      treeOf: ({ document, uid }) => Promise.resolve(createCollectionTree(document, uid)),
      answerSize: unbounded,
      streamedRows: unpacedRows,
      slices: unsliced,
      revealSecrets: false,
    });
    // Nobody waits for it any more.
    const leave = () => own.end();
    if (operation.ended.aborted) leave();
    operation.ended.addEventListener('abort', leave, { once: true });
    await Promise.race([simulateExecution(fields, context, own), own.over]);
    operation.ended.removeEventListener('abort', leave);
    if (own.isOver && !scenario.account) isWhole = false;
    stepsLeft -= own.steps;
    own.end();
    return imagined;
  };

  /** Plays the scenario in which everything is as is likely, and all exists that was noted. */
  const playLikely = (noted: Noted): Promise<ImaginedCalls> => {
    const named = toListed(noted, imagination);
    const account = createLikelyAccount({ sizes: calls.sizesOf(operation), named, imagination });
    return play({ isFull: true, answersFirst: 'oldest', account }, { maxSteps: MAX_LIKELY_STEPS });
  };

  /** Plays a scenario in which lists have all that was noted. */
  const playListed = (scenario: Scenario, noted: Noted, more: Omit<Listed, 'ids'> = {}): Promise<ImaginedCalls> =>
    play({ ...scenario, answersFirst: 'lists', listed: { ids: toListed(noted, imagination), ...more } });

  /**
   * Plays, after one scenario in which nothing exists (`none`), all in which something does that can make a difference.
   *
   * @param isDecided - Whether no more need to be known of what is certain.
   * @param wantsPossible - Whether all that is possible has to be known, too.
   */
  const playMost = async (
    scenario: Scenario,
    none: ImaginedCalls,
    tally: Tally,
    { isDecided, wantsPossible }: { readonly isDecided: () => boolean; readonly wantsPossible: boolean },
  ) => {
    const full = { ...scenario, ...everything };
    const add = (noted: Noted) => {
      tally.addPossible(noted);
      tally.addOptimistic(noted);
    };
    add(none.noted);
    const most = await play(full);
    add(most.noted);
    // What is known leads to the same thing by different ways, and which is first is a matter of the order of the answers.
    if (most.usesKept()) add((await play({ ...full, answersFirst: 'oldest' })).noted);
    // Once it is known to be more than is told, what else is possible makes no difference.
    const isBounded = () => !wantsPossible || !isWhole || tally.possible.size >= LARGEST_COST;
    if (isBounded() && isDecided()) return;
    const playMore = async (more: Partial<Scenario>, how: How = {}) =>
      tally.addPossible((await play({ ...full, ...more }, how)).noted);
    const calledOf = (test: (target: string, call: NotedCall) => boolean) =>
      [...tally.possible].some(([target, call]) => test(target, call));
    // Whoever goes on from a place gets what comes after it; where it is not found, it stands where something else has come.
    if (!isBounded() && imagination.places.some(({ page }) => page === '')) await playMore({ hasPlaces: true });
    if (!isBounded() && calledOf((target) => target.includes('elementId='))) {
      await playMore({}, { deniesWorkspaces: true });
    }
    const isListOfAll = (target: string, { route }: NotedCall) =>
      route.template === '/collections' && !target.includes('workspace=');
    if (!isBounded() && calledOf(isListOfAll)) await playMore({ pages: countSought(tally.possible, imagination) });
    if (Object.values(toListed(tally.possible, imagination)).every(({ length }) => length === 0)) return;
    // A list that has what is known already saves single reads of it, or leads to them.
    const known = new Map(tally.possible);
    const lists = [...known].flatMap(([target, call]) => (isKnownList(call) ? [target] : []));
    const isFew = lists.length <= MOST_LISTS;
    // Of so many, say of none of these reads that it is certain.
    if (!isFew) tally.doubtSingles();
    for (const target of [undefined, ...(isFew ? lists : [])]) {
      if (isDecided()) return;
      tally.addOptimistic((await playListed(scenario, known, target === undefined ? {} : { target })).noted);
    }
    // Or has it behind others, of which nothing needs to be read.
    if (calls.keepsAny(operation))
      tally.addOptimistic((await playListed(scenario, known, { isBehindKept: true })).noted);
  };

  return { play, playLikely, playListed, playMost, isWhole: () => isWhole };
}

const isKnownList = ({ single, isImagined }: NotedCall) => single === null && !isImagined;

function* idsOf(noted: Noted): Iterable<readonly [ListedKind, string]> {
  for (const [, { route, single }] of noted) {
    const kind = Object.hasOwn(LISTED_KINDS, route.template)
      ? LISTED_KINDS[route.template as keyof typeof LISTED_KINDS]
      : undefined;
    if (kind && single !== null) yield [kind, single.slice(route.template.length + 1)];
  }
}

/** All that is not imagined, and was asked for singly. */
function toListed(noted: Noted, imagination: Imagination): Readonly<Record<ListedKind, readonly string[]>> {
  const listed = { workspaces: new Set<string>(), collections: new Set<string>(), environments: new Set<string>() };
  for (const [kind, id] of idsOf(noted)) if (!imagination.isImagined(id)) listed[kind].add(id);
  return {
    workspaces: [...listed.workspaces],
    collections: [...listed.collections],
    environments: [...listed.environments],
  };
}

/** How many collections, at most, can have been looked for at once: answers that come at the same time can lead to some each. */
function countSought(noted: Noted, imagination: Imagination): number {
  const sought = new Set<string>();
  for (const [kind, uid] of idsOf(noted)) if (kind === 'collections' && imagination.isSought(uid)) sought.add(uid);
  return Math.max(1, sought.size);
}

/** Whoever is simulated has a bound of its own. */
const unbounded: AnswerSize = { list: () => false, search() {}, text() {}, large: [] };

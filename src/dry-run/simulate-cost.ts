import type { DocumentNode, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import type { ResultSize } from '../graph/limits/result-size.ts';
import type { OperationContext } from '../graph/context.ts';
import type { DocumentReader } from '../graph/limits/document-reader.ts';
import { LARGEST_COST } from '../graph/planning/estimate.ts';
import { unscheduledRows } from '../graph/paging/streamed-rows.ts';
import { createOperationContext } from '../graph/planning/tracked-reads.ts';
import { unsliced } from '../graph/limits/time-slices.ts';
import { createLoaders, type Loaders } from '../loaders/loaders.ts';
import { leveledTypes } from '../upstream/postman/levels.ts';
import type { Calls } from '../upstream/calls/calls.ts';
import { createScopes } from '../upstream/collection-format/fields/resolve-variables.ts';
import { createSimulatedTrees } from '../upstream/collection-format/tree/simulated-tree.ts';
import type { Operation } from '../upstream/calls/operation/operation.ts';
import { workspacesOfCollectionCall } from '../upstream/postman/resources/workspaces.ts';
import { createLoadingFields } from './loading-fields.ts';
import { type Cost, createTally } from './call-tally.ts';
import { createLikelyAccount } from './likely-account.ts';
import { toListDemand } from './list-demand.ts';
import { CHECK_SCENARIOS, COST_SCENARIOS, FIRST_SCENARIO, namedThings, type ScenarioRow } from './scenarios.ts';
import type { Scenario, WorldQuestion } from './scenario-world.ts';
import { simulateExecution } from './simulated-execution.ts';
import { createSimulatedIds, type SimulatedIds } from './simulated-ids.ts';
import { createSimulatedSession, type RecordedCalls, type SimulatedSession } from './simulated-session.ts';
import { createWork, type Work } from './simulation-work.ts';

/** A GraphQL operation that could be executed. */
export interface SimulatedOperation {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly definition: OperationDefinitionNode;
  readonly reader: DocumentReader;
  /** Identifies the API key, and which cached responses the client accepts. */
  readonly operation: Operation;
  readonly calls: Pick<
    Calls,
    | 'cachedOutcome'
    | 'isCached'
    | 'load'
    | 'cachedLists'
    | 'loadLists'
    | 'lastOutcome'
    | 'sizesOf'
    | 'cachesAny'
    | 'isRenewable'
    | 'fairShareOf'
  >;
}

const MAX_STEPS_PER_RUN = 60_000;
const MAX_STEPS = 150_000;
// A likely account is small, or soon proves to be large.
const MAX_LIKELY_STEPS = 30_000;
// Steps per item to iterate over a list.
const TRACK_STEPS = 1 / 16;

/**
 * Computes what an operation costs. Runs it with the real resolvers and loaders in each scenario of `scenarios.ts`, and
 * once more on a likely account.
 *
 * @throws {Error} If a bug in this program made a run fail; the message names the scenario.
 */
export async function simulateCost(simulated: SimulatedOperation): Promise<Cost> {
  const simulation = createSimulation(simulated);
  const { tally } = simulation;
  await simulation.runRow(FIRST_SCENARIO);
  // If the first run reaches the largest cost, that is also the likely cost.
  if (tally.possible.size >= LARGEST_COST) tally.addLikely(new Map(tally.possible));
  else tally.addLikely(await simulation.runLikely());
  const isUpperSettled = () => simulation.isCut() || tally.possible.size >= LARGEST_COST;
  const isLowerSettled = () => tally.countCertain() === 0;
  for (const row of COST_SCENARIOS) {
    const isSettled = { both: () => false, upper: isUpperSettled, lower: isLowerSettled }[row.bounds];
    await simulation.runRow(row, isSettled);
  }
  return tally.toCost(!simulation.isCut(), simulation.seeksWorkspaces());
}

/**
 * Computes the calls an operation certainly makes for the objects that its client names. Calls that only cached lists
 * lead to do not count, so that a client can repeat an operation over a long list until all of it is cached.
 *
 * @param maxCalls - The simulation stops as soon as at most this many calls are certain.
 * @returns undefined if at most `maxCalls` calls are certain.
 * @throws {Error} As {@link simulateCost}.
 */
export async function simulateNamedCost(simulated: SimulatedOperation, maxCalls: number): Promise<Cost | undefined> {
  const simulation = createSimulation(simulated, { ignoresCachedLists: true });
  const isSettled = () => simulation.tally.countCertain() <= maxCalls;
  await simulation.runRow(FIRST_SCENARIO);
  for (const row of CHECK_SCENARIOS) if (row.bounds !== 'upper') await simulation.runRow(row, isSettled);
  return isSettled() ? undefined : simulation.tally.toCost(!simulation.isCut(), false);
}

/** @param base - Applies to every scenario. */
function createSimulation(simulated: SimulatedOperation, base: Pick<Scenario, 'ignoresCachedLists'> = {}) {
  const { document, reader, operation, calls } = simulated;
  const ids = createSimulatedIds(toListDemand(document, reader.variables));
  const tally = createTally();
  const questions = new Set<WorldQuestion>();
  const runner = createRunner(simulated, ids);
  let usedCache = false;

  const findings = () => ({
    ids,
    questions,
    usedCache,
    possible: tally.possible,
    cachesAny: calls.cachesAny(operation),
  });

  const runVariant = async ({ name, bounds }: ScenarioRow, scenario: Scenario) => {
    const session = await runner.run(name, { ...scenario, ...base });
    usedCache = session.usedCache();
    if (bounds !== 'lower') {
      tally.addPossible(session.recorded);
      for (const question of session.world.questions) questions.add(question);
    }
    if (bounds !== 'upper') tally.addOptimistic(session.recorded);
  };

  return {
    tally,
    /** Whether a run was cut short, so that possible calls may be missing. */
    isCut: runner.isCut,
    /** Whether the operation looks for the workspaces of objects, by whichever calls are fewer. */
    seeksWorkspaces: () => questions.has('workspaces of an object'),

    /** Runs the variants of a row. Stops when `isSettled` returns true: further runs cannot change the result. */
    async runRow(row: ScenarioRow, isSettled = () => false): Promise<void> {
      if (isSettled() || row.when?.(findings()) === false) return;
      if (row.dropsCertainSingles) tally.dropCertainSingles();
      for (const variant of row.variants(findings())) {
        if (isSettled()) return;
        await runVariant(row, variant);
      }
    },

    /** Runs the operation on a likely account that contains everything the operation is known to name. */
    async runLikely(): Promise<RecordedCalls> {
      const named = namedThings(tally.possible, ids);
      const account = createLikelyAccount({ sizes: calls.sizesOf(operation), named, simulatedIds: ids });
      const scenario = { exists: true, respondToFirst: 'oldest', account } as const;
      return (await runner.run('the account has the likely size', scenario, MAX_LIKELY_STEPS)).recorded;
    },
  };
}

/** Creates the function that runs an operation in one scenario, within the steps left for the whole simulation. */
function createRunner({ schema, definition, reader, operation, calls }: SimulatedOperation, ids: SimulatedIds) {
  let work: Work | undefined;
  const fields = createLoadingFields(schema, definition, reader, (count) => work?.add(count));
  let stepsLeft = MAX_STEPS;
  let isCut = false;

  return {
    isCut: () => isCut,

    /** @throws {Error} If the run failed. Names the scenario; the original error is the `cause`. */
    async run(name: string, scenario: Scenario, maxSteps = MAX_STEPS_PER_RUN): Promise<SimulatedSession> {
      const runWork = createWork(Math.min(stepsLeft, maxSteps));
      work = runWork;
      const simulated = createSimulatedSession({
        scenario,
        ids,
        calls,
        operation,
        maxRecorded: LARGEST_COST,
        work: runWork,
      });
      // Once the operation has ended, nobody needs its simulation.
      const endWork = () => runWork.end();
      if (operation.ended.aborted) endWork();
      operation.ended.addEventListener('abort', endWork, { once: true });
      try {
        const context = toContext(simulated, scenario, ids, runWork);
        await Promise.race([simulateExecution(fields, context, runWork), runWork.over]);
      } catch (cause) {
        // No quotes or colons: the log cuts a message at the first one.
        throw new Error(`Simulation failed in the scenario where ${name}`, { cause });
      } finally {
        operation.ended.removeEventListener('abort', endWork);
      }
      if (runWork.isOver && !scenario.account) isCut = true;
      stepsLeft -= runWork.steps;
      runWork.end();
      return simulated;
    },
  };
}

function toContext(
  { session, recorded, world }: SimulatedSession,
  { deniesWorkspaces, exists }: Scenario,
  { isSimulated }: SimulatedIds,
  work: Work,
): OperationContext {
  const loaders = createLoaders(session);
  const workspaceOf: Loaders['workspaceOf'] = async (request) => {
    const { type, uid } = request;
    world.seek(leveledTypes[type].list, uid);
    const found = await loaders.workspaceOf(request);
    // An object that no simulated workspace holds is in one that nothing is known about, so that its fields count. If
    // no response was simulated, there is none.
    if (found.workspace !== null || recorded.size === 0) return found;
    const [workspace = null] = workspacesOfCollectionCall(uid).simulate(world.viewFor(''))?.items ?? [];
    return { workspace, evidence: [] };
  };
  const isInWorkspace: Loaders['isInWorkspace'] = async (request) => {
    if (!(await loaders.isInWorkspace(request))) return false;
    if (!deniesWorkspaces) return true;
    const { workspace } = await workspaceOf(request);
    return workspace !== null && !isSimulated(workspace.id);
  };
  return createOperationContext({
    readAhead: { ...loaders, workspaceOf, isInWorkspace },
    budget: () => null,
    spentBy: () => null,
    clock: { epochMs: () => 0 },
    estimate: () => Promise.reject(new TypeError('A simulation has no estimate of its own')),
    trackRead(value) {
      if (Array.isArray(value)) work.add(value.length * TRACK_STEPS);
    },
    untrackRead() {},
    hasEnded: () => work.isOver,
    // A search that cannot read a collection leads to no further calls.
    reportError() {},
    assumedMatches: world.matchesOf,
    treeOf: createSimulatedTrees(exists),
    resultSize: unbounded,
    streamedRows: unscheduledRows,
    slices: unsliced,
    revealSecrets: false,
    isSimulation: true,
    scopeOf: createScopes(false),
  });
}

/** Counts nothing: `Work` bounds a simulation. */
const unbounded: ResultSize = { list: () => false, search() {}, text() {}, large: [] };

/**
 * Entry of the dry run, which predicts the calls of an operation without making any. It exports `planOperation`, which
 * the server calls before every execution. The module may import graph, loaders and upstream, but not the server, the
 * sandbox or the configuration, and no HTTP client, response cache, Redis client or DataLoader.
 *
 * The real resolvers and loaders run on a session that records calls (`simulated-session.ts`), once per scenario
 * (`scenarios.ts`; a table is in ARCHITECTURE.md). A call of any run for the upper bound is possible (`cost`), one of
 * every run for the lower bound is certain (`costAtLeast`); a run on an account of the likely size gives `likelyCost`.
 */
import {
  type DocumentNode,
  type FieldNode,
  getArgumentValues,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  Kind,
} from 'graphql';
import { badUserInput } from '../graph/errors/bad-user-input.ts';
import { type Estimate, LARGEST_COST } from '../graph/planning/estimate.ts';
import { countWithArgument } from '../graph/limits/count-selections.ts';
import { createDocumentReader, toRootFields, withRootFields } from '../graph/limits/document-reader.ts';
import type { DocumentReader } from '../graph/limits/document-reader.ts';
import { MAX_REPRESENTATIONS } from '../graph/subgraph/entities.ts';
import type { Clock } from '../upstream/clock.ts';
import type { Operation } from '../upstream/calls/operation/operation.ts';
import type { Cost } from './call-tally.ts';
import { createServedFields } from './served-fields.ts';
import { simulateCost, type SimulatedOperation, simulateNamedCost } from './simulate-cost.ts';
import { type SimulationQueue, toSimulationRefusal } from './simulation-queue.ts';

/** Dependencies of {@link planOperation}. */
export interface PlanOptions {
  /** Access to the cached responses. */
  readonly calls: SimulatedOperation['calls'];
  readonly clock: Clock;
  readonly simulations: SimulationQueue;
}

/** An operation split in two: its `rateLimit` root fields, and all other root fields. */
export interface SplitDocument {
  readonly others: DocumentNode;
  readonly budget: DocumentNode;
  /** Keys of the result, in the order of the whole operation. */
  readonly responseKeys: readonly string[];
}

/** An operation that is about to be executed. */
export interface Execution {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operationName: string | undefined;
  /** As the client sent them. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** undefined: there is no API key, or no budget for it, and no call will be made. */
  readonly operation: Operation | undefined;
}

/** How to execute an operation, and how to estimate its cost. */
export interface OperationPlan {
  /** The document to execute. Of a dry run, only its `rateLimit` and `__typename` root fields. */
  readonly document: DocumentNode;
  /** Set if the operation selects `rateLimit` and other root fields: the two parts to execute one after the other. */
  readonly split?: SplitDocument;
  /** Why the operation must not be executed. */
  readonly refusal: GraphQLError | undefined;
  /** Returns the cost. Runs the simulation on the first call only. */
  readonly estimate: () => Promise<Estimate>;
}

// The most calls that one object named by a root field can certainly need: a workspace, its three lists and its
// globals; or a collection, a list that has it, its workspace, and again for the collection it was forked from.
const MAX_CALLS_NAMED = 5;
const MAX_CHECK_WAIT_MS = 1_000;
const NO_COST: Cost = { atLeast: 0, likely: 0, atMost: 0, routes: [] };

/**
 * Plans an operation before it is executed: detects dry runs, and refuses operations that certainly need more calls
 * than they may make. Most operations are neither, and are planned without a simulation.
 *
 * @throws {Error} If a simulation fails because of a bug in this program. `estimate` rejects with it, too.
 */
export function planOperation(
  execution: Execution,
  { calls, clock, simulations }: PlanOptions,
): OperationPlan | Promise<OperationPlan> {
  const { schema, document, operationName, variables, operation } = execution;
  const reader = createDocumentReader(schema, document, operationName, variables);
  const definition = getOperationAST(document, operationName);
  // The execution reports what is wrong with the operation.
  if (!reader || !definition)
    return {
      document,
      refusal: undefined,
      estimate: () => Promise.reject(new TypeError('The document has no operation to execute')),
    };

  const roots = toRootFields(definition, reader);
  const rateLimitFields = roots.filter(({ name }) => name.value === 'rateLimit');
  const others = roots.filter(({ name }) => name.value !== 'rateLimit');
  const isDryRun = rateLimitFields.some((field) => toArguments(schema, field, reader)['dryRun'] === true);
  const simulated = operation && { schema, document, definition, reader, operation, calls };

  let estimated: Promise<Estimate> | undefined;
  const estimate = () => {
    estimated ??= toEstimate(simulated, reader, { clock, simulations });
    return estimated;
  };
  const references = others.reduce((count, field) => count + (countReferences(schema, field, reader) ?? 0), 0);
  if (references > MAX_REPRESENTATIONS) {
    const refusal = badUserInput(
      `The operation has ${references} representations and ids of nodes, but may have ${MAX_REPRESENTATIONS}. ` +
        'Request fewer per operation.',
    );
    return { document, refusal, estimate };
  }
  if (isDryRun) {
    const dryRunFields = roots.filter(({ name }) => name.value === 'rateLimit' || name.value === '__typename');
    return { document: withRootFields(document, definition, dryRunFields), refusal: undefined, estimate };
  }
  const check = () => simulated && refuse(simulated, others, reader, simulations);
  const toPlan = (refusal: GraphQLError | undefined): OperationPlan => {
    if (rateLimitFields.length === 0 || others.length === 0) return { document, refusal, estimate };
    const split: SplitDocument = {
      others: withRootFields(document, definition, others),
      budget: withRootFields(document, definition, rateLimitFields),
      responseKeys: [...new Set(roots.map(({ alias, name }) => (alias ?? name).value))],
    };
    return { document, split, refusal, estimate };
  };
  // Estimate before the execution starts: the responses it gets are cached, which lowers the cost.
  // If the estimate fails, the field that selects it reports that.
  const isEstimated = rateLimitFields.some((field) => selectsCost(field, reader));
  const checked = isEstimated ? estimate().then(check, check) : check();
  return checked instanceof Promise ? checked.then(toPlan) : toPlan(checked);
}

/** Returns the arguments of a root field; none if they are invalid, which the execution reports. */
function toArguments(
  schema: GraphQLSchema,
  node: FieldNode,
  { variableValues }: DocumentReader,
): { readonly [name: string]: unknown } {
  const field = schema.getQueryType()?.getFields()[node.name.value];
  try {
    return field ? getArgumentValues(field, node, variableValues) : {};
  } catch {
    return {};
  }
}

/** Counts the representations of `_entities`, or the ids of `nodes`; undefined for any other root field. */
function countReferences(schema: GraphQLSchema, node: FieldNode, reader: DocumentReader): number | undefined {
  if (!node.arguments?.some(({ name: { value } }) => value === 'representations' || value === 'ids')) return undefined;
  const { representations, ids } = toArguments(schema, node, reader);
  const references = representations ?? ids;
  return Array.isArray(references) ? references.length : undefined;
}

function selectsCost({ selectionSet }: Pick<FieldNode, 'selectionSet'>, reader: DocumentReader): boolean {
  return (selectionSet?.selections ?? []).some((selection) => {
    if (selection.kind === Kind.FIELD) return ['cost', 'costAtLeast', 'likelyCost'].includes(selection.name.value);
    if (selection.kind === Kind.INLINE_FRAGMENT) return selectsCost(selection, reader);
    const fragment = reader.fragments.get(selection.name.value);
    return fragment !== undefined && selectsCost(fragment, reader);
  });
}

async function toEstimate(
  simulated: SimulatedOperation | undefined,
  reader: DocumentReader,
  { clock, simulations }: Pick<PlanOptions, 'clock' | 'simulations'>,
): Promise<Estimate> {
  const cost = simulated ? await simulations.run(toRequester(simulated), () => simulateCost(simulated)) : NO_COST;
  if (!cost) throw toSimulationRefusal(clock);
  const { atLeast, likely, atMost, routes } = cost;
  const servedInMs = (key: 'likely' | 'atMost') =>
    simulated && cost[key] > 0 ? toServedInMs(simulated.operation, routes, key, clock) : 0;
  const fieldsOf = simulated && toServedFields(simulated, reader);
  return {
    atLeast,
    likely,
    atMost,
    servedInMs: servedInMs('atMost'),
    likelyServedInMs: servedInMs('likely'),
    plan: routes.map(({ path, atLeast, likely, atMost }) => ({
      path,
      atLeast,
      likely,
      atMost,
      forFields: fieldsOf?.(path).map(({ coordinate }) => coordinate) ?? [],
    })),
  };
}

function toRequester({ calls, operation }: SimulatedOperation) {
  return { fairShare: calls.fairShareOf(operation), ended: operation.ended };
}

function toServedFields({ schema, document, definition }: SimulatedOperation, reader: DocumentReader) {
  return createServedFields(schema, document, definition.name?.value, reader);
}

function toServedInMs(
  { caller }: Operation,
  routes: Cost['routes'],
  key: 'likely' | 'atMost',
  clock: Clock,
): number | null {
  const calls = { general: 0, burst: 0 };
  for (const route of routes) calls[route.routeClass] += route[key];
  const { monthRemaining } = caller.keyBudget.view.snapshot();
  if (monthRemaining !== undefined && monthRemaining < calls.general + calls.burst) return null;
  return caller.keyBudget.view.servedAtMs(calls) - clock.nowMs();
}

/** Returns an error if the operation certainly needs more calls than it may make. Most operations need no simulation. */
function refuse(
  simulated: SimulatedOperation,
  roots: readonly FieldNode[],
  reader: DocumentReader,
  simulations: SimulationQueue,
): Promise<GraphQLError | undefined> | undefined {
  const { maxCalls } = simulated.operation;
  const mostCalls = roots.reduce(
    (most, root) =>
      most +
      (countReferences(simulated.schema, root, reader) ?? 1) *
        (MAX_CALLS_NAMED + countWithArgument([root], 'after', reader)),
    0,
  );
  if (mostCalls <= maxCalls || maxCalls >= LARGEST_COST) return undefined;
  // If the check cannot start soon, execute the operation without it; it then fails at its ceiling.
  return simulations
    .run(toRequester(simulated), () => simulateNamedCost(simulated, maxCalls), MAX_CHECK_WAIT_MS)
    .then((cost) => cost && toTooExpensive(cost, simulated, reader));
}

function toTooExpensive(cost: Cost, simulated: SimulatedOperation, reader: DocumentReader): GraphQLError {
  const { maxCalls } = simulated.operation;
  const most = cost.routes.reduce((one, other) => (other.atLeast > one.atLeast ? other : one));
  const readers = toServedFields(simulated, reader)(most.path).filter(({ isReader }) => isReader);
  const [field] = [...readers].sort((a, b) => b.count - a.count);
  return new GraphQLError(
    `The operation needs at least ${cost.atLeast} calls to Postman, but may make ${maxCalls}. ` +
      `${most.atLeast} of them are GET ${most.path}${field ? `, for ${field.coordinate}` : ''}. ` +
      'Request fewer items per operation.',
    { extensions: { code: 'OPERATION_TOO_EXPENSIVE', retryable: false, calls: cost.atLeast, ceiling: maxCalls } },
  );
}

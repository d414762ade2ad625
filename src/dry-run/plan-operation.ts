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
import { createSelectionCount } from '../graph/limits/count-selections.ts';
import {
  createDocumentReader,
  type DocumentReader,
  toRootFields,
  withRootFields,
} from '../graph/limits/document-reader.ts';
import { MAX_REPRESENTATIONS } from '../graph/subgraph/entities.ts';
import type { Clock } from '../upstream/clock.ts';
import type { Operation } from '../upstream/calls/operation/operation.ts';
import type { Cost } from './call-tally.ts';
import { createServedFields } from './served-fields.ts';
import { simulateCost, type SimulatedOperation, simulateNamedCost } from './simulate-cost.ts';
import { type SimulationQueue, toSimulationRefusal } from './simulation-queue.ts';

/** What operations are planned with. */
export interface PlanOptions {
  /** What is cached. */
  readonly calls: SimulatedOperation['calls'];
  readonly clock: Clock;
  readonly simulations: SimulationQueue;
}

/** An operation in two pieces: what asks for the budget, and everything else. */
export interface SplitDocument {
  readonly others: DocumentNode;
  readonly budget: DocumentNode;
  /** Keys of the answer, in the order in which the whole operation has them. */
  readonly responseKeys: readonly string[];
}

/** An operation that is about to be executed. */
export interface Execution {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operationName: string | undefined;
  /** As the client sent them. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** undefined: there is no key, or no budget for it, and no call will be made. */
  readonly operation: Operation | undefined;
}

/** How an operation is executed, and what is known of its cost before. */
export interface OperationPlan {
  /** What is executed in its place: of a dry run, the fields that tell its cost. */
  readonly document: DocumentNode;
  /** Where it asks for the budget and for more: the two pieces in which it is executed. */
  readonly split?: SplitDocument;
  /** Why it is not executed. */
  readonly refusal: GraphQLError | undefined;
  /** What it costs, simulated when it is first asked for. */
  readonly estimate: () => Promise<Estimate>;
}

// What one thing can certainly need that a client has named by a root field: a workspace, its two lists and its globals; or a collection, a list
// that has it, its workspace and once more so for what it was forked from.
const MAX_CALLS_NAMED = 5;
const MAX_CHECK_WAIT_MS = 1_000;
const NO_COST: Cost = { atLeast: 0, likely: 0, atMost: 0, routes: [] };

/**
 * Looks at an operation before it is executed: whether it is a dry run, and whether it certainly needs more calls than it may make.
 *
 * Nearly all operations are neither, which shows without simulating them.
 *
 * @throws {Error} An error of this program that a simulation has met. The estimate fails with it, too.
 */
export async function planOperation(
  execution: Execution,
  { calls, clock, simulations }: PlanOptions,
): Promise<OperationPlan> {
  const { schema, document, operationName, variables, operation } = execution;
  const reader = createDocumentReader(schema, document, operationName, variables);
  const definition = getOperationAST(document, operationName);
  // The execution will say what is wrong with it.
  if (!reader || !definition)
    return { document, refusal: undefined, estimate: () => Promise.reject(new TypeError('It is not executed')) };

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
      `The operation has ${references} representations; it may have ${MAX_REPRESENTATIONS}. Ask for less of them at a time.`,
    );
    return { document, refusal, estimate };
  }
  if (isDryRun) {
    const left = roots.filter(({ name }) => name.value === 'rateLimit' || name.value === '__typename');
    return { document: withRootFields(document, definition, left), refusal: undefined, estimate };
  }
  // Once the execution has begun, some of what it costs is paid, and cached.
  // Where there is no estimate, the field of its own says so.
  if (rateLimitFields.some((field) => selectsCost(field, reader))) await estimate().catch(() => undefined);
  const refusal = simulated && (await refuse(simulated, others, reader, simulations));
  if (rateLimitFields.length === 0 || others.length === 0) return { document, refusal, estimate };
  const split: SplitDocument = {
    others: withRootFields(document, definition, others),
    budget: withRootFields(document, definition, rateLimitFields),
    responseKeys: [...new Set(roots.map(({ alias, name }) => (alias ?? name).value))],
  };
  return { document, split, refusal, estimate };
}

/** Arguments of a root field; none where they do not fit, which the field itself will say. */
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

/** How many representations of a gateway a root field has; undefined: it is not for them. */
function countReferences(schema: GraphQLSchema, node: FieldNode, reader: DocumentReader): number | undefined {
  const { representations } = toArguments(schema, node, reader);
  return Array.isArray(representations) ? representations.length : undefined;
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

/** The refusal of an operation that certainly needs more calls than it may make. */
async function refuse(
  simulated: SimulatedOperation,
  roots: readonly FieldNode[],
  reader: DocumentReader,
  simulations: SimulationQueue,
): Promise<GraphQLError | undefined> {
  const { maxCalls } = simulated.operation;
  const mostNamed = roots.reduce(
    (most, root) =>
      most + (countReferences(simulated.schema, root, reader) ?? 1) * (MAX_CALLS_NAMED + countPages([root], reader)),
    0,
  );
  if (mostNamed <= maxCalls || maxCalls >= LARGEST_COST) return undefined;
  const check = () => simulateNamedCost(simulated, maxCalls);
  // Where the check does not begin soon, the operation is executed without it, and ends at its ceiling.
  const cost = await simulations.run(toRequester(simulated), check, MAX_CHECK_WAIT_MS);
  if (!cost) return undefined;
  const most = cost.routes.reduce((one, other) => (other.atLeast > one.atLeast ? other : one));
  const readers = toServedFields(simulated, reader)(most.path).filter(({ isReader }) => isReader);
  const [field] = [...readers].sort((a, b) => b.count - a.count);
  return new GraphQLError(
    `The operation certainly needs ${cost.atLeast} calls to Postman, of the ${maxCalls} it may make: ${most.atLeast} of them are GET ${most.path}${field ? `, for ${field.coordinate}` : ''}. Ask for less of it at a time.`,
    { extensions: { code: 'OPERATION_TOO_EXPENSIVE', retryable: false, calls: cost.atLeast, ceiling: maxCalls } },
  );
}

/** How often lists are continued below some fields, counted wherever a fragment is spread. */
function countPages(fields: readonly FieldNode[], { fragments }: DocumentReader): number {
  const pagesIn = createSelectionCount(
    (node) => (node.kind === Kind.FIELD && node.arguments?.some(({ name }) => name.value === 'after') ? 1 : 0),
    (name) => fragments.get(name),
  );
  return pagesIn(fields);
}

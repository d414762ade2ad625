/**
 * Part of the operation module, which has the state of one GraphQL operation: its record, context, cost and end. This
 * file exports `createContexts`, which makes the resolvers' contexts, and `limitsOf`. Plugins use this module, so it
 * may not import them, nor `create-upstream.ts` or `shared-slots.ts`: it gets calls and held responses as parts.
 */
import { type ExecutionArgs, getOperationAST, type GraphQLError } from 'graphql';
import type { Config } from '../../config/config.ts';
import { createResultSize } from '../../graph/limits/result-size.ts';
import type { OperationContext } from '../../graph/context.ts';
import { createDocumentReader } from '../../graph/limits/document-reader.ts';
import { createStreamedRows, unscheduledRows } from '../../graph/paging/streamed-rows.ts';
import { createOperationContext } from '../../graph/planning/tracked-reads.ts';
import { createLoaders } from '../../loaders/loaders.ts';
import { type Operation, openOperation } from '../../upstream/calls/operation/operation.ts';
import { toReusableMs } from '../../upstream/cache/freshness.ts';
import { createFailingSession, createPostmanSession } from '../../upstream/calls/postman-session.ts';
import { createScopes } from '../../upstream/collection-format/fields/resolve-variables.ts';
import { UpstreamError } from '../../upstream/http/upstream-error.ts';
import type { CallOrigin } from '../../upstream/observer.ts';
import { parseCacheDirectives } from '../http/cache-control.ts';
import { toDelivery } from '../incremental/incremental.ts';
import { createCollectionTrees } from './collection-trees.ts';
import { toMissingKey } from '../api-key-messages.ts';
import type { PluginParts } from '../plugin-parts.ts';
import { noteStalePath, type RequestRecord } from './request-record.ts';
import type { SpentCalls } from './spent-calls.ts';

// As `CallOrigin` says.
const MAX_NAME_LENGTH = 64;

/** The default and the longest deadline of a request's operation in milliseconds, and its maximum number of calls. */
export function limitsOf({ isIncremental }: RequestRecord, { operation }: Pick<Config, 'operation'>) {
  const { timeoutMs, maxWaitMs, maxCalls, streamTimeoutMs, maxCallsPerStream } = operation;
  return isIncremental
    ? { timeoutMs: streamTimeoutMs, maxWaitMs: streamTimeoutMs, maxCalls: maxCallsPerStream }
    : { timeoutMs, maxWaitMs, maxCalls };
}

type ContextParts = Pick<
  PluginParts,
  'schema' | 'config' | 'calls' | 'heldResponses' | 'spentCalls' | 'clock' | 'slices' | 'operationRecords'
>;

/** Makes the factory of resolver contexts, each of which has its own upstream operation. */
export function createContexts({
  schema,
  config,
  calls,
  heldResponses,
  spentCalls,
  clock,
  slices,
  operationRecords,
}: ContextParts) {
  const { treeOf, countValues } = createCollectionTrees(slices);
  // Per stream: as many as can be in flight at once, and as many to follow them.
  const maxPendingCalls = 2 * config.budget.maxConcurrentCalls;

  const openFor = (record: RequestRecord, request: Request, isStreamed: boolean): Operation | undefined => {
    const { caller } = record;
    if (!caller) return undefined;
    const { timeoutMs, maxWaitMs, maxCalls } = limitsOf(record, config);
    const { waitSeconds } = record.preferences;
    const directives = parseCacheDirectives(request.headers.get('cache-control'));
    const { operation, close, expire } = openOperation({
      keyHash: caller.keyHash,
      apiKey: caller.apiKey,
      clientAddress: record.clientAddress,
      keyBudget: caller.keyBudget,
      origin: toCallOrigin(record),
      heldResponses,
      timeoutMs: waitSeconds === undefined ? timeoutMs : Math.min(waitSeconds * 1_000, maxWaitMs),
      clientGone: record.clientGone,
      maxCalls,
      isStreamed,
      directives,
      reusableMs: toReusableMs(config.cache, directives),
      clock,
    });
    record.operation = operation;
    operationRecords.set(operation, record);
    record.cleanups.push(close);
    record.expire = expire;
    return operation;
  };

  return {
    /** Makes the context of a request, and opens its operation, whose deadline starts now. It fills in the record. */
    create(
      record: RequestRecord,
      request: Request,
      { document, operationName, variableValues }: ExecutionArgs,
    ): OperationContext {
      const definition = getOperationAST(document, operationName);
      const reader = createDocumentReader(schema, document, operationName ?? undefined, variableValues ?? {});
      const delivery = definition && reader && toDelivery(definition, reader);
      const isStreamed = delivery?.isStreamed ?? false;
      if (definition?.name) record.operationName = definition.name.value;
      if (definition) record.operationType = definition.operation;
      record.isIncremental = delivery?.isIncremental ?? false;
      const operation = openFor(record, request, isStreamed);
      const read = createReadValues(countValues);
      const { budget, spentBy, estimate } = readsOfTheMoment(record, config, spentCalls);
      // Later: an executor that is stopped while it completes a value leaves the promises of that value unhandled.
      const stop = (error: GraphQLError) => void setImmediate(() => record.stopExecution.abort(error));
      const resultSize = createResultSize(stop, read.count, config.operation.maxResultBytes);
      record.large = resultSize.large;
      return createOperationContext({
        readAhead: createLoaders(
          operation ? createPostmanSession(calls, operation) : toKeylessSession(request, config),
        ),
        budget,
        spentBy,
        estimate,
        clock,
        treeOf,
        trackRead(value, path) {
          noteStalePath(record, value, path);
          if (Array.isArray(value)) for (const item of value) noteStalePath(record, item, path);
          read.add(value);
        },
        untrackRead: read.drop,
        hasEnded: () => operation?.ended.aborted ?? false,
        reportError: (error) => void record.incomplete.push(error),
        resultSize,
        streamedRows:
          isStreamed && operation
            ? createStreamedRows(operation, {
                maxPendingCalls,
                clock,
                onUnread: (error) => record.incomplete.push(error),
                onRows: (path, count) => record.parts?.rowCounts.set(JSON.stringify(path), count),
              })
            : unscheduledRows,
        slices: slices.open(record.caller?.keyHash ?? record.clientAddress, record.stopExecution),
        revealSecrets: config.revealSecrets,
        isSimulation: false,
        scopeOf: createScopes(config.revealSecrets),
      });
    },
  };
}

/** The session of a request without an API key: each of its reads fails. */
function toKeylessSession(request: Request, { access }: Pick<Config, 'access'>) {
  const message = toMissingKey(request, access.tokens.length > 0);
  return createFailingSession((route) => new UpstreamError('unauthenticated', message, { route }));
}

/** What the context reads that holds at this moment only. */
function readsOfTheMoment(record: RequestRecord, config: Config, spentCalls: SpentCalls) {
  const momentary = <T>(read: () => T) => {
    return () => {
      record.mustExecute = true;
      return read();
    };
  };
  return {
    budget: momentary(() => record.caller?.keyBudget.view.snapshot() ?? null),
    spentBy: momentary(() => readSpentCalls(record, config, spentCalls)),
    estimate: momentary(
      () => record.estimate?.() ?? Promise.reject(new TypeError('Only an operation that is executed has an estimate')),
    ),
  };
}

function readSpentCalls({ caller }: RequestRecord, { access, sandbox }: Config, spentCalls: SpentCalls) {
  // Without an access token, everyone who reaches the server could read who uses its key, and for what.
  const isShown = caller && (!caller.isServerKey || access.tokens.length > 0 || sandbox);
  return isShown ? spentCalls.of(caller.keyHash) : null;
}

/** Says who the calls of a request are counted for. */
function toCallOrigin({ operationName, clientName }: RequestRecord): CallOrigin {
  return {
    operation: operationName?.slice(0, MAX_NAME_LENGTH) ?? null,
    client: clientName?.slice(0, MAX_NAME_LENGTH) ?? null,
  };
}

/** Creates the set of the responses that an operation has read. */
function createReadValues(countValues: (value: object) => number) {
  const read = new Set<object>();
  let droppedCount = 0;
  return {
    add(value: unknown) {
      if (typeof value === 'object' && value !== null) read.add(value);
    },
    /** Drops a response, so that it can be garbage collected. Its values still count. */
    drop(value: object) {
      if (read.delete(value)) droppedCount += countValues(value);
    },
    /** Counts the values in the responses. */
    count: () => [...withItems(read)].reduce((sum, value) => sum + countValues(value), droppedCount),
  };
}

/** Adds the items of lists: a list was tracked only as a whole. */
function withItems(read: ReadonlySet<object>): ReadonlySet<object> {
  const isObject = (item: unknown): item is object => typeof item === 'object' && item !== null;
  return new Set([...read].flatMap((value) => (Array.isArray(value) ? [value, ...value.filter(isObject)] : [value])));
}

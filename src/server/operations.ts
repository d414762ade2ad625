import { type DocumentNode, getOperationAST, type GraphQLSchema, Kind } from 'graphql';
import { isAsyncIterable, type MaskError, type Plugin, type YogaInitialContext } from 'graphql-yoga';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { OperationContext } from '../graph/context.ts';
import { createSliceScheduler } from '../graph/time-slices.ts';
import type { Calls } from '../upstream/calls.ts';
import type { Clock } from '../upstream/clock.ts';
import type { HeldAnswers } from '../upstream/held-answers.ts';
import { setAnswerHeaders } from './answer-headers.ts';
import { executeBudgetLast } from './budget-last.ts';
import { foretell } from './foretelling.ts';
import { type AnswerPart, takesParts } from './incremental/incremental.ts';
import type { ClientAddressOf } from './http/client-address.ts';
import { createOpenStreams } from './incremental/open-streams.ts';
import { createContexts } from './operation-context.ts';
import { createOperationLog } from './operation-log.ts';
import type { NodeContext } from './http/node-context.ts';
import { createPartsDelivery, TAKES_NO_PARTS, toTakesNoParts } from './incremental/parts-delivery.ts';
import { parsePreferences } from './http/prefer.ts';
import { toRefusalResponse } from './http/refusal.ts';
import { createRequestRecord, type RequestRecord, toCost } from './request-record.ts';
import { createSchemaAccess } from './schema-access.ts';
import { createSimulationQueue } from './simulation-queue.ts';
import { stopOperations } from './stop-operations.ts';
import { toStreamRefusal } from './incremental/stream-refusal.ts';
import type { Tenant } from './tenants.ts';
import { withToldErrors } from './answer/told-errors.ts';
import { untilStopped } from './incremental/until-stopped.ts';
import { withWrittenData, writeJson } from './answer/write-json.ts';
import { createWrittenAnswers, toWrittenRefusal } from './answer/written-answers.ts';

/** What operations are made with. */
export interface OperationsOptions {
  readonly schema: GraphQLSchema;
  readonly config: Config;
  readonly calls: Calls;
  readonly heldAnswers: HeldAnswers;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly findTenant: (request: Request) => Tenant | null;
  readonly clientAddressOf: ClientAddressOf;
  /** What errors go through that nothing else sees before a client. */
  readonly maskError: MaskError;
}

/**
 * Makes the part of the server that opens an upstream operation for each GraphQL operation, and closes it with its answer:
 * the context of the resolvers, `extensions.upstream`, the budget's response headers and the line in the log.
 */
export function createOperations({
  schema,
  config,
  calls,
  heldAnswers,
  clock,
  logger,
  findTenant,
  clientAddressOf,
  maskError,
}: OperationsOptions) {
  const records = new WeakMap<Request, RequestRecord>();
  const open = new Set<RequestRecord>();
  const simulations = createSimulationQueue(clock);
  const openStreams = createOpenStreams(config.operation);
  const writtenAnswers = createWrittenAnswers(config.operation.maxWrittenBytes);
  const refuseSchema = createSchemaAccess({ schema, calls, isProduction: config.isProduction, maskError });
  const slices = createSliceScheduler();
  const contexts = createContexts({ schema, config, calls, heldAnswers, clock, slices });

  const finish = (record: RequestRecord) => {
    record.close?.();
    record.closeStream?.();
    open.delete(record);
  };

  const fairShareOf = ({ operation, clientAddress }: RequestRecord) =>
    operation ? calls.fairShareOf(operation) : clientAddress;

  /** Whoever is told to come back will need what has been read for this answer. */
  const holdOver = ({ operation, retryAfterSeconds }: RequestRecord) => {
    if (operation && retryAfterSeconds !== undefined)
      calls.holdOver(operation, clock.nowMs() + retryAfterSeconds * 1_000);
  };

  /** Counts a stream until it ends. */
  const openStream = (record: RequestRecord) => {
    const close = openStreams.open(record.tenant?.name ?? '', fairShareOf(record));
    if (typeof close === 'string') return toStreamRefusal(close, clock.epochMs());
    record.closeStream = () => {
      delete record.closeStream;
      close();
    };
    return undefined;
  };

  const logOperation = createOperationLog(logger, clock, config.sandbox);

  const inParts = createPartsDelivery({
    clock,
    maskError,
    isSandbox: config.sandbox,
    onEnd(record) {
      finish(record);
      holdOver(record);
      logOperation(record, 200);
    },
  });

  const plugin: Plugin<object, NodeContext> = {
    onRequestParse({ request, serverContext }) {
      const record = createRequestRecord({
        startedAtMs: clock.nowMs(),
        clientGone: request.signal,
        clientAddress: clientAddressOf(serverContext.req),
        preferences: parsePreferences(request.headers.get('prefer')),
      });
      records.set(request, record);
      record.tenant = findTenant(request);
    },

    onParse({ context }) {
      return ({ result }) => {
        const record = records.get((context as YogaInitialContext).request);
        if (record && isDocument(result)) record.document = result;
      };
    },

    async onExecute({ args, executeFn, setExecuteFn, setResultAndStopExecution }) {
      const record = records.get(args.contextValue.request);
      if (!record) return;
      const name = getOperationAST(args.document, args.operationName)?.name?.value;
      if (name !== undefined) record.operationName = name;
      const refusedSchema = await refuseSchema(record.operation, args);
      if (refusedSchema) {
        setResultAndStopExecution({ errors: [refusedSchema] });
        return;
      }
      const { document, split, refusal, estimate } = await foretell(
        {
          schema: args.schema,
          document: args.document,
          operationName: args.operationName ?? undefined,
          variables: args.variableValues ?? {},
          operation: record.operation,
        },
        { calls, clock, simulations },
      );
      record.estimate = estimate;
      // Whoever has gone meanwhile need not be answered.
      if (refusal || record.clientGone.aborted) {
        setResultAndStopExecution({ errors: refusal ? [refusal] : [] });
        return;
      }
      const { request } = args.contextValue;
      // A dry run has no parts.
      if (record.isIncremental && document === args.document && !takesParts(request.headers.get('accept'))) {
        setResultAndStopExecution({ errors: [toTakesNoParts()] });
        return;
      }
      const noRoom = record.isIncremental && document === args.document && openStream(record);
      if (noRoom) {
        setResultAndStopExecution({ errors: [noRoom] });
        return;
      }
      args.document = document;
      const { signal } = record.stopExecution;
      // Of a signal, which Envelop's types do not know of, the executor makes a promise that holds something of each part until the stream ends.
      if (record.isIncremental) setExecuteFn(async (given) => untilStopped(Promise.resolve(executeFn(given)), signal));
      else {
        Object.assign(args, { signal });
        if (split) setExecuteFn((given) => executeBudgetLast(executeFn, given, split));
      }
    },

    onResultProcess({ request, result, setResult, serverContext }): void | Promise<void> {
      const record = records.get(request);
      if (!record || Array.isArray(result)) return;
      if (isAsyncIterable(result)) {
        setResult(inParts(record, result as AsyncIterable<AnswerPart>) as typeof result);
        return;
      }
      if (!('data' in result || 'errors' in result)) return;
      // Refused before it was executed, or it turned out to have nothing to deliver later.
      record.isIncremental = false;
      if (record.stopExecution.signal.aborted) record.expire?.();
      finish(record);
      const answer = withToldErrors(record, result);
      holdOver(record);
      const extensions = { ...answer.extensions, upstream: toCost(record, config.sandbox) };
      const { data } = result;
      if (data == null || record.large.length === 0 || record.clientGone.aborted) {
        setResult({ ...answer, extensions });
        return;
      }
      const fairShare = fairShareOf(record);
      const toResult = (written: Buffer) => {
        if (writtenAnswers.hold(fairShare, written.length, serverContext.res)) {
          setResult({ ...answer, extensions, stringify: (whole) => withWrittenData(whole, written) } as typeof result);
          return;
        }
        record.errorsByCause.clear();
        const refused = withToldErrors(record, { errors: [toWrittenRefusal(clock)], extensions });
        holdOver(record);
        setResult(refused);
      };
      const written = slices.open(fairShare, undefined, 'go').run(writeJson(data as object, record.large));
      return written instanceof Promise ? written.then(toResult) : toResult(written);
    },

    onResponse({ request, response, setResponse, fetchAPI }) {
      const record = records.get(request);
      if (!record) {
        // Turned away before it was read: whoever runs the server would look for it here. Its URL may hold anything.
        if (response.status >= 400) logger.info({ status: response.status, method: request.method }, 'request refused');
        return;
      }
      if (record.isIncremental && response.status === TAKES_NO_PARTS.status) {
        // Its Accept looked as if it took parts, and takes none: nobody will ask for them.
        finish(record);
        logOperation(record, response.status);
        setResponse(toRefusalResponse(request, fetchAPI, TAKES_NO_PARTS));
        return;
      }
      setAnswerHeaders(response.headers, record, contexts.limitsOf(record).maxWaitMs);
      // One that is delivered in parts has not ended yet.
      if (!record.isIncremental) logOperation(record, response.status);
    },
  };

  return {
    plugin,

    /** Makes the resolvers' context; the operation's deadline starts here. */
    toContext({ request, params }: YogaInitialContext): OperationContext {
      const record = records.get(request);
      if (!record) throw new TypeError('A context is made for a request that has been parsed');
      open.add(record);
      // Of a client that has gone nothing more may be heard.
      record.clientGone.addEventListener(
        'abort',
        () => {
          finish(record);
          record.stopExecution.abort(record.clientGone.reason);
        },
        { once: true },
      );
      return contexts.create(record, request, params);
    },

    /** Gives open operations a grace period, then has those that still wait answered with what they have. */
    drain: () => stopOperations(open, clock),
  };
}

function isDocument(result: unknown): result is DocumentNode {
  return typeof result === 'object' && result !== null && 'kind' in result && result.kind === Kind.DOCUMENT;
}

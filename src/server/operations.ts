import type { IncomingMessage } from 'node:http';
import {
  type DocumentNode,
  type ExecutionArgs,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  Kind,
} from 'graphql';
import { isAsyncIterable, type MaskError, type Plugin, type YogaInitialContext } from 'graphql-yoga';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { createAnswerSize } from '../graph/answer-size.ts';
import type { Context } from '../graph/context.ts';
import { refuseIntrospection, schemaFields } from '../graph/introspection-size.ts';
import { createSliceScheduler } from '../graph/time-slices.ts';
import { createDocumentReader } from '../graph/served-fields.ts';
import { createStreamedRows, unpacedRows } from '../graph/streamed-rows.ts';
import { createLoaders } from '../loaders/loaders.ts';
import type { Calls } from '../upstream/calls.ts';
import type { Clock } from '../upstream/clock.ts';
import type { HeldAnswers } from '../upstream/held-answers.ts';
import { type Operation, openOperation } from '../upstream/operation.ts';
import { createPostmanApi } from '../upstream/postman-api.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';
import { parseCacheDirectives } from './cache-control.ts';
import { foretell } from './foretelling.ts';
import {
  type AnswerPart,
  type Delivery,
  errorsOf,
  mapIncrementErrors,
  mapParts,
  takesParts,
  toDelivery,
  WHOLE,
  withErrors,
} from './incremental.ts';
import type { ClientAddressOf } from './client-address.ts';
import { createKnownDocuments } from './known-documents.ts';
import { createOpenStreams } from './open-streams.ts';
import { parsePreferWait } from './prefer.ts';
import { toRateLimitFields } from './rate-limit-fields.ts';
import { toRefusalResponse } from './refusal.ts';
import { createRequestRecord, noteErrors, notePlace, type RequestRecord, toCost } from './request-record.ts';
import { createSimulationQueue } from './simulation-queue.ts';
import { stopOperations } from './stop-operations.ts';
import { toStreamRefusal } from './stream-refusal.ts';
import type { Tenant } from './tenants.ts';
import { withWrittenData, writeJson } from './write-json.ts';

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

/** What Yoga is called with for each request of Node's HTTP server. */
interface NodeContext {
  readonly req: IncomingMessage;
}

const LOGGED_NAME_LENGTH = 100;
const TAKES_NO_PARTS = {
  status: 406,
  code: 'BAD_REQUEST',
  message:
    'The answer to an operation with @defer or @stream comes in parts: accept multipart/mixed or text/event-stream.',
} as const;
const NO_SCHEMA = { extensions: { code: 'UNAUTHENTICATED', retryable: false } };

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
  // Of a stream: as many as can be out at once, and as many to follow them.
  const maxUnanswered = 2 * config.budget.maxConcurrentCalls;
  const slices = createSliceScheduler();
  const { treeOf, countValues } = createKnownDocuments(slices);

  const limitsOf = ({ isIncremental: isInParts }: RequestRecord) => {
    const { timeoutMs, maxWaitMs, maxCalls, streamTimeoutMs, maxCallsPerStream } = config.operation;
    return isInParts
      ? { timeoutMs: streamTimeoutMs, maxWaitMs: streamTimeoutMs, maxCalls: maxCallsPerStream }
      : { timeoutMs, maxWaitMs, maxCalls };
  };

  const deliveryOf = (
    { document }: RequestRecord,
    { operationName, variables }: YogaInitialContext['params'],
  ): Delivery => {
    const definition = document && getOperationAST(document, operationName);
    const reader = document && createDocumentReader(schema, document, operationName ?? undefined, variables ?? {});
    return definition && reader ? toDelivery(definition, reader) : WHOLE;
  };

  const openFor = (
    record: RequestRecord,
    request: Request,
    isStreamed: boolean,
  ): Operation | ((route: string) => UpstreamError) => {
    const { tenant } = record;
    if (!tenant) {
      return (route) =>
        new UpstreamError('unauthenticated', 'There is no API key: send one in the X-Api-Key header.', { route });
    }
    const { timeoutMs, maxWaitMs, maxCalls } = limitsOf(record);
    const { operation, close, expire } = openOperation({
      tenant: tenant.name,
      apiKey: tenant.apiKey,
      clientAddress: record.clientAddress,
      keyBudget: tenant.keyBudget,
      heldAnswers,
      timeoutMs: record.waitSeconds === undefined ? timeoutMs : Math.min(record.waitSeconds * 1_000, maxWaitMs),
      clientGone: record.clientGone,
      maxCalls,
      isStreamed,
      directives: parseCacheDirectives(request.headers.get('cache-control')),
      clock,
    });
    record.operation = operation;
    record.close = close;
    record.expire = expire;
    return operation;
  };

  const finish = (record: RequestRecord) => {
    record.close?.();
    record.closeStream?.();
    open.delete(record);
  };

  /** Counts a stream until it ends. */
  const openStream = (record: RequestRecord) => {
    const { tenant, operation, clientAddress } = record;
    const fairShare = operation ? calls.fairShareOf(operation) : clientAddress;
    const close = openStreams.open(tenant?.name ?? '', fairShare);
    if (typeof close === 'string') return toStreamRefusal(close, clock.epochMs());
    record.closeStream = () => {
      delete record.closeStream;
      close();
    };
    return undefined;
  };

  const logOperation = (record: RequestRecord, status: number) => {
    const { sandbox: _, stale, ...cost } = toCost(record, config.sandbox);
    logger.info(
      {
        operation: record.operationName?.slice(0, LOGGED_NAME_LENGTH) ?? null,
        status,
        durationMs: Math.round(clock.nowMs() - record.startedAtMs),
        ...cost,
        stale: stale?.length ?? 0,
        errors: countByCode(record.errorCodes),
        ...(record.clientGone.aborted && { clientGone: true }),
      },
      'operation',
    );
  };

  /** What headers say of an answer that comes at once, the last part says of one that does not. */
  const toLastWords = (record: RequestRecord) => {
    const snapshot = record.tenant?.keyBudget.view.snapshot();
    const fields = snapshot && toRateLimitFields(snapshot);
    return {
      upstream: toCost(record, config.sandbox),
      ...(fields && { rateLimit: fields.rateLimit, rateLimitPolicy: fields.policy }),
      ...(record.retryAfterSeconds !== undefined && { retryAfterSeconds: record.retryAfterSeconds }),
    };
  };

  const toMasked = (error: unknown) => maskError(error, 'Unexpected error.', false) as GraphQLError;

  const inParts = (record: RequestRecord, parts: AsyncIterable<AnswerPart>) => {
    const toLastPart = (part: AnswerPart): AnswerPart => ({
      ...part,
      hasNext: false,
      extensions: { ...part.extensions, ...toLastWords(record) },
    });
    return mapParts(parts, {
      map(part) {
        // An execution that has been ended has the same part again and again.
        const isLast = part.hasNext === false || record.stopExecution.signal.aborted;
        const masked = mapIncrementErrors(part, toMasked);
        const whole = isLast ? withErrors(masked, record.unread.map(toMasked)) : masked;
        noteErrors(record, errorsOf(whole));
        return isLast ? toLastPart(whole) : whole;
      },
      onFailure(error) {
        const errors = [toMasked(error)];
        noteErrors(record, errors);
        return toLastPart({ errors });
      },
      onEnd() {
        finish(record);
        logOperation(record, 200);
      },
      clock,
    });
  };

  /** In production the schema is shown to whoever has a key that upstream accepts: one call finds that out, once. */
  const refuseStranger = async ({ operation }: RequestRecord): Promise<GraphQLError | undefined> => {
    if (!operation) return new GraphQLError('The schema is shown to clients with an API key.', NO_SCHEMA);
    if (calls.isKeyAccepted(operation)) return undefined;
    try {
      await createPostmanApi(calls, operation).getMe();
      return undefined;
    } catch (error) {
      // Postman may refuse this route to a key that it accepts.
      if (calls.isKeyAccepted(operation)) return undefined;
      return toMasked(new GraphQLError('No API key', { originalError: error as Error }));
    }
  };

  /** Validation could say so too, but its verdict is kept for whoever sends the document next. */
  const refuseSchema = (
    record: RequestRecord,
    { document, operationName, variableValues }: ExecutionArgs,
  ): GraphQLError | undefined | Promise<GraphQLError | undefined> => {
    const fields = schemaFields(document, operationName ?? undefined);
    if (fields.length === 0) return undefined;
    const refusal = refuseIntrospection(schema, document, operationName ?? undefined, variableValues ?? {}, fields);
    return refusal ?? (config.isProduction ? refuseStranger(record) : undefined);
  };

  const plugin: Plugin<object, NodeContext> = {
    onRequestParse({ request, serverContext }) {
      const asked = parsePreferWait(request.headers.get('prefer'));
      // No call is made in no time: a second is the least that can be asked for.
      const waitSeconds = asked === undefined ? undefined : Math.max(1, asked);
      const record = createRequestRecord({
        startedAtMs: clock.nowMs(),
        clientGone: request.signal,
        clientAddress: clientAddressOf(serverContext.req),
        waitSeconds,
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

    async onExecute({ args, setResultAndStopExecution }) {
      const record = records.get(args.contextValue.request);
      if (!record) return;
      const name = getOperationAST(args.document, args.operationName)?.name?.value;
      if (name !== undefined) record.operationName = name;
      const refusedSchema = await refuseSchema(record, args);
      if (refusedSchema) {
        setResultAndStopExecution({ errors: [refusedSchema] });
        return;
      }
      const { document, refusal, estimate } = await foretell(
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
        const { message, code, status } = TAKES_NO_PARTS;
        const extensions = { code, retryable: false, http: { status } };
        setResultAndStopExecution({ errors: [new GraphQLError(message, { extensions })] });
        return;
      }
      const noRoom = record.isIncremental && document === args.document && openStream(record);
      if (noRoom) {
        setResultAndStopExecution({ errors: [noRoom] });
        return;
      }
      args.document = document;
      // The executor takes a signal that Envelop's types do not know of.
      Object.assign(args, { signal: record.stopExecution.signal });
    },

    onResultProcess({ request, result, setResult }): void | Promise<void> {
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
      noteErrors(record, result.errors ?? []);
      const extensions = { ...result.extensions, upstream: toCost(record, config.sandbox) };
      const { data } = result;
      if (data == null || record.large.length === 0 || record.clientGone.aborted) {
        setResult({ ...result, extensions });
        return;
      }
      const toResult = (written: Buffer) =>
        setResult({ ...result, extensions, stringify: (whole) => withWrittenData(whole, written) } as typeof result);
      const written = slices.open().run(writeJson(data as object, record.large));
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
      const snapshot = record.tenant?.keyBudget.view.snapshot();
      if (snapshot) {
        const { policy, rateLimit } = toRateLimitFields(snapshot);
        response.headers.set('RateLimit-Policy', policy);
        response.headers.set('RateLimit', rateLimit);
      }
      if (record.retryAfterSeconds !== undefined) response.headers.set('Retry-After', String(record.retryAfterSeconds));
      if (record.waitSeconds !== undefined && record.operation) {
        response.headers.set(
          'Preference-Applied',
          `wait=${Math.min(record.waitSeconds, Math.floor(limitsOf(record).maxWaitMs / 1_000))}`,
        );
      }
      // A proxy that waits for more before it sends a part on, or compresses it with the next ones, takes away what parts are for.
      if (record.isIncremental) response.headers.set('X-Accel-Buffering', 'no');
      response.headers.set('Cache-Control', `private, no-store${record.isIncremental ? ', no-transform' : ''}`);
      response.headers.append('Vary', 'X-Api-Key, Authorization');
      const oldestMs = record.operation?.ages.oldestMs();
      if (oldestMs !== undefined) response.headers.set('Age', String(Math.floor(oldestMs / 1_000)));
      // One that is delivered in parts has not ended yet.
      if (!record.isIncremental) logOperation(record, response.status);
    },
  };

  return {
    plugin,

    /** Makes the resolvers' context; the operation's deadline starts here. */
    toContext({ request, params }: YogaInitialContext): Context {
      const record = records.get(request);
      if (!record) throw new TypeError('A context is made for a request that has been parsed');
      const { isIncremental, isStreamed } = deliveryOf(record, params);
      record.isIncremental = isIncremental;
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
      const keyBudget = record.tenant?.keyBudget;
      const operation = openFor(record, request, isStreamed);
      const read = new Set<object>();
      const countRead = () => [...read].reduce((sum, value) => sum + countValues(value), 0);
      // The executor forgets promises of what it is about when it is stopped in the middle of that.
      const stop = (error: GraphQLError) => void setImmediate(() => record.stopExecution.abort(error));
      const answerSize = createAnswerSize(stop, countRead);
      record.large = answerSize.large;
      return {
        loaders: createLoaders(createPostmanApi(calls, operation)),
        budget: () => keyBudget?.view.snapshot() ?? null,
        estimate: () =>
          record.estimate?.() ?? Promise.reject(new TypeError('An estimate is of an operation that is executed')),
        treeOf,
        placed(value, path) {
          notePlace(record, value, path);
          if (typeof value === 'object' && value !== null) read.add(value);
          return value;
        },
        answerSize,
        streamedRows:
          isStreamed && typeof operation !== 'function'
            ? createStreamedRows(operation, { maxUnanswered, clock, onUnread: (error) => record.unread.push(error) })
            : unpacedRows,
        slices: slices.open(record.stopExecution.signal),
        revealSecrets: config.revealSecrets,
      };
    },

    /** Gives open operations a grace period, then has those that still wait answered with what they have. */
    drain: () => stopOperations(open, clock),
  };
}

function isDocument(result: unknown): result is DocumentNode {
  return typeof result === 'object' && result !== null && 'kind' in result && result.kind === Kind.DOCUMENT;
}

function countByCode(codes: readonly string[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  return Object.fromEntries(counts);
}

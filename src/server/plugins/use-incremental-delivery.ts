import { type ExecutionArgs, getOperationAST, GraphQLError } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { createDocumentReader } from '../../graph/limits/document-reader.ts';
import { parseMediaTypes } from '../http/media-types.ts';
import { toRateLimitFields } from '../http/rate-limit-fields.ts';
import { toRefusalResponse } from '../http/refusal.ts';
import { createAnnouncedParts } from '../incremental/announced-parts.ts';
import {
  type ResultPart,
  mapIncrementErrors,
  mapParts,
  withErrors,
  withErrorsInIncrements,
} from '../incremental/incremental.ts';
import { negotiateParts, type PartRefusal } from '../incremental/negotiate-parts.ts';
import { createOpenStreams, type FullBound } from '../incremental/open-streams.ts';
import { type PartPlan, planParts } from '../incremental/part-plan.ts';
import { removeMarkers } from '../incremental/part-tree.ts';
import { untilStopped } from '../../graph/limits/until-stopped.ts';
import { type SentPart, toPartsResponse } from '../incremental/write-parts.ts';
import { endRequest, fairShareOf, type RequestRecord } from '../operation/request-record.ts';
import { toUpstreamExtension } from '../operation/upstream-extension.ts';
import { toRetryLater } from '../../graph/errors/retry-later.ts';
import { hasRootField } from '../operation/outcome.ts';
import type { PluginParts } from '../plugin-parts.ts';

/** Why a client that accepts no parts, or none in a known format, is refused. */
const NOT_ACCEPTABLE = {
  'no parts': 'An operation with @defer or @stream is delivered in parts: accept multipart/mixed or text/event-stream.',
  'unknown format':
    'Accept names a format of parts that this server does not know. It knows deferSpec=20220824 and ' +
    'incrementalSpec=v0.2, for multipart/mixed and text/event-stream.',
} as const satisfies Record<PartRefusal, string>;

// Streams end at any time, and a retry every few seconds costs next to nothing.
const RETRY_SECONDS = 10;
const TOO_MANY_STREAMS = {
  key: {
    status: 429,
    message: 'The API key has the maximum number of operations with @defer or @stream open.',
  },
  process: {
    status: 503,
    message: 'The server has the maximum number of operations with @defer or @stream open.',
  },
} as const satisfies Record<FullBound, object>;

/**
 * Makes the plugin that delivers the response to an operation with `@defer` or `@stream` in parts. It limits the
 * number of open streams and masks the errors of each part. To the last part it adds what other responses report in
 * headers.
 *
 * @param onEnd - Called once when such a response has ended, however it did.
 */
export function useIncrementalDelivery(parts: PluginParts, onEnd: (record: RequestRecord) => void): Plugin {
  const { records, calls, clock, config, observer } = parts;
  const openStreams = createOpenStreams(config.operation);
  const refusals = new WeakMap<Request, PartRefusal>();

  /** Counts a stream until it ends, or refuses it. */
  const openStream = (record: RequestRecord): GraphQLError | undefined => {
    const close = openStreams.open(record.caller?.keyHash ?? '', fairShareOf(record, calls));
    if (typeof close !== 'string') {
      record.cleanups.push(close);
      if (observer) record.cleanups.push(observer.streamOpened());
      return undefined;
    }
    const { status, message } = TOO_MANY_STREAMS[close];
    return new GraphQLError(`${message} Retry at the time given, or without these directives.`, {
      extensions: { ...toRetryLater('RATE_LIMITED', RETRY_SECONDS, clock.epochMs()), http: { status } },
    });
  };

  const toMap = makePartMap(parts);
  const deliver = (record: RequestRecord, results: AsyncIterable<ResultPart>): AsyncIterable<SentPart> =>
    mapParts(results, {
      ...toMap(record),
      onEnd() {
        endRequest(record);
        onEnd(record);
      },
      stopped: record.stopExecution,
      clock,
    });

  return {
    onExecute({ args, executeFn, setExecuteFn, setResultAndStopExecution }) {
      const { request } = args.contextValue;
      const record = records.get(request);
      if (!record) return;
      const signal = record.stopExecution;
      if (!record.isIncremental) {
        Object.assign(args, { signal });
        return;
      }
      const transport = negotiateParts(parseMediaTypes(request.headers.get('accept') ?? ''));
      if (typeof transport === 'string') {
        const extensions = { code: 'BAD_REQUEST', retryable: false, http: { status: 406 } };
        setResultAndStopExecution({ errors: [new GraphQLError(NOT_ACCEPTABLE[transport], { extensions })] });
        refusals.set(request, transport);
        return;
      }
      const refusal = openStream(record);
      if (refusal) {
        setResultAndStopExecution({ errors: [refusal] });
        return;
      }
      const plan = transport.format === 'incrementalSpec=v0.2' ? planFor(args) : undefined;
      record.parts = { transport, plan, rowCounts: new Map() };
      // No signal here: the executor would make a promise of it that retains data of every part until the stream ends.
      setExecuteFn(async (given) => {
        const execution = Promise.resolve(executeFn(plan ? { ...given, document: plan.document } : given));
        const result = await untilStopped(execution, signal);
        if (plan && !isAsyncIterable(result)) removeMarkers(plan, result.data);
        return result;
      });
    },

    onResultProcess({ request, result, setResult, setResultProcessor }) {
      const record = records.get(request);
      if (!record) return;
      if (record.parts && isAsyncIterable(result)) {
        const { transport } = record.parts;
        setResult(deliver(record, result as AsyncIterable<ResultPart>) as typeof result);
        // Yoga's own choice reads no parameters of a media type, and no `q`.
        setResultProcessor(
          (sent, fetchAPI) => toPartsResponse(sent as AsyncIterable<SentPart>, transport, fetchAPI),
          transport.mediaType,
        );
      }
      // The operation was refused before its execution, or has nothing to deliver later.
      else record.isIncremental = false;
    },

    onResponse({ request, setResponse, fetchAPI }) {
      const refusal = refusals.get(request);
      // Yoga would send this refusal as a part.
      if (refusal === 'unknown format')
        setResponse(
          toRefusalResponse(request, fetchAPI, { status: 406, code: 'BAD_REQUEST', message: NOT_ACCEPTABLE[refusal] }),
        );
    },
  };
}

/** Plans the parts of the operation that is executed. */
function planFor({ schema, document, operationName, variableValues }: ExecutionArgs): PartPlan | undefined {
  const operation = getOperationAST(document, operationName);
  const reader = createDocumentReader(schema, document, operationName ?? undefined, variableValues ?? {});
  return operation && reader ? planParts(schema, document, operation, reader) : undefined;
}

/**
 * Makes the functions that turn the parts of one response into those that the client gets: with masked errors, in the
 * format that it named, and at the end with what other responses report in headers.
 */
function makePartMap({ clock, config, maskError, observer }: PluginParts) {
  const toMasked = (error: unknown) => maskError(error, 'Unexpected error.', false) as GraphQLError;

  const toLastPart = (record: RequestRecord, part: ResultPart): ResultPart => {
    const { errors, caller } = record;
    const snapshot = caller?.keyBudget.view.snapshot();
    const fields = snapshot && toRateLimitFields(snapshot);
    const errorsByCause = errors.byCause.list(clock.epochMs());
    return {
      ...part,
      hasNext: false,
      extensions: {
        ...part.extensions,
        ...(errorsByCause && { errorsByCause }),
        upstream: toUpstreamExtension(record, config.sandbox, clock),
        ...(fields && { rateLimit: fields.rateLimit, rateLimitPolicy: fields.policy }),
        ...(errors.retryAfterSeconds !== undefined && { retryAfterSeconds: errors.retryAfterSeconds }),
      },
    };
  };

  return (record: RequestRecord) => {
    const { parts, stopExecution, clientGone } = record;
    const announced = parts?.plan && createAnnouncedParts(parts.plan, (path) => takeRowCount(parts.rowCounts, path));
    const toSent: (part: ResultPart) => SentPart | undefined = announced ?? withErrorsInIncrements;
    return {
      map(part: ResultPart): SentPart | undefined {
        record.trace?.partMade();
        record.hasData ||= hasRootField(part.data);
        // An aborted execution would yield the same part again and again.
        const isCut = part.hasNext !== false && stopExecution.aborted;
        const isLast = part.hasNext === false || isCut;
        const ends = isCut && !clientGone.aborted ? [stopExecution.reason, ...record.incomplete] : record.incomplete;
        const masked = mapIncrementErrors(part, toMasked);
        const reported = record.errors.reportPart(isLast ? withErrors(masked, ends.map(toMasked)) : masked);
        const sent = toSent(isLast ? toLastPart(record, reported) : reported);
        if (sent) observer?.partMade();
        return sent;
      },
      onFailure(error: unknown): SentPart {
        // After the client has disconnected, nobody reads this part, and nothing is wrong with the server.
        const errors = clientGone.aborted ? [] : [toMasked(error)];
        const last = toLastPart(record, record.errors.reportPart({ errors }));
        return toSent(last) ?? last;
      },
    };
  };
}

function takeRowCount(rowCounts: Map<string, number>, path: readonly (string | number)[]): number | undefined {
  const key = JSON.stringify(path);
  const count = rowCounts.get(key);
  rowCounts.delete(key);
  return count;
}

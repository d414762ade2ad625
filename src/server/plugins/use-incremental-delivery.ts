import { GraphQLError } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { toRateLimitFields } from '../http/rate-limit-fields.ts';
import { toRefusalResponse } from '../http/refusal.ts';
import { type ResultPart, mapIncrementErrors, mapParts, acceptsParts, withErrors } from '../incremental/incremental.ts';
import { createOpenStreams, type FullBound } from '../incremental/open-streams.ts';
import { untilStopped } from '../incremental/until-stopped.ts';
import { endRequest, fairShareOf, type RequestRecord } from '../operation/request-record.ts';
import { toUpstreamExtension } from '../operation/upstream-extension.ts';
import { toRetryLater } from '../../graph/errors/retry-later.ts';
import { hasRootField } from '../operation/outcome.ts';
import type { PluginParts } from '../plugin-parts.ts';

/** The refusal if the client does not accept a response in parts. */
const NOT_ACCEPTABLE = {
  status: 406,
  code: 'BAD_REQUEST',
  message: 'An operation with @defer or @stream is delivered in parts: accept multipart/mixed or text/event-stream.',
} as const;

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
export function useIncrementalDelivery(
  { records, calls, clock, config, maskError, observer }: PluginParts,
  onEnd: (record: RequestRecord) => void,
): Plugin {
  const openStreams = createOpenStreams(config.operation);
  const toMasked = (error: unknown) => maskError(error, 'Unexpected error.', false) as GraphQLError;

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

  const deliver = (record: RequestRecord, parts: AsyncIterable<ResultPart>): AsyncIterable<ResultPart> =>
    mapParts(parts, {
      map(part) {
        record.trace?.partMade();
        record.hasData ||= hasRootField(part.data);
        // An aborted execution would yield the same part again and again.
        const isLast = part.hasNext === false || record.stopExecution.signal.aborted;
        const masked = mapIncrementErrors(part, toMasked);
        const complete = isLast ? withErrors(masked, record.incomplete.map(toMasked)) : masked;
        const reported = record.errors.reportPart(complete);
        observer?.partMade();
        return isLast ? toLastPart(record, reported) : reported;
      },
      onFailure: (error) => toLastPart(record, record.errors.reportPart({ errors: [toMasked(error)] })),
      onEnd() {
        endRequest(record);
        onEnd(record);
      },
      stopped: record.stopExecution.signal,
      clock,
    });

  return {
    onExecute({ args, executeFn, setExecuteFn, setResultAndStopExecution }) {
      const { request } = args.contextValue;
      const record = records.get(request);
      if (!record) return;
      const { signal } = record.stopExecution;
      if (!record.isIncremental) {
        Object.assign(args, { signal });
        return;
      }
      const { status, code, message } = NOT_ACCEPTABLE;
      const refusal = acceptsParts(request.headers.get('accept'))
        ? openStream(record)
        : new GraphQLError(message, { extensions: { code, retryable: false, http: { status } } });
      if (refusal) setResultAndStopExecution({ errors: [refusal] });
      // No signal here: the executor would make a promise of it that retains data of every part until the stream ends.
      else setExecuteFn(async (given) => untilStopped(Promise.resolve(executeFn(given)), signal));
    },

    onResultProcess({ request, result, setResult }) {
      const record = records.get(request);
      if (!record) return;
      if (isAsyncIterable(result)) setResult(deliver(record, result as AsyncIterable<ResultPart>) as typeof result);
      // The operation was refused before its execution, or has nothing to deliver later.
      else record.isIncremental = false;
    },

    onResponse({ request, response, setResponse, fetchAPI }) {
      const record = records.get(request);
      if (!record?.isIncremental || response.status !== NOT_ACCEPTABLE.status) return;
      // The client's Accept seemed to allow parts, but Yoga, which reads it exactly, has refused them.
      record.isIncremental = false;
      endRequest(record);
      setResponse(toRefusalResponse(request, fetchAPI, NOT_ACCEPTABLE));
    },
  };
}

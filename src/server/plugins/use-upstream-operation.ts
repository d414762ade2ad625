import type { Plugin } from 'graphql-yoga';
import type { Context } from '../../graph/context.ts';
import { createExecutor } from '../../graph/execution/execute-plan.ts';
import type { Calls } from '../../upstream/calls/calls.ts';
import type { Clock } from '../../upstream/clock.ts';
import { toClientName } from '../http/client-name.ts';
import type { NodeContext } from '../http/node-context.ts';
import { parsePreferences } from '../http/prefer.ts';
import { createContexts } from '../operation/operation-context.ts';
import { createRequestRecord, endRequest, type RequestRecord } from '../operation/request-record.ts';
import { hasRootField } from '../operation/outcome.ts';
import { createRetainedPlans } from '../operation/retained-plans.ts';
import { onCompleteResult } from './on-complete-result.ts';
import type { PluginParts } from '../plugin-parts.ts';

// About 18 MB: merged selections of fragments can make very many fields of a short document.
const MAX_PLANS_SIZE = 30_000;

/**
 * Makes the plugin that opens an upstream operation and a resolver context for each GraphQL operation. It closes the
 * operation when the result is complete or the client has disconnected. It also makes the request's record, which the
 * plugins after it use.
 *
 * @param open - Gets the records of all requests that are being executed.
 */
export function useUpstreamOperation(parts: PluginParts, open: Set<RequestRecord>): Plugin<Context, NodeContext> {
  const { records, calls, clock, clientAddressOf, findCaller, openTrace } = parts;
  const contexts = createContexts(parts);
  const executePlanned = createExecutor(parts.schema, createRetainedPlans(MAX_PLANS_SIZE));
  return {
    onRequestParse({ request, serverContext }) {
      const record = createRequestRecord({
        startedAtMs: clock.nowMs(),
        requestId: serverContext.requestId,
        trace: openTrace?.(request.method, request.headers.get('traceparent')),
        clientGone: request.signal,
        clientAddress: clientAddressOf(serverContext.req),
        preferences: parsePreferences(request.headers.get('prefer')),
      });
      records.set(request, record);
      // Last, because it throws if the header cannot be a key, and the log line of that refusal needs the record.
      record.caller = findCaller(request.headers.get('x-api-key'));
      const clientName = toClientName(request.headers, record.caller?.apiKey);
      if (clientName !== undefined) record.clientName = clientName;
    },

    onParams({ request }) {
      const record = records.get(request);
      if (record) record.isRead = true;
    },

    onExecute({ args, executeFn, setExecuteFn }) {
      const { request } = args.contextValue;
      const record = records.get(request);
      if (!record) return;
      open.add(record);
      record.cleanups.push(() => open.delete(record));
      // A disconnected client may never trigger another hook, so clean up here.
      record.clientGone.addEventListener(
        'abort',
        () => {
          endRequest(record);
          record.stopExecution.abort(record.clientGone.reason);
        },
        { once: true },
      );
      const context = contexts.create(record, request, args);
      setExecuteFn((given) => {
        given.contextValue = context;
        return record.isIncremental ? executeFn(given) : executePlanned(given, executeFn);
      });
      // Plans depend on what other instances have cached.
      const prepared = record.operation && calls.prepare(record.operation);
      return prepared;
    },

    onResultProcess: onCompleteResult(records, (record, result) => {
      if (record.stopExecution.aborted) record.expire?.();
      endRequest(record);
      record.hasData = hasRootField(result.data);
      return result;
    }),
  };
}

/** Retains the responses read for an operation until its client retries, if it was given a time for that. */
export function retainUntilRetry({ operation, errors }: RequestRecord, calls: Calls, clock: Clock): void {
  const { retryAfterSeconds } = errors;
  if (operation && retryAfterSeconds !== undefined)
    calls.retainForRetry(operation, clock.nowMs() + retryAfterSeconds * 1_000);
}

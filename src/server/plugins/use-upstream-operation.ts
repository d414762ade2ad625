import type { Plugin } from 'graphql-yoga';
import type { Context } from '../../graph/context.ts';
import type { Calls } from '../../upstream/calls/calls.ts';
import type { Clock } from '../../upstream/clock.ts';
import type { NodeContext } from '../http/node-context.ts';
import { parsePreferences } from '../http/prefer.ts';
import { createContexts } from '../operation/operation-context.ts';
import { createRequestRecord, endRequest, type RequestRecord } from '../operation/request-record.ts';
import { onWholeResult } from './on-complete-result.ts';
import type { PluginParts } from '../plugin-parts.ts';

/**
 * Makes the plugin that opens an upstream operation for each GraphQL operation, with the context of its resolvers, and closes it when it has been
 * answered or its client has gone. The plugins after it find the record of the request.
 *
 * @param open - Has the records of those that are executed.
 */
export function useUpstreamOperation(parts: PluginParts, open: Set<RequestRecord>): Plugin<Context, NodeContext> {
  const { records, clock, clientAddressOf, findCaller } = parts;
  const contexts = createContexts(parts);
  return {
    onRequestParse({ request, serverContext }) {
      const record = createRequestRecord({
        startedAtMs: clock.nowMs(),
        clientGone: request.signal,
        clientAddress: clientAddressOf(serverContext.req),
        preferences: parsePreferences(request.headers.get('prefer')),
      });
      records.set(request, record);
      // Last, because it throws where a header cannot be a key, and that answer is logged, too.
      record.caller = findCaller(request);
    },

    onExecute({ args, extendContext }) {
      const { request } = args.contextValue;
      const record = records.get(request);
      if (!record) return;
      open.add(record);
      record.cleanups.push(() => open.delete(record));
      // A client that has gone triggers no other hook.
      record.clientGone.addEventListener(
        'abort',
        () => {
          endRequest(record);
          record.stopExecution.abort(record.clientGone.reason);
        },
        { once: true },
      );
      extendContext(contexts.create(record, request, args));
    },

    onResultProcess: onWholeResult(records, (record, result) => {
      if (record.stopExecution.signal.aborted) record.expire?.();
      endRequest(record);
      return result;
    }),
  };
}

/** Keeps what has been read for an answer until its client comes back for the rest, if it was given a time. */
export function holdOver({ operation, errors }: RequestRecord, calls: Calls, clock: Clock): void {
  const { retryAfterSeconds } = errors;
  if (operation && retryAfterSeconds !== undefined)
    calls.retainForRetry(operation, clock.nowMs() + retryAfterSeconds * 1_000);
}

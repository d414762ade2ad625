import type { IncomingMessage } from 'node:http';
import type { Plugin } from 'graphql-yoga';
import type { Operation } from '../../upstream/calls/operation/operation.ts';
import type { NodeContext } from '../http/node-context.ts';
import { readResponseBody } from '../http/exchange/read-response-body.ts';
import { addVary } from '../http/vary.ts';
import { toEndedOperation } from '../operation/ended-operation.ts';
import type { RequestRecord } from '../operation/request-record.ts';
import type { PluginParts } from '../plugin-parts.ts';
import type { RequestCaller } from '../request-caller.ts';
import type { ResultCache } from '../result-cache/result-cache.ts';

// What holds at one moment, or is set for each response anew.
const MOMENTARY_HEADERS: ReadonlySet<string> = new Set(['ratelimit', 'ratelimit-policy', 'age', 'content-length']);

/**
 * Makes the plugin that stores complete responses for equal requests. It stores only those that are made of nothing but
 * fresh cached responses of Postman, and say nothing about the moment.
 */
export function useResultCache(
  { records, clock }: PluginParts,
  results: ResultCache,
): Plugin<NodeContext, NodeContext> {
  const store = async (
    request: IncomingMessage,
    response: Response,
    record: RequestRecord,
    caller: RequestCaller,
    { meter }: Operation,
  ): Promise<void> => {
    const body = await readResponseBody(response);
    const { ids: _, durationMs: __, ...ended } = toEndedOperation(record, response.status, clock);
    results.store(request, caller, {
      body,
      headers: toRepeatedHeaders(response.headers),
      operation: ended,
      targets: [...meter.servedTargets],
      oldestMs: meter.ages.oldestMs(),
      freshForMs: meter.freshUntilMs - clock.nowMs(),
    });
  };
  return {
    onExecute({ args }) {
      const { request, req } = args.contextValue;
      const caller = records.get(request)?.caller;
      if (caller) results.noteStart(req, caller);
    },

    // Not an async function: most responses are not stored, and would have to wait for its promise.
    onResponse({ request, response, serverContext: { req } }) {
      const record = records.get(request);
      const { caller, operation } = record ?? {};
      if (!record || !caller || !operation || response.status !== 200) return undefined;
      results.notePassed(req);
      const bytes = Number(response.headers.get('content-length') ?? Number.POSITIVE_INFINITY);
      if (!results.accepts(req, bytes) || !isRepeatable(record)) return undefined;
      return store(req, response, record, caller, operation);
    },
  };
}

function toRepeatedHeaders(headers: Headers): readonly string[] {
  // Compression, which comes later, adds it to responses whose length is known.
  addVary(headers, 'Accept-Encoding');
  return [...headers].filter(([name]) => !MOMENTARY_HEADERS.has(name)).flat();
}

function isRepeatable({ operation, errors, incomplete, stale, isIncremental, mustExecute }: RequestRecord): boolean {
  if (!operation || isIncremental || mustExecute) return false;
  const { cost, requestedCalls, freshUntilMs } = operation.meter;
  const isFromCache = cost.cached > 0 && cost.calls + cost.coalesced + requestedCalls === 0;
  const isWhole = errors.codes.size === 0 && incomplete.length === 0;
  return isFromCache && isWhole && stale.size === 0 && Number.isFinite(freshUntilMs);
}

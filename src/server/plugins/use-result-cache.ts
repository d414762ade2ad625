import type { Plugin } from 'graphql-yoga';
import type { NodeContext } from '../http/node-context.ts';
import { readResponseBody } from '../http/exchange/read-response-body.ts';
import { addVary } from '../http/vary.ts';
import { toEndedOperation } from '../operation/ended-operation.ts';
import type { RequestRecord } from '../operation/request-record.ts';
import type { PluginParts } from '../plugin-parts.ts';
import type { ResultCache } from '../result-cache/result-cache.ts';

// What holds at one moment, or is set for each response anew.
const MOMENTARY_HEADERS: ReadonlySet<string> = new Set(['ratelimit', 'ratelimit-policy', 'age', 'content-length']);

/**
 * Makes the plugin that stores complete responses for equal requests. It stores only those that are made of nothing but
 * fresh cached responses of Postman, and say nothing about the moment.
 */
export function useResultCache({ records, clock }: PluginParts, results: ResultCache): Plugin<NodeContext, NodeContext> {
  return {
    onExecute({ args }) {
      const { request, req } = args.contextValue;
      const caller = records.get(request)?.caller;
      if (caller) results.noteStart(req, caller);
    },

    async onResponse({ request, response, serverContext: { req } }) {
      const record = records.get(request);
      const { status, headers } = response;
      const { caller, operation } = record ?? {};
      if (!record || !caller || !operation || status !== 200) return;
      results.notePassed(req);
      if (!isRepeatable(record)) return;
      if (!results.accepts(req, Number(headers.get('content-length') ?? Number.POSITIVE_INFINITY))) return;
      const body = await readResponseBody(response);
      const { ids: _, durationMs: __, ...ended } = toEndedOperation(record, status, clock);
      results.store(req, caller, {
        body,
        headers: toRepeatedHeaders(headers),
        operation: ended,
        targets: [...operation.meter.servedTargets],
        oldestMs: operation.meter.ages.oldestMs(),
        freshForMs: operation.meter.freshUntilMs - clock.nowMs(),
      });
    },
  };
}

function toRepeatedHeaders(headers: Headers): Record<string, string> {
  // Compression, which comes later, adds it to responses whose length is known.
  addVary(headers, 'Accept-Encoding');
  return Object.fromEntries([...headers].filter(([name]) => !MOMENTARY_HEADERS.has(name)));
}

function isRepeatable({ operation, errors, incomplete, stale, isIncremental, isMomentary }: RequestRecord): boolean {
  if (!operation || isIncremental || isMomentary) return false;
  const { cost, requestedCalls, freshUntilMs } = operation.meter;
  const isFromCache = cost.cached > 0 && cost.calls + cost.coalesced + requestedCalls === 0;
  const isWhole = errors.codes.size === 0 && incomplete.length === 0;
  return isFromCache && isWhole && stale.size === 0 && Number.isFinite(freshUntilMs);
}

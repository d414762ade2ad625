import type { Plugin } from 'graphql-yoga';
import type { Logger } from 'pino';
import type { NodeContext } from '../http/node-context.ts';
import { type EndedOperation, toEndedOperation } from '../operation/ended-operation.ts';
import { toRequestIds } from '../operation/request-record.ts';
import type { PluginParts } from '../plugin-parts.ts';

const LOGGED_NAME_LENGTH = 100;

/**
 * Makes the plugin that logs each operation that is not delivered in parts, and requests that were refused before they
 * were read. It also ends their traces.
 */
export function useOperationLog(parts: PluginParts): Plugin<object, NodeContext> {
  const { records, logRefusal, refusalReasons, logger, clock } = parts;
  return {
    onResponse({ request, response: { status }, serverContext: { requestId } }) {
      const record = records.get(request);
      // An operation that is delivered in parts has not ended yet.
      if (record?.isIncremental) return;
      const ended = record && toEndedOperation(record, status, clock);
      if (ended) record.trace?.end(ended);
      if (ended && record.isRead) return logOperation(ended, logger);
      if (status < 400) return;
      const reason = refusalReasons.get(request);
      // The URL is not logged, because it may contain anything.
      logRefusal({
        ...(record ? toRequestIds(record) : { requestId }),
        method: request.method,
        status,
        ...(reason !== undefined && { reason }),
        ...(record && { errors: Object.fromEntries(record.errors.codes) }),
        ...(record?.clientGone.aborted && { clientGone: true }),
      });
    },
  };
}

/** Logs the name, status and cost of an operation and who sent it, but nothing of its content. */
export function logOperation(operation: EndedOperation, logger: Logger): void {
  const { ids, cost, name, errorIds } = operation;
  // The logger omits what is undefined. Spreads would make new hidden classes for each line.
  const fields = {
    requestId: ids.requestId,
    traceId: ids.traceId,
    keyHash: ids.keyHash,
    client: operation.clientName,
    operation: name?.slice(0, LOGGED_NAME_LENGTH) ?? null,
    documentId: operation.documentId,
    status: operation.status,
    durationMs: Math.round(operation.durationMs),
    calls: cost.calls,
    cached: cost.cached,
    coalesced: cost.coalesced,
    waitedMs: cost.waitedMs,
    stale: operation.staleParts,
    errors: Object.fromEntries(operation.errorCodes),
    errorIds: errorIds.length > 0 ? errorIds : undefined,
    clientGone: operation.isClientGone || undefined,
  };
  logger.info(fields, 'operation');
}

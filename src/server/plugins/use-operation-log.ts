import type { Plugin } from 'graphql-yoga';
import type { NodeContext } from '../http/node-context.ts';
import { type RequestRecord, toCost, toRequestIds } from '../operation/request-record.ts';
import type { PluginParts } from '../plugin-parts.ts';

const LOGGED_NAME_LENGTH = 100;

/**
 * Makes the plugin that logs each operation that is not delivered in parts, and requests that were refused before they
 * were read. It also ends their traces.
 */
export function useOperationLog(parts: PluginParts): Plugin<object, NodeContext> {
  const { records, logRefusal, refusalReasons } = parts;
  return {
    onResponse({ request, response: { status }, serverContext: { requestId } }) {
      const record = records.get(request);
      // An operation that is delivered in parts has not ended yet.
      if (record?.isIncremental) return;
      record?.trace?.end(record, status);
      if (record?.isRead) return logOperation(record, status, parts);
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
export function logOperation(record: RequestRecord, status: number, { logger, clock, config }: PluginParts): void {
  const { sandbox: _, stale, ...cost } = toCost(record, config.sandbox);
  const { operationName, clientName, documentId, errors, startedAtMs, clientGone } = record;
  logger.info(
    {
      ...toRequestIds(record),
      ...(clientName !== undefined && { client: clientName }),
      operation: operationName?.slice(0, LOGGED_NAME_LENGTH) ?? null,
      ...(documentId !== undefined && { documentId }),
      status,
      durationMs: Math.round(clock.nowMs() - startedAtMs),
      ...cost,
      stale: stale?.length ?? 0,
      errors: Object.fromEntries(errors.codes),
      ...(errors.errorIds.length > 0 && { errorIds: errors.errorIds }),
      ...(clientGone.aborted && { clientGone: true }),
    },
    'operation',
  );
}

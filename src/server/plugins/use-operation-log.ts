import type { Plugin } from 'graphql-yoga';
import { type RequestRecord, toCost } from '../operation/request-record.ts';
import type { PluginParts } from '../plugin-parts.ts';

const LOGGED_NAME_LENGTH = 100;

/** Makes the plugin that logs each operation that is not delivered in parts, and each request that was refused. */
export function useOperationLog(parts: PluginParts): Plugin {
  const { records, logger } = parts;
  return {
    onResponse({ request, response: { status } }) {
      const record = records.get(request);
      // The request was refused before its body was read. Its URL is not logged, because it may contain anything.
      if (!record && status >= 400) logger.info({ status, method: request.method }, 'request refused');
      // An operation that is delivered in parts has not ended yet.
      if (record && !record.isIncremental) logOperation(record, status, parts);
    },
  };
}

/** Logs the name, status and cost of an operation, but nothing of its content. */
export function logOperation(record: RequestRecord, status: number, { logger, clock, config }: PluginParts): void {
  const { sandbox: _, stale, ...cost } = toCost(record, config.sandbox);
  logger.info(
    {
      operation: record.operationName?.slice(0, LOGGED_NAME_LENGTH) ?? null,
      status,
      durationMs: Math.round(clock.nowMs() - record.startedAtMs),
      ...cost,
      stale: stale?.length ?? 0,
      errors: Object.fromEntries(record.errors.codes),
      ...(record.clientGone.aborted && { clientGone: true }),
    },
    'operation',
  );
}

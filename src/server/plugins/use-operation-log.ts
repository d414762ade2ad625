import type { Plugin } from 'graphql-yoga';
import { type RequestRecord, toCost } from '../operation/request-record.ts';
import type { PluginParts } from '../plugin-parts.ts';

const LOGGED_NAME_LENGTH = 100;

/** Makes the plugin that writes a line into the log for each operation that is answered as a whole, and for each request that was turned away. */
export function useOperationLog(parts: PluginParts): Plugin {
  const { records, logger } = parts;
  return {
    onResponse({ request, response: { status } }) {
      const record = records.get(request);
      // Turned away before it was read: whoever runs the server would look for it here. Its URL may hold anything.
      if (!record && status >= 400) logger.info({ status, method: request.method }, 'request refused');
      // One that is delivered in parts has not ended yet.
      if (record && !record.isIncremental) logOperation(record, status, parts);
    },
  };
}

/** Writes the line of an operation: its name, its status and what it has cost, nothing of its content. */
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

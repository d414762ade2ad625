import type { Logger } from 'pino';
import type { Clock } from '../upstream/clock.ts';
import { type RequestRecord, toCost } from './request-record.ts';

const LOGGED_NAME_LENGTH = 100;

/**
 * Makes what writes the line of an operation into the log: its name, its status and what it did cost, nothing of its content.
 *
 * @param isSandbox - The embedded sandbox answers.
 */
export function createOperationLog(logger: Logger, clock: Clock, isSandbox: boolean) {
  return (record: RequestRecord, status: number): void => {
    const { sandbox: _, stale, ...cost } = toCost(record, isSandbox);
    logger.info(
      {
        operation: record.operationName?.slice(0, LOGGED_NAME_LENGTH) ?? null,
        status,
        durationMs: Math.round(clock.nowMs() - record.startedAtMs),
        ...cost,
        stale: stale?.length ?? 0,
        errors: Object.fromEntries(record.errorCodes),
        ...(record.clientGone.aborted && { clientGone: true }),
      },
      'operation',
    );
  };
}

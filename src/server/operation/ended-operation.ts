import type { OperationTypeNode } from 'graphql';
import type { Clock } from '../../upstream/clock.ts';
import { type OperationOutcome, toOutcome } from './outcome.ts';
import { type RequestRecord, toCost, toRequestIds, type UpstreamCost } from './request-record.ts';

/** An operation whose response is complete, also one that was refused before it was executed, as its observers get it. */
export interface EndedOperation {
  /** What log lines have in common with the operation that caused them. */
  readonly ids: ReturnType<typeof toRequestIds>;
  /** The name that the client gave itself. */
  readonly clientName: string | undefined;
  /** Undefined: the document has no name, or was not executed. */
  readonly name: string | undefined;
  /** Id of the persisted document that was executed. */
  readonly documentId: string | undefined;
  /** Undefined: the document was not executed. */
  readonly type: OperationTypeNode | undefined;
  /** HTTP status of the response. */
  readonly status: number;
  readonly outcome: OperationOutcome;
  /** From the first byte of its request that was read. */
  readonly durationMs: number;
  readonly cost: Omit<UpstreamCost, 'stale' | 'sandbox'>;
  /** How many parts of the response come from stale cached responses. */
  readonly staleParts: number;
  /** Number of errors by code. */
  readonly errorCodes: ReadonlyMap<string, number>;
  /** `errorId`s of the first errors that have one. */
  readonly errorIds: readonly string[];
  /** Its deadline came before its end. */
  readonly isLate: boolean;
  /** The client disconnected before the end of the response. */
  readonly isClientGone: boolean;
}

/** Describes an operation that ends now. */
export function toEndedOperation(record: RequestRecord, status: number, clock: Clock): EndedOperation {
  const { operation, operationName, operationType, clientName, documentId, errors, hasData, startedAtMs } = record;
  const { stale, sandbox: _, ...cost } = toCost(record, false);
  return {
    ids: toRequestIds(record),
    clientName,
    name: operationName,
    documentId,
    type: operationType,
    status,
    outcome: toOutcome(errors.codes.keys(), hasData),
    durationMs: clock.nowMs() - startedAtMs,
    cost,
    staleParts: stale?.length ?? 0,
    errorCodes: errors.codes,
    errorIds: errors.errorIds,
    isLate: operation?.ended.reason === 'deadline',
    isClientGone: record.clientGone.aborted,
  };
}

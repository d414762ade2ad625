import type { OperationTypeNode } from 'graphql';

/**
 * How an operation ended: `ok`: without errors; `partial`: with errors, and with data; `refused`: without data, because
 * of its client or of a limit; `failed`: without data, because of Postman or this server.
 */
export type OperationOutcome = 'ok' | 'partial' | 'refused' | 'failed';

/** An operation whose response is complete, also one that was refused before it was executed. */
export interface EndedOperation {
  /** Undefined: the document was not executed. */
  readonly type: OperationTypeNode | undefined;
  readonly outcome: OperationOutcome;
  /** From the first byte of its request that was read. */
  readonly durationMs: number;
  /** GETs sent to Postman for it. */
  readonly calls: number;
  /** Its deadline came before its end. */
  readonly isLate: boolean;
}

/** Gets the events of operations as they happen. Its methods return at once and never throw. */
export interface OperationObserver {
  operationEnded(operation: EndedOperation): void;
  /** A response in parts has begun. Returns a function to call when it has ended. */
  streamOpened(): () => void;
  /** A part with data or errors was made for a response in parts. */
  partMade(): void;
}

const isFailure = (code: string) => code.startsWith('UPSTREAM_') || code === 'INTERNAL_SERVER_ERROR';

/** Judges a response by the codes of its errors and by whether it has data. */
export function toOutcome(codes: Iterable<string>, hasData: boolean): OperationOutcome {
  const all = [...codes];
  if (all.length === 0) return 'ok';
  if (hasData) return 'partial';
  return all.some(isFailure) ? 'failed' : 'refused';
}

/** Whether a result has a root field that is not null. */
export function hasRootField(data: unknown): boolean {
  return typeof data === 'object' && data !== null && Object.values(data).some((value) => value !== null);
}

import type { EndedOperation } from './ended-operation.ts';

/** The trace of one request: the part of it that this server writes. */
export interface OperationTrace {
  /** 32 hexadecimal digits, also if the trace is not recorded. */
  readonly traceId: string;
  /** A part of a streamed response has been made. */
  partMade(): void;
  /** The response is complete. */
  end(operation: EndedOperation): void;
}

/**
 * Begins the trace of a request.
 *
 * @param traceparent - The value of its header of that name; null if there is none.
 */
export type OpenTrace = (method: string, traceparent: string | null) => OperationTrace;

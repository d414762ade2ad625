import type { RequestRecord } from './request-record.ts';

/** The trace of one request: the part of it that this server writes. */
export interface OperationTrace {
  /** 32 hexadecimal digits, also if the trace is not recorded. */
  readonly traceId: string;
  /** A part of a streamed response has been made. */
  partMade(): void;
  /** The response is complete. */
  end(record: RequestRecord, status: number): void;
}

/** Begins the trace of a request, with its headers and method. */
export type OpenTrace = (request: Pick<Request, 'headers' | 'method'>) => OperationTrace;

import type { OperationTypeNode } from 'graphql';
import type { OperationOutcome } from './outcome.ts';

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

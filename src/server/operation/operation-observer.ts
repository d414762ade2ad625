import type { EndedOperation } from './ended-operation.ts';

/** Gets the events of operations as they happen. Its methods return at once and never throw. */
export interface OperationObserver {
  operationEnded(operation: Pick<EndedOperation, 'type' | 'outcome' | 'durationMs' | 'cost' | 'isLate'>): void;
  /** A response in parts has begun. Returns a function to call when it has ended. */
  streamOpened(): () => void;
  /** A part with data or errors was made for a response in parts. */
  partMade(): void;
}

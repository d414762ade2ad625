import type { ResponsePath } from 'graphql';
import type { Loaders } from '../loaders/loaders.ts';
import type { BudgetSnapshot } from '../upstream/rate-limiter/budget.ts';
import type { Clock } from '../upstream/clock.ts';
import type { CollectionTree } from '../upstream/collection-format/tree/collection-tree.ts';
import type { CollectionDetail } from '../upstream/postman/resources/collections.ts';
import type { ResultSize } from './limits/result-size.ts';
import type { Estimate } from './planning/estimate.ts';
import type { StreamedRows } from './paging/streamed-rows.ts';
import type { TimeSlices } from './limits/time-slices.ts';

/** What one operation is resolved with. */
export interface OperationContext {
  /** The loaders without tracking: what is read ahead is tracked by the field that answers with it. */
  readonly readAhead: Loaders;
  /** Is told of each value, or list of values, that has been read for a place in the answer. */
  readonly trackRead: (value: unknown, path: ResponsePath | undefined) => void;
  /** The context of what is read for a place in the answer. */
  readonly at: (path: ResponsePath | undefined) => Context;
  /** The budget of the key in use; null without a key. */
  readonly budget: () => BudgetSnapshot | null;
  /** For times that are told to people. */
  readonly clock: Pick<Clock, 'epochMs'>;
  /** What the operation costs, foretold without a call. */
  readonly estimate: () => Promise<Estimate>;
  /** The tree of a collection, built once for each answer that holds it. */
  readonly treeOf: (collection: CollectionDetail) => Promise<CollectionTree>;
  /** Bounds the answer. */
  readonly resultSize: ResultSize;
  /** When the rows of streamed lists begin. */
  readonly streamedRows: StreamedRows;
  /** Its turns on the event loop, for what takes long. */
  readonly slices: TimeSlices;
  /** Whether secrets inside the data are shown. */
  readonly revealSecrets: boolean;
}

/** What a resolver gets that declares what it reads; all others get an `OperationContext`, without the loaders. */
export interface Context extends OperationContext {
  /** What they read is tracked, so that the answer can say which of its parts are stale. */
  readonly loaders: Loaders;
}

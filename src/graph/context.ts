import type { ResponsePath } from 'graphql';
import type { Loaders } from '../loaders/loaders.ts';
import type { BudgetSnapshot } from '../upstream/budget.ts';
import type { Clock } from '../upstream/clock.ts';
import type { CollectionTree } from '../upstream/collection-format/collection-tree.ts';
import type { CollectionDetail } from '../upstream/postman/collections.ts';
import type { AnswerSize } from './answer-size.ts';
import type { Estimate } from './estimate.ts';
import type { StreamedRows } from './streamed-rows.ts';
import type { TimeSlices } from './time-slices.ts';

/** What resolvers get to work with, made anew for each operation. */
export interface Context {
  readonly loaders: Loaders;
  /** The budget of the key in use; null without a key. */
  readonly budget: () => BudgetSnapshot | null;
  /**
   * Is told of each value read, or list of values, and where in the answer it goes, so that the answer can say which of its parts are stale. Gives the
   * value back.
   */
  readonly placed: <Value>(value: Value, path: ResponsePath | undefined) => Value;
  /** For times that are told to people. */
  readonly clock: Pick<Clock, 'epochMs'>;
  /** What the operation costs, foretold without a call. */
  readonly estimate: () => Promise<Estimate>;
  /** The tree of a collection, built once for each answer that holds it. */
  readonly treeOf: (collection: CollectionDetail) => Promise<CollectionTree>;
  /** Bounds the answer. */
  readonly answerSize: AnswerSize;
  /** When the rows of streamed lists begin. */
  readonly streamedRows: StreamedRows;
  /** Its turns on the event loop, for what takes long. */
  readonly slices: TimeSlices;
  /** Whether secrets inside the data are shown. */
  readonly revealSecrets: boolean;
}

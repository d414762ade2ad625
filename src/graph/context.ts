import type { GraphQLError, ResponsePath } from 'graphql';
import type { Loaders } from '../loaders/loaders.ts';
import type { BudgetSnapshot } from '../upstream/rate-limiter/budget.ts';
import type { Clock } from '../upstream/clock.ts';
import type { ScopeOf } from '../upstream/collection-format/fields/resolve-variables.ts';
import type { CollectionTree } from '../upstream/collection-format/tree/collection-tree.ts';
import type { CollectionDetail } from '../upstream/postman/resources/collections.ts';
import type { ResultSize } from './limits/result-size.ts';
import type { Estimate } from './planning/estimate.ts';
import type { Selections } from './planning/selection.ts';
import type { StreamedRows } from './paging/streamed-rows.ts';
import type { TimeSlices } from './limits/time-slices.ts';

/** Calls that operations of one name from one client program made in the last hour. */
export interface SpentRow {
  /** null: it has no name. */
  readonly operation: string | null;
  /** null: it sends no name. */
  readonly client: string | null;
  readonly calls: number;
}

/** The context that the resolvers of one operation share. */
export interface OperationContext {
  /** Loaders without tracking, for reading ahead. The field that returns the value tracks it. */
  readonly readAhead: Loaders;
  /** Records that a value, or a list of values, was read for this path of the result. */
  readonly trackRead: (value: unknown, path: ResponsePath | undefined) => void;
  /**
   * Drops a value that was tracked as read and that the result does not use, so that it can be garbage collected. Its
   * size still counts for how large the result may be.
   */
  readonly untrackRead: (value: object) => void;
  /**
   * Reports an error beside the data: the value at its path is incomplete, but not missing. A thrown error would drop
   * that value.
   */
  readonly reportError: (error: GraphQLError) => void;
  /** Whether the operation has ended, so that it makes no further calls. */
  readonly hasEnded: () => boolean;
  /**
   * Only in dry runs: how many matches each collection of a search has. Infinity: every
   * search is full before it reads a collection.
   */
  readonly assumedMatches?: (isFiltered: boolean) => number;
  /** The context whose loaders track what they read under this path of the result. */
  readonly at: (path: ResponsePath | undefined) => Context;
  /** The budget of the key in use; null without a key. */
  readonly budget: () => BudgetSnapshot | null;
  /** Which operations made the calls of the key in use; null: the client may not know, or there is no key. */
  readonly spentBy: () => readonly SpentRow[] | null;
  /** For the times that fields return. */
  readonly clock: Pick<Clock, 'epochMs'>;
  /** What the operation will cost, estimated without calling Postman. */
  readonly estimate: () => Promise<Estimate>;
  /** The tree of a collection, built once for each upstream response. */
  readonly treeOf: (collection: CollectionDetail) => Promise<CollectionTree>;
  /** Counts the values and the text of the result, and ends the operation when they get too large. */
  readonly resultSize: ResultSize;
  /** Decides when the rows of streamed lists start. */
  readonly streamedRows: StreamedRows;
  /** The time slices of the operation on the event loop, for work that takes long. */
  readonly slices: TimeSlices;
  /** Errors that concern many fields and that one of them has reported. */
  readonly reportedErrors: WeakSet<Error>;
  /** The selections that fields of many objects have read. */
  readonly selections: Selections;
  /** Indexes lists of variables by name, each once in an operation. Masks secrets unless they are revealed. */
  readonly scopeOf: ScopeOf;
  /** Whether values of secrets are returned. */
  readonly revealSecrets: boolean;
  /**
   * Whether the operation is simulated, in a dry run. Its trees have one item of each kind, which stands for any
   * number of them, so lists of items must ignore filters and positions.
   */
  readonly isSimulation: boolean;
}

/**
 * The context of resolvers that declare what they read, by `carriedBy` or `reads`. All others get an
 * `OperationContext`, which has no loaders.
 */
export interface Context extends OperationContext {
  /** Loaders that track what they read, so that the response can say which of its parts are stale. */
  readonly loaders: Loaders;
}

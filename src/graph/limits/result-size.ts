/**
 * Bounds the size of results. `boundResults` makes every field count its lists and texts in the `ResultSize` of its
 * operation; searches count what they look at. An operation that passes a bound is stopped as a whole, with one error.
 * This file exports the counter of one operation. It must know no type of the schema and no route of Postman.
 */
import { GraphQLError, type GraphQLResolveInfo, type ResponsePath } from 'graphql';
import { createFieldCount } from './count-fields.ts';

/** Counts what one operation returns and searches, and stops it before it fills the memory or takes minutes. */
export interface ResultSize {
  /**
   * Counts the items of a list, with the fields selected on each.
   *
   * @returns Whether the list takes long to return.
   * @throws {ResultTooLarge}
   */
  list(count: number, info: GraphQLResolveInfo): boolean;
  /**
   * Counts the values that a search looks at, whether they match or not.
   *
   * @throws {ResultTooLarge}
   */
  search(count: number): void;
  /**
   * Counts the characters of a text written as JSON.
   *
   * @throws {ResultTooLarge}
   */
  text(length: number, info: GraphQLResolveInfo): void;
  /** Paths of lists and texts that divide the result so far into pieces, each of which can be written quickly. */
  readonly large: readonly ResponsePath[];
}

/**
 * Thrown past a bound, after the operation has been stopped. It never becomes the error of a field: `boundResults`
 * drops it.
 */
export class ResultTooLarge extends Error {
  override name = 'ResultTooLarge';
}

// Every result may have this many values: a fifth of a second's work.
const FREE_VALUES = 200_000;
// Selecting every field of every item, in all lists that contain it, returns 7 to 30 values per value read from
// Postman, and fewer the more is read.
const VALUES_PER_READ = 20;
// A few seconds' work, in slices.
const MAX_VALUES = 3_000_000;
// Heap bytes per value while the result is built.
const VALUE_BYTES = 140;
// All parts are awaited at the same time.
const MAX_PARTS = 10_000;
// A collection can be as large as the largest upstream response; under a hundred aliases it would not fit into memory.
const MAX_TEXT_LENGTH = 128 * 1_024 * 1_024;
// Returning either amount takes about two milliseconds.
const LARGE_VALUES = 2_000;
const LARGE_TEXT_LENGTH = 256 * 1_024;

/**
 * Makes the counter of one operation.
 *
 * The number of upstream calls bounds what is read, but not what is returned: folders lead to requests and requests
 * back to folders, so a query of a few hundred bytes can select the same thousand requests a million times, with a
 * hundred aliases on each. So a result may have 200,000 values, plus 20 for each value read from Postman, and
 * 3,000,000 at most.
 *
 * @param stop - Stops the whole execution with this error. Otherwise each of a million fields would have an error.
 * @param countRead - Returns how many JSON values the operation has read so far. Without it the bound is 3,000,000
 *   values.
 * @param maxBytes - Heap bytes that the values of the result may take. Default: no bound.
 */
export function createResultSize(
  stop: (error: GraphQLError) => void,
  countRead?: () => number,
  maxBytes: number = Number.POSITIVE_INFINITY,
): ResultSize {
  const countSelected = createFieldCount();
  const mostValues = Math.min(MAX_VALUES, Math.floor(maxBytes / VALUE_BYTES));
  let maxValues = Math.min(mostValues, countRead ? FREE_VALUES : MAX_VALUES);
  let values = 0;
  let parts = 0;
  let textLength = 0;
  const large: ResponsePath[] = [];
  const refuse = (action: string): never => {
    stop(
      new GraphQLError(`The operation would ${action}. Select less per operation, or page through the lists.`, {
        extensions: { code: 'OPERATION_TOO_EXPENSIVE', retryable: false },
      }),
    );
    throw new ResultTooLarge();
  };
  const add = (count: number) => {
    values += count;
    // More may have been read since.
    if (values > maxValues && countRead) maxValues = Math.min(mostValues, FREE_VALUES + VALUES_PER_READ * countRead());
    if (values > maxValues) refuse(`return or search more than ${maxValues} values`);
  };
  return {
    list(count, info) {
      const selected = countSelected(info);
      parts += count * selected.parts;
      if (parts > MAX_PARTS) refuse(`return its result in more than ${MAX_PARTS} parts`);
      const listed = count * (1 + selected.fields);
      add(listed);
      if (passesMultiple(values, listed, LARGE_VALUES)) large.push(info.path);
      return listed >= LARGE_VALUES;
    },
    search: add,
    text(length, info) {
      textLength += length;
      if (passesMultiple(textLength, length, LARGE_TEXT_LENGTH)) large.push(info.path);
      if (textLength > MAX_TEXT_LENGTH) refuse(`return more than ${MAX_TEXT_LENGTH} characters of text`);
    },
    large,
  };
}

/** Whether the last addition made a sum pass a multiple of `step`. */
function passesMultiple(sum: number, added: number, step: number): boolean {
  return Math.floor(sum / step) > Math.floor((sum - added) / step);
}

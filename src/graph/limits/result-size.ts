import { GraphQLError, type GraphQLResolveInfo, type ResponsePath } from 'graphql';
import { createFieldCount } from './count-fields.ts';

/** Counts what an operation answers and searches, and ends it before it fills the memory or takes minutes. */
export interface ResultSize {
  /** Counts so many items, with the fields selected on each. @returns Whether that takes long to answer. @throws {ResultTooLarge} */
  list(count: number, info: GraphQLResolveInfo): boolean;
  /** Counts what a search has to look at, found or not. @throws {ResultTooLarge} */
  search(count: number): void;
  /** Counts characters of a text as JSON writes them. @throws {ResultTooLarge} */
  text(length: number, info: GraphQLResolveInfo): void;
  /** Lists and texts that cut the answer, so far, into pieces none of which takes long to write. */
  readonly large: readonly ResponsePath[];
}

/** Thrown past a bound, when the operation has been stopped. No field answers with it: `boundAnswers` sees to that. */
export class ResultTooLarge extends Error {
  override name = 'ResultTooLarge';
}

// What every answer may have: a fifth of a second's work.
const FREE_VALUES = 200_000;
// Everything about every item, in all the lists that have it, comes to 7 to 30 values for each that is read, and to less the more is read.
const VALUES_PER_READ = 20;
// A few seconds' work, in slices.
const MAX_VALUES = 3_000_000;
// What a value takes on the heap while its answer is made.
const VALUE_BYTES = 140;
// Each is awaited beside all others.
const MAX_PARTS = 10_000;
// A collection can be as large as one answer of upstream; asked for under a hundred aliases it would not fit into memory.
const MAX_TEXT_LENGTH = 128 * 1_024 * 1_024;
// Either is answered in about two milliseconds.
const LARGE_VALUES = 2_000;
const LARGE_TEXT_LENGTH = 256 * 1_024;

/**
 * Makes the count of one operation.
 *
 * Upstream calls bound what is read, not what is answered: folders lead to requests and requests back to folders, so a query
 * of a few hundred bytes can name the same thousand requests a million times, and a hundred aliases on each of them. So an
 * answer may have 200,000 values, and 20 more for each that has been read.
 *
 * @param stop - Ends the execution as a whole, with this error: past the bound there would be one error for each of a million fields.
 * @param countRead - Counts the values of JSON that the operation has read so far. Without it the bound is that of the largest answers.
 * @param maxBytes - What its values may take on the heap.
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
  const refuse = (what: string): never => {
    stop(
      new GraphQLError(`The operation would ${what}. Ask for less of it at a time, or page through it.`, {
        extensions: { code: 'OPERATION_TOO_EXPENSIVE', retryable: false },
      }),
    );
    throw new ResultTooLarge();
  };
  const add = (count: number) => {
    values += count;
    // More may have been read since.
    if (values > maxValues && countRead) maxValues = Math.min(mostValues, FREE_VALUES + VALUES_PER_READ * countRead());
    if (values > maxValues) refuse(`answer or search more than ${maxValues} values`);
  };
  return {
    list(count, info) {
      const selected = countSelected(info);
      parts += count * selected.parts;
      if (parts > MAX_PARTS) refuse(`have its answer in more than ${MAX_PARTS} parts`);
      const listed = count * (1 + selected.fields);
      add(listed);
      if (passesMultiple(values, listed, LARGE_VALUES)) large.push(info.path);
      return listed >= LARGE_VALUES;
    },
    search: add,
    text(length, info) {
      textLength += length;
      if (passesMultiple(textLength, length, LARGE_TEXT_LENGTH)) large.push(info.path);
      if (textLength > MAX_TEXT_LENGTH) refuse(`answer more than ${MAX_TEXT_LENGTH} characters of text`);
    },
    large,
  };
}

/** Whether a sum has passed a multiple of `step` with what was added last. */
function passesMultiple(sum: number, added: number, step: number): boolean {
  return Math.floor(sum / step) > Math.floor((sum - added) / step);
}

import { GraphQLError, type GraphQLResolveInfo } from 'graphql';
import { createFieldCount } from './field-count.ts';

/** Counts what an operation answers and searches, and ends it before it fills the memory or takes minutes. Resolvers pass what they answer through it. */
export interface AnswerSize {
  /** Counts each item, with the fields selected on it. @throws {GraphQLError} OPERATION_TOO_EXPENSIVE */
  list<Item>(items: readonly Item[], info: GraphQLResolveInfo): Item[];
  /** Counts what a search has to look at, found or not. @throws {GraphQLError} OPERATION_TOO_EXPENSIVE */
  search(count: number): void;
  /** Counts a value of a field without fields of its own, by the length of its JSON, and hands it on. @throws {GraphQLError} OPERATION_TOO_EXPENSIVE */
  text<Value>(value: Value): Value;
}

// Several times what every field of the largest collections known comes to, and a few seconds' work.
const MAX_VALUES = 3_000_000;
// A collection can be as large as one answer of upstream; asked for under a hundred aliases it would not fit into memory.
const MAX_TEXT_LENGTH = 128 * 1_024 * 1_024;
const ESCAPED = /["\\\p{Cc}\p{Cs}]/u;

/**
 * Makes the count of one operation.
 *
 * Upstream calls bound what is read, not what is answered: folders lead to requests and requests back to folders, so a query
 * of a few hundred bytes can name the same thousand requests a million times, and a hundred aliases on each of them.
 *
 * @param stop - Ends the execution as a whole, with this error: past the bound there would be one error for each of a million fields.
 */
export function createAnswerSize(stop: (error: GraphQLError) => void): AnswerSize {
  const fieldCount = createFieldCount();
  let values = 0;
  let textLength = 0;
  const refuse = (what: string): never => {
    const error = new GraphQLError(`The operation would ${what}. Ask for less of it at a time, or page through it.`, {
      extensions: { code: 'OPERATION_TOO_EXPENSIVE', retryable: false },
    });
    stop(error);
    throw error;
  };
  const add = (count: number) => {
    values += count;
    if (values > MAX_VALUES) refuse(`answer or search more than ${MAX_VALUES} values`);
  };
  return {
    list(items, info) {
      add(items.length * (1 + fieldCount(info)));
      return [...items];
    },
    search: add,
    text(value) {
      if (value != null) textLength += writtenLength(value);
      if (textLength > MAX_TEXT_LENGTH) refuse(`answer more than ${MAX_TEXT_LENGTH} characters of text`);
      return value;
    },
  };
}

/** Escaped, text is up to six times as long, and Node holds none of 512 MiB. */
function writtenLength(value: unknown): number {
  return typeof value === 'string' && !ESCAPED.test(value) ? value.length : JSON.stringify(value).length;
}

import { GraphQLError } from 'graphql';

/** Counts what an operation's answer holds, and ends it before it fills the memory. Resolvers pass what they answer through it. */
export interface AnswerSize {
  /** @throws {GraphQLError} OPERATION_TOO_EXPENSIVE */
  list<Item>(items: readonly Item[]): Item[];
  /** For texts that can be long. @throws {GraphQLError} OPERATION_TOO_EXPENSIVE */
  text<Text extends string | null>(text: Text): Text;
}

// Several times what every field of the largest collections known comes to.
const MAX_OBJECTS = 250_000;
// A collection can be as large as one answer of upstream; asked for under a hundred aliases it would not fit into memory.
const MAX_TEXT_LENGTH = 128 * 1_024 * 1_024;

/**
 * Makes the count of one operation.
 *
 * Upstream calls bound what is read, not what is answered: folders lead to requests and requests back to folders, so a query
 * of a few hundred bytes can name the same thousand requests a million times.
 *
 * @param stop - Ends the execution as a whole, with this error: past the bound there would be one error for each of a million fields.
 */
export function createAnswerSize(stop: (error: GraphQLError) => void): AnswerSize {
  let objects = 0;
  let textLength = 0;
  const refuse = (what: string): never => {
    const error = new GraphQLError(`The answer would hold ${what}. Ask for less of it at a time, or page through it.`, {
      extensions: { code: 'OPERATION_TOO_EXPENSIVE', retryable: false },
    });
    stop(error);
    throw error;
  };
  return {
    list(items) {
      objects += items.length;
      if (objects > MAX_OBJECTS) refuse(`more than ${MAX_OBJECTS} objects in lists`);
      return [...items];
    },
    text(text) {
      textLength += text?.length ?? 0;
      if (textLength > MAX_TEXT_LENGTH) refuse(`more than ${MAX_TEXT_LENGTH} characters of text`);
      return text;
    },
  };
}

import { GraphQLError } from 'graphql';

/**
 * Makes the error for an argument that no upstream call could be made with.
 *
 * @param message - What was wrong and what is allowed, for the person who wrote the query.
 * @returns A GraphQL error with code `BAD_USER_INPUT`.
 */
export function badUserInput(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', retryable: false } });
}

import { randomUUID } from 'node:crypto';
import { GraphQLError } from 'graphql';
import type { MaskError } from 'graphql-yoga';
import type { Logger } from 'pino';
import { toGraphQLError } from '../graph/to-graphql-error.ts';

/**
 * Makes the function every error goes through before a client sees it: upstream errors get their code, GraphQL's own pass,
 * and everything unexpected becomes "Unexpected error." with an id that stands in the log beside the cause.
 */
export function createErrorMask(logger: Logger): MaskError {
  return (error) => {
    if (error instanceof GraphQLError) {
      const translated = toGraphQLError(error, Date.now());
      if (translated) return translated;
      if (isOwn(error)) {
        if (error.extensions['code'] !== undefined) return error;
        if (isAboutInput(error)) return withInputCode(error);
      }
    }
    const errorId = randomUUID();
    const cause = error instanceof GraphQLError ? error.originalError : error;
    logger.error(
      { errorId, err: cause, path: error instanceof GraphQLError ? error.path : undefined },
      'unexpected error',
    );
    return new GraphQLError('Unexpected error.', {
      ...(error instanceof GraphQLError && error.nodes && { nodes: error.nodes }),
      ...(error instanceof GraphQLError && error.path && { path: error.path }),
      extensions: {
        code: 'INTERNAL_SERVER_ERROR',
        retryable: false,
        errorId,
        // A field's failure leaves the rest of the answer good.
        ...(!(error instanceof GraphQLError && error.path) && { http: { status: 500 } }),
      },
    });
  };
}

/**
 * GraphQL itself gives no codes. What it refuses before it executes, and what it locates inside the query by itself, is a
 * variable or an argument; without either, it is a value of ours that does not fit its type.
 */
function isAboutInput(error: GraphQLError): boolean {
  const cause = error.originalError;
  return error.path === undefined || (cause instanceof GraphQLError && cause.nodes !== undefined);
}

function withInputCode(error: GraphQLError): GraphQLError {
  return new GraphQLError(error.message, {
    ...(error.nodes && { nodes: error.nodes }),
    ...(error.path && { path: error.path }),
    extensions: { code: 'BAD_USER_INPUT', retryable: false, ...error.extensions },
  });
}

/** True for an error that was made for clients: by GraphQL's validation, or by a resolver that threw a GraphQLError. */
function isOwn(error: GraphQLError): boolean {
  return error.originalError == null || (error.originalError instanceof GraphQLError && isOwn(error.originalError));
}

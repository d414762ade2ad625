import { randomUUID } from 'node:crypto';
import { GraphQLError } from 'graphql';
import type { MaskError } from 'graphql-yoga';
import type { Logger } from 'pino';
import { toGraphQLError } from '../../graph/errors/to-graphql-error.ts';
import type { Clock } from '../../upstream/clock.ts';
import { UpstreamError } from '../../upstream/http/upstream-error.ts';
import { createErrorLog } from './error-log.ts';

/**
 * Makes the function that masks every error before a client sees it. Upstream errors get their code, and GraphQL's own
 * errors pass. Every other error becomes "Unexpected error." with an id, under which the log has the cause.
 */
export function createErrorMask(logger: Logger, clock: Clock): MaskError {
  const log = createErrorLog(logger);
  const logged = new WeakSet<UpstreamError>();
  /**
   * Logs why a connection failed or a body cannot be read, once for all fields that share the call. The operator needs
   * to know, the client does not.
   */
  const logCause = (failure: unknown) => {
    if (!(failure instanceof UpstreamError) || failure.cause === undefined || logged.has(failure)) return;
    logged.add(failure);
    log.warn({ route: failure.route, kind: failure.kind, err: failure.cause }, 'upstream failed');
  };
  return (error) => {
    if (error instanceof GraphQLError) {
      logCause(error.originalError);
      const translated = toGraphQLError(error, clock);
      if (translated) return translated;
      if (isMadeForClients(error)) {
        if (error.extensions['code'] !== undefined) return error;
        if (isAboutInput(error)) return withInputCode(error);
      }
    }
    const errorId = randomUUID();
    const { path, nodes, originalError } = error instanceof GraphQLError ? error : { originalError: error };
    log.error({ errorId, err: originalError, path }, 'unexpected error');
    return new GraphQLError('Unexpected error.', {
      ...(nodes && { nodes }),
      ...(path && { path }),
      // If only a field failed, the rest of the response is valid, so its status stays 200.
      extensions: { code: 'INTERNAL_SERVER_ERROR', retryable: false, errorId, ...(!path && { http: { status: 500 } }) },
    });
  };
}

/**
 * Whether an error without a code is about a variable or an argument: it comes before the execution, or GraphQL located
 * it in the query itself. Any other is about a value of this server that does not fit its type.
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

/**
 * Whether an error is meant for clients: it comes from GraphQL's validation, or a resolver threw it as a GraphQLError.
 */
function isMadeForClients(error: GraphQLError): boolean {
  return (
    error.originalError == null ||
    (error.originalError instanceof GraphQLError && isMadeForClients(error.originalError))
  );
}

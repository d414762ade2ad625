import { randomUUID } from 'node:crypto';
import { GraphQLError } from 'graphql';
import type { MaskError } from 'graphql-yoga';
import type { Logger } from 'pino';
import { toGraphQLError } from '../../graph/errors/to-graphql-error.ts';
import type { Clock } from '../../upstream/clock.ts';
import { redact } from '../../upstream/http/redact.ts';
import { UpstreamError } from '../../upstream/http/upstream-error.ts';

const MAX_CAUSES = 3;
const MAX_FRAMES = 20;

/**
 * Makes the function every error goes through before a client sees it: upstream errors get their code, GraphQL's own pass,
 * and everything unexpected becomes "Unexpected error." with an id that stands in the log beside the cause.
 */
export function createErrorMask(logger: Logger, clock: Clock): MaskError {
  // pino's own serializer copies whole messages and every property.
  const log = logger.child({}, { serializers: { err: (cause: unknown) => toLogged(cause, MAX_CAUSES) } });
  const logged = new WeakSet<UpstreamError>();
  /** A client has no use for why a connection failed or a body cannot be read; whoever runs the server has, once for all fields that share the call. */
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
      // A field's failure leaves the rest of the answer good.
      extensions: { code: 'INTERNAL_SERVER_ERROR', retryable: false, errorId, ...(!path && { http: { status: 500 } }) },
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
function isMadeForClients(error: GraphQLError): boolean {
  return (
    error.originalError == null ||
    (error.originalError instanceof GraphQLError && isMadeForClients(error.originalError))
  );
}

/**
 * Says what an error is and where it comes from, never what it was about: messages quote values, which may be an API key or
 * a part of what upstream sent. Messages name first what is wrong, and end here at the first quotation, list or colon.
 */
function toLogged(cause: unknown, causesLeft: number): object {
  if (!(cause instanceof Error)) return { type: typeof cause };
  const { name, message, stack = '' } = cause;
  const code = 'code' in cause && typeof cause.code === 'string' ? redact(cause.code) : undefined;
  // The stack begins with the message, whose lines may look like frames.
  const frames = stack.includes(message) ? stack.slice(stack.indexOf(message) + message.length).split('\n') : [];
  return {
    type: redact(name),
    message: redact(message.split(/["'`:{[\n]/, 1)[0] ?? ''),
    ...(code !== undefined && { code }),
    stack: frames
      .filter((line) => line.startsWith('    at '))
      .slice(0, MAX_FRAMES)
      .map((line) => redact(line))
      .join('\n'),
    ...(cause.cause !== undefined && causesLeft > 0 && { cause: toLogged(cause.cause, causesLeft - 1) }),
  };
}

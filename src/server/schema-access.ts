import { type ExecutionArgs, GraphQLError, type GraphQLSchema } from 'graphql';
import type { MaskError } from 'graphql-yoga';
import { refuseIntrospection, schemaFields } from '../graph/introspection-size.ts';
import type { Calls } from '../upstream/calls.ts';
import type { Operation } from '../upstream/operation.ts';
import { meCall } from '../upstream/postman/me.ts';
import { createPostmanSession } from '../upstream/postman/session.ts';

/** What decides who is shown the schema. */
export interface SchemaAccessOptions {
  readonly schema: GraphQLSchema;
  readonly calls: Calls;
  readonly isProduction: boolean;
  readonly maskError: MaskError;
}

/**
 * Decides whether a document that asks for the schema is executed.
 *
 * @param operation - undefined: there is no key.
 * @returns Why it is not; undefined where it is, or asks for nothing of the schema.
 */
export type RefuseSchema = (
  operation: Operation | undefined,
  args: ExecutionArgs,
) => GraphQLError | undefined | Promise<GraphQLError | undefined>;

const NO_SCHEMA = { extensions: { code: 'UNAUTHENTICATED', retryable: false } };

/** Makes what bounds introspection and, in production, keeps it from strangers. */
export function createSchemaAccess({ schema, calls, isProduction, maskError }: SchemaAccessOptions): RefuseSchema {
  /** In production the schema is shown to whoever has a key that upstream accepts: one call finds that out, once. */
  const refuseStranger = async (operation: Operation | undefined): Promise<GraphQLError | undefined> => {
    if (!operation) return new GraphQLError('The schema is shown to clients with an API key.', NO_SCHEMA);
    if (calls.apiKeys.isAccepted(operation.caller.tenant)) return undefined;
    try {
      await createPostmanSession(calls, operation).get(meCall());
      return undefined;
    } catch (error) {
      // Postman may refuse this route to a key that it accepts.
      if (calls.apiKeys.isAccepted(operation.caller.tenant)) return undefined;
      const refusal = new GraphQLError('No API key', { originalError: error as Error });
      return maskError(refusal, 'Unexpected error.', false) as GraphQLError;
    }
  };

  // Validation could say so too, but its verdict is kept for whoever sends the document next.
  return (operation, { document, operationName, variableValues }) => {
    const fields = schemaFields(document, operationName ?? undefined);
    if (fields.length === 0) return undefined;
    const refusal = refuseIntrospection(schema, document, operationName ?? undefined, variableValues ?? {}, fields);
    return refusal ?? (isProduction ? refuseStranger(operation) : undefined);
  };
}

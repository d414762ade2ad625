import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { refuseIntrospection, schemaFields } from '../../graph/limits/introspection-size.ts';
import type { Operation } from '../../upstream/calls/operation/operation.ts';
import { meCall } from '../../upstream/postman/resources/me.ts';
import { createPostmanSession } from '../../upstream/calls/postman-session.ts';
import type { PluginParts } from '../plugin-parts.ts';

const NO_SCHEMA = { extensions: { code: 'UNAUTHENTICATED', retryable: false } };

/**
 * Makes the plugin that limits introspection. In production it shows the schema only to clients whose API key Postman
 * accepts; it makes one call per key to find that out. This cannot be a validation rule, because the result of
 * validation is cached and would apply to the next client that sends the same document.
 */
export function useIntrospectionGuard({
  records,
  schema,
  calls,
  config: { isProduction },
  maskError,
}: PluginParts): Plugin {
  const refuseUnknownKey = async (operation: Operation | undefined): Promise<GraphQLError | undefined> => {
    if (!operation) return new GraphQLError('The schema is shown only to clients with an API key.', NO_SCHEMA);
    if (calls.apiKeys.isAccepted(operation.caller.keyHash)) return undefined;
    try {
      await createPostmanSession(calls, operation).get(meCall());
      return undefined;
    } catch (error) {
      // Postman may accept the key, but refuse it this route.
      if (calls.apiKeys.isAccepted(operation.caller.keyHash)) return undefined;
      const refusal = new GraphQLError('No API key', { originalError: error as Error });
      return maskError(refusal, 'Unexpected error.', false) as GraphQLError;
    }
  };

  return {
    // Not an async function: most operations select no schema, and would have to wait for its promise.
    onExecute({ args, setResultAndStopExecution }) {
      const { document, operationName, variableValues, contextValue } = args;
      const fields = schemaFields(document, operationName ?? undefined);
      if (fields.length === 0) return undefined;
      const tooLarge = refuseIntrospection(schema, document, operationName ?? undefined, variableValues ?? {}, fields);
      const operation = records.get(contextValue.request)?.operation;
      const refuse = (refusal: GraphQLError | undefined) => {
        if (refusal) setResultAndStopExecution({ errors: [refusal] });
      };
      return isProduction && !tooLarge ? refuseUnknownKey(operation).then(refuse) : refuse(tooLarge);
    },
  };
}

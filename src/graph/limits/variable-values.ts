import { type GraphQLResolveInfo, type GraphQLSchema, getVariableValues, type OperationDefinitionNode } from 'graphql';

/** Variables as graphql's own functions take them: in graphql 16 values by name, in 17 with their sources too. */
export type VariableValues = GraphQLResolveInfo['variableValues'];

/** The coerced variables of an operation, in two forms. */
export interface CoercedVariables {
  readonly variableValues: VariableValues;
  /** Values by name, with defaults. */
  readonly variables: Readonly<Record<string, unknown>>;
}

/**
 * Coerces the variables of an operation under graphql 16 and 17.
 *
 * @param sent - As the client sent them.
 * @returns undefined if they do not fit the operation.
 */
export function coerceVariables(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: Pick<OperationDefinitionNode, 'variableDefinitions'>,
  sent: Readonly<Record<string, unknown>>,
): CoercedVariables | undefined {
  // Each error quotes all that was sent, and a client can send a hundred thousand wrong values.
  const result: object = getVariableValues(schema, variableDefinitions, sent, { maxErrors: 1 });
  const { variableValues, coerced } = result as {
    readonly variableValues?: VariableValues & { readonly coerced: CoercedVariables['variables'] };
    readonly coerced?: VariableValues & CoercedVariables['variables'];
  };
  if (variableValues) return { variableValues, variables: variableValues.coerced };
  return coerced && { variableValues: coerced, variables: coerced };
}

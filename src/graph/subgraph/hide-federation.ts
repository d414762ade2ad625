import type { GraphQLSchema } from 'graphql';

// Names of Apollo Federation begin with one underscore; two are reserved for GraphQL.
const FEDERATION_NAME = /^_[^_]/;

/**
 * Hides the types and root fields of federation from introspection and `printSchema` by making them non-enumerable.
 * They are still found by name, so they are validated and executed like all others.
 *
 * @param schema - Is changed in place.
 */
export function hideFromIntrospection(schema: GraphQLSchema): void {
  for (const named of [schema.getTypeMap(), schema.getQueryType()?.getFields() ?? {}]) {
    for (const name of Object.keys(named)) {
      if (FEDERATION_NAME.test(name)) Object.defineProperty(named, name, { enumerable: false });
    }
  }
}

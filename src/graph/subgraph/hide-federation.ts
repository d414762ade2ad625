import type { GraphQLSchema } from 'graphql';

// What Apollo Federation names begins with one underscore; two are GraphQL's own.
const FEDERATION_NAME = /^_[^_]/;

/**
 * Hides the types and root fields of federation from introspection and `printSchema`, which show what can be enumerated. By their names they
 * are found as before, and so they are validated and executed like all others.
 *
 * @param schema - Is changed.
 */
export function hideFromIntrospection(schema: GraphQLSchema): void {
  for (const named of [schema.getTypeMap(), schema.getQueryType()?.getFields() ?? {}]) {
    for (const name of Object.keys(named)) {
      if (FEDERATION_NAME.test(name)) Object.defineProperty(named, name, { enumerable: false });
    }
  }
}

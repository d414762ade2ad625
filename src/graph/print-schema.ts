import { type GraphQLSchema, Kind, lexicographicSortSchema, parse, printSchema } from 'graphql';

/**
 * What the description of a field says that is null only with an error. Clients that handle errors (Relay's
 * `@throwOnFieldError`, Apollo Client's error policies) can generate types without null for it.
 */
const NULL_ONLY_ON_ERROR = /\bnull only when\b/;

const DEFINITION = `"""
The field is null only if an error with its path says why: its type can be non-null for clients that handle errors.
Levels count the lists in which the value is; 0 is the field itself.
"""
directive @semanticNonNull(levels: [Int!]! = [0]) on FIELD_DEFINITION`;
const MARK = ' @semanticNonNull';

/**
 * Prints the schema as clients' tools take it: sorted by name, with `@semanticNonNull` on the fields whose description
 * says that they are null only when a call fails. Introspection does not show directives of fields.
 */
export function printClientSchema(schema: GraphQLSchema): string {
  const text = printSchema(lexicographicSortSchema(schema));
  let marked = '';
  let end = 0;
  for (const type of parse(text).definitions) {
    if (type.kind !== Kind.OBJECT_TYPE_DEFINITION) continue;
    for (const { description, type: fieldType } of type.fields ?? []) {
      const at = fieldType.loc?.end;
      if (at === undefined || !NULL_ONLY_ON_ERROR.test(description?.value ?? '')) continue;
      marked += text.slice(end, at) + MARK;
      end = at;
    }
  }
  return `${DEFINITION}\n\n${marked}${text.slice(end)}\n`;
}

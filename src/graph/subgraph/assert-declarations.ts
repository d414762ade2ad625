import { type GraphQLSchema, isObjectType } from 'graphql';
import { leveledTypes } from '../../upstream/postman/levels.ts';

/**
 * Checks that every field says what it is read from: the loaders, the estimates and the descriptions take it from there, and would take a
 * field that says nothing for free.
 *
 * @throws {TypeError} Names the fields of leveled types without `carriedBy`, and those of `Query` without `reads`.
 */
export function assertDeclared(schema: GraphQLSchema): void {
  const undeclared = (typeName: string, extension: 'carriedBy' | 'reads') => {
    const type = schema.getType(typeName);
    const fields = isObjectType(type) ? Object.values(type.getFields()) : [];
    return fields
      .filter(({ extensions }) => !Array.isArray(extensions[extension]))
      .map(({ name }) => `${typeName}.${name} has no "${extension}"`);
  };
  const missing = [
    ...Object.keys(leveledTypes).flatMap((type) => undeclared(type, 'carriedBy')),
    ...undeclared('Query', 'reads'),
  ];
  if (missing.length > 0) throw new TypeError(`Nothing says what these fields are read from: ${missing.join(', ')}`);
}

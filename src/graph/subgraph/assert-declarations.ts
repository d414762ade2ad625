import { type GraphQLSchema, isObjectType } from 'graphql';
import { leveledTypes } from '../../upstream/postman/levels.ts';

/**
 * Checks that every field declares what it is read from. Loaders, estimates and descriptions rely on the
 * declarations, and would treat a field without one as free.
 *
 * @throws {TypeError} Names the fields of leveled types without `carriedBy`, and the fields of `Query` without
 *   `reads`.
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
  if (missing.length > 0)
    throw new TypeError(`These fields do not declare what they are read from: ${missing.join(', ')}`);
}

import {
  getNamedType,
  getNullableType,
  type GraphQLField,
  type GraphQLSchema,
  isListType,
  isObjectType,
} from 'graphql';
import { isRecord } from './json.ts';

/** The lists that may be null without an error. */
const mayBeNull = new Set(['FormParameter.src', 'RateLimit.plan', 'RateLimit.spentBy', 'User.roles']);

/**
 * Finds fields that are null although they may only be null after an error: lists, connections, and the document of a
 * collection.
 *
 * @param data - Its objects have their `__typename`.
 * @returns Coordinates, each once, sorted.
 */
export function findNullLists(schema: GraphQLSchema, data: unknown): string[] {
  const found = new Set<string>();
  const open: unknown[] = [data];
  while (open.length > 0) {
    const value = open.pop();
    if (Array.isArray(value)) for (const element of value) open.push(element);
    if (!isRecord(value)) continue;
    const typeName = String(value.__typename);
    const type = schema.getType(typeName);
    const fields = isObjectType(type) ? type.getFields() : {};
    for (const [name, member] of Object.entries(value)) {
      const field = fields[name];
      const coordinate = `${typeName}.${name}`;
      if (member === null && field && holdsMore(field, coordinate)) found.add(coordinate);
      // JSON of a file may look like an object of the schema.
      if (typeof member === 'object' && !(field && getNamedType(field.type).name === 'JSON')) open.push(member);
    }
  }
  return [...found].sort();
}

function holdsMore({ type }: GraphQLField<unknown, unknown>, coordinate: string): boolean {
  if (mayBeNull.has(coordinate)) return false;
  return (
    isListType(getNullableType(type)) ||
    getNamedType(type).name.endsWith('Connection') ||
    coordinate === 'Collection.json'
  );
}

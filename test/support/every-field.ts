import {
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isLeafType,
  isRequiredArgument,
} from 'graphql';

/**
 * Writes a selection of every field there is below a type, as deep as no type is inside itself; there, only its fields without fields
 * of their own are selected. Fields with required arguments are left out.
 *
 * @returns The selection with its braces.
 */
export function everyField(schema: GraphQLSchema, typeName: string): string {
  const type = schema.getType(typeName);
  if (!isCompositeType(type)) throw new TypeError(`${typeName} has no fields`);
  return toSelection(schema, type, []);
}

function toSelection(schema: GraphQLSchema, type: GraphQLCompositeType, around: readonly string[]): string {
  const path = [...around, type.name];
  if (isAbstractType(type)) {
    const parts = schema.getPossibleTypes(type).map((one) => `... on ${one.name} ${toSelection(schema, one, path)}`);
    return `{ __typename ${parts.join(' ')} }`;
  }
  const isInsideItself = around.includes(type.name);
  const fields = Object.values(type.getFields()).flatMap((field) => toFieldText(schema, field, path, isInsideItself));
  return `{ __typename ${fields.join(' ')} }`;
}

function toFieldText(
  schema: GraphQLSchema,
  field: GraphQLField<unknown, unknown>,
  path: readonly string[],
  isLeavesOnly: boolean,
): string | readonly never[] {
  if (field.args.some(isRequiredArgument)) return [];
  const type = getNamedType(field.type);
  if (isLeafType(type)) return field.name;
  // An abstract type inside itself would spread its objects for ever.
  if (isLeavesOnly || !isCompositeType(type) || (isAbstractType(type) && path.includes(type.name))) return [];
  return `${field.name} ${toSelection(schema, type, path)}`;
}

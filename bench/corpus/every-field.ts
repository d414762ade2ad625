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

/** By coordinate, such as `Folder.items`: the arguments to write for that field, or false to leave it out. */
export type FieldRules = Readonly<Record<string, string | false>>;

/**
 * Writes a selection of every field below a type. Inside a type that contains itself, only leaf fields are selected.
 * Fields with required arguments are left out unless the rules give these arguments.
 *
 * @returns The selection with its braces.
 */
export function everyField(schema: GraphQLSchema, typeName: string, rules: FieldRules = {}): string {
  const type = schema.getType(typeName);
  if (!isCompositeType(type)) throw new TypeError(`${typeName} has no fields`);
  const known = new Map(Object.entries(rules));
  return toSelection(type, []);

  function toSelection(type: GraphQLCompositeType, around: readonly string[]): string {
    const path = [...around, type.name];
    // Fields of its types have one name and different nullability, which one selection may not mix.
    if (type.name === 'Node') return '{ __typename id }';
    if (isAbstractType(type)) {
      const parts = schema.getPossibleTypes(type).map((one) => `... on ${one.name} ${toSelection(one, path)}`);
      return `{ __typename ${parts.join(' ')} }`;
    }
    const isInsideItself = around.includes(type.name);
    const fields = Object.values(type.getFields()).flatMap((field) => {
      return toFieldText(field, known.get(`${type.name}.${field.name}`), path, isInsideItself);
    });
    return `{ __typename ${fields.join(' ')} }`;
  }

  function toFieldText(
    field: GraphQLField<unknown, unknown>,
    rule: string | false | undefined,
    path: readonly string[],
    isLeavesOnly: boolean,
  ): string | readonly never[] {
    if (rule === false || (rule === undefined && field.args.some(isRequiredArgument))) return [];
    const type = getNamedType(field.type);
    const head = rule === undefined ? field.name : `${field.name}(${rule})`;
    if (isLeafType(type)) return head;
    // An abstract type inside itself would recurse for ever.
    if (isLeavesOnly || !isCompositeType(type) || (isAbstractType(type) && path.includes(type.name))) return [];
    return `${head} ${toSelection(type, path)}`;
  }
}

import {
  type FieldNode,
  type FragmentDefinitionNode,
  getArgumentValues,
  getNamedType,
  getOperationAST,
  type DocumentNode,
  GraphQLError,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isObjectType,
  Kind,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
} from 'graphql';
import { coerceVariables, type VariableValues } from './variable-values.ts';

/** Fields of `Query` that return the schema. Gateways use `_service`. */
const SCHEMA_FIELDS: ReadonlySet<string> = new Set(['__schema', '__type', '_service']);
// Six times the count of the longest introspection query we know of.
const MAX_VALUES = 30_000;

/** Finds the root fields of an operation that return the schema, including those in fragments. */
export function schemaFields(document: DocumentNode, operationName: string | undefined): readonly FieldNode[] {
  const found: FieldNode[] = [];
  const visited = new Set<string>();
  const find = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        if (SCHEMA_FIELDS.has(selection.name.value)) found.push(selection);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        find(selection.selectionSet);
      } else if (!visited.has(selection.name.value)) {
        visited.add(selection.name.value);
        const fragment = fragmentsOf(document).get(selection.name.value);
        if (fragment) find(fragment.selectionSet);
      }
    }
  };
  const operation = getOperationAST(document, operationName);
  if (operation) find(operation.selectionSet);
  return found;
}

/**
 * Counts the values that introspection would return, before it is executed: graphql-js resolves it, so no resolver of
 * ours can count during execution. Types lead to fields and fields to types, so a few nested aliases can return
 * megabytes.
 *
 * @param roots - The result of `schemaFields`.
 * @param variables - As the client sent them.
 * @returns An error with code OPERATION_TOO_EXPENSIVE; undefined if introspection may be executed.
 */
export function refuseIntrospection(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | undefined,
  variables: Readonly<Record<string, unknown>>,
  roots: readonly FieldNode[],
): GraphQLError | undefined {
  const coerced = coerceVariables(schema, getOperationAST(document, operationName) ?? {}, variables);
  // Execution will report what is wrong with them.
  if (!coerced) return undefined;
  const count = createCount(schema, fragmentsOf(document), coerced.variableValues);
  let values = 0;
  for (const root of roots) {
    const field = [SchemaMetaFieldDef, TypeMetaFieldDef].find(({ name }) => name === root.name.value);
    if (field) values += count(field, undefined, root);
    if (values > MAX_VALUES) {
      return new GraphQLError(
        `Introspection would return more than ${MAX_VALUES} values. Select less of the schema per operation.`,
        { extensions: { code: 'OPERATION_TOO_EXPENSIVE', retryable: false } },
      );
    }
  }
  return undefined;
}

/**
 * Makes a function that executes introspection without building the result, and counts its values. It visits each
 * selection on each object of the schema once, and stops above MAX_VALUES.
 */
function createCount(
  schema: GraphQLSchema,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  variableValues: VariableValues,
) {
  const known = new Map<SelectionSetNode, WeakMap<object, number>>();
  let steps = 0;

  const countField = (field: GraphQLField<unknown, unknown>, source: unknown, node: FieldNode): number => {
    steps += 1;
    if (steps > MAX_VALUES) return Number.POSITIVE_INFINITY;
    const { selectionSet } = node;
    const value: unknown = field.resolve?.(source, getArgumentValues(field, node, variableValues), undefined, {
      schema,
    } as GraphQLResolveInfo);
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    const type = getNamedType(field.type);
    if (!selectionSet || !isObjectType(type)) return items.length;
    return items.reduce<number>((sum, item) => sum + 1 + countObject(type, item, selectionSet), 0);
  };

  const countObject = (type: GraphQLObjectType, source: unknown, selectionSet: SelectionSetNode): number => {
    if (typeof source !== 'object' || source === null) return 0;
    const ofSet = known.get(selectionSet) ?? new WeakMap<object, number>();
    known.set(selectionSet, ofSet);
    let count = ofSet.get(source);
    if (count === undefined) {
      count = 0;
      for (const selection of selectionSet.selections) {
        if (selection.kind === Kind.FIELD) {
          const field = type.getFields()[selection.name.value];
          count += field ? countField(field, source, selection) : 1;
        } else {
          const { selectionSet: inside } =
            selection.kind === Kind.INLINE_FRAGMENT ? selection : (fragments.get(selection.name.value) ?? {});
          if (inside) count += countObject(type, source, inside);
        }
        if (count > MAX_VALUES) break;
      }
      ofSet.set(source, count);
    }
    return count;
  };
  return countField;
}

function fragmentsOf({ definitions }: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  return new Map(
    definitions.flatMap((definition) =>
      definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition] as const] : [],
    ),
  );
}

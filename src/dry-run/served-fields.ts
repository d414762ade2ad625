import {
  type DocumentNode,
  getNamedType,
  getOperationAST,
  type GraphQLField,
  type GraphQLSchema,
  isInterfaceType,
  isObjectType,
  isUnionType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import type { DocumentReader } from '../graph/limits/document-reader.ts';
import type { Level } from '../upstream/postman/levels.ts';
import type { CarriedType } from '../upstream/postman/postman-call.ts';
import { routes } from '../upstream/postman/routes.ts';

/** A selected field that the calls of a route serve. */
export interface ServedField {
  /** For example `Collection.description`. */
  readonly coordinate: string;
  /** Whether the field itself makes such calls. */
  readonly isReader: boolean;
  /** How often the document selects it. Each fragment counts once. */
  readonly count: number;
}

type Selected = ServedField & { readonly type: string; readonly field: GraphQLField<unknown, unknown> };

/**
 * Finds the fields of an operation that each route serves. Reads the schema extensions of the fields: the levels that
 * carry a field, and the routes that it reads itself.
 *
 * @returns A function from route template to fields, sorted by coordinate.
 */
export function createServedFields(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | undefined,
  reader: DocumentReader,
): (template: string) => readonly ServedField[] {
  const selected = new Map<string, { -readonly [Key in keyof Selected]: Selected[Key] }>();
  const visitedFragments = new Set<string>();

  const traverse = (typeName: string, { selections }: SelectionSetNode) => {
    const type = schema.getType(typeName);
    if (!isObjectType(type) && !isInterfaceType(type) && !isUnionType(type)) return;
    for (const selection of selections) {
      if (reader.isLeftOut(selection)) continue;
      if (selection.kind === Kind.FIELD) {
        const field = isUnionType(type) ? undefined : type.getFields()[selection.name.value];
        if (!field) continue;
        const coordinate = `${typeName}.${field.name}`;
        const known = selected.get(coordinate);
        if (known) known.count++;
        else selected.set(coordinate, { coordinate, type: typeName, field, isReader: false, count: 1 });
        if (selection.selectionSet) traverse(getNamedType(field.type).name, selection.selectionSet);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        traverse(selection.typeCondition?.name.value ?? typeName, selection.selectionSet);
      } else if (!visitedFragments.has(selection.name.value)) {
        visitedFragments.add(selection.name.value);
        const fragment = reader.fragments.get(selection.name.value);
        if (fragment) traverse(fragment.typeCondition.name.value, fragment.selectionSet);
      }
    }
  };
  const operation = getOperationAST(document, operationName);
  const queryType = schema.getQueryType();
  if (operation && queryType) traverse(queryType.name, operation.selectionSet);

  return (template) => {
    const carried: readonly CarriedType[] = routes.find((route) => route.template === template)?.carries ?? [];
    return [...selected.values()]
      .flatMap(({ coordinate, type, field, count }) => {
        const isReader = (field.extensions['reads'] as readonly string[] | undefined)?.includes(template) ?? false;
        const carriedBy = (field.extensions['carriedBy'] as readonly Level[] | undefined) ?? [];
        const isCarried = carried.some(
          (carriedType) => carriedType.type === type && carriedType.levels.some((level) => carriedBy.includes(level)),
        );
        return isReader || isCarried ? { coordinate, isReader, count } : [];
      })
      .sort((a, b) => (a.coordinate < b.coordinate ? -1 : 1));
  };
}

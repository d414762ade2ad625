import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  getDirectiveValues,
  getOperationAST,
  GraphQLIncludeDirective,
  type GraphQLSchema,
  GraphQLSkipDirective,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { coerceVariables, type VariableValues } from './variable-values.ts';

/** Reads a document as it would be executed. */
export interface DocumentReader {
  /** Variables by name, after defaults. */
  readonly variables: { readonly [name: string]: unknown };
  /** The same, for graphql's own functions. */
  readonly variableValues: VariableValues;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Whether a field or fragment is left out by `@skip` or `@include`. */
  isLeftOut(selection: SelectionNode): boolean;
}

/** @returns undefined where the document cannot be executed: no such operation, or variables that do not fit. */
export function createDocumentReader(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | undefined,
  sentVariables: Readonly<Record<string, unknown>>,
): DocumentReader | undefined {
  const operation = getOperationAST(document, operationName);
  if (!operation) return undefined;
  const coerced = coerceVariables(schema, operation, sentVariables);
  if (!coerced) return undefined;
  const { variableValues } = coerced;
  const fragments = document.definitions.flatMap((definition) =>
    definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition] as const] : [],
  );
  return {
    ...coerced,
    fragments: new Map(fragments),
    isLeftOut: (selection) =>
      getDirectiveValues(GraphQLSkipDirective, selection, variableValues)?.['if'] === true ||
      getDirectiveValues(GraphQLIncludeDirective, selection, variableValues)?.['if'] === false,
  };
}

/** Root fields of an operation as they would be executed: those of fragments too, without what `@skip` and `@include` leave out. */
export function toRootFields(operation: OperationDefinitionNode, reader: DocumentReader): readonly FieldNode[] {
  const fields: FieldNode[] = [];
  const visited = new Set<string>();
  const collect = ({ selections }: SelectionSetNode) => {
    for (const selection of selections) {
      if (reader.isLeftOut(selection)) continue;
      if (selection.kind === Kind.FIELD) fields.push(selection);
      // There is one root type: every condition is on it.
      else if (selection.kind === Kind.INLINE_FRAGMENT) collect(selection.selectionSet);
      else if (!visited.has(selection.name.value)) {
        visited.add(selection.name.value);
        const fragment = reader.fragments.get(selection.name.value);
        if (fragment) collect(fragment.selectionSet);
      }
    }
  };
  collect(operation.selectionSet);
  return fields;
}

/** The document with other root fields in the place of those of an operation. */
export function withRootFields(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  selections: readonly FieldNode[],
): DocumentNode {
  return {
    ...document,
    definitions: document.definitions.map((definition) =>
      definition === operation ? { ...operation, selectionSet: { ...operation.selectionSet, selections } } : definition,
    ),
  };
}

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
  /** Coerced variables, with defaults. */
  readonly variables: { readonly [name: string]: unknown };
  /** The same, for graphql's own functions. */
  readonly variableValues: VariableValues;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Whether `@skip` or `@include` leaves out a field or fragment. */
  isLeftOut(selection: SelectionNode): boolean;
}

/**
 * Makes the reader of one operation of a document.
 *
 * @returns undefined if the document cannot be executed: it has no such operation, or the variables are not valid.
 */
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
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  return {
    fragments,
    isLeftOut(selection) {
      // Nearly all selections have no directive.
      if (!selection.directives?.length) return false;
      return (
        getDirectiveValues(GraphQLSkipDirective, selection, variableValues)?.['if'] === true ||
        getDirectiveValues(GraphQLIncludeDirective, selection, variableValues)?.['if'] === false
      );
    },
    ...coerced,
  };
}

/**
 * Returns the root fields of an operation that would be executed, including those in fragments, without those left out
 * by `@skip` or `@include`.
 */
export function toRootFields(operation: OperationDefinitionNode, reader: DocumentReader): readonly FieldNode[] {
  const fields: FieldNode[] = [];
  const visited = new Set<string>();
  const collect = ({ selections }: SelectionSetNode) => {
    for (const selection of selections) {
      if (reader.isLeftOut(selection)) continue;
      if (selection.kind === Kind.FIELD) fields.push(selection);
      // Type conditions always match: there is only one root type.
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

/** Copies a document, with the root fields of one operation replaced. */
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

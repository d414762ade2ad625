import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { DocumentReader } from '../graph/served-fields.ts';
import { countSelections } from './count-selections.ts';

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

/** How often lists are gone on from below some fields, counted wherever a fragment is spread. */
export function countPages(
  fields: readonly FieldNode[],
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): number {
  return countSelections(
    fields,
    (selection) =>
      selection.kind === Kind.FIELD && selection.arguments?.some(({ name }) => name.value === 'after') ? 1 : 0,
    (name) => fragments.get(name),
  );
}

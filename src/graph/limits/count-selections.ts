import { type FragmentDefinitionNode, Kind, type SelectionNode } from 'graphql';

/** Finds a fragment by its name. undefined or null: the document has no such fragment. */
export type FragmentOf = (name: string) => FragmentDefinitionNode | null | undefined;

/**
 * Creates a function that sums a number over a selection, down to the last field. A fragment counts wherever it is
 * spread, but the function traverses it only once, however many selections of the document it is called with.
 *
 * @param countOf - Returns the number for one field, fragment spread, inline fragment or fragment definition, without
 *   the selections inside it.
 * @param fragmentOf - If it does not find a fragment, that fragment counts 0.
 */
export function createSelectionCount(
  countOf: (node: SelectionNode | FragmentDefinitionNode) => number,
  fragmentOf: FragmentOf,
): (selections: readonly SelectionNode[]) => number {
  const ofFragments = new Map<string, number>();

  const ofFragment = (name: string): number => {
    const known = ofFragments.get(name);
    if (known !== undefined) return known;
    // A fragment may spread itself: the validation rule of graphql-js that refuses it may run later.
    ofFragments.set(name, 0);
    const fragment = fragmentOf(name);
    const count = fragment ? countOf(fragment) + ofAll(fragment.selectionSet.selections) : 0;
    ofFragments.set(name, count);
    return count;
  };

  const ofAll = (selections: readonly SelectionNode[]): number => {
    let count = 0;
    for (const selection of selections) {
      count += countOf(selection);
      if (selection.kind === Kind.FRAGMENT_SPREAD) count += ofFragment(selection.name.value);
      else if (selection.selectionSet) count += ofAll(selection.selectionSet.selections);
    }
    return count;
  };
  return ofAll;
}

/** Counts the fields with an argument of a name, in a selection and below it. */
export function countWithArgument(
  selections: readonly SelectionNode[],
  argument: string,
  { fragments }: { readonly fragments: ReadonlyMap<string, FragmentDefinitionNode> },
): number {
  const countIn = createSelectionCount(
    (node) => (node.kind === Kind.FIELD && node.arguments?.some(({ name }) => name.value === argument) ? 1 : 0),
    (name) => fragments.get(name),
  );
  return countIn(selections);
}

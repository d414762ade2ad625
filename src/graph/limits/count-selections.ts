import { type FragmentDefinitionNode, Kind, type SelectionNode } from 'graphql';

/**
 * Counts something of what is selected, down to the last field and wherever a fragment is spread. Each fragment is walked once.
 *
 * @param countOf - What one field or fragment counts, without what is inside it.
 * @param fragmentOf - undefined: there is no such fragment, and it counts nothing.
 */
export function countSelections(
  selections: readonly SelectionNode[],
  countOf: (selection: SelectionNode) => number,
  fragmentOf: (name: string) => FragmentDefinitionNode | null | undefined,
): number {
  const fragmentCounts = new Map<string, number>();
  const countFragment = (name: string): number => {
    const known = fragmentCounts.get(name);
    if (known !== undefined) return known;
    // One that spreads itself is refused by GraphQL's own rules, which may not have been asked yet.
    fragmentCounts.set(name, 0);
    const count = countAll(fragmentOf(name)?.selectionSet.selections ?? []);
    fragmentCounts.set(name, count);
    return count;
  };
  const countAll = (all: readonly SelectionNode[]): number =>
    all.reduce((count, selection) => {
      const inside =
        selection.kind === Kind.FRAGMENT_SPREAD
          ? countFragment(selection.name.value)
          : countAll(selection.selectionSet?.selections ?? []);
      return count + countOf(selection) + inside;
    }, 0);
  return countAll(selections);
}

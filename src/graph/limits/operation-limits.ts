import { type FragmentDefinitionNode, Kind, type SelectionNode, type ValidationRule } from 'graphql';
import { createSelectionCount, type FragmentOf } from './count-selections.ts';

/** The most that one operation may have. */
export interface OperationLimits {
  /** Levels of nested fields; fragments add none, and neither does anything inside `__schema`. */
  readonly maxDepth: number;
  /** Aliases, counted wherever a fragment is spread. */
  readonly maxAliases: number;
  /** Directives, counted wherever a fragment is spread; those on spreads of it count only on the first. */
  readonly maxDirectives: number;
}

/**
 * Creates the validation rule for the size of operations. It checks each operation of a document, even those that are
 * not executed, and traverses each fragment once per limit.
 *
 * @param refuse - Throws, so that validation ends at the first operation over a limit. It gets the name of that limit.
 */
export function createOperationLimits(
  { maxDepth, maxAliases, maxDirectives }: OperationLimits,
  refuse: (message: string, limit: keyof OperationLimits) => never,
): ValidationRule {
  return function operationLimits(context) {
    const fragmentOf: FragmentOf = (name) => context.getFragment(name);
    const depthOf = createDepth(fragmentOf);
    const aliasesIn = createSelectionCount((node) => (node.kind === Kind.FIELD && node.alias ? 1 : 0), fragmentOf);
    const directivesIn = createSelectionCount(createDirectiveCount(), fragmentOf);
    return {
      OperationDefinition({ selectionSet: { selections }, directives = [] }) {
        const depth = depthOf(selections);
        if (depth > maxDepth) refuse(`Query depth limit of ${maxDepth} exceeded, found ${depth}.`, 'maxDepth');
        const aliases = aliasesIn(selections);
        if (aliases > maxAliases) refuse(`Aliases limit of ${maxAliases} exceeded, found ${aliases}.`, 'maxAliases');
        const count = directives.length + directivesIn(selections);
        if (count > maxDirectives)
          refuse(`Directives limit of ${maxDirectives} exceeded, found ${count}.`, 'maxDirectives');
      },
    };
  };
}

/**
 * Creates the function that counts the directives on one node. A repeated spread counts 0: only `@defer` on it costs
 * anything, and the parts that `@defer` makes have a limit of their own.
 */
function createDirectiveCount() {
  const spread = new Set<string>();
  return (node: SelectionNode | FragmentDefinitionNode): number => {
    if (node.kind === Kind.FRAGMENT_SPREAD) {
      if (spread.has(node.name.value)) return 0;
      spread.add(node.name.value);
    }
    return node.directives?.length ?? 0;
  };
}

/** Creates a function that returns the levels of fields in a selection. It traverses each fragment once. */
function createDepth(fragmentOf: FragmentOf): (selections: readonly SelectionNode[]) => number {
  const ofFragments = new Map<string, number>();

  const ofFragment = (name: string): number => {
    const known = ofFragments.get(name);
    if (known !== undefined) return known;
    // As in `createSelectionCount`, a fragment may spread itself.
    ofFragments.set(name, 0);
    const depth = ofAll(fragmentOf(name)?.selectionSet.selections ?? []);
    ofFragments.set(name, depth);
    return depth;
  };

  const ofAll = (selections: readonly SelectionNode[]): number => {
    let depth = 0;
    for (const selection of selections) depth = Math.max(depth, ofOne(selection));
    return depth;
  };

  const ofOne = (selection: SelectionNode): number => {
    if (selection.kind === Kind.FRAGMENT_SPREAD) return ofFragment(selection.name.value);
    const inside = selection.selectionSet?.selections ?? [];
    if (selection.kind === Kind.INLINE_FRAGMENT) return ofAll(inside);
    // A validation rule of graphql-js limits the depth of introspection.
    return selection.name.value === '__schema' ? 0 : 1 + ofAll(inside);
  };
  return ofAll;
}

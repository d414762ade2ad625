import {
  type DirectiveNode,
  type FieldNode,
  type InlineFragmentNode,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

/** The response name under which planned documents request the type of an object, for plans that differ by type. */
export const TYPE_MARKER = '__partType';

/** Requests the name of an object's type, which the plan needs to find its parts. */
export const MARKER: FieldNode = {
  kind: Kind.FIELD,
  alias: { kind: Kind.NAME, value: TYPE_MARKER },
  name: { kind: Kind.NAME, value: '__typename' },
};

/** Makes a selection set. */
export const toSelectionSet = (selections: readonly SelectionNode[]): SelectionSetNode => ({
  kind: Kind.SELECTION_SET,
  selections,
});

/** Makes a fragment on a type, or one with `@defer` and this label. */
export function toFragment(
  selections: readonly SelectionNode[],
  { on, label }: { readonly on?: string; readonly label?: string },
): InlineFragmentNode {
  return {
    kind: Kind.INLINE_FRAGMENT,
    ...(on !== undefined && {
      typeCondition: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: on } },
    }),
    ...(label !== undefined && { directives: [toDefer(label)] }),
    selectionSet: toSelectionSet(selections),
  };
}

const toDefer = (label: string): DirectiveNode => ({
  kind: Kind.DIRECTIVE,
  name: { kind: Kind.NAME, value: 'defer' },
  arguments: [
    {
      kind: Kind.ARGUMENT,
      name: { kind: Kind.NAME, value: 'label' },
      value: { kind: Kind.STRING, value: label },
    },
  ],
});

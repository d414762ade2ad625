import {
  getNamedType,
  getNullableType,
  type GraphQLResolveInfo,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { mayComeInParts } from '../paging/incremental-directives.ts';

/** How much a client has selected on one object. */
export interface Selected {
  readonly fields: number;
  /** Selections with `@defer` or `@stream`, which are delivered in parts of their own. */
  readonly parts: number;
}

const NOTHING: Selected = { fields: 0, parts: 0 };

type Info = Pick<GraphQLResolveInfo, 'fieldNodes' | 'fragments' | 'returnType' | 'schema'>;

/**
 * Makes a function that counts what a client has selected on each object of the field being resolved, down to the
 * next lists. Make one per operation: it caches its counts.
 *
 * A fragment counts wherever it is spread, and the types of an interface or union are added up: the count is an upper
 * bound.
 */
export function createFieldCount(): (info: Info) => Selected {
  // Without this cache, fragments that spread others twice would be traversed a million times, and merged fields once
  // per list item.
  const known = new WeakMap<SelectionSetNode | Info['fieldNodes'], Selected>();

  const countIn = (info: Info, type: unknown, set: SelectionSetNode | undefined): Selected => {
    const before = set && known.get(set);
    if (!set || before) return before ?? NOTHING;
    let { fields, parts } = NOTHING;
    for (const selection of set.selections) {
      const inside = countInside(info, type, selection);
      fields += inside.fields + (selection.kind === Kind.FIELD ? 1 : 0);
      parts += inside.parts + (mayComeInParts(selection) ? 1 : 0);
    }
    const count = { fields, parts };
    known.set(set, count);
    return count;
  };

  const countInside = (info: Info, type: unknown, selection: SelectionNode): Selected => {
    if (selection.kind === Kind.FIELD) {
      const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[selection.name.value] : undefined;
      const isCountedAlone = !field || isListType(getNullableType(field.type));
      return isCountedAlone ? NOTHING : countIn(info, getNamedType(field.type), selection.selectionSet);
    }
    const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : info.fragments[selection.name.value];
    const condition = fragment?.typeCondition?.name.value;
    return countIn(info, condition === undefined ? type : info.schema.getType(condition), fragment?.selectionSet);
  };

  return (info) => {
    const before = known.get(info.fieldNodes);
    if (before) return before;
    const type = getNamedType(info.returnType);
    const count = info.fieldNodes.map(({ selectionSet }) => countIn(info, type, selectionSet)).reduce(add, NOTHING);
    known.set(info.fieldNodes, count);
    return count;
  };
}

const add = (sum: Selected, more: Selected): Selected => ({
  fields: sum.fields + more.fields,
  parts: sum.parts + more.parts,
});

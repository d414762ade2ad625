import {
  getNamedType,
  getNullableType,
  type GraphQLResolveInfo,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { mayComeInParts } from './incremental-directives.ts';

// A part of an answer, with `@defer` or `@stream`, is awaited beside all others: it costs as much as so many values.
const PART_VALUES = 300;

type Info = Pick<GraphQLResolveInfo, 'fieldNodes' | 'fragments' | 'returnType' | 'schema'>;

/**
 * Makes the function that tells how many fields a client has selected on each object of the field being resolved, down to the
 * next lists; what is to come in a part of its own counts for more. For one operation: it remembers what it has counted.
 *
 * A fragment counts wherever it is spread, and all types of an interface or union together, so the count is an upper bound.
 */
export function createFieldCount(): (info: Info) => number {
  const known = new WeakMap<Info['fieldNodes'], number>();
  // Without this, fragments that spread others twice would be walked a million times.
  const ofFragments = new Map<string, number>();

  const countIn = (info: Info, type: unknown, { selections }: SelectionSetNode): number => {
    let count = 0;
    for (const selection of selections) {
      if (mayComeInParts(selection)) count += PART_VALUES;
      if (selection.kind === Kind.FIELD) {
        count += 1;
        const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[selection.name.value] : undefined;
        if (field && selection.selectionSet && !isListType(getNullableType(field.type)))
          count += countIn(info, getNamedType(field.type), selection.selectionSet);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        const condition = selection.typeCondition?.name.value;
        count += countIn(info, condition === undefined ? type : info.schema.getType(condition), selection.selectionSet);
      } else {
        count += countOfFragment(info, selection.name.value);
      }
    }
    return count;
  };

  const countOfFragment = (info: Info, name: string): number => {
    let count = ofFragments.get(name);
    const fragment = info.fragments[name];
    if (count === undefined && fragment) {
      count = countIn(info, info.schema.getType(fragment.typeCondition.name.value), fragment.selectionSet);
      ofFragments.set(name, count);
    }
    return count ?? 0;
  };

  return (info) => {
    let count = known.get(info.fieldNodes);
    if (count === undefined) {
      count = 0;
      const type = getNamedType(info.returnType);
      for (const { selectionSet } of info.fieldNodes) if (selectionSet) count += countIn(info, type, selectionSet);
      known.set(info.fieldNodes, count);
    }
    return count;
  };
}

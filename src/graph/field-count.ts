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

/** What a client has selected on an object. */
export interface Selected {
  readonly fields: number;
  /** What is to come in a part of its own, with `@defer` or `@stream`. */
  readonly parts: number;
}

const NOTHING: Selected = { fields: 0, parts: 0 };

type Info = Pick<GraphQLResolveInfo, 'fieldNodes' | 'fragments' | 'returnType' | 'schema'>;

/**
 * Makes the function that tells how much a client has selected on each object of the field being resolved, down to the
 * next lists. For one operation: it remembers what it has counted.
 *
 * A fragment counts wherever it is spread, and all types of an interface or union together, so the count is an upper bound.
 */
export function createFieldCount(): (info: Info) => Selected {
  const known = new WeakMap<Info['fieldNodes'], Selected>();
  // Without this, fragments that spread others twice would be walked a million times.
  const ofFragments = new Map<string, Selected>();

  const countIn = (info: Info, type: unknown, { selections }: SelectionSetNode): Selected => {
    let fields = 0;
    let parts = 0;
    for (const selection of selections) {
      if (mayComeInParts(selection)) parts += 1;
      let inside = NOTHING;
      if (selection.kind === Kind.FIELD) {
        fields += 1;
        const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[selection.name.value] : undefined;
        if (field && selection.selectionSet && !isListType(getNullableType(field.type)))
          inside = countIn(info, getNamedType(field.type), selection.selectionSet);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        const condition = selection.typeCondition?.name.value;
        inside = countIn(info, condition === undefined ? type : info.schema.getType(condition), selection.selectionSet);
      } else {
        inside = countOfFragment(info, selection.name.value);
      }
      fields += inside.fields;
      parts += inside.parts;
    }
    return { fields, parts };
  };

  const countOfFragment = (info: Info, name: string): Selected => {
    const fragment = info.fragments[name];
    const count =
      ofFragments.get(name) ??
      (fragment && countIn(info, info.schema.getType(fragment.typeCondition.name.value), fragment.selectionSet)) ??
      NOTHING;
    ofFragments.set(name, count);
    return count;
  };

  return (info) => {
    const count = known.get(info.fieldNodes) ?? countOfAll(info);
    known.set(info.fieldNodes, count);
    return count;
  };

  function countOfAll(info: Info): Selected {
    const type = getNamedType(info.returnType);
    const counts = info.fieldNodes.map(({ selectionSet }) =>
      selectionSet ? countIn(info, type, selectionSet) : NOTHING,
    );
    return {
      fields: counts.reduce((sum, { fields }) => sum + fields, 0),
      parts: counts.reduce((sum, { parts }) => sum + parts, 0),
    };
  }
}

import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getDirectiveValues,
  type InlineFragmentNode,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import type { DocumentReader } from '../../graph/limits/document-reader.ts';
import { deferDirective, mayComeInParts, streamDirective } from '../../graph/paging/incremental-directives.ts';

/** One use of `@defer` on the objects of one field. At run time there is one part of it for each object. */
export interface DeferUsage {
  readonly id: number;
  readonly label: string | undefined;
  /** The use of `@defer` around it. */
  readonly parent: DeferUsage | undefined;
  /** Length of the path of its objects. */
  readonly depth: number;
}

/** A `@stream` that applies to a field. */
export interface Stream {
  readonly label: string | undefined;
}

/** A selected field, and the innermost use of `@defer` that it is selected in. */
export interface FieldDetail {
  readonly node: FieldNode;
  /** undefined: outside of `@defer`. */
  readonly usage: DeferUsage | undefined;
}

/** The fields that are selected on an object, by response name, and the uses of `@defer` on it. */
export interface CollectedFields {
  readonly fields: ReadonlyMap<string, readonly FieldDetail[]>;
  readonly usages: readonly DeferUsage[];
}

/** Makes functions that collect the fields of one operation as its execution would. */
export function createFieldCollector(schema: GraphQLSchema, reader: DocumentReader) {
  const usages = new Map<string, DeferUsage>();
  const nodeIds = new Map<object, number>();
  const idOf = (node: object) => {
    const id = nodeIds.get(node) ?? nodeIds.size;
    nodeIds.set(node, id);
    return id;
  };

  /** Returns the same usage for the same selection, so that it can be compared between types. */
  const toUsage = (selection: SelectionNode, parent: DeferUsage | undefined, depth: number): DeferUsage | undefined => {
    const defer = getDirectiveValues(deferDirective, selection, reader.variableValues);
    if (!defer || defer['if'] === false) return undefined;
    const key = `${idOf(selection)} ${parent?.id} ${depth}`;
    const label = typeof defer['label'] === 'string' ? defer['label'] : undefined;
    const usage = usages.get(key) ?? { id: usages.size, label, parent, depth };
    usages.set(key, usage);
    return usage;
  };

  const collectIn = (
    type: GraphQLObjectType,
    { selections }: SelectionSetNode,
    usage: DeferUsage | undefined,
    into: Collecting,
  ): void => {
    for (const selection of selections) {
      if (reader.isLeftOut(selection)) continue;
      if (selection.kind === Kind.FIELD) {
        const name = selection.alias?.value ?? selection.name.value;
        into.fields.set(name, [...(into.fields.get(name) ?? []), { node: selection, usage }]);
        continue;
      }
      const isSpread = selection.kind === Kind.FRAGMENT_SPREAD;
      const fragment = isSpread ? reader.fragments.get(selection.name.value) : selection;
      if (!fragment || !applies(schema, type, fragment)) continue;
      const begun = toUsage(selection, usage, into.depth);
      const inner = begun ?? usage;
      if (isSpread && !into.visit(selection.name.value, inner)) continue;
      if (begun) into.usages.add(begun);
      collectIn(type, fragment.selectionSet, inner, into);
    }
  };

  const withParts = new WeakMap<SelectionSetNode, boolean>();
  /** Whether a selection has `@defer` or `@stream` anywhere below, whatever its `if` says. */
  const mayHaveParts = (set: SelectionSetNode | undefined): boolean => {
    const before = set && withParts.get(set);
    if (!set || before !== undefined) return before ?? false;
    const found = set.selections.some(
      (selection) =>
        mayComeInParts(selection) ||
        mayHaveParts(
          selection.kind === Kind.FRAGMENT_SPREAD
            ? reader.fragments.get(selection.name.value)?.selectionSet
            : selection.selectionSet,
        ),
    );
    withParts.set(set, found);
    return found;
  };

  return {
    mayHaveParts,
    /** Identifies a selected field within the operation. */
    keyOf: ({ node, usage }: FieldDetail) => `${idOf(node)}:${usage?.id ?? ''}`,
    /** Collects the fields below others, on objects of one type at this depth of the result. */
    collect(type: GraphQLObjectType, parents: readonly FieldDetail[], depth: number): CollectedFields {
      const into = createCollecting(depth);
      for (const { node, usage } of parents) if (node.selectionSet) collectIn(type, node.selectionSet, usage, into);
      return { fields: into.fields, usages: [...into.usages] };
    },
  };
}

/** Groups fields by the uses of `@defer` that they are delivered for. */
export function groupFields(fields: CollectedFields['fields']) {
  const groups = new Map<
    string,
    { readonly usages: readonly DeferUsage[]; readonly fields: (readonly FieldDetail[])[] }
  >();
  for (const details of fields.values()) {
    const usages = toGroupUsages(details);
    const key = toUsagesKey(usages);
    const group = groups.get(key) ?? { usages, fields: [] };
    groups.set(key, group);
    group.fields.push(details);
  }
  return groups;
}

/** Identifies a set of uses of `@defer`. */
export const toUsagesKey = (usages: readonly DeferUsage[]) =>
  usages
    .map(({ id }) => id)
    .sort((a, b) => a - b)
    .join(',');

/**
 * Returns the uses of `@defer` that a field is delivered for: none if it is also selected outside of `@defer`, and not
 * those inside of others of them.
 */
function toGroupUsages(details: readonly FieldDetail[]): readonly DeferUsage[] {
  const usages = new Set<DeferUsage>();
  for (const { usage } of details) {
    if (!usage) return [];
    usages.add(usage);
  }
  const isInside = ({ parent }: DeferUsage): boolean =>
    parent !== undefined && (usages.has(parent) || isInside(parent));
  return [...usages].filter((usage) => !isInside(usage));
}

/** Returns the `@stream` that applies to a field. */
export function toStream(node: FieldNode, { variableValues }: DocumentReader): Stream | undefined {
  const stream = getDirectiveValues(streamDirective, node, variableValues);
  if (!stream || stream['if'] === false) return undefined;
  return { label: typeof stream['label'] === 'string' ? stream['label'] : undefined };
}

type Collecting = ReturnType<typeof createCollecting>;

function createCollecting(depth: number) {
  const visited = new Map<string, Set<DeferUsage | undefined>>();
  return {
    depth,
    fields: new Map<string, readonly FieldDetail[]>(),
    usages: new Set<DeferUsage>(),
    /** Returns whether a fragment adds fields: it has been spread neither outside of `@defer` nor in the same use. */
    visit(name: string, usage: DeferUsage | undefined): boolean {
      const known = visited.get(name) ?? new Set();
      if (known.has(undefined) || known.has(usage)) return false;
      visited.set(name, known.add(usage));
      return true;
    },
  };
}

/** Whether a fragment applies to objects of a type. */
function applies(
  schema: GraphQLSchema,
  type: GraphQLObjectType,
  { typeCondition }: InlineFragmentNode | FragmentDefinitionNode,
): boolean {
  if (!typeCondition || typeCondition.name.value === type.name) return true;
  const conditional = schema.getType(typeCondition.name.value);
  return isAbstractType(conditional) && schema.isSubType(conditional, type);
}

/**
 * Whether one plan serves objects of all types of a field: there is one type, or the same fields are selected on all
 * types of an interface, which has all of these fields.
 */
export function areAlike(
  type: GraphQLNamedType,
  collected: readonly CollectedFields[],
  keyOf: (detail: FieldDetail) => string,
): boolean {
  if (!isInterfaceType(type)) return isObjectType(type);
  const write = ({ fields }: CollectedFields) =>
    [...fields].map(([name, details]) => `${name} ${details.map(keyOf).join()}`).join(' ');
  const [first] = collected;
  const isShared = ({ node: { name } }: FieldDetail) => name.value.startsWith('__') || name.value in type.getFields();
  return (
    first !== undefined &&
    [...first.fields.values()].every((details) => details.every(isShared)) &&
    collected.every((fields) => write(fields) === write(first))
  );
}

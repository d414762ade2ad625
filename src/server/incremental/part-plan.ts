import {
  type DocumentNode,
  type FieldNode,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isAbstractType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import type { DocumentReader } from '../../graph/limits/document-reader.ts';
import {
  type CollectedFields,
  createFieldCollector,
  type DeferUsage,
  type FieldDetail,
  areAlike,
  groupFields,
  type Stream,
  toStream,
  toUsagesKey,
} from './collect-fields.ts';
import { MARKER, toFragment, toSelectionSet } from './planned-syntax.ts';

/** What has to be found in the value of a field: its list is streamed, or parts begin below it. */
export interface PlannedField {
  readonly responseName: string;
  readonly stream: Stream | undefined;
  /** The plan of its objects, by the name of their type, or under `ANY_TYPE`. */
  readonly plans: ReadonlyMap<string, ObjectPlan>;
}

/** Fields of one object that are delivered together, once, for all uses of `@defer` that select each of them. */
export interface PlannedGroup {
  /** Label of the only `@defer` in the planned document that selects these fields. */
  readonly label: string;
  readonly usages: readonly DeferUsage[];
  readonly fields: readonly PlannedField[];
}

/** The parts that begin at an object. */
export interface ObjectPlan {
  /** The uses of `@defer` on this object. */
  readonly usages: readonly DeferUsage[];
  readonly groups: readonly PlannedGroup[];
  /** Fields delivered with the object itself. */
  readonly fields: readonly PlannedField[];
}

/** How an operation is delivered so that each field is sent once. */
export interface PartPlan {
  /** To execute instead of the client's document: each field is selected once, in at most one fragment with `@defer`. */
  readonly document: DocumentNode;
  readonly root: ObjectPlan;
}

/** The key of a plan for objects of all types. */
export const ANY_TYPE = '';
interface PlannedSelection {
  readonly selectionSet: SelectionSetNode;
  readonly plans: ReadonlyMap<string, ObjectPlan>;
}

const NOTHING: ObjectPlan = { usages: [], groups: [], fields: [] };
const NO_PLANS: ReadonlyMap<string, ObjectPlan> = new Map();

/**
 * Plans the parts of an operation as GraphQL's rules of incremental delivery demand: a field that is also selected
 * outside of `@defer` is not delivered again, and a field that several uses of `@defer` select is delivered with the
 * first of them. The executor knows only parts that overlap, so the plan is a document without overlaps: each use of
 * `@defer` is moved down to the fields that it alone selects.
 *
 * Inside a streamed list, uses of `@defer` around the list no longer apply.
 *
 * It takes time in proportion to the document, not to the selection with all fragments spread: equal selections are
 * planned once.
 */
export function planParts(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  reader: DocumentReader,
): PartPlan {
  const rootType = schema.getRootType(operation.operation);
  const root: FieldDetail = { node: { ...EMPTY_FIELD, selectionSet: operation.selectionSet }, usage: undefined };
  const { selectionSet, plans } = createPlanner(schema, reader).planObjects(rootType ?? undefined, [root], {
    enclosing: [],
    depth: 0,
  });
  return {
    document: {
      ...document,
      definitions: document.definitions.map((definition) =>
        definition === operation ? { ...operation, selectionSet } : definition,
      ),
    },
    root: plans.get(ANY_TYPE) ?? NOTHING,
  };
}

const EMPTY_FIELD: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '' } };

/** The position of objects in the result. */
interface Position {
  /** The uses of `@defer` that the objects themselves are delivered for. */
  readonly enclosing: readonly DeferUsage[];
  /** Length of their path. */
  readonly depth: number;
}

interface PlannedNodes<Node> {
  readonly nodes: readonly Node[];
  readonly plan: ObjectPlan;
}

function createPlanner(schema: GraphQLSchema, reader: DocumentReader) {
  const { collect, mayHaveParts, keyOf } = createFieldCollector(schema, reader);
  const known = new Map<string, PlannedSelection>();
  let groupCount = 0;

  /** Plans the selections on the objects of one field. */
  const planObjects = (
    type: GraphQLNamedType | undefined,
    details: readonly FieldDetail[],
    position: Position,
  ): PlannedSelection => {
    const key = [type?.name, position.depth, toUsagesKey(position.enclosing), details.map(keyOf)].join('|');
    const before = known.get(key);
    if (before) return before;
    const types = isAbstractType(type) ? schema.getPossibleTypes(type) : isObjectType(type) ? [type] : [];
    const collected = types.map((one) => [one.name, collect(one, details, position.depth)] as const);
    const fields = collected.map(([, one]) => one);
    const planned =
      type && areAlike(type, fields, keyOf) ? planAlike(type, fields[0], position) : planByType(collected, position);
    known.set(key, planned);
    return planned;
  };

  const planAlike = (
    type: GraphQLNamedType,
    fields: CollectedFields | undefined,
    position: Position,
  ): PlannedSelection => {
    const { nodes, plan } = fields ? planObject(type, fields, position) : { nodes: [], plan: NOTHING };
    return { selectionSet: toSelectionSet(nodes), plans: isEmpty(plan) ? NO_PLANS : new Map([[ANY_TYPE, plan]]) };
  };

  const planByType = (
    collected: readonly (readonly [typeName: string, fields: CollectedFields])[],
    position: Position,
  ): PlannedSelection => {
    const plans = new Map<string, ObjectPlan>();
    const selections: SelectionNode[] = [];
    for (const [on, fields] of collected) {
      const { nodes, plan } = planObject(schema.getType(on), fields, position);
      if (nodes.length > 0) selections.push(toFragment(nodes, { on }));
      if (!isEmpty(plan)) plans.set(on, plan);
    }
    if (plans.size > 0) selections.unshift(MARKER);
    return { selectionSet: toSelectionSet(selections), plans };
  };

  const planObject = (
    type: GraphQLNamedType | undefined,
    { fields, usages }: CollectedFields,
    { enclosing, depth }: Position,
  ): PlannedNodes<SelectionNode> => {
    const nodes: SelectionNode[] = [];
    const plan = { usages, groups: [] as PlannedGroup[], fields: [] as PlannedField[] };
    for (const [key, group] of groupFields(fields)) {
      const planned = group.fields.map((details) => planField(type, details, { enclosing: group.usages, depth }));
      const selected = planned.flatMap((field) => field.nodes);
      const found = planned.flatMap((field) => field.plan.fields);
      if (key === toUsagesKey(enclosing)) {
        nodes.push(...selected);
        plan.fields.push(...found);
        continue;
      }
      const label = String(groupCount++);
      nodes.push(toFragment(selected, { label }));
      plan.groups.push({ label, usages: group.usages, fields: found });
    }
    return { nodes, plan };
  };

  /** Returns the nodes to select for one response name, unchanged if no part begins below them. */
  const planField = (
    parent: GraphQLNamedType | undefined,
    details: readonly FieldDetail[],
    { enclosing, depth }: Position,
  ): PlannedNodes<FieldNode> => {
    const nodes = details.map(({ node }) => node);
    const [node] = nodes;
    const type = node && typeOf(parent, node.name.value);
    if (!node?.selectionSet || !type) return { nodes, plan: NOTHING };
    const stream = isListType(getNullableType(type)) ? toStream(node, reader) : undefined;
    const responseName = node.alias?.value ?? node.name.value;
    const below = stream ? nodes.map((one): FieldDetail => ({ node: one, usage: undefined })) : details;
    const isMixed = below.some(({ usage }) => usage !== below[0]?.usage);
    if (!isMixed && !nodes.some(({ selectionSet }) => mayHaveParts(selectionSet)))
      return { nodes, plan: stream ? { ...NOTHING, fields: [{ responseName, stream, plans: NO_PLANS }] } : NOTHING };
    const { selectionSet, plans } = planObjects(getNamedType(type), below, {
      enclosing: stream ? [] : enclosing,
      depth: depth + 1 + toListDepth(type),
    });
    const fields = stream || plans.size > 0 ? [{ responseName, stream, plans }] : [];
    return { nodes: [{ ...node, selectionSet }], plan: { ...NOTHING, fields } };
  };

  return { planObjects };
}

/** Whether no part begins at an object, or below it. Uses of `@defer` that no field is delivered for have no part. */
const isEmpty = ({ groups, fields }: ObjectPlan) => groups.length === 0 && fields.length === 0;

function typeOf(parent: GraphQLNamedType | undefined, fieldName: string): GraphQLOutputType | undefined {
  return isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[fieldName]?.type : undefined;
}

function toListDepth(type: GraphQLOutputType): number {
  const nullable = getNullableType(type);
  return isListType(nullable) ? 1 + toListDepth(nullable.ofType) : 0;
}

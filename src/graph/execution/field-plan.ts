import {
  defaultFieldResolver,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  getArgumentValues,
  getDirectiveValues,
  type GraphQLAbstractType,
  type GraphQLField,
  type GraphQLFieldResolver,
  GraphQLIncludeDirective,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  GraphQLSkipDirective,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
  visit,
} from 'graphql';
import type { VariableValues } from '../limits/variable-values.ts';
import { toDocumentTraits } from './document-traits.ts';

type Field = GraphQLField<unknown, unknown>;
type Args = Readonly<Record<string, unknown>>;

/** The type of a value, taken apart. Exactly one of its four kinds is set. */
export interface ValuePlan {
  readonly isNonNull: boolean;
  readonly leaf: GraphQLLeafType | undefined;
  readonly object: GraphQLObjectType | undefined;
  /** An interface or union. */
  readonly abstract: GraphQLAbstractType | undefined;
  /** The items of a list. */
  readonly item: ValuePlan | undefined;
}

/** One field of a selection, with everything about it that does not depend on the object. */
export interface FieldPlan {
  readonly responseName: string;
  /** The nodes of the document that select it. Every object has the same array. */
  readonly nodes: readonly [FieldNode, ...FieldNode[]];
  readonly parentType: GraphQLObjectType;
  readonly field: Field;
  readonly resolve: GraphQLFieldResolver<unknown, unknown>;
  readonly value: ValuePlan;
  /** Its arguments; undefined if they depend on variables, or are invalid. */
  readonly args: Args | undefined;
  /** Returns the fields selected on an object of this type that it returns. */
  below(type: GraphQLObjectType): readonly FieldPlan[];
}

/** A query, ready to be executed. */
export interface OperationPlan {
  readonly operation: OperationDefinitionNode;
  readonly fragments: Readonly<Record<string, FragmentDefinitionNode>>;
  readonly root: readonly FieldPlan[];
}

const NO_ARGUMENTS: Args = Object.freeze({});

/** Where plans are retained. It bounds their total size, in fields and nodes of documents of some 600 bytes each. */
export interface RetainedPlans {
  get(operation: OperationDefinitionNode): OperationPlan | undefined;
  set(operation: OperationDefinitionNode, plan: OperationPlan, size: number): void;
  /** Gives a plan its new size, if it is still retained. */
  grow(operation: OperationDefinitionNode, size: number): void;
}

/**
 * Makes a function that plans queries. A query has one plan for all its executions, except where `@skip` or `@include`
 * depends on a variable. Plans grow while they are executed: the fields of an object are planned when the first such
 * object is reached.
 *
 * @returns The function returns undefined for a mutation or subscription.
 */
export function createOperationPlanner(schema: GraphQLSchema, retained: RetainedPlans) {
  return (document: DocumentNode, operation: OperationDefinitionNode, variables: VariableValues) => {
    const type = schema.getQueryType();
    if (operation.operation !== OperationTypeNode.QUERY || !type) return undefined;
    const before = retained.get(operation);
    if (before) return before;
    const fragments: Record<string, FragmentDefinitionNode> = {};
    for (const definition of document.definitions)
      if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments[definition.name.value] = definition;
    const { nodeCount, hasConditions } = toDocumentTraits(document);
    let size = nodeCount;
    // A plan that is retained would retain the variables of its first execution, which may be large or secret.
    const planner = new SelectionPlanner(schema, fragments, hasConditions ? variables : undefined, (count) => {
      size += count;
      retained.grow(operation, size);
    });
    const plan = { operation, fragments, root: planner.planFields(type, [operation.selectionSet]) };
    if (!hasConditions) retained.set(operation, plan, size);
    return plan;
  };
}

/** Plans the selections of one operation. */
class SelectionPlanner {
  readonly #schema: GraphQLSchema;
  readonly #fragments: OperationPlan['fragments'];
  readonly #variables: VariableValues | undefined;
  readonly #onPlan: (fieldCount: number) => void;
  // Fragments that spread others twice lead to the same selection by very many ways.
  readonly #planned = new Map<SelectionSetNode, Map<GraphQLObjectType, readonly FieldPlan[]>>();

  constructor(
    schema: GraphQLSchema,
    fragments: OperationPlan['fragments'],
    variables: VariableValues | undefined,
    onPlan: (fieldCount: number) => void,
  ) {
    this.#schema = schema;
    this.#fragments = fragments;
    this.#variables = variables;
    this.#onPlan = onPlan;
  }

  planFields(type: GraphQLObjectType, sets: readonly SelectionSetNode[]): readonly FieldPlan[] {
    const [only] = sets;
    if (!only || sets.length > 1) return this.#plan(type, sets);
    const byType = this.#planned.get(only) ?? new Map<GraphQLObjectType, readonly FieldPlan[]>();
    this.#planned.set(only, byType);
    const fields = byType.get(type) ?? this.#plan(type, sets);
    byType.set(type, fields);
    return fields;
  }

  #plan(type: GraphQLObjectType, sets: readonly SelectionSetNode[]): readonly FieldPlan[] {
    const found = new Map<string, [FieldNode, ...FieldNode[]]>();
    const visited = new Set<string>();
    for (const set of sets) this.#collect(type, set, found, visited);
    const fields = [...found].flatMap(([name, nodes]) => this.#planField(type, name, nodes) ?? []);
    this.#onPlan(fields.length);
    return fields;
  }

  #collect(
    type: GraphQLObjectType,
    { selections }: SelectionSetNode,
    found: Map<string, [FieldNode, ...FieldNode[]]>,
    visited: Set<string>,
  ): void {
    for (const selection of selections) {
      if (getDirectiveValues(GraphQLSkipDirective, selection, this.#variables)?.['if'] === true) continue;
      if (getDirectiveValues(GraphQLIncludeDirective, selection, this.#variables)?.['if'] === false) continue;
      if (selection.kind === Kind.FIELD) {
        const name = selection.alias?.value ?? selection.name.value;
        const nodes = found.get(name);
        if (nodes) nodes.push(selection);
        else found.set(name, [selection]);
        continue;
      }
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        if (visited.has(selection.name.value)) continue;
        visited.add(selection.name.value);
      }
      const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? this.#fragments[selection.name.value] : selection;
      if (fragment && this.#applies(type, fragment.typeCondition?.name.value))
        this.#collect(type, fragment.selectionSet, found, visited);
    }
  }

  #applies(type: GraphQLObjectType, condition: string | undefined): boolean {
    if (condition === undefined || condition === type.name) return true;
    const conditional = this.#schema.getType(condition);
    return isAbstractType(conditional) && this.#schema.isSubType(conditional, type);
  }

  #planField(
    parentType: GraphQLObjectType,
    responseName: string,
    nodes: readonly [FieldNode, ...FieldNode[]],
  ): FieldPlan | undefined {
    const field = fieldOf(parentType, nodes[0].name.value, parentType === this.#schema.getQueryType());
    if (!field) return undefined;
    const sets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    const planned = new Map<GraphQLObjectType, readonly FieldPlan[]>();
    return {
      responseName,
      nodes,
      parentType,
      field,
      resolve: field.resolve ?? defaultFieldResolver,
      value: toValuePlan(field.type),
      args: toConstantArguments(field, nodes[0]),
      below: (type) => {
        let fields = planned.get(type);
        if (!fields) {
          fields = this.planFields(type, sets);
          planned.set(type, fields);
        }
        return fields;
      },
    };
  }
}

function fieldOf(type: GraphQLObjectType, name: string, isRoot: boolean): Field | undefined {
  if (name === TypeNameMetaFieldDef.name) return TypeNameMetaFieldDef;
  if (isRoot && name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
  if (isRoot && name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
  return type.getFields()[name];
}

/** Returns undefined if the arguments depend on variables, or are invalid: the execution then reports the error. */
function toConstantArguments(field: Field, node: FieldNode): Args | undefined {
  if (field.args.length === 0) return NO_ARGUMENTS;
  let isConstant = true;
  const Variable = () => {
    isConstant = false;
  };
  for (const argument of node.arguments ?? []) visit(argument, { Variable });
  try {
    return isConstant ? getArgumentValues(field, node) : undefined;
  } catch {
    return undefined;
  }
}

function toValuePlan(type: GraphQLOutputType): ValuePlan {
  const isNonNull = isNonNullType(type);
  const nullable = isNonNull ? type.ofType : type;
  return {
    isNonNull,
    leaf: isLeafType(nullable) ? nullable : undefined,
    object: isObjectType(nullable) ? nullable : undefined,
    abstract: isAbstractType(nullable) ? nullable : undefined,
    item: isListType(nullable) ? toValuePlan(nullable.ofType) : undefined,
  };
}

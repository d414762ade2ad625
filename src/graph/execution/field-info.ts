import type { GraphQLResolveInfo, GraphQLSchema, ResponsePath } from 'graphql';
import type { VariableValues } from '../limits/variable-values.ts';
import type { FieldPlan, OperationPlan } from './field-plan.ts';

/** What all fields of an execution share. */
interface Shared {
  readonly schema: GraphQLSchema;
  readonly plan: OperationPlan;
  readonly variables: VariableValues;
}

/** A position in the result. */
export type Position = FieldInfo | ItemPosition;

/** The position of an item in a list. Its path is made when it is needed. */
export class ItemPosition {
  readonly #list: Position;
  readonly #index: number;
  #path: ResponsePath | undefined;
  constructor(list: Position, index: number) {
    this.#list = list;
    this.#index = index;
  }
  get path(): ResponsePath {
    this.#path ??= { prev: this.#list.path, key: this.#index, typename: undefined };
    return this.#path;
  }
}

/** What a resolver gets as `info`. Everything is read from the plan of the field, or made when it is needed. */
export class FieldInfo {
  readonly #execution: Shared;
  readonly #plan: FieldPlan;
  readonly #parent: Position | undefined;
  #path: ResponsePath | undefined;
  constructor(execution: Shared, plan: FieldPlan, parent: Position | undefined) {
    this.#execution = execution;
    this.#plan = plan;
    this.#parent = parent;
  }
  get path(): ResponsePath {
    this.#path ??= {
      prev: this.#parent?.path,
      key: this.#plan.responseName,
      typename: this.#plan.parentType.name,
    };
    return this.#path;
  }
  get fieldName() {
    return this.#plan.field.name;
  }
  get fieldNodes() {
    return this.#plan.nodes;
  }
  get returnType() {
    return this.#plan.field.type;
  }
  get parentType() {
    return this.#plan.parentType;
  }
  get schema() {
    return this.#execution.schema;
  }
  get fragments() {
    return this.#execution.plan.fragments;
  }
  get operation() {
    return this.#execution.plan.operation;
  }
  get variableValues() {
    return this.#execution.variables;
  }
  get rootValue() {
    return undefined;
  }
}

/** Types a field's info as resolvers get it. Graphql 17 has two more members there, which no resolver of ours uses. */
export const toResolveInfo = (info: object) => info as GraphQLResolveInfo;

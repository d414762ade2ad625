import {
  type FieldNode,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  getArgumentValues,
  getDirectiveValues,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  isAbstractType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type NamedTypeNode,
  type SelectionSetNode,
} from 'graphql';
import type { Level } from '../../upstream/postman/levels.ts';

/** One field that a client has selected on an object, with the selection below it. */
export interface SelectedField {
  readonly name: string;
  /** Arguments, with defaults and variables applied. */
  readonly args: Readonly<Record<string, unknown>>;
  /** Whether it is selected only inside `@defer`, and so needed later. */
  readonly isDeferred: boolean;
  /** The levels that its declaration names; empty for fields of types without levels. */
  readonly carriedBy: readonly Level[];
  /** Fields selected on the object (or the objects of the list) it returns. */
  select(): readonly SelectedField[];
}

/**
 * Reads ahead: returns the fields that a client has selected below the field being resolved, including those in
 * fragments, without those left out by `@skip` and `@include`. Ignores fragments on types that the object does not have.
 */
export function toSelection(info: GraphQLResolveInfo): readonly SelectedField[] {
  return selectIn(info, namedObject(info.returnType), info.fieldNodes);
}

/** The selections that fields of one operation have read, by the nodes of the field. */
export type Selections = Map<readonly FieldNode[], readonly SelectedField[]>;

/** The same for a field of many objects: all objects of a list have the same selection, which is read once. */
export function toSharedSelection(info: GraphQLResolveInfo, selections: Selections): readonly SelectedField[] {
  const selection = selections.get(info.fieldNodes) ?? toSelection(info);
  selections.set(info.fieldNodes, selection);
  return selection;
}

/**
 * The same for a field that returns a union or an interface. Makes a function that returns the fields selected on its
 * objects of one type, computed once per type.
 */
export function createSelectionOn(info: GraphQLResolveInfo): (typeName: string) => readonly SelectedField[] {
  const selections = new Map<string, readonly SelectedField[]>();
  return (typeName) => {
    const selection =
      selections.get(typeName) ?? selectIn(info, namedObject(info.schema.getType(typeName)), info.fieldNodes);
    selections.set(typeName, selection);
    return selection;
  };
}

/** Returns the fields of a selection that have this name, one for each alias. */
export function fieldsNamed(selection: readonly SelectedField[], name: string): readonly SelectedField[] {
  return selection.filter((field) => field.name === name);
}

/** Returns the fields selected on the nodes of a connection, through `nodes` or `edges`. */
export function toNodeSelection(connection: readonly SelectedField[]): readonly SelectedField[] {
  return [
    ...fieldsNamed(connection, 'nodes').flatMap((field) => field.select()),
    ...fieldsNamed(connection, 'edges').flatMap((field) =>
      fieldsNamed(field.select(), 'node').flatMap((node) => node.select()),
    ),
  ];
}

function selectIn(
  info: GraphQLResolveInfo,
  type: GraphQLObjectType | undefined,
  parents: readonly FieldNode[],
): readonly SelectedField[] {
  if (!type) return [];
  const found = new Map<string, Found>();
  for (const { selectionSet } of parents) {
    if (selectionSet) collect(info, type, selectionSet, { found, visitedFragments: new Set(), isDeferred: false });
  }
  return [...found.values()].flatMap(({ nodes, isDeferred }) => {
    const [node] = nodes;
    const field = node && type.getFields()[node.name.value];
    if (!field) return [];
    let selected: readonly SelectedField[] | undefined;
    return {
      name: field.name,
      args: getArgumentValues(field, node, info.variableValues),
      isDeferred,
      carriedBy: levelsOf(field.extensions),
      select() {
        selected ??= selectIn(info, namedObject(field.type), nodes);
        return selected;
      },
    };
  });
}

/** The field nodes found under one response name. */
interface Found {
  readonly nodes: FieldNode[];
  isDeferred: boolean;
}

/** State while a selection is read. */
interface Reading {
  readonly found: Map<string, Found>;
  /**
   * Fragments already read. A fragment that is spread again adds no fields, and skipping it makes the time for nested
   * spreads linear.
   */
  readonly visitedFragments: Set<string>;
  readonly isDeferred: boolean;
}

function collect(
  info: GraphQLResolveInfo,
  type: GraphQLObjectType,
  { selections }: SelectionSetNode,
  reading: Reading,
): void {
  for (const selection of selections) {
    if (getDirectiveValues(GraphQLSkipDirective, selection, info.variableValues)?.['if'] === true) continue;
    if (getDirectiveValues(GraphQLIncludeDirective, selection, info.variableValues)?.['if'] === false) continue;
    if (selection.kind === Kind.FIELD) {
      add(reading, selection);
      continue;
    }
    const defer = info.schema.getDirective('defer');
    const isDeferred =
      reading.isDeferred ||
      (defer != null && getDirectiveValues(defer, selection, info.variableValues)?.['if'] === true);
    if (selection.kind === Kind.INLINE_FRAGMENT) {
      if (applies(info, type, selection.typeCondition))
        collect(info, type, selection.selectionSet, { ...reading, isDeferred });
      continue;
    }
    const { value: name } = selection.name;
    const visitKey = isDeferred ? `@defer ${name}` : name;
    if (reading.visitedFragments.has(visitKey)) continue;
    reading.visitedFragments.add(visitKey);
    const fragment = info.fragments[name];
    if (fragment && applies(info, type, fragment.typeCondition))
      collect(info, type, fragment.selectionSet, { ...reading, isDeferred });
  }
}

/** Whether a fragment applies to objects of a type. */
function applies({ schema }: GraphQLResolveInfo, type: GraphQLObjectType, condition: NamedTypeNode | undefined) {
  if (!condition || condition.name.value === type.name) return true;
  const conditional = schema.getType(condition.name.value);
  return isAbstractType(conditional) && schema.isSubType(conditional, type);
}

function add({ found, isDeferred }: Reading, node: FieldNode): void {
  const responseName = node.alias?.value ?? node.name.value;
  const known = found.get(responseName);
  if (!known) {
    found.set(responseName, { nodes: [node], isDeferred });
    return;
  }
  known.nodes.push(node);
  known.isDeferred &&= isDeferred;
}

function namedObject(type: unknown): GraphQLObjectType | undefined {
  if (isNonNullType(type) || isListType(type)) return namedObject(type.ofType);
  return isObjectType(type) ? type : undefined;
}

function levelsOf(extensions: Readonly<Record<string, unknown>>): readonly Level[] {
  return (extensions['carriedBy'] as readonly Level[] | undefined) ?? [];
}

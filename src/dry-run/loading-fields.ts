import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getArgumentValues,
  getDirectiveValues,
  getNamedType,
  isAbstractType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import type { Level } from '../upstream/postman/levels.ts';
import type { OperationContext } from '../graph/context.ts';
import type { DocumentReader } from '../graph/limits/document-reader.ts';

/** A selected field that asks the loaders for something, or leads to fields that do. */
export interface LoadingField {
  readonly args: Readonly<Record<string, unknown>>;
  /** Its path is always that of a root field: no resolver asks for anything by its place in the answer. */
  readonly info: GraphQLResolveInfo;
  readonly resolve: NonNullable<GraphQLField<unknown, OperationContext>['resolve']>;
  /** Type of the values it returns, or of the items of their lists. */
  readonly type: ReturnType<typeof getNamedType>;
  /** The fields to be resolved on an object that it returns. */
  below(type: GraphQLObjectType): readonly LoadingField[];
}

interface Selected {
  readonly definition: GraphQLField<unknown, OperationContext>;
  readonly nodes: readonly FieldNode[];
}

/**
 * Reads off an operation the fields that ask the loaders for something, as an executor would resolve them: by fragments, `@skip`, `@include`,
 * and response names, where what is deferred stands apart. What no call can depend on is left out; so are further fields of an object that
 * the same answers carry, because they ask for the same. It is read as far as it is asked for, and each place once.
 *
 * @param onRead - Is told how many selections have been read.
 * @returns The root fields.
 */
export function createLoadingFields(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  reader: DocumentReader,
  onRead: (count: number) => void,
): readonly LoadingField[] {
  const leadsToLoading = createLoadingSearch(schema, reader.fragments);
  const fragments = Object.fromEntries(reader.fragments);
  const collect = createCollector(schema, reader, onRead);

  const toFields = (
    type: GraphQLObjectType,
    sets: readonly SelectionSetNode[],
    isFromList: boolean,
  ): readonly LoadingField[] => {
    const definitions = type.getFields();
    const fields = new Map<string, LoadingField>();
    for (const nodes of collect(type, sets)) {
      const [node] = nodes;
      const definition = node && definitions[node.name.value];
      if (!definition) continue;
      const leads = nodes.some((one) => leadsToLoading(definition, one));
      if (!leads && !needsLoader(definition, isFromList)) continue;
      const args = toArguments(definition, node, reader);
      if (!args) continue;
      const key = leads ? `${fields.size}` : toKey(definition, args);
      if (!fields.has(key)) fields.set(key, toField(type, { definition, nodes }, args));
    }
    return [...fields.values()];
  };

  const toField = (
    parentType: GraphQLObjectType,
    { definition, nodes }: Selected,
    args: LoadingField['args'],
  ): LoadingField => {
    const sets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    const known = new Map<GraphQLObjectType, readonly LoadingField[]>();
    return {
      args,
      resolve: definition.resolve ?? ((source) => (source as Readonly<Record<string, unknown>>)[definition.name]),
      type: getNamedType(definition.type),
      // Packages that gateways install declare more of it, which no resolver here asks for.
      info: Object.assign({} as GraphQLResolveInfo, {
        fieldName: definition.name,
        fieldNodes: nodes,
        returnType: definition.type,
        parentType,
        path: { prev: undefined, key: definition.name, typename: parentType.name },
        schema,
        fragments,
        rootValue: undefined,
        operation,
        variableValues: reader.variableValues,
      }),
      below(type) {
        const fields = known.get(type) ?? toFields(type, sets, comesFromList(definition));
        known.set(type, fields);
        return fields;
      },
    };
  };

  const queryType = schema.getQueryType();
  return queryType ? toFields(queryType, [operation.selectionSet], false) : [];
}

/**
 * Makes the function that collects the nodes of each field of an object that is executed by itself: one for each response name, here and in each part that
 * comes later.
 */
function createCollector(schema: GraphQLSchema, reader: DocumentReader, onRead: (count: number) => void) {
  const defer = schema.getDirective('defer');

  const isDeferred = (node: SelectionNode): boolean =>
    defer != null && getDirectiveValues(defer, node, reader.variableValues)?.['if'] === true;

  const matches = (condition: string | undefined, type: GraphQLObjectType): boolean => {
    const conditional = condition === undefined ? type : schema.getType(condition);
    return conditional === type || (isAbstractType(conditional) && schema.isSubType(conditional, type));
  };

  return (type: GraphQLObjectType, sets: readonly SelectionSetNode[]): readonly (readonly FieldNode[])[] => {
    const visited = new Set<string>();
    const parts: Map<string, FieldNode[]>[] = [];
    const add = ({ selections }: SelectionSetNode, fields: Map<string, FieldNode[]>) => {
      onRead(selections.length);
      for (const node of selections) {
        if (reader.isLeftOut(node)) continue;
        if (node.kind === Kind.FIELD) {
          const responseName = node.alias?.value ?? node.name.value;
          const nodes = fields.get(responseName);
          if (nodes) nodes.push(node);
          else fields.set(responseName, [node]);
          continue;
        }
        const isLater = isDeferred(node);
        if (node.kind === Kind.FRAGMENT_SPREAD) {
          if (visited.has(node.name.value) && !isLater) continue;
          if (!isLater) visited.add(node.name.value);
        }
        const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : reader.fragments.get(node.name.value);
        if (fragment && matches(fragment.typeCondition?.name.value, type))
          add(fragment.selectionSet, isLater ? toPart() : fields);
      }
    };
    const toPart = () => {
      const part = new Map<string, FieldNode[]>();
      parts.push(part);
      return part;
    };
    const now = toPart();
    for (const set of sets) add(set, now);
    return parts.flatMap((part) => [...part.values()]);
  };
}

const levelsOf = ({ extensions }: GraphQLField<unknown, OperationContext>) =>
  (extensions['carriedBy'] as readonly Level[] | undefined) ?? [];
const readsOf = ({ extensions }: GraphQLField<unknown, OperationContext>) =>
  (extensions['reads'] as readonly string[] | undefined) ?? [];

/** Whether what it returns are items of lists. */
const comesFromList = ({ extensions }: GraphQLField<unknown, OperationContext>) => extensions['fromList'] === true;

/** @param isFromList - Whether the field is one of an item of a list. */
function needsLoader(definition: GraphQLField<unknown, OperationContext>, isFromList: boolean): boolean {
  const levels = levelsOf(definition);
  const isKnown = isFromList && levels.includes('ref');
  return readsOf(definition).length > 0 || (levels.length > 0 && !isKnown);
}

/** Equal for fields of one object that ask for the same, where nothing below them asks for more. */
function toKey(definition: GraphQLField<unknown, OperationContext>, args: LoadingField['args']): string {
  const levels = levelsOf(definition);
  if (readsOf(definition).length > 0) return `${definition.name} ${JSON.stringify(args)}`;
  // Of what every answer carries some is derived from the identifier, and some is asked for where it is not known.
  return levels.includes('ref') ? definition.name : levels.join();
}

/** undefined where they do not fit: then the field is not resolved. */
function toArguments(
  definition: GraphQLField<unknown, OperationContext>,
  node: FieldNode,
  { variableValues }: DocumentReader,
): LoadingField['args'] | undefined {
  try {
    return getArgumentValues(definition as GraphQLField<unknown, unknown>, node, variableValues);
  } catch {
    return undefined;
  }
}

/** Makes the function that tells whether anything that is selected below a field asks for something. It looks at each node once for each type. */
function createLoadingSearch(schema: GraphQLSchema, fragments: ReadonlyMap<string, FragmentDefinitionNode>) {
  const known = new Map<SelectionSetNode, Map<string, boolean>>();

  const search = (typeName: string, set: SelectionSetNode, isFromList: boolean): boolean => {
    const ofSet = known.get(set) ?? new Map<string, boolean>();
    known.set(set, ofSet);
    const key = isFromList ? `${typeName} of a list` : typeName;
    const before = ofSet.get(key);
    if (before !== undefined) return before;
    const type = schema.getType(typeName);
    const owners = isAbstractType(type) ? schema.getPossibleTypes(type) : isObjectType(type) ? [type] : [];
    const loads = set.selections.some((node) => {
      if (node.kind === Kind.INLINE_FRAGMENT)
        return search(node.typeCondition?.name.value ?? typeName, node.selectionSet, isFromList);
      if (node.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = fragments.get(node.name.value);
        return fragment !== undefined && search(fragment.typeCondition.name.value, fragment.selectionSet, isFromList);
      }
      return owners.some((owner) => {
        const field = owner.getFields()[node.name.value];
        return field !== undefined && (needsLoader(field, isFromList) || leadsToLoading(field, node));
      });
    });
    ofSet.set(key, loads);
    return loads;
  };
  const leadsToLoading = (definition: GraphQLField<unknown, OperationContext>, { selectionSet }: FieldNode): boolean =>
    selectionSet !== undefined && search(getNamedType(definition.type).name, selectionSet, comesFromList(definition));
  return leadsToLoading;
}

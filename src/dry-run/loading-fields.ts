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

/** A selected field that calls the loaders, or has selected fields below it that do. */
export interface LoadingField {
  readonly args: Readonly<Record<string, unknown>>;
  /** `path` is always that of a root field: no resolver depends on its position in the result. */
  readonly info: GraphQLResolveInfo;
  readonly resolve: NonNullable<GraphQLField<unknown, OperationContext>['resolve']>;
  /** Named type of its value, or of the items if the value is a list. */
  readonly type: ReturnType<typeof getNamedType>;
  /** The loading fields selected on an object of this type that the field returns. */
  below(type: GraphQLObjectType): readonly LoadingField[];
}

interface Selected {
  readonly definition: GraphQLField<unknown, OperationContext>;
  readonly nodes: readonly FieldNode[];
}

/**
 * Finds the fields of an operation that call the loaders. Collects fields as an executor does: applies fragments,
 * `@skip` and `@include`, merges by response name, and keeps deferred fragments apart.
 *
 * Leaves out fields that cause no call, and repeated fields of one object that the same response serves. Reads the
 * document lazily, each position once.
 *
 * @param onRead - Called with the number of selections read.
 * @returns The root fields that call the loaders.
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
      // The cast: packages of gateways add members to this type that no resolver here reads.
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
 * Creates the function that collects the selected field nodes of an object type. Each group of nodes is executed as one
 * field: one group per response name, for the object itself and again for each deferred fragment.
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

/** Whether the field returns items of upstream lists. */
const comesFromList = ({ extensions }: GraphQLField<unknown, OperationContext>) => extensions['fromList'] === true;

/** @param isFromList - Whether the field's parent is an item of an upstream list. */
function needsLoader(definition: GraphQLField<unknown, OperationContext>, isFromList: boolean): boolean {
  const levels = levelsOf(definition);
  const isKnown = isFromList && levels.includes('ref');
  return readsOf(definition).length > 0 || (levels.length > 0 && !isKnown);
}

/** Returns equal keys for fields of one object that need the same call. Only for fields with no loading field below. */
function toKey(definition: GraphQLField<unknown, OperationContext>, args: LoadingField['args']): string {
  const levels = levelsOf(definition);
  if (readsOf(definition).length > 0) return `${definition.name} ${JSON.stringify(args)}`;
  // Of the fields at level `ref`, some derive from the identifier and some may need a call: they share no key.
  return levels.includes('ref') ? definition.name : levels.join();
}

/** Returns undefined if the arguments are invalid; an executor then does not call the resolver. */
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

/** Creates the test whether any field selected below a field calls the loaders. Visits each node once per type. */
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

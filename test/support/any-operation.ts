import { type Arbitrary, array, constant, constantFrom, integer, nat, oneof, option, record, tuple } from 'fast-check';
import {
  getNamedType,
  type GraphQLArgument,
  type GraphQLField,
  GraphQLObjectType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';
import { createSchema } from '../../src/graph/schema.ts';
import type { Level } from '../../src/upstream/postman/levels.ts';
import { identifierAt, nameAt } from './small-account.ts';

/** A page of a list. */
export interface Page {
  readonly first: number;
  /** Index of the node after which it starts. */
  readonly after: number | undefined;
}

/** One selected field. Both the query text and the needed calls are derived from this. */
export interface Field {
  readonly name: string;
  /** Name of its parent type. */
  readonly on: string;
  /**
   * Name of the type that it returns, or of the nodes of a connection; undefined if reading it needs no call of its
   * own.
   */
  readonly to: string | undefined;
  /** The levels that it declares; may be empty. */
  readonly levels: readonly Level[];
  /** Strings, names of enum values, or input objects as they are written. */
  readonly args: Readonly<Record<string, string>>;
  /** Only for a connection. */
  readonly page?: Page;
  /** Selection on the nodes of a connection. */
  readonly select: readonly Field[];
  /** How it is written. `left out` is written, but skipped. */
  readonly written: 'plainly' | 'inline' | 'in a fragment' | 'included' | 'left out';
  /** Whether it is written as `Query.node`, which has to make the same calls. */
  readonly isNode?: boolean;
  /** How the nodes of a connection are written. */
  readonly through: 'nodes' | 'edges' | 'both';
}

type SchemaField = GraphQLField<unknown, unknown>;

const schema = createSchema();

const levelsOf = ({ extensions }: SchemaField) => (extensions['carriedBy'] as readonly Level[] | undefined) ?? [];
const readsOf = ({ extensions }: SchemaField) => (extensions['reads'] as readonly string[] | undefined) ?? [];
const isConnection = (field: SchemaField) => nodeTypeOf(getNamedType(field.type)) !== undefined;
const fieldsOf = (type: GraphQLObjectType): readonly SchemaField[] => Object.values(type.getFields());
const isLeveled = (type: GraphQLObjectType) => fieldsOf(type).some((field) => levelsOf(field).length > 0);

/** The type of the nodes, if the type is a connection. */
function nodeTypeOf(type: unknown): unknown {
  const nodes = isObjectType(type) ? type.getFields()['nodes'] : undefined;
  return nodes && getNamedType(nodes.type);
}

/** The type that a field returns, if any of its fields needs a call of its own. */
function targetOf(field: SchemaField): GraphQLObjectType | undefined {
  const type = getNamedType(field.type);
  const target = nodeTypeOf(type) ?? type;
  if (!isObjectType(target)) return undefined;
  return isLeveled(target) || fieldsOf(target).some((inner) => readsOf(inner).length > 0) ? target : undefined;
}

/** @throws {Error} Names an argument for which no values are defined. */
function anyValueOf(field: SchemaField, { name, type }: GraphQLArgument, on: string): Arbitrary<string> {
  const named = getNamedType(type);
  const typeName = targetOf(field)?.name ?? '';
  if (name === 'id' || name === 'uid') return nat(5).map(identifierAt(typeName));
  if (name === 'workspaceId') return nat(4).map(identifierAt('Workspace'));
  if (name === 'creatorId') return nat(1).map(identifierAt('User'));
  if (name === 'name') return nat(4).map((index) => nameAt(typeName, index));
  if (name === 'orderBy')
    return tuple(constantFrom('NAME', 'CREATED_AT', 'UPDATED_AT'), constantFrom('ASC', 'DESC')).map(
      ([by, direction]) => `{ field: ${by}, direction: ${direction} }`,
    );
  if (name === 'updatedAfter') return constantFrom('2026-01-01T00:00:00Z', '2026-02-02T01:00:00+01:00');
  // OTHER is returned, but not accepted as an argument.
  if (isEnumType(named))
    return constantFrom(
      ...named
        .getValues()
        .map((value) => value.name)
        .filter((value) => value !== 'OTHER'),
    );
  throw new Error(`test/support/any-operation.ts has no values for the argument ${on}.${field.name}(${name}:)`);
}

/** Arguments other than those of paging. Omitted where they change no call. */
function anyArgsOf(field: SchemaField, on: string): Arbitrary<Record<string, string>> {
  const readsMore = readsOf(field).length > 0;
  // No collection of a small account has items, so no filter changes a call.
  const args = field.args.filter(({ name }) => name !== 'first' && name !== 'after' && name !== 'filter');
  const given = args.flatMap((arg) => {
    if (isRequiredArgument(arg)) return [anyValueOf(field, arg, on).map((value) => ({ [arg.name]: value }))];
    if (!readsMore) return [];
    const some = anyValueOf(field, arg, on).map((value): Record<string, string> => ({ [arg.name]: value }));
    // Most lists are in Postman's order, so that its pages and cursors are tested, too.
    const weight = arg.name === 'orderBy' || arg.name === 'updatedAfter' ? 6 : 2;
    return [oneof({ weight, arbitrary: constant({}) }, { weight: 1, arbitrary: some })];
  });
  return given.length === 0
    ? constant({})
    : tuple(...given).map((values) => Object.assign({}, ...values) as Record<string, string>);
}

const written = (field: Arbitrary<Field>): Arbitrary<Field> =>
  tuple(
    field,
    oneof(
      { weight: 8, arbitrary: constant('plainly' as const) },
      { weight: 4, arbitrary: constantFrom('inline' as const, 'in a fragment' as const, 'included' as const) },
      { weight: 1, arbitrary: constant('left out' as const) },
    ),
  ).map(([one, how]) => ({ ...one, written: how }));

const some = (field: Arbitrary<Field>, maxLength = 3) =>
  array(written(field), { minLength: 1, maxLength }).filter((fields) =>
    fields.some(({ written: how }) => how !== 'left out'),
  );

const anyPage: Arbitrary<Page> = record({
  first: integer({ min: 1, max: 8 }),
  after: option(nat(4), { nil: undefined, freq: 1 }),
}).map(({ first, after }) => ({ first, after: first % 2 === 0 ? undefined : after }));

/** One field with any arguments and any selection. */
function anyFieldOf(on: GraphQLObjectType, field: SchemaField, depth: number): Arbitrary<Field> {
  const target = targetOf(field);
  const selection = target ? anySelectionOf(target, isLeveled(target) ? depth - 1 : depth) : constant([]);
  return tuple(
    selection,
    anyArgsOf(field, on.name),
    target && isConnection(field) ? anyPage : constant(undefined),
    constantFrom('nodes' as const, 'edges' as const, 'both' as const),
  ).map(([select, args, page, through]) => ({
    name: field.name,
    on: on.name,
    to: target?.name,
    levels: levelsOf(field),
    args,
    ...(page && { page }),
    select,
    written: 'plainly',
    through,
  }));
}

/** Cheap fields are selected more often, and so are lists, because plans differ by them. */
function weightOf(field: SchemaField): number {
  const [level] = levelsOf(field);
  if (targetOf(field)) return isConnection(field) ? 4 : level === 'dedicated' ? 1 : 2;
  return level === 'ref' || level === 'summary' ? 4 : level === 'minimal' ? 2 : 1;
}

/** Fields of one type. Fields carried by the same responses share one weight, whatever their number. */
function anySelectionOf(type: GraphQLObjectType, depth: number): Arbitrary<readonly Field[]> {
  const groups = new Map<string, SchemaField[]>();
  for (const field of fieldsOf(type)) {
    if (depth === 0 && targetOf(field)) continue;
    const key = targetOf(field) ? field.name : levelsOf(field).join();
    groups.set(key, [...(groups.get(key) ?? []), field]);
  }
  return some(
    oneof(
      ...[...groups.values()].map((fields) => ({
        weight: Math.max(...fields.map(weightOf)),
        arbitrary: oneof(...fields.map((field) => anyFieldOf(type, field, depth))),
      })),
    ),
  );
}

const queryType = schema.getQueryType() ?? new GraphQLObjectType({ name: 'Query', fields: {} });
// Gateways query entities in separate documents.
const rootFields = fieldsOf(queryType).filter((field) => readsOf(field).length > 0 && !/^_|^nodes?$/.test(field.name));

/** Up to four root fields; the account may have none of the objects. */
export const anyOperation: Arbitrary<readonly Field[]> = some(
  oneof(
    ...rootFields.map((field) => ({
      // An object can be named in more ways than it can be listed.
      weight: targetOf(field) ? (field.args.some(isRequiredArgument) ? 5 : 4) : 1,
      arbitrary: tuple(anyFieldOf(queryType, field, 3), nat(2)).map(([one, side]) => ({
        ...one,
        isNode: side === 0 && ('id' in one.args || 'uid' in one.args),
      })),
    })),
  ),
  4,
);

/** The selection on objects without calls of their own: the fields that identify them, if any, or count what was read. */
function writeLeaf(on: string, name: string): string {
  const type = schema.getType(on);
  const named = isObjectType(type) ? getNamedType(type.getFields()[name]?.type) : undefined;
  if (!named || isLeafType(named)) return '';
  const members = isObjectType(named) || isInterfaceType(named) ? named.getFields() : {};
  return ` { ${['id', 'key', 'searchedCollectionCount'].find((member) => member in members) ?? '__typename'} }`;
}

/** Prints the arguments of a field, without those of paging. */
export function writeArgs({ on, name, args }: Field): readonly string[] {
  const type = schema.getType(on);
  const field = isObjectType(type) ? type.getFields()[name] : undefined;
  return Object.entries(args).map(([key, value]) => {
    const arg = field?.args.find((one) => one.name === key);
    const argType = arg && getNamedType(arg.type);
    return `${key}: ${isEnumType(argType) || isInputObjectType(argType) ? value : JSON.stringify(value)}`;
  });
}

/** Response name of a field. Unique within a selection, so that no two fields merge. */
export const aliasOf = (index: number) => `f${index}`;

/**
 * Prints an operation.
 *
 * @param cursors - Start cursors of the lists, where they are known.
 */
export function toText(operation: readonly Field[], cursors: ReadonlyMap<Field, string>): string {
  const fragments: string[] = [];
  const write = (fields: readonly Field[]): string =>
    `{ ${fields
      .map((field, index) => {
        const { name, on, page, select, through, written: how } = field;
        const cursor = cursors.get(field);
        const given = [
          ...writeArgs(field),
          ...(page ? [`first: ${page.first}`] : []),
          ...(cursor === undefined ? [] : [`after: "${cursor}"`]),
        ].join(', ');
        const nodes = select.length > 0 ? write(select) : writeLeaf(on, name);
        const body = !page
          ? nodes
          : ` { ${through === 'edges' ? '' : `nodes ${nodes}`} ${through === 'nodes' ? '' : `edges { node ${nodes} }`} }`;
        const directive = how === 'included' ? ' @include(if: $yes)' : how === 'left out' ? ' @skip(if: $yes)' : '';
        const { id, uid } = field.args;
        const call = field.isNode ? `node(id: "${id ?? `${field.to}:${uid}`}")` : `${name}${given && `(${given})`}`;
        const selected = field.isNode ? ` { ... on ${field.to} ${body} }` : body;
        const text = `${aliasOf(index)}: ${call}${directive}${selected}`;
        if (how === 'inline') return `... on ${on} { ${text} }`;
        if (how !== 'in a fragment') return text;
        fragments.push(`fragment F${fragments.length} on ${on} { ${text} }`);
        return `...F${fragments.length - 1}`;
      })
      .join(' ')} }`;
  const body = write(operation);
  const text = [body, ...fragments].join(' ');
  return `query ${text.includes('$yes') ? '($yes: Boolean = true) ' : ''}${text}`;
}
/** The same operation with incremental delivery: lists are streamed, and fragments are deferred. */
export function inParts(text: string): string {
  return text
    .replaceAll('nodes {', 'nodes @stream {')
    .replaceAll('edges {', 'edges @stream(initialCount: 1) {')
    .replaceAll(/(\.\.\. on \w+) \{/g, '$1 @defer {')
    .replaceAll(/(\.\.\.F\d+)/g, '$1 @defer');
}

/** The selected fields, without the skipped ones. */
export const requestedFields = (fields: readonly Field[]): readonly (readonly [alias: string, field: Field])[] =>
  fields.flatMap((field, index) => (field.written === 'left out' ? [] : [[aliasOf(index), field] as const]));

/**
 * Makes nested lists of unnamed workspaces start at the beginning, because no client can know their cursors.
 *
 * @param isNamed - Whether the cursors of the fields themselves can be known.
 */
export function withKnownCursors(fields: readonly Field[], isNamed: boolean): readonly Field[] {
  return fields.map((field) => ({
    ...field,
    ...(field.page && !isNamed && { page: { ...field.page, after: undefined } }),
    select: withKnownCursors(field.select, isNamed && field.name === 'workspace' && 'id' in field.args),
  }));
}

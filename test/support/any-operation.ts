import { type Arbitrary, array, constant, constantFrom, integer, nat, oneof, option, record, tuple } from 'fast-check';
import { collectionUidAt, environmentUidAt, workspaceIdAt } from './small-account.ts';

/** A part of a list. */
export interface Page {
  readonly first: number;
  /** Place of the node after which it starts. */
  readonly after: number | undefined;
}

/** One selected field, as structure: what is written of it is made from this, and what it needs is derived from this. */
export interface Field {
  readonly name: string;
  readonly args: Readonly<Record<string, string>>;
  /** Of a connection. */
  readonly page?: Page;
  /** Of a connection: of its nodes. */
  readonly select: readonly Field[];
  /** How it is written; `left out` is written, but not asked for. */
  readonly written: 'plainly' | 'inline' | 'in a fragment' | 'included' | 'left out';
  /** Of a connection: how its nodes are written. */
  readonly through: 'nodes' | 'edges' | 'both';
}

const leaf = (name: string): Field => ({ name, args: {}, select: [], written: 'plainly', through: 'nodes' });

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

const list = (
  name: string,
  selection: Arbitrary<readonly Field[]>,
  args: Arbitrary<Record<string, string>> = constant({}),
): Arbitrary<Field> =>
  tuple(selection, anyPage, constantFrom('nodes' as const, 'edges' as const, 'both' as const), args).map(
    ([select, page, through, given]) => ({ ...leaf(name), args: given, page, select, through }),
  );
const thing = (
  name: string,
  selection: Arbitrary<readonly Field[]>,
  args: Arbitrary<Record<string, string>> = constant({}),
): Arbitrary<Field> => tuple(selection, args).map(([select, given]) => ({ ...leaf(name), args: given, select }));

const environmentSelection = some(
  oneof(
    { weight: 4, arbitrary: constantFrom('id', 'uid', 'name', 'ownerId').map(leaf) },
    { weight: 3, arbitrary: constantFrom('updatedAt', 'isPublic').map(leaf) },
    { weight: 1, arbitrary: constant(leaf('values')) },
  ),
);

function collectionSelection(depth: number): Arbitrary<readonly Field[]> {
  const plain = oneof(
    { weight: 4, arbitrary: constantFrom('id', 'uid', 'name', 'ownerId').map(leaf) },
    { weight: 4, arbitrary: constantFrom('updatedAt', 'createdAt').map(leaf) },
    { weight: 2, arbitrary: constant(leaf('isPublic')) },
    { weight: 2, arbitrary: constantFrom('description', 'lastUpdatedBy').map(leaf) },
    { weight: 1, arbitrary: constant(leaf('items')) },
  );
  if (depth === 0) return some(plain);
  return some(
    oneof(
      { weight: 8, arbitrary: plain },
      { weight: 2, arbitrary: thing('fork', forkSelection(depth)) },
      { weight: 1, arbitrary: thing('workspace', workspaceSelection(depth - 1)) },
    ),
  );
}

const forkSelection = (depth: number): Arbitrary<readonly Field[]> =>
  some(
    oneof(
      { weight: 1, arbitrary: constantFrom('label', 'parentUid').map(leaf) },
      { weight: 2, arbitrary: thing('parent', collectionSelection(depth - 1)) },
    ),
    2,
  );

function workspaceSelection(depth: number): Arbitrary<readonly Field[]> {
  const plain = oneof(
    { weight: 4, arbitrary: constantFrom('id', 'name', 'visibility').map(leaf) },
    { weight: 1, arbitrary: constantFrom('description', 'updatedBy').map(leaf) },
    { weight: 1, arbitrary: constant(leaf('globals')) },
  );
  if (depth === 0) return some(plain);
  return some(
    oneof(
      { weight: 4, arbitrary: plain },
      { weight: 4, arbitrary: list('collections', collectionSelection(depth - 1)) },
      { weight: 3, arbitrary: list('environments', environmentSelection) },
    ),
  );
}

// One place more than there can be things, now and then.
const anyWorkspaceId = nat(4).map(workspaceIdAt);
const anyCollectionUid = nat(6).map(collectionUidAt);
const anyEnvironmentUid = nat(4).map(environmentUidAt);

const anyRoot = oneof(
  { weight: 1, arbitrary: constant(leaf('me')) },
  { weight: 3, arbitrary: list('workspaces', workspaceSelection(2)) },
  { weight: 1, arbitrary: list('workspaces', workspaceSelection(1), constant({ visibility: 'TEAM' })) },
  {
    weight: 5,
    arbitrary: thing(
      'workspace',
      workspaceSelection(2),
      anyWorkspaceId.map((id) => ({ id })),
    ),
  },
  { weight: 3, arbitrary: list('collections', collectionSelection(2)) },
  {
    weight: 2,
    arbitrary: list(
      'collections',
      collectionSelection(1),
      anyWorkspaceId.map((workspaceId) => ({ workspaceId })),
    ),
  },
  {
    weight: 1,
    arbitrary: list(
      'collections',
      collectionSelection(1),
      nat(4).map((name) => ({ name: `Collection ${name}` })),
    ),
  },
  {
    weight: 1,
    arbitrary: list(
      'collections',
      collectionSelection(1),
      tuple(nat(4), anyWorkspaceId).map(([name, workspaceId]) => ({ name: `Collection ${name}`, workspaceId })),
    ),
  },
  {
    weight: 7,
    arbitrary: thing(
      'collection',
      collectionSelection(2),
      anyCollectionUid.map((uid) => ({ uid })),
    ),
  },
  { weight: 2, arbitrary: list('environments', environmentSelection) },
  {
    weight: 1,
    arbitrary: list(
      'environments',
      environmentSelection,
      anyWorkspaceId.map((workspaceId) => ({ workspaceId })),
    ),
  },
  {
    weight: 4,
    arbitrary: thing(
      'environment',
      environmentSelection,
      anyEnvironmentUid.map((uid) => ({ uid })),
    ),
  },
);

/** Up to four root fields, none of which any account needs to have. */
export const anyOperation: Arbitrary<readonly Field[]> = some(anyRoot, 4);

const TYPES: Readonly<Record<string, string>> = {
  me: 'User',
  workspace: 'Workspace',
  workspaces: 'Workspace',
  collection: 'Collection',
  collections: 'Collection',
  parent: 'Collection',
  fork: 'ForkInfo',
  environment: 'Environment',
  environments: 'Environment',
};
const LEAVES: Readonly<Record<string, string>> = {
  me: ' { id }',
  items: ' { name }',
  values: ' { key }',
  globals: ' { key }',
};

/** What the field is called in the answer: no two fields of a selection are merged by their names. */
export const aliasOf = (index: number) => `f${index}`;

/**
 * Writes an operation.
 *
 * @param cursors - Of the lists that start at a place, as far as it is known.
 */
export function toText(operation: readonly Field[], cursors: ReadonlyMap<Field, string>): string {
  const fragments: string[] = [];
  const write = (fields: readonly Field[], type: string): string =>
    `{ ${fields
      .map((field, index) => {
        const { name, args, page, select, through, written: how } = field;
        const cursor = cursors.get(field);
        const given = [
          ...Object.entries(args).map(([key, value]) =>
            key === 'visibility' ? `${key}: ${value}` : `${key}: ${JSON.stringify(value)}`,
          ),
          ...(page ? [`first: ${page.first}`] : []),
          ...(cursor === undefined ? [] : [`after: "${cursor}"`]),
        ].join(', ');
        const nodes = select.length > 0 ? write(select, TYPES[name] ?? '') : (LEAVES[name] ?? '');
        const body = !page
          ? nodes
          : ` { ${through === 'edges' ? '' : `nodes ${nodes}`} ${through === 'nodes' ? '' : `edges { node ${nodes} }`} }`;
        const directive = how === 'included' ? ' @include(if: $yes)' : how === 'left out' ? ' @skip(if: $yes)' : '';
        const text = `${aliasOf(index)}: ${name}${given && `(${given})`}${directive}${body}`;
        if (how === 'inline') return `... on ${type} { ${text} }`;
        if (how !== 'in a fragment') return text;
        fragments.push(`fragment F${fragments.length} on ${type} { ${text} }`);
        return `...F${fragments.length - 1}`;
      })
      .join(' ')} }`;
  const body = write(operation, 'Query');
  const text = [body, ...fragments].join(' ');
  return `query ${text.includes('$yes') ? '($yes: Boolean = true) ' : ''}${text}`;
}

/** The same operation, asked in parts: whatever is a list or a fragment comes later. */
export function inParts(text: string): string {
  return text
    .replaceAll('nodes {', 'nodes @stream {')
    .replaceAll('edges {', 'edges @stream(initialCount: 1) {')
    .replaceAll(/(\.\.\. on \w+) \{/g, '$1 @defer {')
    .replaceAll(/(\.\.\.F\d+)/g, '$1 @defer');
}

/** What is asked for, without what is only written. */
export const asked = (fields: readonly Field[]): readonly (readonly [alias: string, field: Field])[] =>
  fields.flatMap((field, index) => (field.written === 'left out' ? [] : [[aliasOf(index), field] as const]));

/**
 * Nested lists of unnamed workspaces have places that no client knows: they start at the beginning.
 *
 * @param isNamed - Whether the places of the fields themselves can be known.
 */
export function withKnownPlaces(fields: readonly Field[], isNamed: boolean): readonly Field[] {
  return fields.map((field) => ({
    ...field,
    ...(field.page && !isNamed && { page: { ...field.page, after: undefined } }),
    select: withKnownPlaces(field.select, isNamed && field.name === 'workspace' && 'id' in field.args),
  }));
}

import { buildSchema, GraphQLError, Kind, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { createSelectionCount } from '../../../src/graph/limits/count-selections.ts';
import { createOperationLimits } from '../../../src/graph/limits/operation-limits.ts';

const schema = buildSchema('type Query { a: Query b: Int }');
const refuse = (message: string): never => {
  throw new GraphQLError(message);
};

/** The message of the first limit that a document exceeds, or undefined. */
function check(text: string, limits: { depth?: number; aliases?: number; directives?: number } = {}) {
  const { depth = 5, aliases = 5, directives = 5 } = limits;
  const rule = createOperationLimits({ maxDepth: depth, maxAliases: aliases, maxDirectives: directives }, refuse);
  try {
    validate(schema, parse(text), [rule]);
    return undefined;
  } catch (error) {
    if (error instanceof GraphQLError) return error.message;
    throw error;
  }
}

const times = (count: number, part: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => part(i)).join(' ');
/** Fragments f0 to f{count}, each of which spreads the next, and the last of which selects something. */
const chain = (count: number, spreads: (next: string) => string, last: string) =>
  `${times(count, (i) => `fragment f${i} on Query { ${spreads(`...f${i + 1}`)} }`)} fragment f${count} on Query { ${last} }`;

describe('the depth of an operation', () => {
  it.each([
    ['counts fields', '{ a { a { b } } }', 3],
    ['is that of the deepest field', '{ b a { b } a { a { a { b } } b } b }', 4],
    ['does not count fragments', '{ ... { ...f } } fragment f on Query { ... on Query { a { b } } }', 2],
    [
      'adds up where fragments are spread below fields',
      '{ a { ...f } } fragment f on Query { a { ...g } } fragment g on Query { a { b } }',
      4,
    ],
    ['is that of the deepest of all spreads', '{ ...f a { a { ...f } } } fragment f on Query { a { b } }', 4],
    ['is that of the deepest operation', 'query A { b } query B { a { a { b } } }', 3],
    ['leaves out introspection', '{ a { b } __schema { types { fields { type { ofType { name } } } } } }', 2],
    ['counts __type', '{ __type(name: "Query") { fields { name } } }', 3],
    ['counts an unknown fragment as nothing', '{ a { ...none } }', 1],
  ])('%s', (_what, text, depth) => {
    expect(check(text, { depth })).toBeUndefined();
    expect(check(text, { depth: depth - 1 })).toBe(`Query depth limit of ${depth - 1} exceeded, found ${depth}.`);
  });
});

describe('the aliases of an operation', () => {
  it.each([
    ['count on all levels', '{ x: b y: a { z: b } }', 3],
    ['count wherever a fragment is spread', '{ ...f a { ...f ... { ...f } } } fragment f on Query { x: b }', 3],
    ['multiply through nested fragments', `{ ...f0 } ${chain(10, (next) => `${next} ${next}`, 'x: b')}`, 1_024],
    [
      'count in each operation',
      'query A { x: b } query B { ...f x: b } query C { ...f } fragment f on Query { y: b }',
      2,
    ],
  ])('%s', (_what, text, aliases) => {
    expect(check(text, { aliases })).toBeUndefined();
    expect(check(text, { aliases: aliases - 1 })).toBe(`Aliases limit of ${aliases - 1} exceeded, found ${aliases}.`);
  });
});

describe('the directives of an operation', () => {
  it.each([
    [
      'count on operations, fields and fragments',
      'query @x { b @x a @x { ... @x { b } ...f @x } } fragment f on Query @x { b @x }',
      7,
    ],
    ['count wherever a fragment is spread', '{ ...f ...f a { ...f } } fragment f on Query { b @x @x }', 6],
    ['do not count on a spread that is repeated', '{ ...f @x @x ...f @x a { ...f @x } } fragment f on Query { b }', 2],
  ])('%s', (_what, text, directives) => {
    expect(check(text, { directives })).toBeUndefined();
    expect(check(text, { directives: directives - 1 })).toBe(
      `Directives limit of ${directives - 1} exceeded, found ${directives}.`,
    );
  });
});

describe('fragments that spread each other', () => {
  it.each([
    ['a fragment in itself', '{ ...f } fragment f on Query { a { ...f x: b @x } }'],
    [
      'two fragments in each other',
      '{ ...f } fragment f on Query { a { ...g } } fragment g on Query { a { ...f } x: b @x }',
    ],
    [
      'fragments that double in a circle',
      `{ ...f0 } ${times(50, (i) => `fragment f${i} on Query { a { ...f${(i + 1) % 50} ...f${(i + 7) % 50} } }`)}`,
    ],
  ])('%s are measured once', (_what, text) => {
    expect(check(text, { depth: 1_000 })).toBeUndefined();
  });

  it('are measured as far as their first repetition', () => {
    const text = '{ ...f } fragment f on Query { a { ...g } } fragment g on Query { a { ...f } x: b @x }';
    expect(check(text, { depth: 1 })).toBe('Query depth limit of 1 exceeded, found 2.');
    expect(check(text, { aliases: 0 })).toBe('Aliases limit of 0 exceeded, found 1.');
    expect(check(text, { directives: 0 })).toBe('Directives limit of 0 exceeded, found 1.');
  });
});

describe('spreads by the thousand', () => {
  it.each([
    [
      'of one fragment',
      `{ ${'...f '.repeat(10_000)} } fragment f on Query { ${times(100, (i) => `x${i}: b`)} }`,
      1_000_000,
    ],
    [
      'of one fragment, in as many operations',
      `${times(10_000, (i) => `query q${i} { ...f }`)} fragment f on Query { x: b }`,
      1,
    ],
    ['a thousand one after the other', `{ ...f0 } ${chain(1_000, (next) => next, 'x: b')}`, 1],
    [
      'that double each time',
      `{ ...f0 } ${chain(1_000, (next) => `${next} `.repeat(10), 'x: b')}`,
      Number.POSITIVE_INFINITY,
    ],
  ])('%s are counted in steps that grow with the text', (_what, text, aliases) => {
    const { definitions } = parse(text);
    const fragments = new Map(
      definitions.flatMap((one) => (one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one] as const] : [])),
    );
    let steps = 0;
    const aliasesIn = createSelectionCount(
      (node) => {
        steps += 1;
        return node.kind === Kind.FIELD && node.alias ? 1 : 0;
      },
      (name) => fragments.get(name),
    );
    const counts = definitions.flatMap((one) =>
      one.kind === Kind.OPERATION_DEFINITION ? aliasesIn(one.selectionSet.selections) : [],
    );
    expect(Math.max(...counts)).toBe(aliases);
    expect(steps).toBeLessThanOrEqual(20_002);
    expect(check(text, { aliases, depth: 1 })).toBeUndefined();
  });
});

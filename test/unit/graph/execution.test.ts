import { array, assert, asyncProperty, boolean, constantFrom, nat, option, record } from 'fast-check';
import {
  buildSchema,
  type DocumentNode,
  type ExecutionResult,
  getOperationAST,
  getNamedType,
  getNullableType,
  isEnumType,
  isInterfaceType,
  isLeafType,
  isListType,
  isObjectType,
  parse,
  validate,
  versionInfo,
} from 'graphql';
import { expect, it } from 'vitest';
import { createExecutor } from '../../../src/graph/execution/execute-plan.ts';
import { createOperationPlanner } from '../../../src/graph/execution/field-plan.ts';
import { createRetainedPlans } from '../../../src/server/operation/retained-plans.ts';
import { coerceVariables } from '../../../src/graph/limits/variable-values.ts';
import { execute } from '../../support/execute.ts';
import { toRuns } from '../../support/property-runs.ts';

const schema = buildSchema(`
  enum Color { RED GREEN }
  interface Thing { text(size: Int! = 2, on: Boolean): String required: ID! thing: Thing child: A }
  type A implements Thing {
    text(size: Int! = 2, on: Boolean): String required: ID! thing: Thing child: A sure: A! flag: Boolean! only: Float
    list: [A] things: [Thing!] sureList: [A!]! tags: [String!] eithers: [Either] color: Color
  }
  type B implements Thing { text(size: Int! = 2, on: Boolean): String required: ID! thing: Thing child: A other: [B!]! }
  union Either = A | B
  type Query { child: A sure: A! thing: Thing list: [A] either: Either text(size: Int! = 2, on: Boolean): String }
`);
const MAX_DEPTH = 4;

interface Source {
  readonly seed: number;
  readonly depth: number;
}

const mix = (seed: number, text: string) =>
  Array.from(text).reduce((hash, character) => Math.imul(hash ^ character.charCodeAt(0), 16_777_619) >>> 0, seed >>> 0);

/**
 * How resolvers respond: with values, with promises, or with both. Where some of both fail (`mixed`), graphql 16 drops
 * the promises beside a value that fails, whose rejections then end the process: the result is compared with that of
 * promises.
 */
type Manner = 'values' | 'promises' | 'both' | 'mixed';
interface TestContext {
  readonly seed: number;
  readonly manner: Manner;
}

/** What a resolver does depends on its object, its name and its arguments alone. */
for (const type of Object.values(schema.getTypeMap())) {
  if (!isObjectType(type) || type.name.startsWith('__')) continue;
  for (const field of Object.values(type.getFields()))
    field.resolve = (source: Source | undefined, args, { seed: rootSeed, manner }: TestContext, { fieldName }) => {
      const seed = mix(source?.seed ?? rootSeed, `${fieldName}${JSON.stringify(args)}`);
      const depth = (source?.depth ?? 0) + 1;
      const named = getNamedType(field.type);
      const isPromise = (own: number) =>
        manner === 'promises' || ((manner === 'both' || manner === 'mixed') && own % 3 === 0);
      const toOne = (index: number): unknown => {
        const own = mix(seed, `item ${index}`);
        const kind = manner === 'both' ? 9 : own % 11;
        if (kind === 0) return isPromise(own) ? Promise.resolve(null) : null;
        if (kind === 1 && isPromise(own)) return Promise.reject(new Error(`later ${fieldName}`));
        if (kind === 1) return new Error(`value ${fieldName}`);
        const value = isEnumType(named)
          ? ['RED', 'GREEN', 'BLUE'][own % (manner === 'both' ? 2 : 3)]
          : isLeafType(named)
            ? { Boolean: own % 2 === 0, Float: own / 2, String: `text ${own}`, ID: kind === 2 ? {} : own }[named.name]
            : { seed: own, depth, __typename: own % 2 === 0 ? 'A' : 'B' };
        return isPromise(own) ? Promise.resolve(value) : value;
      };
      if (manner === 'values' && seed % 23 === 0) throw new Error(`thrown ${fieldName}`);
      if (!isListType(getNullableType(field.type))) return toOne(0);
      const items = Array.from({ length: depth > MAX_DEPTH ? 0 : seed % 4 }, (_, index) => toOne(index));
      if (isPromise(seed)) return Promise.resolve(items);
      return seed % 3 === 1 && manner === 'values' ? items.values() : items;
    };
}

/** Writes a random operation: each number of the tape decides one thing. */
function toDocument(tape: readonly number[]): string {
  let at = 0;
  const pick = (count: number) => (tape[at++ % tape.length] ?? 0) % count;
  const condition = () => ['', '', '', '', '@skip(if: true)', '@include(if: $yes)', '@skip(if: $yes)'][pick(7)] ?? '';
  const selection = (typeName: string, depth: number): string => {
    const type = schema.getType(typeName);
    const fields = isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [];
    const parts = Array.from({ length: 1 + pick(5) }, (): string => {
      const kind = pick(10);
      if (kind === 0) return `__proto__: __typename ${condition()}`;
      if (kind === 1) return '__typename';
      if (kind <= 3 && depth > 0) {
        const on = typeName === 'Query' ? 'Query' : (['A', 'B', 'Thing', typeName][pick(4)] ?? 'A');
        return `... on ${on} ${condition()} ${selection(on, depth - 1)}`;
      }
      if (kind === 4 && typeName === 'Query')
        return (
          [
            'a: __type(name: "A") { name fields { name } }',
            'b: __type(name: $type) { kind }',
            '__schema { queryType { name } }',
          ][pick(3)] ?? ''
        );
      if (kind === 4) return `...${['OfA', 'OfThing'][pick(2)]} ${condition()}`;
      const field = fields[pick(Math.max(1, fields.length))];
      if (!field) return '__typename';
      const args = field.args.length > 0 ? ['', '(size: 3)', '(size: $size)', '(on: true)'][pick(4)] : '';
      const alias = args || pick(3) === 0 ? `a${mix(0, `${field.name}${args}`)}: ` : '';
      const named = getNamedType(field.type);
      if (isLeafType(named)) return `${alias}${field.name}${args} ${condition()}`;
      return depth === 0 ? '__typename' : `${alias}${field.name} ${condition()} ${selection(named.name, depth - 1)}`;
    });
    return `{ ${parts.join(' ')} }`;
  };
  return `query Main($yes: Boolean = false, $size: Int, $type: String! = "B") ${selection('Query', 4)}
    query Other($yes: Boolean!) { child @skip(if: $yes) { ...OfA } }
    fragment OfA on A { text child { required flag ...OfThing } tags } fragment OfThing on Thing { required text }`;
}

/**
 * The errors of a result. Of several that make the same value null, graphql 17 reports one, and graphql 16 those that come
 * before the response is complete: where it does not follow from the resolvers which ones these are, they count once.
 */
const toRows = ({ data, errors = [] }: ExecutionResult, manner: Manner) =>
  versionInfo.major < 17 && manner !== 'promises'
    ? errors.map(({ message, path, locations }) => JSON.stringify([message, path, locations])).toSorted()
    : [...new Set(errors.map(({ path = [] }) => JSON.stringify(path.slice(0, toNullDepth(data, path)))))].toSorted();

/** Returns how many keys of a path lead to null. */
function toNullDepth(data: unknown, path: readonly (string | number)[]): number {
  let value = data;
  const depth = path.findIndex((key) => {
    if (value == null) return true;
    value = (value as Record<string | number, unknown>)[key];
    return false;
  });
  return depth === -1 ? path.length : depth;
}

it('executes what the executor of graphql executes, with the same result', async () => {
  const executePlanned = createExecutor(schema, createRetainedPlans(30_000));
  const otherwise = () => expect.fail('The operation is a valid query');
  let compared = 0;
  await assert(
    asyncProperty(
      array(nat(10_000), { minLength: 20, maxLength: 60 }),
      nat(),
      constantFrom<Manner>('values', 'promises', 'both', 'mixed'),
      record({ yes: boolean(), size: option(nat(5)) }, { requiredKeys: [] }),
      async (tape, seed, manner, variableValues) => {
        const document = parse(toDocument(tape));
        if (validate(schema, document).some(({ message }) => !message.includes('is never used'))) return;
        compared++;
        const args = { schema, document, operationName: 'Main', variableValues, contextValue: { seed, manner } };
        const comparedManner = manner === 'mixed' ? 'promises' : manner;
        const expected = await execute({ ...args, contextValue: { seed, manner: comparedManner } });
        // Again, with the plan of the first time.
        for (const _ of [1, 2]) {
          const result = await executePlanned(args, otherwise);
          expect(JSON.stringify(result.data)).toBe(JSON.stringify(expected.data));
          expect(toRows(result, comparedManner)).toEqual(toRows(expected, comparedManner));
        }
      },
    ),
    toRuns(500),
  );
  expect(compared).toBeGreaterThan(toRuns(500).numRuns / 4);
});

it('retains the plans of as many documents as have 30,000 nodes and fields, the latest first', () => {
  const plan = createOperationPlanner(schema, createRetainedPlans(30_000));
  const toDocuments = (count: number, name: string) =>
    Array.from({ length: count }, (_, index) => parse(`query ${name}${index} { ${'child { required } '.repeat(50)} }`));
  const planOf = (document: DocumentNode) => {
    const operation = getOperationAST(document)!;
    return plan(document, operation, coerceVariables(schema, operation, {})!.variableValues);
  };
  const [first, ...others] = toDocuments(200, 'Q');
  const early = planOf(first!);
  expect(planOf(first!)).toBe(early);
  const late = others.map(planOf);
  expect(planOf(first!)).not.toBe(early);
  expect(planOf(others.at(-1)!)).toBe(late.at(-1));
  const [large] = toDocuments(1, 'L').map(() => parse(`{ ${'child { required } '.repeat(8_000)} }`));
  expect(planOf(large!)).not.toBe(planOf(large!));
});

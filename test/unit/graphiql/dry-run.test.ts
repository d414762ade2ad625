import { Kind, parse } from 'graphql';
import { expect, it } from 'vitest';
import { findEstimate, toDryRun } from '../../../src/graphiql/dry-run.ts';

/** The root fields and their aliases of each operation. */
const fieldsOf = (query: string | undefined) =>
  parse(query ?? '').definitions.flatMap((definition) =>
    definition.kind === Kind.OPERATION_DEFINITION
      ? definition.selectionSet.selections.map((one) =>
          one.kind === Kind.FIELD ? (one.alias ?? one.name).value : '...',
        )
      : [],
  );

it.each([
  ['{ me { username } }', ['rateLimit', 'me']],
  ['query { me { username } }', ['rateLimit', 'me']],
  ['# { "\n{ me { username } }', ['rateLimit', 'me']],
  ['query A($o: CollectionOrder = { field: NAME }, $s: String = "{") { me { username } }', ['rateLimit', 'me']],
  ['query A($s: String = """{ \\""" {""") @skip(if: false) { me { username } }', ['rateLimit', 'me']],
  ['fragment F on Query { me { username } } { ...F }', ['rateLimit', '...']],
  ['{ rateLimit { remaining } me { username } }', ['dryRun_', 'rateLimit', 'me']],
])('adds the field to %s', (query, fields) => {
  expect(fieldsOf(toDryRun(query))).toEqual(fields);
});

it('adds the field to the operation of a name', () => {
  const query = 'query A { me { username } } query B { me { username } } fragment C on Query { me { username } }';
  expect(fieldsOf(toDryRun(query, 'B'))).toEqual(['me', 'rateLimit', 'me']);
  expect(toDryRun(query, 'C')).toBeUndefined();
});

it.each(['', 'mutation { a }', 'subscription S { a }', 'fragment F on Query { me { username } }'])(
  'leaves %j alone',
  (query) => {
    expect(toDryRun(query)).toBeUndefined();
  },
);

it('finds the estimate under any alias', () => {
  const estimate = { likelyCost: 3, cost: 5, costAtLeast: 1, likelyReadyAt: null };
  expect(findEstimate({ me: null, dryRun_: estimate })).toBe(estimate);
  for (const data of [undefined, null, {}, { rateLimit: null }, { rateLimit: { cost: 5 } }, 'text'])
    expect(findEstimate(data)).toBeUndefined();
});

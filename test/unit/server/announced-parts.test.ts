import { buildSchema, type ExecutionResult, getOperationAST, parse } from 'graphql';
import { expect, it } from 'vitest';
import { createDocumentReader } from '../../../src/graph/limits/document-reader.ts';
import { createAnnouncedParts } from '../../../src/server/incremental/announced-parts.ts';
import type { ResultPart } from '../../../src/server/incremental/incremental.ts';
import { planParts } from '../../../src/server/incremental/part-plan.ts';
import { type AnnouncedPart, reassemble } from '../../support/announced.ts';

const SDL = `
  type Query { a: A  list: [A!] }
  type A { id: ID  name: String  bad: String!  b: B }
  type B { c: String  bad: String! }
`;
const schema = buildSchema(SDL);

/** The announced parts of a query, for the parts that the executor makes of the planned document. */
function announce(query: string, toParts: (labels: readonly string[]) => readonly ResultPart[]): AnnouncedPart[] {
  const document = parse(query);
  const operation = getOperationAST(document)!;
  const plan = planParts(schema, document, operation, createDocumentReader(schema, document, undefined, {})!);
  const labels: string[] = [];
  JSON.stringify(plan.document, (key, value: unknown) => {
    if (key === 'value' && typeof value === 'object' && value !== null && 'value' in value)
      labels.push(String(value.value));
    return value;
  });
  const toAnnounced = createAnnouncedParts(plan, () => undefined);
  return toParts(labels).flatMap((part) => (toAnnounced(part) as AnnouncedPart | undefined) ?? []);
}

const error = (path: readonly (string | number)[]) =>
  ({ message: 'bad', path }) as unknown as NonNullable<ExecutionResult['errors']>[number];

it('completes a fragment with errors if a field that cannot be null fails, and delivers the others', () => {
  const parts = announce('{ a { id ... @defer(label: "X") { bad } ... @defer(label: "Y") { name } } }', ([x, y]) => [
    { data: { a: { id: '1' } }, hasNext: true },
    { incremental: [{ label: x!, path: ['a'], data: null, errors: [error(['a', 'bad'])] }], hasNext: true },
    { incremental: [{ label: y!, path: ['a'], data: { name: 'n' } }], hasNext: false },
  ]);
  expect(reassemble(parts)).toEqual({
    data: { a: { id: '1', name: 'n' } },
    errors: [],
    failed: [{ path: ['a'], label: 'X', errors: [error(['a', 'bad'])] }],
  });
});

it('holds a nested fragment back until the one around it has been delivered', () => {
  const parts = announce('{ a { id ... @defer(label: "X") { name ... @defer(label: "Y") { bad } } } }', ([x, y]) => [
    { data: { a: { id: '1' } }, hasNext: true },
    { incremental: [{ label: y!, path: ['a'], data: { bad: 'b' } }], hasNext: true },
    { incremental: [{ label: x!, path: ['a'], data: { name: 'n' } }], hasNext: false },
  ]);
  expect(parts).toEqual([
    { data: { a: { id: '1' } }, pending: [{ id: '0', path: ['a'], label: 'X' }], hasNext: true },
    {
      pending: [{ id: '1', path: ['a'], label: 'Y' }],
      incremental: [
        { id: '0', data: { name: 'n' } },
        { id: '1', data: { bad: 'b' } },
      ],
      completed: [{ id: '0' }, { id: '1' }],
      hasNext: false,
    },
  ]);
});

it('delivers the fields that two fragments share with the first that is complete', () => {
  const query = '{ ... @defer(label: "X") { a { id b { c } } } ... @defer(label: "Y") { a { id name } } }';
  const parts = announce(query, ([shared, x, y]) => [
    { data: {}, hasNext: true },
    { incremental: [{ label: shared!, path: [], data: { a: { id: '1' } } }], hasNext: true },
    { incremental: [{ label: y!, path: ['a'], data: { name: 'n' } }], hasNext: true },
    { incremental: [{ label: x!, path: ['a'], data: { b: { c: 'c' } } }], hasNext: false },
  ]);
  expect(parts.slice(1)).toEqual([
    {
      incremental: [
        { id: '1', data: { a: { id: '1' } } },
        { id: '1', subPath: ['a'], data: { name: 'n' } },
      ],
      completed: [{ id: '1' }],
      hasNext: true,
    },
    { incremental: [{ id: '0', subPath: ['a'], data: { b: { c: 'c' } } }], completed: [{ id: '0' }], hasNext: false },
  ]);
});

it('announces nothing below null, and drops what the executor still delivers there', () => {
  const parts = announce('{ a { id ... @defer { name } } ... @defer { list { id } } }', ([a, list]) => [
    { data: { a: null }, hasNext: true },
    { incremental: [{ label: a!, path: ['a'], data: { name: 'n' } }], hasNext: true },
    { incremental: [{ label: list!, path: [], data: { list: [] } }], hasNext: false },
  ]);
  expect(reassemble(parts)).toEqual({ data: { a: null, list: [] }, errors: [], failed: [] });
  expect(parts).toHaveLength(2);
});

it('completes a list with errors if a row that cannot be null fails', () => {
  const parts = announce('{ list @stream { id bad } }', () => [
    { data: { list: [] }, hasNext: true },
    { incremental: [{ path: ['list', 0], items: [{ id: '1', bad: 'b' }] }], hasNext: true },
    { incremental: [{ path: ['list', 1], items: null, errors: [error(['list', 1, 'bad'])] }], hasNext: false },
  ]);
  expect(reassemble(parts)).toEqual({
    data: { list: [{ id: '1', bad: 'b' }] },
    errors: [],
    failed: [{ path: ['list'], errors: [error(['list', 1, 'bad'])] }],
  });
});

it('completes everything that is open with the error that ends the operation', () => {
  const ended = { message: 'Too much.' } as ReturnType<typeof error>;
  const parts = announce('{ a { id ... @defer { name } } list @stream { id } }', () => [
    { data: { a: { id: '1' }, list: [] }, hasNext: true },
    { errors: [ended], hasNext: false, extensions: { upstream: 1 } },
  ]);
  expect(parts.at(-1)).toEqual({
    completed: [
      { id: '0', errors: [ended] },
      { id: '1', errors: [ended] },
    ],
    hasNext: false,
    extensions: { upstream: 1 },
  });
});

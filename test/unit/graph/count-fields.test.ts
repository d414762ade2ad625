import { buildSchema, type GraphQLResolveInfo, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { createFieldCount, type Selected } from '../../../src/graph/limits/count-fields.ts';
import { execute } from '../../support/execute.ts';

const schema = buildSchema(`
  directive @defer on FRAGMENT_SPREAD | INLINE_FRAGMENT
  directive @stream on FIELD
  interface Item { name: String parent: Folder }
  type Folder implements Item { name: String parent: Folder items: [Item!]! }
  type Request implements Item { name: String parent: Folder url: String }
  type Query { item: Item items: [Item!]! tags: [String!]! }
`);

/** What the resolver of the query's one root field is told. */
function countOf(query: string): Selected | undefined {
  const counts: Selected[] = [];
  const fieldCount = createFieldCount();
  const note = (_args: object, _context: unknown, info: GraphQLResolveInfo) => {
    counts.push(fieldCount(info), fieldCount(info));
    return null;
  };
  void execute({ schema, document: parse(query), rootValue: { item: note, items: note, tags: note } });
  const [first, again] = counts;
  expect(again).toBe(first);
  return first;
}

describe('the fields counted for each object', () => {
  it.each<[string, string, number, number?]>([
    ['are none where nothing is selected', '{ tags }', 0],
    ['are those selected, aliases too', '{ items { name a: name __typename } }', 3],
    ['go down through objects', '{ items { parent { name parent { name } } } }', 4],
    ['end at the next list', '{ items { parent { items { name parent { name } } } } }', 2],
    [
      'are those of all types together',
      '{ items { ... on Folder { name items { name } } ... on Request { url } } }',
      3,
    ],
    ['go through a condition without a type', '{ items { ... { name } ... @include(if: true) { a: name } } }', 2],
    ['have their parts beside them', '{ items { ... @defer { name } ...f @defer } } fragment f on Item { name }', 2, 2],
    [
      'have a list that is to come item by item beside them',
      '{ item { ... on Folder { items @stream { name } } } }',
      1,
      1,
    ],
    [
      'count a fragment wherever it is spread',
      '{ items { ...f parent { ...f } } } fragment f on Item { name a: name }',
      5,
    ],
    [
      'end at a list in a fragment on another type',
      '{ items { ...f } } fragment f on Folder { name items { name parent { name } } }',
      2,
    ],
    ['are summed over a field that is selected twice', '{ items { name } items { parent { name } } }', 3],
  ])('%s', (_what, query, fields, parts = 0) => {
    expect(countOf(query)).toEqual({ fields, parts });
  });

  it('are found at once however often fragments double each other', () => {
    const fragments = Array.from({ length: 40 }, (_, i) => `fragment f${i} on Item { ...f${i + 1} ...f${i + 1} }`);
    expect(countOf(`{ items { ...f0 } } ${fragments.join(' ')} fragment f40 on Item { name }`)).toEqual({
      fields: 2 ** 40,
      parts: 0,
    });
  });
});

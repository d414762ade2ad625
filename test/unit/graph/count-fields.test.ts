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

/** Returns the count that the resolver of the only root field gets. */
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

describe('field counts per object', () => {
  it.each<[string, string, number, number?]>([
    ['are 0 when nothing is selected', '{ tags }', 0],
    ['include aliases', '{ items { name a: name __typename } }', 3],
    ['include fields of nested objects', '{ items { parent { name parent { name } } } }', 4],
    ['stop at the next list', '{ items { parent { items { name parent { name } } } } }', 2],
    [
      'add up the types of an interface',
      '{ items { ... on Folder { name items { name } } ... on Request { url } } }',
      3,
    ],
    [
      'include inline fragments without a type condition',
      '{ items { ... { name } ... @include(if: true) { a: name } } }',
      2,
    ],
    [
      'count deferred fragments as parts',
      '{ items { ... @defer { name } ...f @defer } } fragment f on Item { name }',
      2,
      2,
    ],
    ['count a streamed list as a part', '{ item { ... on Folder { items @stream { name } } } }', 1, 1],
    [
      'count a fragment each time it is spread',
      '{ items { ...f parent { ...f } } } fragment f on Item { name a: name }',
      5,
    ],
    [
      'stop at a list in a fragment on another type',
      '{ items { ...f } } fragment f on Folder { name items { name parent { name } } }',
      2,
    ],
    ['add up a field that is selected twice', '{ items { name } items { parent { name } } }', 3],
  ])('%s', (_what, query, fields, parts = 0) => {
    expect(countOf(query)).toEqual({ fields, parts });
  });

  it('are computed quickly when each of many fragments spreads the next one twice', () => {
    const fragments = Array.from({ length: 40 }, (_, i) => `fragment f${i} on Item { ...f${i + 1} ...f${i + 1} }`);
    expect(countOf(`{ items { ...f0 } } ${fragments.join(' ')} fragment f40 on Item { name }`)).toEqual({
      fields: 2 ** 40,
      parts: 0,
    });
  });
});

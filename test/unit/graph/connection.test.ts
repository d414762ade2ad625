import { expect, it } from 'vitest';
import { toConnection } from '../../../src/graph/paging/connection.ts';

const page = (list: readonly string[], after: readonly [index: number, id: string] | undefined) => {
  const cursor = after && { page: '', index: after[0], id: after[1] };
  const { edges, hasNextPage, hasPreviousPage, totalCount } = toConnection(
    list,
    { first: 2, after: cursor },
    (id) => id,
  );
  return [
    edges.map(({ node, cursor }) => `${node}${'index' in cursor ? cursor.index : ''}`).join(),
    hasPreviousPage,
    hasNextPage,
    totalCount,
  ];
};

it.each([
  ['the beginning', ['a', 'b', 'c'], undefined, ['a0,b1', false, true, 3]],
  ['a cursor', ['a', 'b', 'c'], [0, 'a'], ['b1,c2', true, false, 3]],
  ['a cursor whose node has moved down', ['x', 'a', 'b'], [0, 'a'], ['b2', true, false, 3]],
  ['a cursor whose node has moved up', ['b', 'c', 'd'], [1, 'b'], ['c1,d2', true, false, 3]],
  ['a cursor whose node is gone', ['a', 'c', 'd'], [1, 'b'], ['c1,d2', true, false, 3]],
  ['a cursor of the first node, which is gone', ['b', 'c'], [0, 'a'], ['b0,c1', false, false, 2]],
  ['a cursor of the last node, which is gone', ['a', 'b'], [2, 'c'], ['', true, false, 2]],
  ['a cursor behind the end', ['a'], [7, 'h'], ['', true, false, 1]],
  ['a cursor in a list that is now empty', [], [7, 'h'], ['', false, false, 0]],
] as const)('a page after %s', (_, list, after, expected) => {
  expect(page(list, after)).toEqual(expected);
});

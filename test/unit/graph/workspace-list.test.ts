import { expect, it } from 'vitest';
import type { Context } from '../../../src/graph/context.ts';
import { readWorkspaces } from '../../../src/graph/paging/workspace-list.ts';
import type { WorkspacePage, WorkspaceSummary } from '../../../src/upstream/postman/resources/workspaces.ts';

/** Reads a list with these next cursors. Returns the cursors followed, the number of workspaces and `hasNextPage`. */
async function readList(next: Readonly<Record<string, string | null>>, itemsEach = 1) {
  const cursors: (string | null)[] = [];
  const page = (cursor: string | null): WorkspacePage => {
    cursors.push(cursor);
    if (cursors.length > 50) throw new TypeError('The list does not end');
    const items = Array.from({ length: itemsEach }, (_, index) => ({ id: `${cursor}-${index}` }) as WorkspaceSummary);
    return { items, nextCursor: next[cursor ?? ''] ?? null };
  };
  const context = {
    loaders: { workspacePage: async ({ cursor }: { readonly cursor: string | null }) => page(cursor) },
  } as unknown as Context;
  const { edges, hasNextPage } = await readWorkspaces(context, {}, { first: 100, after: undefined });
  return [cursors, edges.length, hasNextPage];
}

it.each([
  ['no cursor', {}, 1, [[null], 1, false]],
  ['two pages', { '': 'a' }, 1, [[null, 'a'], 2, false]],
  ['a cursor that leads to itself', { '': 'a', a: 'a' }, 1, [[null, 'a'], 2, false]],
  ['cursors that lead to each other', { '': 'a', a: 'b', b: 'a' }, 1, [[null, 'a', 'b'], 3, false]],
  ['pages that are empty', { '': 'a', a: 'b', b: 'c' }, 0, [[null], 0, false]],
] as const)('a list of workspaces ends: %s', async (_, next, itemsEach, expected) => {
  expect(await readList(next, itemsEach)).toEqual(expected);
});

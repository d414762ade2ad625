import { describe, expect, it } from 'vitest';
import { createLoaders } from '../../../src/loaders/loaders.ts';
import { createIdleTasks } from '../../../src/upstream/calls/operation/idle-tasks.ts';
import {
  type CollectionDetail,
  type CollectionPage,
  type CollectionSummary,
  collectionsCall,
} from '../../../src/upstream/postman/resources/collections.ts';
import type { WorkspaceDetail } from '../../../src/upstream/postman/resources/workspaces.ts';
import type { PostmanSession } from '../../../src/upstream/calls/postman-session.ts';

const uidAt = (index: number) => `1-00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
const summaryAt = (index: number): CollectionSummary => ({
  uid: uidAt(index),
  name: `Collection ${index}`,
  createdAt: null,
  updatedAt: null,
  fork: null,
  isPublic: true,
});
const detailOf = (uid: string): CollectionDetail => {
  const { isPublic: _, ...summary } = summaryAt(Number(uid.slice(-12)));
  return { ...summary, description: null, lastUpdatedBy: null, document: {}, readAs: uid };
};

const workspace: WorkspaceDetail = {
  deactivatedMocks: [],
  id: 'w',
  name: null,
  type: null,
  visibility: null,
  about: null,
  createdAt: null,
  updatedAt: null,
  createdBy: null,
  description: null,
  updatedBy: null,
  teamId: null,
  collections: Array.from({ length: 120 }, (_, index) => summaryAt(index)),
  environments: [],
  mocks: [],
};

/** Loaders on a simulated Postman with these pages of its list of collections; a single read finds any collection. */
function createSetup(pageAt: (offset: number) => CollectionPage, { cachesList = false, isRenewable = false } = {}) {
  const requested: string[] = [];
  const respond = (target: string): unknown => {
    const { pathname, searchParams } = new URL(target, 'http://localhost');
    const [, kind, id] = pathname.split('/');
    if (kind === 'workspaces') {
      requested.push(`workspace ${id}`);
      return { ...workspace, id };
    }
    if (id !== undefined) {
      requested.push(`collection ${Number(id.slice(-12))}`);
      return detailOf(id);
    }
    const offset = Number(searchParams.get('offset'));
    requested.push(`list of ${searchParams.get('workspace')} from ${offset}`);
    if (requested.length > 20) throw new TypeError('This goes on for ever');
    return pageAt(offset);
  };
  const session: PostmanSession = {
    get: ({ target }) => Promise.resolve(respond(target) as never),
    isCached: ({ target }) => cachesList && target === collectionsCall(null, 0).target,
    cachedLists: () => [],
    loadLists: () => undefined,
    isRenewable: ({ target }) => isRenewable && target.endsWith('?model=minimal'),
    release() {},
    idleTasks: createIdleTasks(),
  };
  return { requested, loaders: createLoaders(session) };
}

const pages =
  (total: number | null, held: number) =>
  (offset: number): CollectionPage => ({
    items: Array.from({ length: Math.max(0, Math.min(99, held - offset)) }, (_, index) => summaryAt(offset + index)),
    total,
  });
const everyLevel = ['summary', 'minimal', 'detail'] as const;

describe('many collections, searched in the list of all collections', () => {
  const lookUp = async (pageAt: (offset: number) => CollectionPage, count = 60, from = 900) => {
    const { requested, loaders } = createSetup(pageAt);
    const found = await Promise.all(
      Array.from({ length: count }, (_, index) =>
        loaders.childByUid({ type: 'Collection', uid: uidAt(from + index), levels: everyLevel }),
      ),
    );
    expect(found.map((collection) => collection?.uid)).toEqual(
      Array.from({ length: count }, (_, index) => uidAt(from + index)),
    );
    return requested;
  };
  const lists = (requested: readonly string[]) => requested.filter((call) => call.startsWith('list'));

  it('are not searched beyond an empty page, even if the reported total is larger', async () => {
    expect(lists(await lookUp(pages(1_000, 99)))).toEqual(['list of null from 0', 'list of null from 99']);
  });

  it('are read singly once reading the remaining pages would cost as many calls', async () => {
    // After the first page, three pages remain, and three collections are missing.
    expect(lists(await lookUp(pages(396, 396), 3))).toEqual(['list of null from 0']);
    // Two pages remain: one call less.
    expect(lists(await lookUp(pages(297, 297), 3))).toEqual(
      [0, 99, 198].map((offset) => `list of null from ${offset}`),
    );
  });

  it('are read singly if the list has no total', async () => {
    expect(lists(await lookUp(pages(null, 50)))).toEqual(['list of null from 0']);
  });
});

describe('a range of the list of a workspace', () => {
  const read = async (pageAt: (offset: number) => CollectionPage, from: number, count: number) => {
    const { requested, loaders } = createSetup(pageAt);
    const chunk = await loaders.childrenOf({
      type: 'Collection',
      workspaceId: 'w',
      level: 'summary',
      needsNames: true,
      needsDates: false,
      isReadEnough: true,
      willReadEach: false,
      mustConfirm: false,
      from,
      count,
    });
    return { requested, chunk: chunk && { ...chunk, items: chunk.items.length, first: chunk.items[0]?.name } };
  };

  it.each([
    ['one page', pages(300, 300), 0, 99, [0], { items: 99, offset: 0, total: 300, first: 'Collection 0' }],
    [
      'one more than a page',
      pages(300, 300),
      0,
      100,
      [0, 99],
      { items: 198, offset: 0, total: 300, first: 'Collection 0' },
    ],
    ['the second page', pages(300, 300), 99, 99, [99], { items: 99, offset: 99, total: 300, first: 'Collection 99' }],
    ['the end', pages(300, 300), 299, 100, [297], { items: 3, offset: 297, total: 300, first: 'Collection 297' }],
    [
      'a list that is shorter than its total',
      pages(300, 120),
      0,
      300,
      [0, 99, 120],
      { items: 120, offset: 0, total: 300, first: 'Collection 0' },
    ],
    [
      'a range beyond the end',
      pages(120, 120),
      250,
      10,
      [198],
      { items: 0, offset: 198, total: 120, first: undefined },
    ],
  ] as const)('is read with the pages that contain it: %s', async (_, pageAt, from, count, offsets, chunk) => {
    expect(await read(pageAt, from, count)).toEqual({
      requested: offsets.map((offset) => `list of w from ${offset}`),
      chunk,
    });
  });

  it('is the whole list, from its start, if Postman sends no pages', async () => {
    const whole = () => ({ items: Array.from({ length: 120 }, (_, index) => summaryAt(index)), total: null });
    expect((await read(whole, 110, 5)).chunk).toEqual({ items: 120, offset: 0, total: 120, first: 'Collection 0' });
  });
});

describe('the names of collections that are also read singly', () => {
  const read = async (count: number, willReadEach: boolean) => {
    const { requested, loaders } = createSetup(pages(120, 120));
    await loaders.childrenOf({
      type: 'Collection',
      workspaceId: 'w',
      level: 'ref',
      needsNames: true,
      needsDates: false,
      isReadEnough: true,
      willReadEach,
      mustConfirm: false,
      from: 0,
      count,
    });
    return requested;
  };

  it.each([
    [99, true, ['list of w from 0']],
    [100, true, ['workspace w']],
    [99, false, ['workspace w']],
  ] as const)(
    'come from the list that renews them, if one page contains all: %d, %s',
    async (count, willReadEach, gets) => {
      expect(await read(count, willReadEach)).toEqual(gets);
    },
  );
});

describe('cached reads that are too old', () => {
  const lookUp = async (cachesList: boolean) => {
    const { requested, loaders } = createSetup(pages(300, 300), { cachesList, isRenewable: true });
    const uids = [200, 201, 202].map(uidAt);
    await Promise.all(
      uids.map((uid) => loaders.childByUid({ type: 'Collection', uid, levels: ['minimal', 'detail'] })),
    );
    return requested;
  };

  it('wait for the list that renews them', async () => {
    expect(await lookUp(false)).toContain('list of null from 0');
  });

  it('do not wait for it if it is cached: it has already renewed what it could', async () => {
    expect(await lookUp(true)).toEqual(['collection 200', 'collection 201', 'collection 202']);
  });
});

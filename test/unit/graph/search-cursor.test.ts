import { assert, property, subarray, uniqueArray, uuid } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSearchCursor, writeSearchCursor } from '../../../src/graph/search/search-cursor.ts';
import { createUidSetWriter, readUidSet } from '../../../src/graph/search/uid-set.ts';
import { toRuns } from '../../support/property-runs.ts';

const toUids = (count: number) =>
  Array.from({ length: count }, (_, index) => `1-00000000-0000-4000-8000-${String(index).padStart(12, '0')}`);

describe('a set of uids in a cursor', () => {
  it('has exactly its members, for any part of any list', () => {
    const anyPart = uniqueArray(uuid(), { maxLength: 40 }).chain((list) =>
      subarray(list).map((members) => [list, new Set(members)] as const),
    );
    assert(
      property(anyPart, ([list, members]) => {
        const set = readUidSet(createUidSetWriter(list)(members));
        expect(list.filter((uid) => set?.has(uid))).toEqual(list.filter((uid) => members.has(uid)));
      }),
      toRuns(500),
    );
  });

  it('leaves the others what they are when the list has gained and lost uids', () => {
    const list = toUids(100);
    for (const size of [3, 97]) {
      const set = readUidSet(createUidSetWriter(list)(new Set(list.slice(0, size))));
      const changed = [...toUids(120).slice(100), ...list.slice(1)];
      expect(changed.filter((uid) => set?.has(uid) && list.includes(uid))).toEqual(list.slice(1, size));
    }
  });

  it('tells 5,000 collections apart, in a cursor that the search accepts', () => {
    const list = toUids(5_000);
    const identity = { kind: 'requests', workspaceId: null, filter: { search: 'a' } } as const;
    const members = new Set(list.filter((_, index) => index % 2 === 0));
    const finished = createUidSetWriter(list)(members);
    const partials = [{ uid: list[1] ?? '', index: 7, id: 'item' }];
    const cursor = writeSearchCursor(identity, finished, { partials, matchCount: 9 });
    expect(cursor.length).toBeLessThan(16_384);
    const progress = readSearchCursor(identity, cursor);
    expect([progress.partials, progress.matchCount]).toEqual([partials, 9]);
    expect(list.filter((uid) => progress.finished.has(uid))).toEqual([...members]);
  });

  it.each(['', 'AA', 'AAI', 'AAD_', 'AAD_____fw'])('is not the text %j', (text) => {
    expect(readUidSet(text)).toBeUndefined();
  });
});

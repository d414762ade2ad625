import { expect, it } from 'vitest';
import { createReadLists } from '../../../src/upstream/calls/cached-reads/read-lists.ts';
import { Secret } from '../../../src/upstream/http/secret.ts';
import { collectionCall, collectionsByNameCall } from '../../../src/upstream/postman/resources/collections.ts';
import { environmentsCall } from '../../../src/upstream/postman/resources/environments.ts';
import { workspaceCall } from '../../../src/upstream/postman/resources/workspaces.ts';
import type { SharedList } from '../../../src/upstream/shared-cache/shared-cache.ts';

const operation = { caller: { keyHash: 'key', apiKey: new Secret('PMAK-key') } };
const toShared = (...workspaceIds: readonly string[]) =>
  workspaceIds.map((id) => ({ route: '/environments', target: environmentsCall(id).target }));

/** A store, and what other instances have read. */
function create() {
  const shared = { changes: 0, lists: [] as readonly SharedList[] | undefined, reads: 0 };
  const lists = createReadLists({
    changesOf: () => shared.changes,
    listsOf() {
      shared.reads++;
      return shared.lists;
    },
  });
  return { lists, shared, targets: () => [...lists.of(operation)].map(({ target }) => target) };
}

it('has the lists and workspaces that were read, the oldest first, also those of other instances', () => {
  const { lists, shared, targets } = create();
  lists.add(operation, workspaceCall('w-1'));
  lists.add(operation, collectionsByNameCall('x', null));
  lists.add(operation, collectionCall('1-c'));
  lists.add(operation, workspaceCall('w-1'));
  Object.assign(shared, { changes: 1, lists: [...toShared('a', 'b'), { route: '/tasks', target: '/tasks' }] });
  expect(targets()).toEqual([
    '/collections?name=x',
    workspaceCall('w-1').target,
    '/environments?workspace=a',
    '/environments?workspace=b',
  ]);
  const others = { caller: { ...operation.caller, keyHash: 'other' } };
  shared.lists = [];
  expect([...lists.of(others)]).toEqual([]);
});

it('looks for those of other instances when something has changed there and can be read', () => {
  const { shared, targets } = create();
  Object.assign(shared, { lists: toShared('a') });
  expect([targets(), targets(), shared.reads]).toEqual([
    ['/environments?workspace=a'],
    ['/environments?workspace=a'],
    1,
  ]);
  Object.assign(shared, { changes: 2, lists: undefined });
  expect(targets()).toEqual(['/environments?workspace=a']);
  shared.lists = toShared('a', 'b');
  expect([targets().length, targets().length, shared.reads]).toEqual([2, 2, 3]);
});

it('forgets all but 200 of an API key', () => {
  const { lists, shared, targets } = create();
  lists.add(operation, workspaceCall('w-1'));
  shared.lists = toShared(...Array.from({ length: 300 }, (_, index) => String(index)));
  expect(targets()).toEqual(Array.from({ length: 200 }, (_, index) => `/environments?workspace=${index + 100}`));
});

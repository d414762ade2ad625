import { LRUCache } from 'lru-cache';
import { toListCall } from '../../postman/list-calls.ts';
import { listedBy, type PostmanCall } from '../../postman/postman-call.ts';
import type { SharedCache } from '../../shared-cache/shared-cache.ts';
import type { CacheCaller } from './cached-reads.ts';

/**
 * The calls by which each API key has lately read lists and workspaces, here or at an instance that shares its
 * responses. Their responses may be cached, and show objects that can also be read by other calls.
 */
export interface ReadLists {
  /** Notes a call that had a response, if that shows other objects. */
  add(operation: CalledBy, call: PostmanCall<unknown, null>): void;
  /** The calls of a key, the oldest first. */
  of(operation: CalledBy): Iterable<PostmanCall<unknown, null>>;
}

/** Whoever makes calls with an API key. */
interface CalledBy {
  readonly caller: CacheCaller;
}

/** What is remembered of one API key. */
interface Lists {
  readonly byTarget: Map<string, PostmanCall<unknown, null>>;
  /** `changesOf` when the lists of other instances were added last. */
  changes: number;
}

const MAX_CALLS_OF_KEY = 200;
// A call takes about 400 bytes: 4 MB in all.
const MAX_CALLS = 10_000;

/**
 * Creates the store, with the lists that the level shared by all instances has. When it is full, it forgets the least
 * recently used API keys.
 *
 * @param shared - Absent: instances share no responses.
 */
export function createReadLists(shared?: Pick<SharedCache, 'changesOf' | 'listsOf'>): ReadLists {
  const listsByKey = new LRUCache<string, Lists>({
    maxSize: MAX_CALLS,
    sizeCalculation: ({ byTarget }) => Math.max(1, byTarget.size),
  });

  const update = (keyHash: string, change: (lists: Lists) => void): Lists => {
    const lists = listsByKey.get(keyHash) ?? { byTarget: new Map(), changes: -1 };
    const { size } = lists.byTarget;
    change(lists);
    if (listsByKey.has(keyHash) && lists.byTarget.size === size) return lists;
    // The LRU cache does not resize an entry that is set again with the same object.
    listsByKey.delete(keyHash);
    listsByKey.set(keyHash, lists);
    return lists;
  };

  /** Adds the lists that other instances have read since the last time. */
  const addShared = (lists: Lists, { changesOf, listsOf }: NonNullable<typeof shared>, caller: CacheCaller) => {
    const changes = changesOf(caller);
    const sharedLists = lists.changes === changes ? undefined : listsOf(caller);
    if (!sharedLists) return;
    lists.changes = changes;
    for (const { route, target } of sharedLists.slice(-MAX_CALLS_OF_KEY)) {
      const call = lists.byTarget.has(target) ? undefined : toListCall(route, target);
      if (call) addTo(lists, call);
    }
  };

  return {
    add({ caller: { keyHash } }, call) {
      const { route, contents } = call;
      if (contents || listedBy(route)) update(keyHash, (lists) => addTo(lists, call));
    },
    of: ({ caller }) =>
      shared
        ? update(caller.keyHash, (lists) => addShared(lists, shared, caller)).byTarget.values()
        : (listsByKey.get(caller.keyHash)?.byTarget.values() ?? []),
  };
}

/** Adds a call as the latest one. */
function addTo({ byTarget }: Lists, call: PostmanCall<unknown, null>): void {
  byTarget.delete(call.target);
  byTarget.set(call.target, call);
  const [oldest] = byTarget.keys();
  if (byTarget.size > MAX_CALLS_OF_KEY && oldest !== undefined) byTarget.delete(oldest);
}

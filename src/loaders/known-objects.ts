import type { ChildListName, ListName } from '../upstream/postman/levels.ts';
import { listedBy, type PostmanCall } from '../upstream/postman/postman-call.ts';
import type { Ref } from '../upstream/postman/resources/ref.ts';
import type { CachedList } from '../upstream/calls/cached-reads/cache-queries.ts';
import { toGroups } from './planner.ts';
import type { UpstreamReads } from './reads.ts';

/** Finds objects in cached lists and workspaces that were read for other reasons. */
export interface KnownObjects {
  /**
   * To be called before the others: loads the lists and workspaces that only other instances have cached. undefined:
   * there is nothing to wait for. Never rejects.
   */
  load(): Promise<void> | undefined;
  /** A cached list with an item about an object; undefined: there is none. */
  listWith<Item>(list: ListName, key: string): PostmanCall<Page<Item>, null> | undefined;
  /**
   * Returns what a cached workspace says of an object; undefined: none has it.
   *
   * @param needsName - Whether only a response with the name will do.
   */
  refOf(list: ChildListName, uid: string, needsName: boolean): Promise<Ref | undefined>;
}

type Page<Item> = readonly Item[] | { readonly items: readonly Item[] };

/** The objects that one response shows, by id or uid. */
interface Shown {
  readonly items: ReadonlySet<string>;
  readonly refs: ReadonlyMap<ChildListName, ReadonlyMap<string, Ref>>;
}

// By response. Responses are shared by all operations that find them in the cache.
const shownBy = new WeakMap<object, Shown>();

/** Creates the finder of one operation. It searches what is cached when it is first needed. */
export function createKnownObjects(reads: UpstreamReads): KnownObjects {
  let latestFirst: readonly CachedList[] | undefined;
  const cachedLists = () => {
    latestFirst ??= reads.cachedLists();
    return latestFirst;
  };
  // Each field of an object looks for it.
  const unlisted = new Set<string>();
  let isLoaded = false;
  let loading: Promise<void> | undefined;
  const setLoaded = () => {
    isLoaded = true;
  };
  return {
    load() {
      if (isLoaded) return undefined;
      loading ??= reads.loadLists()?.then(setLoaded);
      if (!loading) setLoaded();
      return loading;
    },
    listWith<Item>(list: ListName, key: string) {
      if (unlisted.has(`${list} ${key}`)) return undefined;
      const found = cachedLists().find(
        ({ call, value }) =>
          listedBy(call.route) === list && toShown(call, value).items.has(key) && reads.isCached(call),
      );
      if (!found) unlisted.add(`${list} ${key}`);
      return found?.call as PostmanCall<Page<Item>, null> | undefined;
    },
    async refOf(list, uid, needsName) {
      for (const { call, value } of cachedLists()) {
        const ref = toShown(call, value).refs.get(list)?.get(uid);
        if (!ref || (needsName && ref.name === undefined) || !reads.isCached(call)) continue;
        // Counts as read, and makes the age of the ref known.
        await reads.get(call);
        return ref;
      }
      return undefined;
    },
  };
}

function toShown(call: PostmanCall<unknown, null>, value: object): Shown {
  const known = shownBy.get(value);
  if (known) return known;
  const { items = [] } = (Array.isArray(value) ? { items: value } : value) as { readonly items?: readonly Item[] };
  const shown = {
    items: new Set(listedBy(call.route) ? items.map(({ uid, id }) => uid ?? id ?? '') : []),
    refs: new Map(
      [...toGroups(call.contents?.(value) ?? [], ({ list }) => list)].map(([list, parts]) => [
        list,
        new Map(parts.flatMap((part) => part.items.map((ref) => [ref.uid, ref]))),
      ]),
    ),
  };
  shownBy.set(value, shown);
  return shown;
}

interface Item {
  readonly uid?: string;
  readonly id?: string;
}

import { LRUCache } from 'lru-cache';
import { listedBy, type PostmanCall } from './postman-call.ts';

/**
 * The calls by which each API key has lately read lists and workspaces. Their responses may be cached, and show objects
 * that can also be read by other calls.
 */
export interface ReadLists {
  /** Notes a call that had a response, if that shows other objects. */
  add(caller: KeyOf, call: PostmanCall<unknown, null>): void;
  /** The calls of a key, the oldest first. */
  of(caller: KeyOf): Iterable<PostmanCall<unknown, null>>;
}

/** Whoever makes calls with an API key. */
interface KeyOf {
  readonly caller: { readonly keyHash: string };
}

const MAX_CALLS_OF_KEY = 200;
// A call takes about 400 bytes: 4 MB in all.
const MAX_CALLS = 10_000;

/** Creates the empty store. When it is full, it forgets the least recently used API keys. */
export function createReadLists(): ReadLists {
  const callsByKey = new LRUCache<string, Map<string, PostmanCall<unknown, null>>>({
    maxSize: MAX_CALLS,
    sizeCalculation: ({ size }) => size,
  });
  return {
    add({ caller: { keyHash } }, call) {
      const { target, route, contents } = call;
      if (!contents && !listedBy(route)) return;
      const calls = callsByKey.get(keyHash) ?? new Map<string, PostmanCall<unknown, null>>();
      if (calls.delete(target)) {
        calls.set(target, call);
        return;
      }
      calls.set(target, call);
      const [oldest] = calls.keys();
      if (calls.size > MAX_CALLS_OF_KEY && oldest !== undefined) calls.delete(oldest);
      // The LRU cache does not resize an entry that is set again with the same object.
      callsByKey.delete(keyHash);
      callsByKey.set(keyHash, calls);
    },
    of: ({ caller }) => callsByKey.get(caller.keyHash)?.values() ?? [],
  };
}

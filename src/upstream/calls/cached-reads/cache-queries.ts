import type { CachedResponse, Outcome } from '../../cache/cached-response.ts';
import type { Freshness } from '../../cache/freshness.ts';
import type { Call } from '../../postman/call.ts';
import type { OperationIdentity } from '../operation/operation.ts';
import type { PostmanCall } from '../../postman/postman-call.ts';
import type { CachedReads } from './cached-reads.ts';
import type { ReadLists } from './read-lists.ts';

/** What is cached for an operation. None of it makes a call or changes a meter. */
export interface CacheQueries {
  /**
   * To be called when an operation begins. Resolves when it is known which responses other instances have cached;
   * undefined: there is nothing to wait for. Never rejects.
   */
  prepare(operation: OperationIdentity): Promise<void> | undefined;
  /** The outcome that the operation would take from the cache; undefined if it needs a call, or `load`. */
  cachedOutcome(call: Call<unknown>, operation: OperationIdentity): Outcome | undefined;
  /** Whether the operation needs no call: this instance has a response that it accepts, or another one has. */
  isCached(call: Call<unknown>, operation: OperationIdentity): boolean;
  /**
   * Loads a response that `isCached` counts on and that only other instances have; undefined: there is none. Waits for
   * a limited time, and never rejects.
   */
  load(call: Call<unknown>, operation: OperationIdentity): Promise<unknown> | undefined;
  /** The lists and workspaces that the operation would take from the cache, as far as they are remembered. */
  cachedLists(operation: OperationIdentity): readonly CachedList[];
  /**
   * Loads those of them that only other instances have: the latest, as many as memory allows at once; undefined: there
   * are none. Waits for a limited time, and never rejects.
   */
  loadLists(operation: OperationIdentity): Promise<unknown> | undefined;
  /** The cached outcome of the call, however old; undefined if there is none. */
  lastOutcome(call: Call<unknown>, operation: OperationIdentity): Outcome | undefined;
  /** Whether the operation accepts cached responses and its key has any, fresh or not. */
  cachesAny(operation: OperationIdentity): boolean;
  /** Whether the operation would need a call that a list can save, by showing that the cached object is unchanged. */
  isRenewable(call: Call<unknown>, operation: OperationIdentity): boolean;
}

/** A list or a workspace whose response is cached. */
export interface CachedList {
  readonly call: PostmanCall<unknown, null>;
  readonly value: object;
}

// Size on the heap.
const MAX_LOADED_BYTES = 16 * 1_048_576;
// Instances know each other's times to within milliseconds.
const SAME_TIME_MS = 1_500;

/** Creates the questions about both levels of the cache. */
export function createCacheQueries(
  cachedReads: CachedReads,
  readLists: Pick<ReadLists, 'of'>,
  freshness: Freshness,
): CacheQueries {
  const isServed = (cached: CachedResponse | undefined, { directives }: OperationIdentity) =>
    cached !== undefined && freshness.judge(cached, directives) !== 'call';

  /** Whether only other instances have a response that the operation accepts. */
  const isElsewhere = (call: Call<unknown>, operation: OperationIdentity) =>
    isServed(cachedReads.foresee(call, operation.caller), operation) &&
    !isServed(cachedReads.find(call, operation.caller), operation);

  const cachedOutcome = (call: Call<unknown>, operation: OperationIdentity) => {
    const cached = cachedReads.find(call, operation.caller);
    return isServed(cached, operation) ? cached?.outcome : undefined;
  };

  return {
    prepare: ({ caller, directives }) => (directives.noCache ? undefined : cachedReads.prepare(caller)),
    cachedOutcome,
    isCached: (call, operation) => cachedOutcome(call, operation) !== undefined || isElsewhere(call, operation),
    load: (call, operation) => (isElsewhere(call, operation) ? cachedReads.load(call, operation.caller) : undefined),
    cachedLists: (operation) =>
      sortLists(
        [...readLists.of(operation)].flatMap((call) => {
          const outcome = cachedOutcome(call, operation);
          if (!outcome || !('value' in outcome) || outcome.value === null) return [];
          const sentAtMs = cachedReads.sentAtMs(call, operation.caller) ?? 0;
          return [{ call, value: outcome.value as object, sentAtMs }];
        }),
      ),
    loadLists(operation) {
      const { caller } = operation;
      const elsewhere = [...readLists.of(operation)].filter((call) => isElsewhere(call, operation));
      let bytes = 0;
      const isTooMuch = (call: Call<unknown>) => {
        bytes += cachedReads.foresee(call, caller)?.bytes ?? 0;
        return bytes > MAX_LOADED_BYTES;
      };
      const last = elsewhere.slice(elsewhere.findLastIndex(isTooMuch) + 1);
      const loads = last.flatMap((call) => cachedReads.load(call, caller) ?? []);
      return loads.length > 0 ? Promise.all(loads) : undefined;
    },
    lastOutcome: (call, { caller }) => cachedReads.find(call, caller)?.outcome,
    cachesAny: ({ caller, directives }) => !directives.noCache && cachedReads.hasAny(caller),
    isRenewable(call, { caller, directives }) {
      if (directives.noCache || directives.onlyIfCached) return false;
      const cached = cachedReads.find(call, caller);
      // A later response counts, even if only another instance has it.
      const latest = cachedReads.foresee(call, caller) ?? cached;
      return (
        latest !== undefined &&
        latest.isRenewable &&
        [cached, latest].every((one) => !one || freshness.judge(one, directives) === 'call')
      );
    },
  };
}

/** Sorts by time, the latest first, and then by target: so the order depends on what is cached alone. */
function sortLists<List extends CachedList & { readonly sentAtMs: number }>(lists: readonly List[]): readonly List[] {
  const latestMs = lists.reduce((latest, { sentAtMs }) => Math.max(latest, sentAtMs), 0);
  const toAge = ({ sentAtMs }: List) => Math.floor((latestMs - sentAtMs) / SAME_TIME_MS);
  return lists.toSorted((one, other) => toAge(one) - toAge(other) || (one.call.target < other.call.target ? -1 : 1));
}

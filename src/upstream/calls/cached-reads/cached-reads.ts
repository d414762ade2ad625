import type { NewResponse } from '../../cache/response-cache.ts';
import type { CachedResponse, Outcome } from '../../cache/cached-response.ts';
import type { Call } from '../../postman/call.ts';
import { toListCall } from '../../postman/list-calls.ts';
import type { SharedCache, SharedText } from '../../shared-cache/shared-cache.ts';
import { type AdoptionOptions, createAdoption } from './adoption.ts';
import { createVersion } from '../../shared-cache/response-writes.ts';
import type { UpstreamFailure } from '../../http/upstream-error.ts';
import type { Caller } from '../operation/operation.ts';

/** Whose cached responses they are. */
export type CacheCaller = Pick<Caller, 'keyHash' | 'apiKey'>;

/** A response from Postman that is to be cached: the body as sent, with its value, or a failure. */
export type ResponseToCache = Omit<NewResponse, 'outcome' | 'version'> &
  ({ readonly value: unknown; readonly text: string } | { readonly failure: UpstreamFailure });

/**
 * The cache as calls use it: the responses in this process, and behind them those that all instances share, if there
 * are any. Only `load` and `prepare` wait, and only for Redis, for a limited time.
 */
export interface CachedReads {
  /** To be called when an operation begins; undefined: there is nothing to wait for. Never rejects. */
  prepare(caller: CacheCaller): Promise<void> | undefined;
  /**
   * A number that changes when other instances have changed what is cached for the API key. Undefined: that has to be
   * read first.
   */
  sharedChanges(caller: CacheCaller): number | undefined;
  /** The cached response of a call. */
  find(call: Call<unknown>, caller: CacheCaller): CachedResponse | undefined;
  /** When the cached response's call was sent (monotonic ms); undefined: there is none. */
  sentAtMs(call: Call<unknown>, caller: CacheCaller): number | undefined;
  /** To be called when a cached outcome is served. Returns whether it came from another instance, and is served first. */
  isFirstServed(outcome: Outcome): boolean;
  /** The response that `load` would bring, if it is not the one that `find` returns. It has no value. */
  foresee(call: Call<unknown>, caller: CacheCaller): CachedResponse | undefined;
  /**
   * Looks for a response that other instances have cached; undefined: there are no such responses. Resolves with the
   * time that it has waited for Redis (ms). Never rejects.
   */
  load(call: Call<unknown>, caller: CacheCaller): Promise<number> | undefined;
  /** Whether anything is cached for the API key. */
  hasAny(caller: CacheCaller): boolean;
  /**
   * Caches a response. Resolves when other instances can read it, or when that has failed: nothing needs to wait for
   * it. Never rejects.
   */
  store(call: Call<unknown>, caller: CacheCaller, response: ResponseToCache): Promise<void>;
  /** Compares cached responses with the `updatedAt` in a list. */
  renew(caller: CacheCaller, listed: Iterable<readonly [target: string, updatedAt: string | null]>): void;
  /** Drops everything of an API key that is no longer valid. */
  dropKey(caller: CacheCaller): void;
}

/** What `createCachedReads` needs. */
export interface CachedReadsOptions extends AdoptionOptions {
  /** Absent: each instance has its own cached responses. */
  readonly sharedCache?: SharedCache | undefined;
}

/** Joins the two levels of the cache. */
export function createCachedReads(options: CachedReadsOptions): CachedReads {
  const { cache, sharedCache } = options;
  const { isLater, toNewResponse, merge, load, isFirstServed } = createAdoption(options);
  // By key hash and target.
  const loading = new Map<string, Promise<number>>();

  return {
    prepare: (caller) => sharedCache?.prepare(caller, cache.hasAny(caller.keyHash)),

    sharedChanges(caller) {
      if (!sharedCache) return 0;
      return sharedCache.prepare(caller, cache.hasAny(caller.keyHash)) ? undefined : sharedCache.changesOf(caller);
    },

    hasAny: (caller) => cache.hasAny(caller.keyHash) || (sharedCache?.hasAny(caller) ?? false),

    find(call, caller) {
      merge(call, caller);
      return cache.get(caller.keyHash, call.target);
    },

    sentAtMs: ({ target }, { keyHash }) => cache.identify(keyHash, target)?.sentAtMs,

    isFirstServed,

    foresee(call, caller) {
      const shared = sharedCache?.find(caller, call.target);
      if (!shared || shared.route !== call.route.template || !isLater(caller, call.target, shared)) return undefined;
      const outcome: Outcome = shared.isFailure ? { failure: { kind: 'notFound', message: '' } } : { value: undefined };
      return cache.foresee(toNewResponse(call, shared, outcome), shared);
    },

    load(call, caller) {
      const name = `${caller.keyHash} ${call.target}`;
      const known = loading.get(name);
      if (known) return known;
      // A text that cannot be parsed counts as absent.
      const use = (shared: SharedText) => load(call, caller, shared).catch(() => undefined);
      const loaded = sharedCache?.read(caller, call.target, use)?.finally(() => loading.delete(name));
      if (!loaded) return undefined;
      loading.set(name, loaded);
      return loaded;
    },

    async store(call, caller, response) {
      const { target, route } = call;
      const { bytes, updatedAt, sentAtMs, failureTtlMs } = response;
      const isFailure = 'failure' in response;
      const outcome = isFailure ? { failure: response.failure } : { value: response.value };
      const ttl = failureTtlMs === undefined ? {} : { failureTtlMs };
      const version = sharedCache && createVersion();
      const subjects = () => call.subjects?.(isFailure ? undefined : response.value) ?? [];
      const local = { outcome, bytes, updatedAt, sentAtMs, subjects, ...ttl };
      cache.set(caller.keyHash, target, version === undefined ? local : { ...local, version });
      if (version === undefined) return;
      const body = isFailure ? toSharedFailure(response.failure) : response.text;
      const isList = toListCall(route.template, target) !== undefined;
      const shared = { version, route: route.template, isList, body, heapBytes: bytes, updatedAt, sentAtMs, ...ttl };
      await sharedCache?.write(caller, target, shared);
    },

    renew(caller, listed) {
      const pairs = [...listed];
      for (const [target, updatedAt] of pairs) {
        if (updatedAt !== null) cache.renew(caller.keyHash, target, updatedAt);
      }
      sharedCache?.renew(caller, pairs);
    },

    dropKey(caller) {
      const hadAny = cache.hasAny(caller.keyHash);
      cache.dropKey(caller.keyHash);
      sharedCache?.dropKey(caller, hadAny);
    },
  };
}

/** A failure without times of this process's clock. */
function toSharedFailure(given: UpstreamFailure): UpstreamFailure {
  const { retryAtMs: _, ...failure } = given;
  return failure;
}

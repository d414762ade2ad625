/**
 * Entry of the `shared-cache` module, the second level of the cache: responses of Postman in Redis, which all instances
 * share and which survive a restart. They are encrypted with a key that only the holder of the API key and the secret
 * can derive.
 *
 * It stores texts under an API key and a target without knowing what they are. It must not import `postman`, `cache`,
 * `rate-limiter`, `calls` or the HTTP client.
 */
import type { UpstreamFailure } from '../http/upstream-error.ts';
import type { Secret } from '../http/secret.ts';

/** Whose responses they are. */
export interface ResponseOwner {
  readonly keyHash: string;
  readonly apiKey: Secret;
}

/** A response that Redis has, as far as this instance knows. Ages are in milliseconds. */
export interface SharedResponse {
  /** Different for each response. */
  readonly version: string;
  /** Template of the route. */
  readonly route: string;
  /** Since its call was sent. */
  readonly sentAgeMs: number;
  /** Since it was read. */
  readonly readAgeMs: number;
  /** Since it was read, or last shown unchanged by a list. */
  readonly confirmedAgeMs: number;
  /** A list has shown a newer version. */
  readonly isOutdated: boolean;
  /** RFC 3339 in UTC; null where the response does not say. */
  readonly updatedAt: string | null;
  /** Size of the value on the heap. */
  readonly heapBytes: number;
  readonly isFailure: boolean;
  readonly failureTtlMs?: number;
}

/** A shared response with its text: the body as Postman sent it, or the JSON of a failure. */
export interface SharedText extends SharedResponse {
  readonly text: string;
}

/** A list or a workspace that Redis has. */
export interface SharedList {
  /** Template of the route. */
  readonly route: string;
  readonly target: string;
}

/** A response to be shared. */
export interface NewSharedResponse {
  readonly version: string;
  readonly route: string;
  /** Whether `listsOf` is to name it. Default: it is not. */
  readonly isList?: boolean;
  readonly body: string | UpstreamFailure;
  readonly heapBytes: number;
  readonly updatedAt: string | null;
  /** When the call was sent (monotonic ms). */
  readonly sentAtMs: number;
  readonly failureTtlMs?: number;
}

/**
 * The second level of the cache. `find` and `take` reply at once, from the memory of this instance; `prepare` and
 * `read` wait for Redis, for a limited time; the others wait for nothing and may be lost. While Redis is slow or
 * unreachable, all of them do nothing.
 */
export interface SharedCache {
  /** Whether Redis replies in time, as far as is known. */
  isOn(): boolean;
  /** Whether other instances will get what this one stores: it is on, and Redis has memory left for the cache. */
  isStoring(): boolean;
  /**
   * To be called when an operation begins. Resolves when this instance knows which responses Redis has; undefined: it
   * knows already, or cannot know. Never rejects.
   *
   * @param hasCached - Whether the instance has cached responses of the API key. They are served without waiting.
   */
  prepare(owner: ResponseOwner, hasCached: boolean): Promise<void> | undefined;
  /** A number that changes when what is known of the responses of the API key changes. */
  changesOf(owner: ResponseOwner): number;
  /** Whether Redis has any response of the API key, as far as is known. */
  hasAny(owner: ResponseOwner): boolean;
  /** Returns the response to the latest call of a target that Redis has, as far as is known. */
  find(owner: ResponseOwner, target: string): SharedResponse | undefined;
  /** The lists that Redis has, as far as is known, in the order of their calls. undefined: it cannot be read now. */
  listsOf(owner: ResponseOwner): readonly SharedList[] | undefined;
  /** Returns that response with its text, if it is short and has been read from Redis already. */
  take(owner: ResponseOwner, target: string): SharedText | undefined;
  /**
   * Reads a response from Redis, and passes it to `use`. Resolves when that is done, or if Redis has no response or
   * does not reply in time, with the time that it has waited for Redis (ms). undefined: the second level is off. Never
   * rejects, unless `use` does.
   */
  read(owner: ResponseOwner, target: string, use: (response: SharedText) => Promise<void>): Promise<number> | undefined;
  /**
   * Stores a response, unless Redis has one to a later call. Resolves when other instances can read it, or when it
   * could not be stored. Never rejects.
   */
  write(owner: ResponseOwner, target: string, response: NewSharedResponse): Promise<void>;
  /** Compares with the `updatedAt` in a list: an equal time renews the stored response, a later one outdates it. */
  renew(owner: ResponseOwner, listed: Iterable<readonly [target: string, updatedAt: string | null]>): void;
  /**
   * Drops everything of an API key that is no longer valid, on all instances.
   *
   * @param isCached - Whether this instance had responses of the key. Invented keys must not use memory of Redis.
   */
  dropKey(owner: ResponseOwner, isCached: boolean): void;
  /** Sends the remaining writes and closes the connection. Takes 250 ms at most. */
  close(): Promise<void>;
}

import type { Calls } from './calls.ts';
import { createIdleTasks, type IdleTasks } from './operation/idle-tasks.ts';
import type { Operation } from './operation/operation.ts';
import { UpstreamError } from '../http/upstream-error.ts';
import type { PostmanCall } from '../postman/postman-call.ts';

/** A list or a workspace whose response is cached. */
export interface CachedList {
  readonly call: PostmanCall<unknown, null>;
  readonly value: object;
}

/** Reads the Postman API for one GraphQL operation, with its key, deadline and call limit. */
export interface PostmanSession {
  /**
   * Returns the value of a call, with at most one GET, apart from retries. A 404 gives `whenMissing` if the call has
   * it.
   *
   * @throws {UpstreamError}
   */
  get<T, Missing extends null>(call: PostmanCall<T, Missing>): Promise<T | Missing>;
  /** Whether `get` needs no GET. */
  isCached(call: PostmanCall<unknown, null>): boolean;
  /** Whether `get` needs a GET now, but none after a list has shown the object to be unchanged. */
  isRenewable(call: PostmanCall<unknown, null>): boolean;
  /** The lists and workspaces that `get` would serve without a GET, as far as they are remembered; the oldest first. */
  cachedLists(): readonly CachedList[];
  /**
   * Loads those of them that only other instances have, as far as memory allows; undefined: there are none. Waits for a
   * limited time, and never rejects. No idle task runs meanwhile.
   */
  loadLists(): Promise<unknown> | undefined;
  /** Stops counting a response as memory of the operation, which must no longer refer to it. */
  release(value: unknown): void;
  /** Tasks that run once the operation can do nothing more without a response. */
  readonly idleTasks: IdleTasks;
}

/** What is known of the cached lists and workspaces. */
type CallsOfLists = Pick<Calls, 'readLists' | 'cachedOutcome' | 'loadLast'>;

/** Binds the Postman API to one operation. */
export function createPostmanSession(
  calls: Pick<Calls, 'make' | 'isCached' | 'isRenewable'> & CallsOfLists,
  operation: Operation,
): PostmanSession {
  return {
    async get(call) {
      try {
        const value = await calls.make(call, operation);
        calls.readLists.add(operation, call);
        if (call.keyOwnerIn) operation.belongsTo(call.keyOwnerIn(value));
        return value;
      } catch (error) {
        const { whenMissing } = call;
        if (whenMissing !== undefined && error instanceof UpstreamError && error.kind === 'notFound')
          return whenMissing;
        throw error;
      }
    },
    isCached: (call) => calls.isCached(call, operation),
    isRenewable: (call) => calls.isRenewable(call, operation),
    cachedLists: () => findCachedLists(calls, operation),
    loadLists: () => loadLists(calls, operation, operation.idleTasks),
    release: (value) => operation.responses.drop(value),
    idleTasks: operation.idleTasks,
  };
}

/** Finds the lists and workspaces that an operation may be served from the cache. */
export function findCachedLists(
  { readLists, cachedOutcome }: CallsOfLists,
  operation: Operation,
): readonly CachedList[] {
  return [...readLists.of(operation)].flatMap((call) => {
    const outcome = cachedOutcome(call, operation);
    return outcome && 'value' in outcome && outcome.value !== null ? [{ call, value: outcome.value as object }] : [];
  });
}

/** Loads the lists and workspaces that only other instances have cached, before any further task of the operation. */
export function loadLists(
  { readLists, loadLast }: CallsOfLists,
  operation: Operation,
  idleTasks: IdleTasks,
): Promise<unknown> | undefined {
  const loading = loadLast(readLists.of(operation), operation);
  if (loading) idleTasks.waitFor(loading);
  return loading;
}

/**
 * Makes a session for requests without a key. It makes no calls: `get` always rejects.
 *
 * @param toError - Makes the error from the template of the route.
 */
export function createFailingSession(toError: (routeTemplate: string) => UpstreamError): PostmanSession {
  return {
    get: ({ route }) => Promise.reject(toError(route.template)),
    isCached: () => false,
    isRenewable: () => false,
    cachedLists: () => [],
    loadLists: () => undefined,
    release() {},
    idleTasks: createIdleTasks(),
  };
}

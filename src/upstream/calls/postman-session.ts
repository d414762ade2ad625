import type { CachedList } from './cached-reads/cache-queries.ts';
import type { Calls } from './calls.ts';
import { createIdleTasks, type IdleTasks } from './operation/idle-tasks.ts';
import type { Operation } from './operation/operation.ts';
import { UpstreamError } from '../http/upstream-error.ts';
import type { PostmanCall } from '../postman/postman-call.ts';

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
  /** The lists and workspaces that `get` would serve without a GET, as far as they are remembered; the latest first. */
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

/** Binds the Postman API to one operation. */
export function createPostmanSession(
  calls: Pick<Calls, 'make' | 'isCached' | 'isRenewable' | 'cachedLists' | 'loadLists' | 'readLists'>,
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
    cachedLists: () => calls.cachedLists(operation),
    loadLists() {
      const loading = calls.loadLists(operation);
      if (loading) operation.idleTasks.waitFor(loading);
      return loading;
    },
    release: (value) => operation.responses.drop(value),
    idleTasks: operation.idleTasks,
  };
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

import type { Calls } from './calls.ts';
import { createIdleTasks, type IdleTasks } from './operation/idle-tasks.ts';
import type { Operation } from './operation/operation.ts';
import { UpstreamError } from '../http/upstream-error.ts';
import type { PostmanCall } from '../postman/postman-call.ts';

/** The read side of the Postman API for one GraphQL operation, bound to its key, deadline and ceiling. */
export interface PostmanSession {
  /** Answers a call by one GET at most. @throws {UpstreamError} */
  get<T, Missing extends null>(call: PostmanCall<T, Missing>): Promise<T | Missing>;
  /** Whether `get` would answer without a GET. */
  isCached(call: PostmanCall<unknown, null>): boolean;
  /** Whether `get` would need a GET, and none after a list that shows the thing unchanged. */
  isRenewable(call: PostmanCall<unknown, null>): boolean;
  /** What waits until nothing more happens in the operation without an answer. */
  readonly idleTasks: IdleTasks;
}

/** Binds the Postman API to one operation. */
export function createPostmanSession(
  calls: Pick<Calls, 'make' | 'cachedOutcome' | 'isRenewable'>,
  operation: Operation,
): PostmanSession {
  return {
    async get(call) {
      try {
        const value = await calls.make(call, operation);
        if (call.keyOwnerIn) operation.belongsTo(call.keyOwnerIn(value));
        return value;
      } catch (error) {
        const { whenMissing } = call;
        if (whenMissing !== undefined && error instanceof UpstreamError && error.kind === 'notFound')
          return whenMissing;
        throw error;
      }
    },
    isCached: (call) => calls.cachedOutcome(call, operation) !== undefined,
    isRenewable: (call) => calls.isRenewable(call, operation),
    idleTasks: operation.idleTasks,
  };
}

/**
 * Makes a session without a key, which makes no calls.
 *
 * @param toError - Makes what `get` throws, from the template of the route.
 */
export function createFailingSession(toError: (routeTemplate: string) => UpstreamError): PostmanSession {
  return {
    get: ({ route }) => Promise.reject(toError(route.template)),
    isCached: () => false,
    isRenewable: () => false,
    idleTasks: createIdleTasks(),
  };
}

import { createGraphQLError } from 'graphql-yoga';
import type { BudgetRegistry, KeyBudget } from '../upstream/rate-limiter/budget-registry.ts';
import { Secret } from '../upstream/http/secret.ts';
import type { KeyHasher } from '../upstream/calls/api-keys/key-hash.ts';
import { toImpossibleKey } from './api-key-messages.ts';

/** The API key with which a request is executed, its hash and its budget. */
export interface RequestCaller {
  readonly keyHash: string;
  readonly apiKey: Secret;
  readonly keyBudget: KeyBudget;
  /** The request has no key of its own, so the server's is used. */
  readonly isServerKey: boolean;
}

// Visible ASCII, without spaces: a header that was sent twice arrives as "a, b".
const API_KEY = /^[!-~]{1,256}$/;

/**
 * Makes the function that finds a request's caller: by the value of its `X-Api-Key` header, or else by the server's key.
 *
 * @returns A function that returns null if there is no key, and throws a GraphQL error with status 400 if the header
 *   cannot be a key.
 */
export function createCallerFinder({
  hashKey,
  formerHashKey,
  budgets,
  serverKey,
}: {
  hashKey: KeyHasher;
  /** Hashes keys with the secret before the current one, if there was one. */
  formerHashKey?: KeyHasher | undefined;
  budgets: BudgetRegistry;
  serverKey: Secret | undefined;
}) {
  const toCaller = (apiKey: Secret, isServerKey: boolean): RequestCaller => {
    const keyHash = hashKey(apiKey);
    return { keyHash, apiKey, isServerKey, keyBudget: budgets.of(keyHash, formerHashKey?.(apiKey)) };
  };
  const serverCaller = serverKey ? toCaller(serverKey, true) : null;
  return (given: string | null): RequestCaller | null => {
    // GraphiQL's header editor starts with an empty value, which means no key.
    const header = given?.trim() || undefined;
    if (header === undefined) return serverCaller;
    if (!API_KEY.test(header)) {
      throw createGraphQLError(toImpossibleKey(header), {
        extensions: { code: 'BAD_USER_INPUT', retryable: false, http: { status: 400 } },
      });
    }
    return toCaller(new Secret(header), false);
  };
}

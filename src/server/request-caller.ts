import { createGraphQLError } from 'graphql-yoga';
import type { BudgetRegistry, KeyBudget } from '../upstream/rate-limiter/budget-registry.ts';
import { Secret } from '../upstream/http/secret.ts';
import type { KeyHasher } from '../upstream/calls/api-keys/key-hash.ts';
import { toImpossibleKey } from './api-key-messages.ts';

/** Whose key a request is executed with. */
export interface RequestCaller {
  readonly keyHash: string;
  readonly apiKey: Secret;
  readonly keyBudget: KeyBudget;
}

// Visible ASCII. A header that was sent twice arrives as "a, b", whose blank no key has.
const API_KEY = /^[!-~]{1,256}$/;

/**
 * Makes the function that finds a request's tenant: by its `X-Api-Key` header, else by the server's own key.
 *
 * @returns A function that returns null where there is no key, and throws a GraphQL error with status 400 for a header
 *   that cannot be a key.
 */
export function createCallerFinder({
  hashKey,
  formerHashKey,
  budgets,
  serverKey,
}: {
  hashKey: KeyHasher;
  /** How tenants were named before; absent: as now. */
  formerHashKey?: KeyHasher | undefined;
  budgets: BudgetRegistry;
  serverKey: Secret | undefined;
}) {
  return (request: Request): RequestCaller | null => {
    // GraphiQL's header editor is prepared with an empty value: that is no key.
    const header = request.headers.get('x-api-key')?.trim() || undefined;
    if (header !== undefined && !API_KEY.test(header)) {
      throw createGraphQLError(toImpossibleKey(header), {
        extensions: { code: 'BAD_USER_INPUT', retryable: false, http: { status: 400 } },
      });
    }
    const apiKey = header === undefined ? serverKey : new Secret(header);
    if (!apiKey) return null;
    const keyHash = hashKey(apiKey);
    return { keyHash, apiKey, keyBudget: budgets.of(keyHash, formerHashKey?.(apiKey)) };
  };
}

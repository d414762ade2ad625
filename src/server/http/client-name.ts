import { redact } from '../../upstream/http/redact.ts';
import type { Secret } from '../../upstream/http/secret.ts';

const HEADERS = ['graphql-client-name', 'apollographql-client-name'];
const MAX_LENGTH = 64;

/**
 * Returns the name that a client gives itself in `GraphQL-Client-Name` or, as Apollo sends it,
 * `ApolloGraphQL-Client-Name`.
 *
 * @param apiKey - The client's key, which is removed from the name.
 * @returns At most 64 characters without control characters; undefined if there is no name.
 */
export function toClientName(headers: Headers, apiKey: Secret | undefined): string | undefined {
  const given = HEADERS.map((name) => headers.get(name)).find((name) => name);
  if (!given) return undefined;
  // The cut may split a surrogate pair.
  return (
    redact(given, apiKey?.reveal())
      .slice(0, MAX_LENGTH)
      .replace(/[\uD800-\uDBFF]$/, '') || undefined
  );
}

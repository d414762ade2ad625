import { Client, fetchExchange, makeOperation, mapExchange } from 'urql';

/** What the page sends along with its queries. Both are empty if the server has a key and needs no token. */
export interface Credentials {
  /** A Postman API key, for a server that serves each client's own data. */
  readonly apiKey: string;
  /** The server's own `ACCESS_TOKEN`. */
  readonly accessToken: string;
}

/** The part of a query's context that this client reads. */
export interface QueryContext {
  /**
   * Seconds for which the query may wait for the budget. After that, the page shows the data it has. undefined: as long
   * as the server allows, which is right for a stream.
   */
  readonly waitSeconds: number | undefined;
}

/**
 * Makes the GraphQL client.
 *
 * It has no cache: the server caches Postman's responses, knows how old they are, and repeats of a query cost no calls.
 */
export function createClient({ apiKey, accessToken }: Credentials): Client {
  const headers = {
    'graphql-client-name': 'dashboard',
    ...(apiKey && { 'x-api-key': apiKey }),
    ...(accessToken && { authorization: `Bearer ${accessToken}` }),
  };
  const addHeaders = mapExchange({
    onOperation(operation) {
      const { waitSeconds } = operation.context as Partial<QueryContext>;
      const wait = waitSeconds === undefined ? '' : `, wait=${waitSeconds}`;
      const fetchOptions = { headers: { ...headers, prefer: `errors=by-cause${wait}` } };
      return makeOperation(operation.kind, operation, { ...operation.context, fetchOptions });
    },
  });
  return new Client({
    url: import.meta.env['VITE_GRAPHQL_URL'] ?? '/graphql',
    exchanges: [addHeaders, fetchExchange],
    preferGetMethod: false,
  });
}

import { Client, fetchExchange } from 'urql';

/** What the page sends along with its queries. Both are empty if the server has a key and needs no token. */
export interface Credentials {
  /** A Postman API key, for a server that serves each client's own data. */
  readonly apiKey: string;
  /** The server's own `ACCESS_TOKEN`. */
  readonly accessToken: string;
}

/** Seconds that a query may wait for slots. After that, the page shows the data it has. Streams last longer. */
const WAIT_SECONDS = 3;

/**
 * Makes the GraphQL client.
 *
 * It has no cache: the server caches Postman's responses, knows how old they are, and repeats of a query cost no calls.
 */
export function createClient({ apiKey, accessToken }: Credentials): Client {
  return new Client({
    url: import.meta.env['VITE_GRAPHQL_URL'] ?? '/graphql',
    exchanges: [fetchExchange],
    preferGetMethod: false,
    fetchOptions: {
      headers: {
        prefer: `wait=${WAIT_SECONDS}, errors=by-cause`,
        'graphql-client-name': 'dashboard',
        ...(apiKey && { 'x-api-key': apiKey }),
        ...(accessToken && { authorization: `Bearer ${accessToken}` }),
      },
    },
  });
}

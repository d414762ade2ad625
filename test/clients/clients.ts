import {
  ApolloClient,
  CombinedGraphQLErrors,
  disableFragmentWarnings,
  gql,
  HttpLink,
  InMemoryCache,
} from '@apollo/client';
import { Defer20220824Handler, GraphQL17Alpha9Handler } from '@apollo/client/incremental';
import { Client, type Exchange, fetchExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import type { GraphQLError } from 'graphql';
import type { Cell } from '../support/client-table.ts';
import type { ResultError } from '../support/facade.ts';

/** What a client shows its application at one moment. */
export interface ClientResult {
  /** Without the `__typename` that a client may ask for by itself. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests compare whole results, whatever their shape.
  readonly data: any;
  readonly errors: readonly ResultError[];
  /** Nothing more is on its way. */
  readonly isLast: boolean;
  /** undefined where the client keeps them to itself. */
  readonly extensions: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Sends a query, and reports each new result that the client shows.
 */
export type Read = (
  url: string,
  query: string,
  onResult: (result: ClientResult) => void,
  options?: ReadOptions,
) => Reading;

/** How a test differs from an application. */
export interface ReadOptions {
  /** Default: the global `fetch`. */
  readonly send?: typeof globalThis.fetch;
  /**
   * Apollo Client shows what its handler makes of the parts, instead of what its cache has: the cache replaces objects
   * without `id`, which generated operations seldom select. Default: false.
   */
  readonly skipsCache?: boolean;
}

/** A query that is being answered. */
export interface Reading {
  /** What an application does that is no longer interested. */
  unsubscribe(): void;
}

// Each query is an application of its own, and their fragments have the same names.
disableFragmentWarnings();

/** The clients under test, by their packages, each set up as an application would. */
export const clients: Readonly<Record<string, Read>> = {
  '@apollo/client, incrementalSpec=v0.2': (...asked) => readByApollo(new GraphQL17Alpha9Handler(), ...asked),
  '@apollo/client, deferSpec=20220824': (...asked) => readByApollo(new Defer20220824Handler(), ...asked),
  '@urql/core': (...asked) => readByUrql([], undefined, ...asked),
  '@urql/core, text/event-stream': (...asked) => readByUrql([], 'text/event-stream', ...asked),
  '@urql/exchange-graphcache': (...asked) => readByUrql([createGraphcache()], undefined, ...asked),
  '@urql/exchange-graphcache, text/event-stream': (...asked) =>
    readByUrql([createGraphcache()], 'text/event-stream', ...asked),
};

/** The cell of the table that a client's tests fill. */
export const cells: Readonly<Record<string, Cell>> = {
  '@apollo/client, incrementalSpec=v0.2': ['Apollo Client 4', 'v0.2 multipart'],
  '@apollo/client, deferSpec=20220824': ['Apollo Client 4', '2022 multipart'],
  '@urql/exchange-graphcache': ['urql with graphcache', '2022 multipart'],
  '@urql/exchange-graphcache, text/event-stream': ['urql with graphcache', '2022 SSE'],
};

function readByApollo(
  incrementalHandler: Defer20220824Handler | GraphQL17Alpha9Handler,
  url: string,
  query: string,
  onResult: (result: ClientResult) => void,
  { send = fetch, skipsCache = false }: ReadOptions = {},
): Reading {
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: new HttpLink({ uri: url, fetch: send }),
    // Its types are not made for `exactOptionalPropertyTypes`.
    incrementalHandler: incrementalHandler as NonNullable<ApolloClient.Options['incrementalHandler']>,
  });
  return client
    .watchQuery({ query: gql(query), errorPolicy: 'all', ...(skipsCache && { fetchPolicy: 'no-cache' }) })
    .subscribe(({ data, error, loading, dataState }) => {
      // Before anything has come it says so.
      if (loading && dataState === 'empty') return;
      onResult({
        data: withoutTypenames(data),
        errors: CombinedGraphQLErrors.is(error) ? error.errors : error ? [error] : [],
        isLast: !loading,
        extensions: undefined,
      });
    });
}

/** A cache that embeds objects without `id` and does not warn of them: the queries under test select few. */
const createGraphcache = () => cacheExchange({ logger: () => undefined });

function readByUrql(
  caches: readonly Exchange[],
  accept: string | undefined,
  url: string,
  query: string,
  onResult: (result: ClientResult) => void,
  { send = fetch }: ReadOptions = {},
): Reading {
  // Left to itself it asks by GET, which takes a header that a web page cannot send unasked.
  const client = new Client({
    url,
    exchanges: [...caches, fetchExchange],
    preferGetMethod: false,
    fetch: send,
    ...(accept !== undefined && { fetchOptions: { headers: { accept } } }),
  });
  // Graphcache would send no query whose fields are all deferred: without them, its cache has everything.
  const context = { requestPolicy: 'network-only' } as const;
  return client.query(query, {}, context).subscribe(({ data, error, hasNext, extensions }) => {
    onResult({
      data: withoutTypenames(data),
      errors: error?.networkError ? [error.networkError] : (error?.graphQLErrors.map(toAnswerError) ?? []),
      isLast: !hasNext,
      extensions,
    });
  });
}

function toAnswerError({ message, path, extensions }: GraphQLError): ResultError {
  return { message, ...(path && { path }), extensions };
}

function withoutTypenames(data: unknown): unknown {
  if (data === undefined) return undefined;
  return JSON.parse(JSON.stringify(data), (key, value: unknown) => (key === '__typename' ? undefined : value));
}

import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import { parse } from 'graphql';
import type { ResultError } from '../support/facade.ts';
import { hiveConfig } from './guide.ts';

/** What a client of a gateway gets. */
export interface ClientAnswer {
  // oxlint-disable-next-line typescript/no-explicit-any -- tests compare whole results, whatever their shape.
  readonly data: any;
  readonly errors: readonly ResultError[];
  /** What the gateway says that the operation costs; undefined where it has no notion of that. */
  readonly pricedAt: number | undefined;
}

/** A gateway before subgraphs, and a client before it. */
export interface Gateway {
  /** @param apiKey - What the client sends as X-Api-Key. */
  query(query: string, apiKey?: string): Promise<ClientAnswer>;
  close(): Promise<void>;
}

/** Starts a gateway. */
export type StartGateway = (supergraphSdl: string) => Promise<Gateway>;

/** Both gateways that run in Node, by their packages. */
export const gateways: Readonly<Record<string, StartGateway>> = {
  '@graphql-hive/gateway-runtime': startHive,
  '@apollo/gateway': startApollo,
};

async function startHive(supergraph: string): Promise<Gateway> {
  const gateway = createGatewayRuntime({
    ...hiveConfig,
    supergraph,
    logging: false,
    demandControl: { includeExtensionMetadata: true },
  });
  return {
    async query(query, apiKey) {
      const response = await gateway.fetch('http://127.0.0.1/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(apiKey !== undefined && { 'x-api-key': apiKey }) },
        body: JSON.stringify({ query }),
      });
      return toAnswer(await response.json());
    },
    close: async () => gateway[Symbol.asyncDispose](),
  };
}

async function startApollo(supergraphSdl: string): Promise<Gateway> {
  const gateway = new ApolloGateway({
    supergraphSdl,
    buildService: ({ name, url }) =>
      new RemoteGraphQLDataSource({
        ...(url !== undefined && { url }),
        willSendRequest({ request, context }) {
          const { apiKey } = context as { readonly apiKey?: string };
          if (name === 'postman' && apiKey !== undefined) request.http?.headers.set('x-api-key', apiKey);
        },
      }),
  });
  // Of the context that Apollo Server would give, what is read.
  const { executor }: { executor(request: object): Promise<unknown> } = await gateway.load();
  return {
    async query(query, apiKey) {
      const result = await executor({
        document: parse(query),
        request: { query },
        operationName: null,
        queryHash: query,
        context: { apiKey },
        metrics: {},
      });
      // As it goes to a client.
      return toAnswer(JSON.parse(JSON.stringify(result)));
    },
    close: () => gateway.stop(),
  };
}

function toAnswer(body: unknown): ClientAnswer {
  const { data, errors, extensions } = body as {
    readonly data: unknown;
    readonly errors?: readonly ResultError[];
    readonly extensions?: { readonly cost?: { readonly estimated: number } };
  };
  return { data, errors: errors ?? [], pricedAt: extensions?.cost?.estimated };
}

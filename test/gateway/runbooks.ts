import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSchema, createYoga } from 'graphql-yoga';

/** Something another team has written about a thing of Postman, which it knows by its key alone. */
export interface Runbook {
  readonly id: string;
  readonly collection?: { readonly uid: string };
  readonly environment?: { readonly uid: string };
  readonly workspace?: { readonly id: string };
}

/** Another team's subgraph. */
export interface RunbookSubgraph {
  readonly url: string;
  readonly sdl: string;
  /** The `x-api-key` headers that it was sent. */
  readonly keysSeen: string[];
  close(): Promise<void>;
}

const TYPES = /* GraphQL */ `
  type Query {
    "Those whose ids begin so."
    runbooks(of: String!): [Runbook!]!
    runbookPage: RunbookPage!
  }
  type Runbook {
    id: ID!
    collection: Collection
    environment: Environment
    workspace: Workspace
  }
  type RunbookPage {
    nodes: [Runbook!]!
    pageInfo: PageInfo!
  }
  type PageInfo @shareable {
    hasNextPage: Boolean!
    hasPreviousPage: Boolean!
    startCursor: String
    endCursor: String
  }
  type Collection @key(fields: "uid", resolvable: false) {
    uid: ID!
  }
  type Environment @key(fields: "uid", resolvable: false) {
    uid: ID!
  }
  type Workspace @key(fields: "id", resolvable: false) {
    id: ID!
  }
`;
const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])';
const DIRECTIVES =
  'directive @key(fields: String!, resolvable: Boolean) repeatable on OBJECT directive @shareable on OBJECT';

/** Serves runbooks on loopback. */
export async function startRunbooks(runbooks: readonly Runbook[]): Promise<RunbookSubgraph> {
  const keysSeen: string[] = [];
  const yoga = createYoga({
    schema: createSchema({
      typeDefs: `${DIRECTIVES} ${TYPES}`,
      resolvers: {
        Query: {
          runbooks: (_root: unknown, { of }: { of: string }) => runbooks.filter(({ id }) => id.startsWith(of)),
          runbookPage: () => ({ nodes: [], pageInfo: { hasNextPage: false, hasPreviousPage: false } }),
        },
      },
    }),
    logging: false,
  });
  const server = createServer((request, response) => {
    const key = request.headers['x-api-key'];
    if (key !== undefined) keysSeen.push(String(key));
    void yoga(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    sdl: `${LINK}\n${TYPES}`,
    keysSeen,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

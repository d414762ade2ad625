/**
 * A server of graphql-yoga with the same data. `constant` has it in memory. `facade` reads it from the upstream for
 * each operation, as it is usually written by hand: one DataLoader per operation and a pool of undici. Arguments:
 * `constant` and a file with the data, or `facade` and the origin of the upstream; its API key is in `POSTMAN_API_KEY`.
 */
import DataLoader from 'dataloader';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSchema, createYoga } from 'graphql-yoga';
import { Pool } from 'undici';
import { TYPE_DEFS } from './questions.ts';

interface Named {
  readonly id: string;
  readonly uid: string;
  readonly name: string;
}
interface Workspace extends Named {
  readonly collections: readonly Named[] | { readonly nodes: readonly Named[] };
}
interface Context {
  readonly workspaces: DataLoader<string, readonly Named[]>;
}

const [kind, source = ''] = process.argv.slice(2);
const firstOf = <T>(all: readonly T[], first: number | undefined) => ({ nodes: all.slice(0, first) });

function toConstant() {
  const { workspaces } = JSON.parse(readFileSync(source, 'utf8')) as { workspaces: { nodes: Workspace[] } };
  return {
    Query: { workspaces: (_: unknown, { first }: { first?: number }) => firstOf(workspaces.nodes, first) },
    Workspace: {
      collections: ({ collections }: Workspace, { first }: { first?: number }) =>
        firstOf('nodes' in collections ? collections.nodes : collections, first),
    },
  };
}

const pool = kind === 'facade' ? new Pool(source, { connections: 10 }) : undefined;
async function get<T>(path: string): Promise<T> {
  if (!pool) throw new TypeError('Only the facade has an upstream');
  const headers = { 'x-api-key': process.env.POSTMAN_API_KEY ?? '' };
  const { statusCode, body } = await pool.request({ path, method: 'GET', headers });
  if (statusCode !== 200) throw new Error(`Status ${statusCode}`);
  return (await body.json()) as T;
}

const facade = {
  Query: {
    workspaces: async (_: unknown, { first }: { first?: number }) =>
      firstOf((await get<{ workspaces: Named[] }>('/workspaces')).workspaces, first),
  },
  Workspace: {
    collections: async ({ id }: Workspace, { first }: { first?: number }, { workspaces }: Context) =>
      firstOf(await workspaces.load(id), first),
  },
};

const yoga = createYoga({
  schema: createSchema({ typeDefs: TYPE_DEFS, resolvers: kind === 'facade' ? facade : toConstant() }),
  graphiql: false,
  landingPage: false,
  logging: false,
  context: (): Context => ({
    workspaces: new DataLoader((ids) =>
      Promise.all(
        ids.map(
          async (id) =>
            (await get<{ workspace: { collections?: Named[] } }>(`/workspaces/${id}`)).workspace.collections ?? [],
        ),
      ),
    ),
  }),
});
const server = createServer((request, response) => void yoga(request, response)).listen(0, '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`),
);
process.once('SIGTERM', () => process.exit(0));

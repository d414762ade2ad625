/**
 * Entry file of the graph module. It exports `createSchema`, which builds the executable schema.
 *
 * Folders: `types` declares the GraphQL types of workspaces and their contents, `tree` those inside one collection,
 * `search` the searches through many.
 * `paging` has connections, cursors and `@stream`; `planning` decides from the selection what to read; `limits` bounds
 * operations and results and divides long work; `errors` turns upstream errors into codes; `execution` executes queries;
 * `subgraph` serves federation gateways.
 *
 * Graph imports loaders and what upstream returns (models, errors, the collection format). It must not import the
 * server, the configuration or the dry run, and it must not know how calls are made: HTTP, cache, queues, DataLoader.
 */
import { GraphQLSchema } from 'graphql';
import { builder } from './builder.ts';
import { boundResults } from './limits/bounded-results.ts';
import { assertDeclared } from './subgraph/assert-declarations.ts';
import { incrementalDirectives } from './paging/incremental-directives.ts';
import { hideFromIntrospection } from './subgraph/hide-federation.ts';
import { printSubgraph } from './subgraph/subgraph-sdl.ts';
import { trackReads } from './planning/tracked-reads.ts';
import './scalars.ts';
import './types/query.ts';
import './types/user-queries.ts';
import './subgraph/entities.ts';
import './subgraph/service.ts';
import './types/node.ts';
import './types/workspace.ts';
import './types/collection.ts';
import './types/collection-contents.ts';
import './types/environment.ts';
import './types/environment-comparison.ts';
import './types/mock.ts';
import './types/outer-variables.ts';
import './tree/collection-item.ts';
import './tree/folder.ts';
import './tree/request.ts';
import './search/search-fields.ts';
import './tree/effective.ts';

const DESCRIPTION = `A Postman account as a graph, read only.

Cost is counted in GETs sent to Postman, which allows few per minute. A field that may need a GET says so in a \
line \`Cost:\`; every response reports its actual cost in \`extensions.upstream\`.

If a call fails, the fields that need it are null and have entries in \`errors\`, with \`extensions.code\` and, \
where waiting helps, \`retryAfterSeconds\` and \`retryAt\`; all other fields have their values. If the key may not \
list the users of its team, one entry stands for all their names. Something that does not exist is null without \
an error. Values of secrets are withheld unless the server is configured to reveal them.`;

/**
 * Builds the schema. The imports above register its types with the builder.
 *
 * The schema also executes the queries of federation gateways. Fields and types that only gateways use are hidden from
 * introspection and from `printSchema`.
 *
 * @throws {TypeError} A field does not declare which upstream responses it is read from.
 */
export function createSchema(): GraphQLSchema {
  const config = builder.toSchema().toConfig();
  const directives = [...config.directives, ...incrementalDirectives];
  const schema = new GraphQLSchema({ ...config, directives, description: DESCRIPTION });
  assertDeclared(schema);
  trackReads(schema);
  boundResults(schema);
  hideFromIntrospection(schema);
  // Only gateways read it, and printing it takes as long as all else here.
  let sdl: string | undefined;
  schema.extensions = { ...schema.extensions, printSubgraph: () => (sdl ??= printSubgraph(schema)) };
  return schema;
}

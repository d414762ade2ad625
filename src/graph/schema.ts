import { GraphQLSchema } from 'graphql';
import { builder } from './builder.ts';
import { boundResults } from './limits/bounded-results.ts';
import { assertDeclared } from './subgraph/assert-declarations.ts';
import { incrementalDirectives } from './paging/incremental-directives.ts';
import { hideFromIntrospection } from './subgraph/hide-federation.ts';
import { printSubgraph } from './subgraph/subgraph-sdl.ts';
import { trackReads } from './planning/tracked-reads.ts';
import './types/scalars.ts';
import './types/query.ts';
import './subgraph/entities.ts';
import './subgraph/service.ts';
import './types/workspace.ts';
import './types/collection.ts';
import './types/collection-contents.ts';
import './types/environment.ts';
import './types/mock.ts';
import './tree/collection-item.ts';
import './tree/folder.ts';
import './tree/request.ts';

const DESCRIPTION = `A Postman account as a graph, read only.

The unit of cost is a GET sent to Postman, which allows few a minute. Fields that can need one say so in a line \`Cost:\`; every answer says in \`extensions.upstream\` what it did cost.

A field whose call fails is null and has an entry in \`errors\`, with \`extensions.code\` and, where waiting helps, \`retryAfterSeconds\` and \`retryAt\`; everything else stands. What does not exist is null without an error. Values of secrets are withheld unless the server reveals them.`;

/**
 * Builds the schema of the graph: the table of contents is the list of imports above.
 *
 * It can be executed for gateways, too. What they alone use is hidden from introspection, and so from `printSchema`.
 */
export function createSchema(): GraphQLSchema {
  const config = builder.toSchema().toConfig();
  const directives = [...config.directives, ...incrementalDirectives];
  const schema = new GraphQLSchema({ ...config, directives, description: DESCRIPTION });
  assertDeclared(schema);
  trackReads(schema);
  boundResults(schema);
  hideFromIntrospection(schema);
  schema.extensions = { ...schema.extensions, subgraphSdl: printSubgraph(schema) };
  return schema;
}

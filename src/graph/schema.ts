import type { GraphQLSchema } from 'graphql';
import { builder } from './builder.ts';
import './scalars.ts';
import './query.ts';
import './workspace.ts';
import './collection.ts';
import './environment.ts';
import './tree/collection-item.ts';
import './tree/folder.ts';
import './tree/request.ts';

/** Builds the schema of the graph: the table of contents is the list of imports above. */
export function createSchema(): GraphQLSchema {
  return builder.toSchema();
}

import type { GraphQLSchema } from 'graphql';
import { builder } from '../builder.ts';
import { declareRoutes } from '../planning/declare-routes.ts';

const ServiceRef = builder.objectRef<GraphQLSchema>('_Service').implement({
  description: 'This server as a subgraph.',
  fields: (t) => ({
    sdl: t.string({
      nullable: false,
      description: 'The schema with the directives of Apollo Federation, as in `schema/subgraph.graphql`.',
      resolve: ({ extensions }) => (extensions['printSubgraph'] as () => string)(),
    }),
  }),
});

builder.queryField('_service', (t) =>
  t.field({
    type: ServiceRef,
    nullable: false,
    description: 'The SDL from which a gateway composes its schema.',
    ...declareRoutes(),
    resolve: (_root, _args, _context, { schema }) => schema,
  }),
);

import type { Plugin } from 'graphql-yoga';
import type { Config } from '../../../config/config.ts';
import type { NodeContext, NodeRequest } from '../../http/node-context.ts';
import type { RefusalReasons } from '../../http/refusal.ts';
import { useAccessControl } from './use-access-control.ts';
import { useCors } from './use-cors.ts';
import { useCsrfCheck } from './use-csrf-check.ts';
import { useFrontPage } from './use-front-page.ts';
import { useGraphiQLPage } from './use-graphiql.ts';
import { useRequestParams } from './use-request-params.ts';

/**
 * Makes the plugins that serve pages, refuse requests before their body is read, and read their parameters.
 *
 * @param graphqlPath - Path of the GraphQL endpoint and the GraphiQL page.
 * @param reasons - Gets the reason of each refusal, for the log.
 */
export function createRequestPlugins(
  config: Config,
  graphqlPath: string,
  reasons: RefusalReasons,
): readonly (Plugin | Plugin<object, NodeContext>)[] {
  const { access, graphiql, query } = config;
  return [
    useNodeContext(),
    useCors(access.corsOrigins),
    useAccessControl(config, graphqlPath, reasons),
    useFrontPage(graphqlPath, graphiql),
    ...(graphiql ? [useGraphiQLPage(graphqlPath, config)] : []),
    useCsrfCheck(reasons, access.corsOrigins),
    useRequestParams(query.maxRequestBytes, reasons),
  ];
}

/** Makes the plugin that gives the hooks of all others the context of their request. It has to come first. */
function useNodeContext(): Plugin<object, NodeContext> {
  return {
    onRequest({ request, serverContext }) {
      Object.assign(serverContext, (request as NodeRequest).nodeContext);
    },
  };
}

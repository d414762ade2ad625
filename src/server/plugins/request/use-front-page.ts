import type { Plugin } from 'graphql-yoga';
import { isPageRequest } from './use-graphiql.ts';

/**
 * Makes the plugin that serves `/`. It redirects browsers to GraphiQL, if that is served, and sends all other clients
 * one line that names the endpoint. Both URLs are relative, because a proxy may have removed a path prefix.
 *
 * @param graphqlPath - The GraphQL endpoint.
 */
export function useFrontPage(graphqlPath: string, hasGraphiQL: boolean): Plugin {
  const target = graphqlPath.slice(1);
  const line = `postman-graphql: POST GraphQL requests as JSON to ${target}, relative to this address.\n`;
  return {
    onRequest({ request, url, endResponse, fetchAPI: { Response } }) {
      if (request.method !== 'GET' || url.pathname !== '/') return;
      const headers = { vary: 'Accept', 'cache-control': 'no-cache' };
      if (hasGraphiQL && isPageRequest(request)) {
        endResponse(new Response(null, { status: 302, headers: { ...headers, location: target } }));
      } else {
        endResponse(new Response(line, { headers: { ...headers, 'content-type': 'text/plain; charset=utf-8' } }));
      }
    },
  };
}

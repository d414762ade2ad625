import type { Plugin } from 'graphql-yoga';
import { isPageRequest } from './use-graphiql.ts';

/**
 * Makes the plugin that answers `/`: browsers are sent to GraphiQL, if it is served, and everybody else is told in one line where to ask.
 * All addresses in it are relative, because a proxy may have taken away what stands before them.
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

import type { IncomingMessage } from 'node:http';
import type { Plugin } from 'graphql-yoga';
import type { Config } from '../../../config/config.ts';
import { isGraphiQLFile, isPageRequest } from './use-graphiql.ts';
import { isBearer } from '../../http/bearer.ts';
import { type RefusalReasons, toRefusalResponse } from '../../http/refusal.ts';
import { isAllowedHost, isLoopbackAddress, parseHostAndPort } from '../../../config/addresses.ts';

/**
 * Makes the plugin that refuses requests before their body is read: those with a `Host` that a server on loopback does
 * not accept (DNS rebinding), and those without a valid access token.
 *
 * The GraphiQL page and its files are served without a token, because they contain no data and a browser cannot send
 * one when it opens a page. So is `/`, which only names the endpoint. Probes and CORS preflights never get here.
 *
 * @param graphqlPath - Path of the GraphQL endpoint and the GraphiQL page.
 * @param reasons - Gets the reason of each refusal, for the log.
 */
export function useAccessControl(
  { listen, access, graphiql }: Pick<Config, 'listen' | 'access' | 'graphiql'>,
  graphqlPath: string,
  reasons: RefusalReasons,
): Plugin {
  const checksHost = isLoopbackAddress(listen.host);
  // Nearly all requests name the same host.
  let lastAllowed: string | undefined;
  const isAllowed = (host: string | undefined) => {
    if (host !== undefined && host === lastAllowed) return true;
    if (!isAllowedHost(host, access.allowedHosts)) return false;
    lastAllowed = host;
    return true;
  };
  return {
    onRequest({ request, endResponse, fetchAPI, url }) {
      if (checksHost && !isAllowed(request.headers.get('host') ?? undefined)) {
        const message =
          'This server listens on loopback and does not accept this Host. To accept it, add it to ALLOWED_HOSTS.';
        reasons.set(request, 'host');
        endResponse(toRefusalResponse(request, fetchAPI, { status: 403, code: 'FORBIDDEN', message }));
        return;
      }
      // Everything but these pages needs a token, because Yoga also serves other paths that end like its own.
      const isFrontPage = request.method === 'GET' && url.pathname === '/';
      const isGraphiQL =
        (url.pathname === graphqlPath && isPageRequest(request)) ||
        (request.method === 'GET' && isGraphiQLFile(graphqlPath, url.pathname));
      const isPage = isFrontPage || (graphiql && isGraphiQL);
      const needsToken = access.tokens.length > 0 && !isPage;
      if (needsToken && !isBearer(request.headers.get('authorization'), access.tokens)) {
        const refusal = {
          status: 401,
          code: 'UNAUTHENTICATED',
          message: 'This server requires its access token: Authorization: Bearer <token>.',
          headers: { 'www-authenticate': 'Bearer' },
        } as const;
        reasons.set(request, 'accessToken');
        endResponse(toRefusalResponse(request, fetchAPI, refusal));
      }
    },
  };
}

/**
 * Makes the function that says whether the `Host` and target of a request form a valid URL. HTTP/1.0 has no `Host`.
 */
export function createAddressCheck() {
  let lastReadable: string | undefined;
  return ({ headers: { host }, url = '/' }: IncomingMessage): boolean => {
    const address = `http://${host ?? 'localhost'}${url}`;
    // Nearly all requests have the same host and target.
    if (address === lastReadable) return true;
    if (host !== undefined && parseHostAndPort(host) === undefined) return false;
    if (!URL.canParse(address)) return false;
    lastReadable = address;
    return true;
  };
}

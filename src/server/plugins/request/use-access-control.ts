import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Plugin } from 'graphql-yoga';
import type { Config } from '../../../config/config.ts';
import { isPageRequest } from './use-graphiql.ts';
import { toRefusalResponse } from '../../http/refusal.ts';
import type { Secret } from '../../../upstream/http/secret.ts';
import { isAllowedHost, isLoopbackAddress, parseHostAndPort } from '../../../config/addresses.ts';

/**
 * Makes the plugin that turns requests away before anything of them is read: a `Host` that a server on loopback does not
 * answer to (DNS rebinding), and a missing or wrong access token.
 *
 * The GraphiQL page is served without a token: it holds nothing, and a browser cannot send one when it opens a page; so is `/`, which says where to
 * ask. Probes and CORS preflights have been answered before.
 *
 * @param graphqlPath - Where the GraphiQL page is served, if it is.
 */
export function useAccessControl(
  { listen, access, graphiql }: Pick<Config, 'listen' | 'access' | 'graphiql'>,
  graphqlPath: string,
): Plugin {
  const checksHost = isLoopbackAddress(listen.host);
  return {
    onRequest({ request, endResponse, fetchAPI, url }) {
      if (checksHost && !isAllowedHost(request.headers.get('host') ?? undefined, access.allowedHosts)) {
        const message =
          'This server listens on loopback and does not accept this Host. To accept it, add it to ALLOWED_HOSTS.';
        endResponse(toRefusalResponse(request, fetchAPI, { status: 403, code: 'FORBIDDEN', message }));
        return;
      }
      // Yoga also serves other addresses that end like its own, so what is free is listed, never what is not.
      const isFrontPage = request.method === 'GET' && url.pathname === '/';
      const isPage = isFrontPage || (graphiql && url.pathname === graphqlPath && isPageRequest(request));
      const needsToken = access.tokens.length > 0 && !isPage;
      if (needsToken && !isBearer(request.headers.get('authorization'), access.tokens)) {
        const refusal = {
          status: 401,
          code: 'UNAUTHENTICATED',
          message: 'This server requires its access token: Authorization: Bearer <token>.',
          headers: { 'www-authenticate': 'Bearer' },
        } as const;
        endResponse(toRefusalResponse(request, fetchAPI, refusal));
      }
    },
  };
}

/** Tells whether the request's `Host` and target make up one URL. HTTP/1.0 has no `Host`. */
export function hasReadableAddress({ headers: { host }, url = '/' }: IncomingMessage): boolean {
  if (host !== undefined && parseHostAndPort(host) === undefined) return false;
  return URL.canParse(`http://${host ?? 'localhost'}${url}`);
}

function isBearer(header: string | null, tokens: readonly Secret[]): boolean {
  const given = /^Bearer +(\S+)$/i.exec((header ?? '').slice(0, 1_024))?.[1] ?? '';
  // Hashed first, because timingSafeEqual wants equal lengths and a length is a hint.
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return tokens.filter((token) => timingSafeEqual(hash(given), hash(token.reveal()))).length > 0;
}

import { createGraphQLError, type Plugin } from 'graphql-yoga';
import type { RefusalReasons } from '../../http/refusal.ts';

/**
 * A request header that proves that no foreign web page sent the request: a browser makes a CORS preflight before it
 * sends this header.
 */
export const CSRF_HEADER = 'x-graphql-yoga-csrf';

/**
 * Makes the plugin that refuses requests that any web page can make a browser send without a CORS preflight: a GET by a
 * link, a POST by a form. A browser that sends JSON or the header has made a preflight first.
 *
 * @param reasons - Gets the reason of each refusal, for the log.
 */
export function useCsrfCheck(reasons: RefusalReasons): Plugin {
  return {
    onRequestParse({ request }) {
      const type = request.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
      if (type === 'application/json' || request.headers.has(CSRF_HEADER)) return;
      const isGet = request.method === 'GET';
      // Yoga refuses all other methods.
      if (!isGet && request.method !== 'POST') return;
      reasons.set(request, 'crossSite');
      throw createGraphQLError(
        isGet
          ? `A GET request must have the header ${CSRF_HEADER} (any value): without it, any web page could send one.`
          : 'Send the query as JSON, with Content-Type: application/json.',
        {
          extensions: {
            code: isGet ? 'FORBIDDEN' : 'BAD_REQUEST',
            retryable: false,
            http: { status: isGet ? 403 : 415 },
          },
        },
      );
    },
  };
}

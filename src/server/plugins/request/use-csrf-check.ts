import { createGraphQLError, type Plugin } from 'graphql-yoga';

/** A request header that shows, by being there, that no foreign web page has sent the request: those cannot add it unasked. */
export const CSRF_HEADER = 'x-graphql-yoga-csrf';

/**
 * Makes the plugin that turns away what any web page could have a browser send without asking first: a GET by a link, a POST
 * by a form. Whoever sends JSON, or the header, has been asked about (CORS preflight), or is no browser.
 */
export function useCsrfCheck(): Plugin {
  return {
    onRequestParse({ request }) {
      const type = request.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
      if (type === 'application/json' || request.headers.has(CSRF_HEADER)) return;
      const isGet = request.method === 'GET';
      // Any other method is refused as such.
      if (!isGet && request.method !== 'POST') return;
      throw createGraphQLError(
        isGet
          ? `A GET request must have the header ${CSRF_HEADER}, with any value: without it, any web page could send one.`
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

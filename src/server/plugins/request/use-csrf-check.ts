import { createGraphQLError, type Plugin } from 'graphql-yoga';
import { parseMediaTypes } from '../../http/media-types.ts';
import type { RefusalReasons } from '../../http/refusal.ts';

/**
 * Request headers that prove that no foreign web page sent the request: a browser makes a CORS preflight before it
 * sends one of them. Clients have different ones: Yoga's, Apollo's two, and those of other servers. None of them is a
 * header that a proxy in between would add.
 */
export const PREFLIGHTED_HEADERS = [
  'x-graphql-yoga-csrf',
  'apollo-require-preflight',
  'x-apollo-operation-name',
  'graphql-require-preflight',
  'graphql-preflight',
] as const;

/** The content types that a browser sends without a preflight (Fetch, "CORS-safelisted request-header"). */
const FORM_TYPES: readonly (string | undefined)[] = [
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'text/plain',
];

/**
 * Makes the plugin that refuses requests that a web page of another origin can make a browser send without a CORS
 * preflight: a GET by a link, a POST by a form. A browser that sends JSON, or one of `PREFLIGHTED_HEADERS`, has made a
 * preflight first. A GET is also executed if the browser says that the page has the server's own origin, or one in
 * `corsOrigins`, or if no browser sent it.
 *
 * @param reasons - Gets the reason of each refusal, for the log.
 */
export function useCsrfCheck(reasons: RefusalReasons, corsOrigins: readonly string[]): Plugin {
  return {
    onRequestParse({ request: { method, headers }, request }) {
      // Yoga refuses all other methods.
      if (method !== 'GET' && method !== 'POST') return;
      const isPreflighted = hasOtherType(headers) || PREFLIGHTED_HEADERS.some((name) => headers.has(name));
      if (isPreflighted || (method === 'GET' && !isFromForeignPage(headers, corsOrigins))) return;
      reasons.set(request, 'crossSite');
      throw createGraphQLError(
        method === 'GET'
          ? `A GET request of a web page must have the header ${PREFLIGHTED_HEADERS[0]} or ${PREFLIGHTED_HEADERS[1]} ` +
              '(any value): without it, any web page could send one.'
          : 'Send the query as JSON, with Content-Type: application/json.',
        {
          extensions: {
            code: method === 'GET' ? 'FORBIDDEN' : 'BAD_REQUEST',
            retryable: false,
            http: { status: method === 'GET' ? 403 : 415 },
          },
        },
      );
    },
  };
}

/** Whether the request has a content type that forms cannot send. */
function hasOtherType(headers: Headers): boolean {
  const [media, ...others] = parseMediaTypes(headers.get('content-type') ?? '');
  return media !== undefined && others.length === 0 && !FORM_TYPES.includes(media.type);
}

/**
 * Whether a GET may come from a web page of an origin that is not trusted. Browsers state the relation of the origins
 * in `Sec-Fetch-Site`, which pages cannot set. Those that do not are known by `User-Agent`: a page cannot change it
 * without a preflight.
 */
function isFromForeignPage(headers: Headers, corsOrigins: readonly string[]): boolean {
  const origin = headers.get('origin');
  if (origin !== null) return !corsOrigins.includes(origin) && headers.get('sec-fetch-site') !== 'same-origin';
  const site = headers.get('sec-fetch-site');
  if (site !== null) return site !== 'same-origin';
  return /\b(?:Mozilla|Opera)\//.test(headers.get('user-agent') ?? '');
}

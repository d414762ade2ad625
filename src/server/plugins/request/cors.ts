import { CSRF_HEADER } from './use-csrf-check.ts';

const ALLOWED_HEADERS = [
  ...['content-type', 'x-api-key', 'authorization', 'prefer', 'cache-control', CSRF_HEADER],
  ...['x-request-id', 'graphql-client-name', 'apollographql-client-name', 'traceparent'],
];

/**
 * Makes Yoga's CORS setting: only web pages of the listed origins may read responses.
 *
 * It is a function: with a list of origins, Yoga would reply to any other origin that `null` is allowed, and `null` is
 * the origin of a page in a sandboxed frame.
 *
 * @param origins - Origins as a browser sends them, without trailing slash.
 */
export function toCors(origins: readonly string[]) {
  return ({ headers }: Request) => {
    const origin = headers.get('origin');
    if (origin === null || !origins.includes(origin)) return false as const;
    return {
      origin,
      credentials: false,
      methods: ['GET', 'POST'],
      allowedHeaders: ALLOWED_HEADERS,
      exposedHeaders: ['Age', 'Retry-After', 'RateLimit', 'RateLimit-Policy', 'Preference-Applied', 'X-Request-Id'],
    };
  };
}

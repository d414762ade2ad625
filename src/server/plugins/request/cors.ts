import { CSRF_HEADER } from './use-csrf-check.ts';

/**
 * Makes Yoga's CORS setting: web pages of the listed origins may read answers, all others are told nothing.
 *
 * Handed a list, Yoga answers the unlisted with the origin `null`, which is what a page inside a sandboxed frame has.
 *
 * @param origins - As a browser sends them, without trailing slash.
 */
export function toCors(origins: readonly string[]) {
  return ({ headers }: Request) => {
    const origin = headers.get('origin');
    if (origin === null || !origins.includes(origin)) return false as const;
    return {
      origin,
      credentials: false,
      methods: ['GET', 'POST'],
      allowedHeaders: ['content-type', 'x-api-key', 'authorization', 'prefer', 'cache-control', CSRF_HEADER],
      exposedHeaders: ['Age', 'Retry-After', 'RateLimit', 'RateLimit-Policy', 'Preference-Applied'],
    };
  };
}

import type { Plugin } from 'graphql-yoga';
import { addVary } from '../../http/vary.ts';

const EXPOSED_HEADERS = 'Age, Retry-After, RateLimit, RateLimit-Policy, Preference-Applied, X-Request-Id';
// A day. Browsers use less if they have a lower limit.
const MAX_AGE_SECONDS = 86_400;
// More than libraries for tracing, sessions and clients add together.
const MAX_HEADERS = 64;
const MAX_HEADER_LENGTH = 64;
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;

/**
 * Makes the plugin for web pages of other origins (CORS). Only pages of the listed origins may read responses. They may
 * send all headers that they request, because libraries for tracing and client awareness add headers of their own; no
 * header gives a page a right that it does not have as a listed origin. Requests have no cookies.
 *
 * It replaces Yoga's: that one allows the origin `null` in replies to others, which is the origin of a page in a
 * sandboxed frame, and repeats requested headers without a limit.
 *
 * @param origins - Origins as a browser sends them, without trailing slash.
 */
export function useCors(origins: readonly string[]): Plugin {
  return {
    onRequest({ request, endResponse, fetchAPI }) {
      if (request.method !== 'OPTIONS') return;
      endResponse(new fetchAPI.Response(null, { status: 204, headers: { allow: 'GET, HEAD, POST, OPTIONS' } }));
    },

    onResponse({ request, response: { headers } }) {
      if (origins.length === 0) return;
      addVary(headers, 'Origin');
      const origin = request.headers.get('origin');
      if (origin === null || !origins.includes(origin)) return;
      headers.set('Access-Control-Allow-Origin', origin);
      if (request.method !== 'OPTIONS') {
        headers.set('Access-Control-Expose-Headers', EXPOSED_HEADERS);
        return;
      }
      addVary(headers, 'Access-Control-Request-Headers');
      headers.set('Access-Control-Allow-Methods', 'GET, POST');
      headers.set('Access-Control-Max-Age', String(MAX_AGE_SECONDS));
      const names = toHeaderNames(request.headers.get('access-control-request-headers') ?? '');
      if (names.length > 0) headers.set('Access-Control-Allow-Headers', names.join(', '));
    },
  };
}

/** Splits a list of header names. Names that are invalid or too long are left out, as are those after the first 64. */
function toHeaderNames(list: string): readonly string[] {
  return list
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name.length <= MAX_HEADER_LENGTH && HEADER_NAME.test(name))
    .slice(0, MAX_HEADERS);
}

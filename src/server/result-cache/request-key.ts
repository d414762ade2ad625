import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/**
 * The request headers that the server reads before, during or after an operation, except those that name a request
 * (`X-Request-Id`, `traceparent`), describe its transport (`Content-Length`, `Accept-Encoding`), identify a client for
 * its fair share (`X-Forwarded-For`), or matter only to requests that execute nothing (`If-None-Match`). Requests that
 * agree in them, and in method, target and body, get the same response from the same data.
 */
export const STEERING_HEADERS = [
  'host',
  'origin',
  'content-type',
  'content-encoding',
  'accept',
  'authorization',
  'x-api-key',
  'cache-control',
  'prefer',
  'graphql-client-name',
  'apollographql-client-name',
  'x-graphql-yoga-csrf',
  'apollo-require-preflight',
  'x-apollo-operation-name',
  'graphql-require-preflight',
  'graphql-preflight',
  'sec-fetch-site',
  'user-agent',
] as const;

/**
 * Returns a hash of all that a request consists of, apart from its body. It contains no secret, though headers do.
 *
 * @returns 43 characters.
 */
export function toHeadersKey({ method = '', url = '', headers }: IncomingMessage): string {
  let text = `${method} ${url}`;
  for (const name of STEERING_HEADERS) {
    const value = headers[name];
    // Its length, so that no value can be read as the end of another.
    text += value === undefined ? '\n' : `\n${value.length} ${String(value)}`;
  }
  return hash('sha256', text, 'base64url');
}

/** Returns a hash of a whole request. `headersKey`: as `toHeadersKey` returns it. */
export function toRequestKey(headersKey: string, body: Buffer | undefined): string {
  return body ? headersKey + hash('sha256', body, 'base64url') : headersKey;
}

import type { HttpResponse } from '../../src/upstream/http/http-client.ts';

/** An answer of an upstream that is played without a socket. It takes no room, and all work on it is done at once. */
export function toHttpResponse({ text, ...head }: Pick<HttpResponse, 'status' | 'headers' | 'text'>): HttpResponse {
  return { ...head, text, heapBytes: text.length, runTask: async (piece) => piece(), release() {} };
}

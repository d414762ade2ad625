import type { HttpResponse } from '../../src/upstream/http/http-client.ts';

/** A response of a simulated upstream without a socket. It uses no body memory, and all work on it is done at once. */
export function toHttpResponse({ text, ...head }: Pick<HttpResponse, 'status' | 'headers' | 'text'>): HttpResponse {
  return { ...head, text, heapBytes: text.length, runTask: async (piece) => piece(), release() {} };
}

import type { HttpAnswer } from '../../src/upstream/http/http-client.ts';

/** An answer of an upstream that is played without a socket. It takes no room, and all work on it is done at once. */
export function toHttpAnswer({ text, ...head }: Pick<HttpAnswer, 'status' | 'headers' | 'text'>): HttpAnswer {
  return { ...head, text, heapBytes: text.length, inTurn: async (piece) => piece(), release() {} };
}

import type { FetchAPI } from 'graphql-yoga';
import type { PartTransport } from './negotiate-parts.ts';

/** A part that is ready to be sent. */
export interface SentPart {
  readonly errors?: readonly object[];
  readonly incremental?: readonly { readonly errors?: readonly object[] }[];
  readonly completed?: readonly { readonly errors?: readonly object[] }[];
  readonly hasNext?: boolean;
}

/** How a transport frames parts. */
interface Framing {
  readonly start: string;
  toFrame(json: string): string;
  readonly end: string;
}

const FRAMINGS: Readonly<Record<PartTransport['mediaType'], Framing>> = {
  'multipart/mixed': {
    start: '\r\n---',
    // The boundary after a part is sent with it: clients read a part when they see the next boundary.
    toFrame: (json) =>
      `\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}\r\n---`,
    end: '--\r\n',
  },
  'text/event-stream': {
    // Some browsers report the headers of a response only with its first bytes.
    start: ':\n\n',
    toFrame: (json) => `event: next\ndata: ${json}\n\n`,
    end: 'event: complete\ndata:\n\n',
  },
};

/**
 * Makes the response that sends parts as they come, one chunk for each. It stops asking for parts when its client
 * disconnects.
 *
 * @see https://github.com/graphql/graphql-over-http/blob/main/rfcs/IncrementalDelivery.md
 * @see https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
 */
export function toPartsResponse(
  parts: AsyncIterable<SentPart>,
  { mediaType, contentType }: PartTransport,
  { Response, ReadableStream, TextEncoder }: FetchAPI,
): Response {
  const { start, toFrame, end } = FRAMINGS[mediaType];
  const iterator = parts[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(encoder.encode(start)),
    async pull(controller) {
      try {
        const { done, value } = await iterator.next();
        controller.enqueue(encoder.encode(done === true ? end : toFrame(JSON.stringify(toPublic(value)))));
        if (done === true) controller.close();
      } catch (error) {
        controller.error(error);
      }
    },
    async cancel() {
      await iterator.return?.();
    },
  });
  return new Response(body, { status: 200, headers: { 'Content-Type': contentType } });
}

/** Removes from errors what only this server uses, as Yoga does for responses that are not in parts. */
function toPublic(part: SentPart): SentPart {
  const withPublicErrors = <Holder extends { readonly errors?: readonly object[] }>(holder: Holder): Holder =>
    holder.errors ? { ...holder, errors: holder.errors.map(toPublicError) } : holder;
  const { incremental, completed } = part;
  return {
    ...withPublicErrors(part),
    ...(incremental && { incremental: incremental.map(withPublicErrors) }),
    ...(completed && { completed: completed.map(withPublicErrors) }),
  };
}

function toPublicError(error: object & { readonly toJSON?: () => object }): object {
  const json = (error.toJSON?.() ?? error) as { readonly extensions?: Readonly<Record<string, unknown>> };
  if (!json.extensions || !('http' in json.extensions)) return json;
  const { http: _http, ...extensions } = json.extensions;
  return { ...json, extensions };
}

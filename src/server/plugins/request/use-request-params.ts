import { createGraphQLError, type Plugin } from 'graphql-yoga';
import type { NodeContext } from '../../http/node-context.ts';
import type { RefusalReasons } from '../../http/refusal.ts';
import { bodyReaderOf, readQueryString } from './request-params.ts';

/**
 * Makes the plugin that reads the parameters of requests, instead of Yoga's parsers. Those compare media types with
 * case, drop the ids of persisted documents from URLs, refuse parameters that they do not know, and fail at invalid
 * JSON in a URL.
 *
 * @param maxBytes - The largest body. `useRequestMemory` refuses larger ones that do not state their length.
 * @param reasons - Gets the reason of each refusal, for the log.
 */
export function useRequestParams(maxBytes: number, reasons: RefusalReasons): Plugin<object, NodeContext> {
  return {
    onRequestParse({ request, url, setRequestParser, serverContext: { body } }) {
      const { headers, method } = request;
      if (method === 'GET') setRequestParser(() => readQueryString(url.search));
      else if (method !== 'POST') throw toWrongMethod(method);
      if (method !== 'POST') return;
      if (Number(headers.get('content-length')) > maxBytes) {
        reasons.set(request, 'bodySize');
        throw toTooLarge(maxBytes);
      }
      const read = hasPlainBody(headers) ? bodyReaderOf(headers.get('content-type')) : undefined;
      // Without a parser, Yoga responds with status 415.
      const parse = read && (body ? () => read(body.toString()) : async (unread: Request) => read(await unread.text()));
      setRequestParser(parse as Parameters<typeof setRequestParser>[0]);
    },
  };
}

/** Whether the body is sent as it is: the server decompresses none. */
function hasPlainBody(headers: Headers): boolean {
  const coding = headers.get('content-encoding')?.trim().toLowerCase();
  return coding === undefined || coding === '' || coding === 'identity';
}

function toWrongMethod(method: string) {
  return createGraphQLError(`GraphQL is served by GET and POST, not by ${method}.`, {
    extensions: { code: 'BAD_REQUEST', retryable: false, http: { status: 405, headers: { Allow: 'GET, HEAD, POST' } } },
  });
}

/** Makes the error for a body larger than `MAX_REQUEST_BYTES`. */
export function toTooLarge(maxBytes: number) {
  return createGraphQLError(
    `The request body is larger than ${maxBytes} bytes. The operator can raise MAX_REQUEST_BYTES.`,
    {
      extensions: { code: 'REQUEST_ENTITY_TOO_LARGE', retryable: false, http: { status: 413 } },
    },
  );
}

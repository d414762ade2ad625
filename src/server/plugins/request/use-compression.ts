import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';
import type { FetchAPI, Plugin } from 'graphql-yoga';
import { acceptsCoding, GZIP_LEVEL, MIN_COMPRESSED_BYTES } from '../../http/accept-encoding.ts';
import { compressParts, partCodings } from '../../http/compress-parts.ts';
import { readResponseBody } from '../../http/exchange/read-response-body.ts';
import { addVary } from '../../http/vary.ts';

const compress = promisify(gzip);
// A thread costs more than compressing less than this, which takes half a millisecond.
const MAX_SYNC_BYTES = 65_536;

/**
 * Makes the plugin that compresses responses for clients that accept gzip, and responses in parts also for those that
 * accept only Brotli. Each part can be decompressed when it arrives. It does not compress responses that are already
 * compressed.
 */
export function useCompression(): Plugin {
  return {
    // Not an async function: most responses are small, and would have to wait for its promise.
    onResponse({ request, response, setResponse, fetchAPI }) {
      const { headers } = response;
      const length = headers.get('content-length');
      // Yoga's event streams have it, but no coding has this name (RFC 9110, section 8.4.1).
      if (headers.get('content-encoding') === 'none') headers.delete('content-encoding');
      if (headers.has('content-encoding')) return undefined;
      if (length === null) {
        // Only a response in parts has a body and no length.
        if (response.body && isInParts(headers)) setResponse(toCompressedParts(request, response, fetchAPI));
        return undefined;
      }
      addVary(headers, 'Accept-Encoding');
      if (Number(length) < MIN_COMPRESSED_BYTES) return undefined;
      if (!acceptsCoding(request.headers.get('accept-encoding'), 'gzip')) return undefined;
      return toCompressed(response, fetchAPI).then(setResponse);
    },
  };
}

async function toCompressed(response: Response, fetchAPI: FetchAPI): Promise<Response> {
  const { headers, status, statusText } = response;
  const plain = await readResponseBody(response);
  const options = { level: GZIP_LEVEL };
  const body = plain.length <= MAX_SYNC_BYTES ? gzipSync(plain, options) : await compress(plain, options);
  headers.set('Content-Encoding', 'gzip');
  headers.set('Content-Length', String(body.length));
  return new fetchAPI.Response(body, { status, statusText, headers });
}

const isInParts = (headers: Headers) =>
  /^(?:multipart\/mixed|text\/event-stream)/.test(headers.get('content-type') ?? '');

function toCompressedParts(request: Request, response: Response, fetchAPI: FetchAPI): Response {
  const { body, headers, status, statusText } = response;
  addVary(headers, 'Accept-Encoding');
  const accepted = request.headers.get('accept-encoding');
  const coding = partCodings.find((one) => acceptsCoding(accepted, one));
  if (!body || !coding) return response;
  headers.set('Content-Encoding', coding);
  return new fetchAPI.Response(compressParts(body, coding, fetchAPI), { status, statusText, headers });
}

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Plugin } from 'graphql-yoga';

const compress = promisify(gzip);
// Smaller ones fit into one packet as they are.
const LEAST_BYTES = 1_024;
const LEVEL = 4;

/**
 * Compresses answers for clients that accept gzip. Answers that come in parts, or are compressed already, are left as they are: each part
 * has to arrive when it is sent.
 */
export function useCompression(): Plugin {
  return {
    async onResponse({ request, response, setResponse, fetchAPI }) {
      const { headers } = response;
      const length = headers.get('content-length');
      // What comes in parts has no length.
      if (length === null || headers.has('content-encoding')) return;
      headers.append('Vary', 'Accept-Encoding');
      if (Number(length) < LEAST_BYTES) return;
      if (!acceptsGzip(request.headers.get('accept-encoding') ?? '')) return;
      const body = await compress(Buffer.from(await response.arrayBuffer()), { level: LEVEL });
      headers.set('Content-Encoding', 'gzip');
      headers.set('Content-Length', String(body.length));
      setResponse(new fetchAPI.Response(body, { status: response.status, statusText: response.statusText, headers }));
    },
  };
}

/** Whether `Accept-Encoding` has gzip, and not with `q=0`. */
function acceptsGzip(header: string): boolean {
  return header
    .slice(0, 1_000)
    .toLowerCase()
    .split(',')
    .map((part) => part.split(';').map((piece) => piece.trim()))
    .some(([coding, ...parameters]) => coding === 'gzip' && !parameters.some((one) => /^q=0(?:\.0*)?$/.test(one)));
}

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Plugin } from 'graphql-yoga';
import { addVary } from '../../http/vary.ts';
import { acceptsCoding } from './accept-encoding.ts';

const compress = promisify(gzip);
// Smaller responses fit into one packet uncompressed.
const MIN_BYTES = 1_024;
const LEVEL = 4;

/**
 * Makes the plugin that compresses responses for clients that accept gzip. It does not compress responses in parts,
 * because each part must arrive when it is sent, nor responses that are already compressed.
 */
export function useCompression(): Plugin {
  return {
    async onResponse({ request, response, setResponse, fetchAPI }) {
      const { headers } = response;
      const length = headers.get('content-length');
      // A response in parts has no length.
      if (length === null || headers.has('content-encoding')) return;
      addVary(headers, 'Accept-Encoding');
      if (Number(length) < MIN_BYTES) return;
      if (!acceptsCoding(request.headers.get('accept-encoding'), 'gzip')) return;
      const body = await compress(Buffer.from(await response.arrayBuffer()), { level: LEVEL });
      headers.set('Content-Encoding', 'gzip');
      headers.set('Content-Length', String(body.length));
      setResponse(new fetchAPI.Response(body, { status: response.status, statusText: response.statusText, headers }));
    },
  };
}

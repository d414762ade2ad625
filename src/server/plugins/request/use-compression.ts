import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Plugin } from 'graphql-yoga';
import { acceptsCoding, GZIP_LEVEL, MIN_COMPRESSED_BYTES } from '../../http/accept-encoding.ts';
import { addVary } from '../../http/vary.ts';

const compress = promisify(gzip);

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
      if (Number(length) < MIN_COMPRESSED_BYTES) return;
      if (!acceptsCoding(request.headers.get('accept-encoding'), 'gzip')) return;
      const body = await compress(Buffer.from(await response.arrayBuffer()), { level: GZIP_LEVEL });
      headers.set('Content-Encoding', 'gzip');
      headers.set('Content-Length', String(body.length));
      setResponse(new fetchAPI.Response(body, { status: response.status, statusText: response.statusText, headers }));
    },
  };
}

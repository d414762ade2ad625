import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import type { FetchAPI, Plugin } from 'graphql-yoga';
import type { Config } from '../../../config/config.ts';
import { encode, type GraphiQLFile, readGraphiQLFiles } from './graphiql-files.ts';
import { CONTENT_SECURITY_POLICY, readTabs, renderPage } from './graphiql-page.ts';

const SECURITY_HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
};
// A year. The address of a file changes with its contents.
const IMMUTABLE = 'public, max-age=31536000, immutable';

/**
 * Makes the plugin that serves GraphiQL to browsers that open the GraphQL endpoint, and the page's files below it. The
 * page contains no secrets, and connects only to this server. Everything is read when the page is first opened.
 *
 * @param path - Path of the GraphQL endpoint.
 * @throws {Error} If the operations for its tabs, in `schema/operations`, cannot be read.
 */
export function useGraphiQLPage(path: string, config: Pick<Config, 'sandbox' | 'access'>): Plugin {
  const tabs = readTabs();
  let served: ReturnType<typeof readServed> | undefined;
  const serve = async (request: Request, pathname: string, { Response }: FetchAPI): Promise<Response> => {
    const isFile = isGraphiQLFile(path, pathname);
    // Reading may fail for the moment, for lack of file descriptors.
    served ??= readServed(path, tabs, config).catch((error: unknown) => {
      served = undefined;
      throw error;
    });
    const { page, files, hash } = await served;
    const [name = '', givenHash] = isFile ? pathname.split('/').toReversed() : [];
    const file = isFile ? files.get(name) : page;
    if (!file) {
      return new Response('No such file.\n', { status: 404, headers: { 'content-type': 'text/plain' } });
    }
    const etag = isFile ? `W/"${hash}"` : `W/"${hashOf(file.br)}"`;
    const { body, headers: coding } = await encode(file, request.headers.get('accept-encoding'));
    const headers = {
      ...coding,
      ...SECURITY_HEADERS,
      etag,
      // While a new version is rolled out, an instance gets requests for the files of another one.
      'cache-control': givenHash === hash ? IMMUTABLE : 'no-cache',
      vary: isFile ? 'Accept-Encoding' : 'Accept, Accept-Encoding',
    };
    const isCached = request.headers.get('if-none-match')?.includes(etag) ?? false;
    return isCached ? new Response(null, { status: 304, headers }) : new Response(body, { headers });
  };
  return {
    // Not an async function: nearly all requests are for other things, and would have to wait for its promise.
    onRequest({ request, url: { pathname }, endResponse, fetchAPI }) {
      if (!isGraphiQLFile(path, pathname) && !(pathname === path && isPageRequest(request))) return undefined;
      return serve(request, pathname, fetchAPI).then(endResponse);
    },
  };
}

/** Whether the client is a browser that opens a page, and not one that requests data. */
export function isPageRequest(request: Request): boolean {
  return request.method === 'GET' && (request.headers.get('accept')?.includes('text/html') ?? false);
}

/** Whether a path is that of a file of the page, which is public as the page is. */
export function isGraphiQLFile(graphqlPath: string, pathname: string): boolean {
  return pathname.startsWith(`${graphqlPath}/graphiql/`);
}

async function readServed(path: string, tabs: readonly string[], config: Pick<Config, 'sandbox' | 'access'>) {
  const { hash, files } = await readGraphiQLFiles();
  // Relative to the page, because a proxy may have removed a path prefix.
  const html = renderPage(tabs, `${path.slice(path.lastIndexOf('/') + 1)}/graphiql/${hash}`, config);
  const [br, gzipped] = await Promise.all([promisify(brotliCompress)(html), promisify(gzip)(html)]);
  const page: GraphiQLFile = {
    contentType: 'text/html; charset=utf-8',
    br: new Uint8Array(br),
    gzip: new Uint8Array(gzipped),
  };
  return { hash, files, page };
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url').slice(0, 16);
}

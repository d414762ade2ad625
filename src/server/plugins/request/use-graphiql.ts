import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import type { Plugin } from 'graphql-yoga';
import type { Config } from '../../../config/config.ts';

// The page contains its scripts, styles and workers inline, and may connect only to this server.
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'unsafe-inline' 'unsafe-eval' blob:",
  "style-src 'unsafe-inline'",
  'worker-src blob:',
  'img-src data:',
  'font-src data:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

// Tabs have a transform after they have slid into place, and lose it when one gets the focus. A tab would then jump
// away under the mouse that presses it.
const TAB_STYLE = '.graphiql-tab { transform: none !important; }';
// GraphiQL stores its tabs, but not the text of documents that nobody has edited, which would be empty after a reload.
const FORGET_UNTOUCHED_TABS =
  "if (!localStorage.getItem('graphiql:query')) localStorage.removeItem('graphiql:tabState');";

/**
 * Makes the plugin that serves GraphiQL to browsers that open the GraphQL endpoint. The page contains no secrets, and
 * connects only to this server.
 *
 * The page is 9 MB. It is compressed once, and browsers that have cached it get a 304.
 *
 * @param path - Path of the GraphQL endpoint.
 * @throws {Error} If the operations for its tabs, in `schema/operations`, cannot be read.
 */
export function useGraphiQLPage(path: string, config: Pick<Config, 'sandbox' | 'access'>): Plugin {
  const tabs = readTabs();
  let page: ReturnType<typeof renderPage> | undefined;
  return {
    async onRequest({ request, url, endResponse, fetchAPI }) {
      if (!isPageRequest(request)) return;
      if (url.pathname !== path) return;
      page ??= renderPage(tabs, config);
      const { html, gzipped, etag } = await page;
      const headers = {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-cache',
        vary: 'Accept, Accept-Encoding',
        etag,
        'content-security-policy': CONTENT_SECURITY_POLICY,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      };
      if (request.headers.get('if-none-match')?.includes(etag)) {
        endResponse(new fetchAPI.Response(null, { status: 304, headers }));
      } else if (/\bgzip\b/.test(request.headers.get('accept-encoding') ?? '')) {
        endResponse(new fetchAPI.Response(gzipped, { headers: { ...headers, 'content-encoding': 'gzip' } }));
      } else {
        endResponse(new fetchAPI.Response(html, { headers }));
      }
    },
  };
}

/** Whether the client is a browser that opens a page, and not one that requests data. */
export function isPageRequest(request: Request): boolean {
  return request.method === 'GET' && (request.headers.get('accept')?.includes('text/html') ?? false);
}

/** Reads the published operations without variables, in order. They contain no ids, so they run on any account. */
function readTabs(): readonly string[] {
  // The package's own name resolves from both src and dist.
  const root = dirname(createRequire(import.meta.url).resolve('postman-graphql/package.json'));
  const folder = join(root, 'schema', 'operations');
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .filter((text) => !/^query \w+\(/m.test(text));
}

async function renderPage(tabs: readonly string[], { sandbox, access }: Pick<Config, 'sandbox' | 'access'>) {
  const page = renderGraphiQL({
    title: sandbox ? 'postman-graphql (sandbox)' : 'postman-graphql',
    defaultTabs: tabs.map((query) => ({ query })),
    defaultHeaders: JSON.stringify(
      { ...(access.tokens.length > 0 && { Authorization: 'Bearer ' }), 'X-Api-Key': '' },
      null,
      2,
    ),
    defaultEditorToolsVisibility: 'headers',
    // A key typed into the header editor must not get into the browser's storage.
    shouldPersistHeaders: false,
    schemaDescription: true,
  });
  const html = new TextEncoder().encode(
    page.replace('</head>', `<style>${TAB_STYLE}</style><script>${FORGET_UNTOUCHED_TABS}</script></head>`),
  );
  return {
    html,
    gzipped: new Uint8Array(await promisify(gzip)(html)),
    etag: `"${createHash('sha256').update(html).digest('base64url')}"`,
  };
}

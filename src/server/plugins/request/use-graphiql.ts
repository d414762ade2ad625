import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import type { Plugin } from 'graphql-yoga';
import type { Config } from '../../../config/config.ts';

// The page brings its scripts, styles and workers along inline, and may talk to this server alone.
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

// The tabs are left with a transform after they have slid into place, which GraphiQL takes back only until one gets the focus:
// a tab then jumps away under the mouse that presses it.
const TAB_STYLE = '.graphiql-tab { transform: none !important; }';
// GraphiQL keeps its tabs, but of a document that nobody has edited no text, and opens an empty tab for that when it is loaded again.
const FORGET_UNTOUCHED_TABS =
  "if (!localStorage.getItem('graphiql:query')) localStorage.removeItem('graphiql:tabState');";

/**
 * Makes the plugin that serves GraphiQL to browsers that open the GraphQL endpoint. Nothing of the page is secret, and
 * it asks nobody but this server.
 *
 * The page is 9 MB: it is compressed once, and browsers that have it are told so in a few bytes.
 *
 * @param path - The GraphQL endpoint.
 * @throws {Error} When the operations of its tabs, `schema/operations`, cannot be read.
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

/** True for a browser that opens a page, as against a client that asks for data. */
export function isPageRequest(request: Request): boolean {
  return request.method === 'GET' && (request.headers.get('accept')?.includes('text/html') ?? false);
}

/** The published operations without variables, in their order: those name nothing of the example account, so that they run on any account. */
function readTabs(): readonly string[] {
  // By its own name, because the package is found so from src and from dist.
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
    // A key typed into the header editor must not be found in the browser's storage.
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

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../../config/config.ts';
import { packageFolder } from './graphiql-files.ts';

/** Scripts, styles and data come from this server alone. No inline script runs. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self' blob:",
  "style-src 'self' 'unsafe-inline'",
  'worker-src blob:',
  'img-src data:',
  'font-src data:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const ICON =
  'data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 viewBox=%220 0 16 16%22%3E' +
  '%3Ccircle cx=%228%22 cy=%228%22 r=%227%22 fill=%22%23d60590%22/%3E%3Cpath d=%22M6 4.5l5 3.5-5 3.5z%22 fill=%22white%22/%3E%3C/svg%3E';

/**
 * Reads the published operations without variables, in order. They contain no ids, so they run on any account.
 *
 * @throws {Error} If they cannot be read.
 */
export function readTabs(): readonly string[] {
  const folder = join(packageFolder, 'schema', 'operations');
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .filter((text) => !/^query \w+\(/m.test(text));
}

/**
 * Renders the GraphiQL page. It contains no secrets.
 *
 * @param tabs - Documents of the tabs that GraphiQL opens with.
 * @param filesPath - Where the page's files are, relative to the page, without a slash at the end.
 */
export function renderPage(
  tabs: readonly string[],
  filesPath: string,
  { sandbox, access }: Pick<Config, 'sandbox' | 'access'>,
): string {
  const title = sandbox ? 'postman-graphql (sandbox)' : 'postman-graphql';
  const options = {
    title,
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
  };
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${title}</title>
    <link rel="icon" href="${ICON}">
    <link rel="stylesheet" href="${filesPath}/style.css">
    <script type="application/json" id="options">${JSON.stringify(options).replaceAll('<', String.raw`\u003c`)}</script>
    <script defer src="${filesPath}/graphiql.js"></script>
    <script type="module" src="${filesPath}/main.js"></script>
  </head>
  <body id="body">
    <div id="root"></div>
    <p class="loading">Loading GraphiQL …</p>
    <noscript>GraphiQL needs JavaScript. Any GraphQL client works: send queries to this address by POST.</noscript>
  </body>
</html>
`;
}

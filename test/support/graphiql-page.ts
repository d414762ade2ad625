import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);

/** Whether tests in a browser are skipped: there is none, and this is not CI, where one is required. */
export const isBrowserMissing = executablePath === undefined && process.env['CI'] === undefined;

/** What the name of skipped tests ends with. */
export const skippedNote = isBrowserMissing ? ' (skipped: there is no Chromium in /usr/bin)' : '';

/** Starts Chromium without anything that contacts other hosts by itself. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    ...(executablePath !== undefined && { executablePath }),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** GraphiQL, opened in a tab of its own. */
export interface OpenGraphiQL {
  readonly page: Page;
  /** Requests to other hosts; all of them are cut off. */
  readonly elsewhere: readonly string[];
  /** Uncaught errors and messages of the browser's console. */
  readonly failures: readonly string[];
}

/** Opens GraphiQL with everything but its server cut off. */
export async function openGraphiQL(
  browser: Browser,
  url: string,
  options: Parameters<Browser['newPage']>[0] = {},
): Promise<OpenGraphiQL> {
  const page = await browser.newPage({ viewport: { width: 1360, height: 860 }, ...options });
  const elsewhere: string[] = [];
  const failures: string[] = [];
  const { origin } = new URL(url);
  await page.route('**/*', (route) => {
    const requested = new URL(route.request().url());
    if (requested.origin === origin || ['data:', 'blob:'].includes(requested.protocol)) return route.continue();
    elsewhere.push(requested.href);
    return route.abort();
  });
  page.on('pageerror', (error) => failures.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') failures.push(message.text());
  });
  await page.goto(url, { waitUntil: 'load' });
  await page.locator('.graphiql-execute-button').waitFor();
  return { page, elsewhere, failures };
}

/** The address at which GraphiQL opens with a query. */
export function toQueryUrl(url: string, query: string): string {
  return `${url}?${new URLSearchParams({ query }).toString()}`;
}

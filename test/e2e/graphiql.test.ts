import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Facade, startFacade } from '../support/facade.ts';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);
const isSkipped = executablePath === undefined && process.env['CI'] === undefined;

describe.skipIf(isSkipped)(
  `GraphiQL in a browser${isSkipped ? ' (skipped: there is no Chromium in /usr/bin)' : ''}`,
  () => {
    let facade: Facade;
    let browser: Browser;
    beforeAll(async () => {
      facade = await startFacade();
      browser = await chromium.launch({
        ...(executablePath !== undefined && { executablePath }),
        args: [
          '--no-sandbox',
          '--disable-gpu',
          '--disable-background-networking',
          '--disable-component-update',
          '--disable-sync',
        ],
      });
    });
    afterAll(async () => {
      await browser?.close();
      await facade?.close();
    });

    it('runs its ready query as it is, asks nobody but this server, and keeps no key', async () => {
      const page = await browser.newPage();
      const elsewhere: string[] = [];
      const { origin } = new URL(facade.url);
      await page.route('**/*', (route) => {
        const url = new URL(route.request().url());
        if (url.origin === origin || ['data:', 'blob:'].includes(url.protocol)) return route.continue();
        elsewhere.push(url.href);
        return route.abort();
      });

      await page.goto(facade.url, { waitUntil: 'load' });
      await page.click('.graphiql-execute-button');
      const result = page.locator('.result-window');
      await result.getByText('Rider Platform').first().waitFor({ timeout: 15_000 });

      expect(await result.textContent()).not.toContain('"errors"');
      expect(elsewhere).toEqual([]);
      expect(facade.postman.calls[0]).toBe('GET /workspaces?limit=100');
      expect(await page.content()).not.toContain(facade.postman.apiKey);
      const stored = await page.evaluate(() => JSON.stringify(Object.entries(globalThis.localStorage)));
      expect(stored).not.toContain('X-Api-Key');
    }, 60_000);
  },
);

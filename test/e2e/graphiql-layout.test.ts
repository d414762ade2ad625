import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startFacade } from '../support/facade.ts';
import { isBrowserMissing, launchBrowser, openGraphiQL, skippedNote } from '../support/graphiql-page.ts';

const isRedrawn = process.env['DRAW_PICTURE'] === 'true';

describe.skipIf(isBrowserMissing)(`The layout of GraphiQL${skippedNote}`, { timeout: 240_000 }, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  const openDocs = async (page: Page) => {
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
    await page.locator('.graphiql-doc-explorer').waitFor();
  };
  const run = async (page: Page) => {
    // GraphiQL notices the end of a run a moment after the bar, and until then its button stops that run.
    await page.waitForTimeout(1_000);
    await page.click('.graphiql-execute-button[aria-label^="Execute"]');
  };
  const headline = (page: Page) => page.locator('.cost-bar-headline').textContent();
  const draw = async (page: Page, name: string) => {
    if (!isRedrawn) return;
    // Scroll bars of editors and focus rings fade out.
    await page.mouse.move(0, 0);
    await page.waitForTimeout(2_000);
    await page.screenshot({ path: fileURLToPath(new URL(`../../docs/${name}.png`, import.meta.url)) });
  };
  it.runIf(isRedrawn)('is drawn for the documents', async () => {
    const current = await startFacade(
      { RATE_LIMIT: '60', BURST_LIMIT: '10', OPERATION_TIMEOUT_MS: '3000', CACHE_TTL_MS: '0' },
      { limits: { general: { limit: 60, windowMs: 60_000 }, burst: { limit: 10, windowMs: 10_000 } } },
    );
    onTestFinished(() => current.close());
    const page = (await openGraphiQL(browser, current.url, { viewport: { width: 1440, height: 860 } })).page;
    await page.locator('.graphiql-tab-button[title="CollectionTree"]').click();
    // The tab's document reaches GraphiQL's state a moment later.
    await page.waitForTimeout(1_000);
    await run(page);
    await expect.poll(() => headline(page)).toBe('2 calls');
    await draw(page, 'graphiql');
    await openDocs(page);
    await page.locator('.graphiql-doc-explorer').getByRole('link', { name: 'Collection', exact: true }).first().click();
    await page.click('.dry-run-button');
    await expect.poll(() => headline(page)).toMatch(/^Dry run: /);
    await draw(page, 'graphiql-dry-run');
    await page.close();
    const small = (
      await openGraphiQL(browser, current.url, { viewport: { width: 900, height: 720 }, colorScheme: 'dark' })
    ).page;
    const runUntil = async (text: RegExp) => {
      await run(small);
      await expect.poll(() => headline(small)).toMatch(text);
    };
    await runUntil(/^8 calls$/);
    await runUntil(/RATE_LIMITED/);
    await draw(small, 'graphiql-retry');
    await small.close();
  });
});

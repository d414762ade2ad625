import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Facade, startFacade } from '../support/facade.ts';
import { isBrowserMissing, launchBrowser, openGraphiQL, skippedNote, toQueryUrl } from '../support/graphiql-page.ts';
import { createGridAccount } from '../support/grid-account.ts';

const LISTS = '{ workspaces(first: 2) { nodes { name description } } }';

describe.skipIf(isBrowserMissing)(`The bar of GraphiQL${skippedNote}`, { timeout: 120_000 }, () => {
  let facade: Facade;
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await facade.close();
  });
  afterAll(() => browser?.close());

  const open = (query: string, options: Parameters<typeof openGraphiQL>[2] = {}) =>
    openGraphiQL(browser, toQueryUrl(facade.url, query), options);
  const headline = (page: Page) => page.locator('.cost-bar-headline').textContent();
  const details = (page: Page) => page.locator('.cost-bar-details').textContent();
  const spoken = (page: Page) => page.locator('.cost-bar-live').textContent();
  const freeDots = (page: Page, index = 0) =>
    page.locator('.cost-bar-window').nth(index).locator('.cost-bar-dot.is-free').count();
  const run = async (page: Page) => {
    // GraphiQL notices the end of a run a moment after the bar, and until then its button stops that run.
    await page.waitForTimeout(1_000);
    await page.click('.graphiql-execute-button[aria-label^="Execute"]');
  };

  it('shows what a run has cost, of the tab that is open', async () => {
    facade = await startFacade();
    const { page, failures } = await open(LISTS);
    expect(await headline(page)).toBe('Not run yet');
    await expect.poll(() => page.locator('.answer-hint').isVisible()).toBe(true);
    await run(page);
    await expect.poll(() => headline(page)).toBe('3 calls');
    expect(await page.locator('.answer-hint').isVisible()).toBe(false);
    expect(await details(page)).toMatch(/^0 cached · /);
    expect(await spoken(page)).toMatch(/^3 calls\. 0 cached · /);
    await run(page);
    await expect.poll(() => headline(page)).toBe('No calls');
    expect(await details(page)).toMatch(/^3 cached · /);
    await page.locator('.graphiql-tab-button[title="Paging"]').click();
    await expect.poll(() => headline(page)).toBe('Not run yet');
    await page.locator('.graphiql-tab-button').first().click();
    await expect.poll(() => headline(page)).toBe('No calls');
    expect(failures).toEqual([]);
  });

  it('shows stale parts', async () => {
    facade = await startFacade({ CACHE_TTL_MS: '60000' });
    const { page } = await open('{ workspaces(first: 2) { nodes { name } } }');
    await run(page);
    await expect.poll(() => headline(page)).toBe('1 call');
    facade.skip(90_000);
    await run(page);
    await expect.poll(() => details(page)).toMatch(/1 cached · \d stale parts?, up to \d+ s old/);
  });

  it('shows the budget as dots, which come back as time passes', async () => {
    const limits = { RATE_LIMIT: '20', RATE_LIMIT_WINDOW_MS: '6000', BURST_LIMIT: '10', BURST_LIMIT_WINDOW_MS: '3000' };
    facade = await startFacade(limits, {
      limits: { general: { limit: 20, windowMs: 6_000 }, burst: { limit: 10, windowMs: 3_000 } },
    });
    const { page } = await open(LISTS);
    const both = async () => [await freeDots(page), await freeDots(page, 1)];
    await expect.poll(both).toEqual([20, 10]);
    await run(page);
    await expect.poll(both).toEqual([17, 7]);
    const label = page.locator('.cost-bar-dots').first();
    expect(await label.getAttribute('aria-label')).toBe('17 of 20 calls are free in each 6 seconds');
    await expect.poll(both).toEqual([17, 10]);
    await expect.poll(both).toEqual([20, 10]);
  });

  it('scales the dots of a large budget', async () => {
    facade = await startFacade({ RATE_LIMIT: '600', BURST_LIMIT: '600' });
    const { page } = await open(LISTS);
    await run(page);
    await expect.poll(() => page.locator('.cost-bar-window-text').first().textContent()).toMatch(/^597 of 600 calls/);
    expect([await freeDots(page), await page.locator('.cost-bar-window').first().locator('i').count()]).toEqual([
      59, 60,
    ]);
  });

  it('shows the cost of a dry run, which makes no call, and only of the run that was asked for', async () => {
    facade = await startFacade();
    const { page, failures } = await open(`${LISTS.replace('{', 'query A {')} query B { me { username } }`);
    await page.locator('.dry-run-button').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: 'A' }).click();
    await expect.poll(() => headline(page)).toMatch(/^Dry run: (?:likely|exactly) 3 calls$/);
    expect(await details(page)).toMatch(/slots are free now · nothing was sent$/);
    expect(facade.postman.calls).toEqual([]);
    // A dry run whose menu is closed without a choice is forgotten.
    await page.locator('.dry-run-button').click();
    await page.keyboard.press('Escape');
    await run(page);
    await page.getByRole('menuitem', { name: 'B' }).click();
    await expect.poll(() => headline(page)).toBe('1 call');
    expect(facade.postman.calls).toEqual(['GET /me']);
    expect(failures).toEqual([]);
  });

  it('counts down to the time of a retry, and runs again', async () => {
    facade = await startFacade({ RATE_LIMIT: '2', RATE_LIMIT_WINDOW_MS: '15000', OPERATION_TIMEOUT_MS: '4000' });
    const { page } = await open('{ collections(first: 3) { nodes { description } } }');
    const again = page.locator('.cost-bar-again');
    expect(await again.isVisible()).toBe(false);
    await run(page);
    await expect.poll(() => headline(page)).toMatch(/^(?:\d × )?RATE_LIMITED$/);
    const seen = new Set<string>();
    const wait = async () => {
      const [, text = ''] = /^Run again (in \d+ s|now)/.exec((await details(page)) ?? '') ?? [];
      seen.add(text);
      return text;
    };
    await expect.poll(wait, { interval: 100 }).toBe('now');
    expect([...seen].filter((text) => text.startsWith('in ')).length).toBeGreaterThan(1);
    expect(await spoken(page)).toMatch(/RATE_LIMITED\. Run again in \d+ s · waits for free slots · \d calls?/);
    const runAgain = async () => {
      if ((await wait()) === 'now') await again.click();
      return headline(page);
    };
    await expect.poll(runAgain, { interval: 1_000 }).toMatch(/^\d calls?$/);
    expect(await again.isVisible()).toBe(false);
    expect(facade.postman.calls).toHaveLength(4);
  });

  it('says which error needs no retry, and that the server is gone', async () => {
    facade = await startFacade();
    const { page } = await open('{ workspaces(first: -1) { nodes { name } } }');
    await run(page);
    await expect.poll(() => headline(page)).toBe('BAD_USER_INPUT');
    expect(await page.locator('.cost-bar-again').isVisible()).toBe(false);
    await page.route('**/graphql', (route) => route.abort());
    await run(page);
    await expect.poll(() => headline(page)).toBe('No response');
    expect(await page.locator('.cost-bar-again').isVisible()).toBe(true);
  });

  it('follows a stream, its queue and its budget, and lets the server stop it', async () => {
    const { account } = createGridAccount(4, 50, 0);
    facade = await startFacade({ RATE_LIMIT: '30', RATE_LIMIT_WINDOW_MS: '3000' }, { account });
    const { page } = await open(
      '{ workspaces { nodes @stream { collections(first: 50) { nodes @stream { description } } } } }',
    );
    await run(page);
    const rows = async () => Number(/^(\d+) rows?/.exec((await details(page)) ?? '')?.[1] ?? 0);
    const seen: number[] = [];
    const next = async () => {
      seen.push(await rows());
      return seen.at(-1);
    };
    await expect.poll(next, { interval: 100 }).toBeGreaterThan(40);
    expect(await headline(page)).toBe('Streaming …');
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(await page.locator('.dry-run-button').isDisabled()).toBe(true);
    await expect.poll(() => details(page)).toMatch(/ · \d+ calls? in the queue$/);
    expect(await freeDots(page)).toBeLessThan(30);
    await page.click('.graphiql-execute-button[aria-label^="Stop"]');
    await expect.poll(() => headline(page)).toMatch(/^Stopped after/);
    const ended = () => facade.log.some((line) => line.includes('"msg":"operation"') && line.includes('"calls":'));
    await expect.poll(ended).toBe(true);
    expect(facade.postman.calls.length).toBeLessThan(200);
  });
});

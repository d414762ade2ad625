import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import {
  isBrowserMissing,
  launchBrowser,
  type OpenGraphiQL,
  openGraphiQL,
  skippedNote,
  toQueryUrl,
} from '../support/graphiql-page.ts';
import { createGridAccount } from '../support/grid-account.ts';

const VIEWPORT = { width: 1360, height: 860 };

const { workspaces, environments } = ids;
/** What each ready tab shows, and its GETs on the example account. */
const tabs: readonly { name: string; shows: string; calls: readonly string[]; errors?: string; isInParts?: true }[] = [
  {
    name: 'Overview',
    shows: 'Rider Platform',
    calls: [
      'GET /workspaces?limit=100',
      ...Object.values(workspaces).map((id) => `GET /workspaces/${id}?include=team,mocks:deactivated`),
    ],
  },
  {
    name: 'CollectionTree',
    shows: '"Rides API"',
    calls: ['GET /collections?limit=99&offset=0', `GET /collections/${ids.collections.rides}`],
  },
  {
    name: 'EnvironmentValues',
    shows: '"isMasked":true',
    calls: [
      'GET /environments',
      ...[environments.local, environments.staging, environments.production].map((uid) => `GET /environments/${uid}`),
    ],
  },
  { name: 'Budget', shows: '"remaining"', calls: ['GET /me'] },
  { name: 'Paging', shows: '"endCursor"', calls: ['GET /collections?limit=99&offset=0'] },
  { name: 'DryRun', shows: '"costAtLeast"', calls: [] },
  { name: 'OneError', shows: '"username"', calls: ['GET /me'], errors: '"BAD_USER_INPUT"' },
  {
    name: 'Stream',
    shows: '"name": "Payments',
    isInParts: true,
    calls: [
      'GET /collections?limit=99&offset=0',
      ...[
        ids.collections.rides,
        ids.collections.stations,
        ids.collections.pricing,
        ids.collections.telemetryDraft,
        ids.collections.payments,
      ].map((uid) => `GET /collections/${uid}?model=minimal`),
    ],
  },
  {
    name: 'Owners',
    shows: '"Jonas Weidner"',
    calls: [
      'GET /workspaces?limit=100',
      ...Object.values(workspaces).map((id) => `GET /workspaces/${id}?include=team,mocks:deactivated`),
      'GET /users',
    ],
  },
];

describe.skipIf(isBrowserMissing)(`GraphiQL in a browser${skippedNote}`, () => {
  let facade: Facade;
  let browser: Browser;
  beforeAll(async () => {
    facade = await startFacade({ CACHE_TTL_MS: '0' });
    browser = await launchBrowser();
  });
  beforeEach(() => facade.postman.reset());
  afterAll(async () => {
    await browser?.close();
    await facade?.close();
  });

  const open = (url = facade.url): Promise<OpenGraphiQL> => openGraphiQL(browser, url, { viewport: VIEWPORT });

  /** Of an answer in parts the browser keeps no whole: what counts is what the page shows. */
  const runInParts = async (page: Page, tab: string, shows: string) => {
    await page.locator(`.graphiql-tab-button[title="${tab}"]`).click();
    // An editor shows only the lines that fit into it.
    await page.setViewportSize({ ...VIEWPORT, height: 2 * VIEWPORT.height });
    const runAgain = async () => {
      facade.postman.reset();
      await page.click('.graphiql-execute-button');
      await page.waitForTimeout(500);
      return (await page.locator('.result-window .view-lines').textContent())?.replaceAll('\u00a0', ' ') ?? '';
    };
    await expect.poll(runAgain, { timeout: 20_000, interval: 500 }).toContain(shows);
    return runAgain();
  };

  const run = async (page: Page, tab: string, shows: string) => {
    await page.locator(`.graphiql-tab-button[title="${tab}"]`).click();
    // The tab's document reaches GraphiQL's state a moment later, and it is its state that is run: run it until it has.
    let answer = '';
    const runAgain = async () => {
      facade.postman.reset();
      // Until the tab's document is there, the button may do nothing.
      const answered = page
        .waitForResponse((response) => response.request().method() === 'POST', { timeout: 2_000 })
        .catch(() => null);
      await page.click('.graphiql-execute-button');
      answer = (await (await answered)?.text()) ?? '';
      return answer;
    };
    await expect.poll(runAgain, { timeout: 20_000, interval: 500 }).toContain(shows);
    return answer;
  };

  it('opens with tabs that run as they are, and asks nobody but this server', async () => {
    const { page, elsewhere, failures } = await open();
    for (const { name, shows, calls, errors, isInParts } of tabs) {
      const answer = await (isInParts ? runInParts : run)(page, name, shows);
      expect(answer.includes('"errors"')).toBe(errors !== undefined);
      expect(answer).toContain(errors ?? '');
      expect([...facade.postman.calls].sort()).toEqual([...calls].sort());
    }
    expect(elsewhere).toEqual([]);
    expect(failures).toEqual([]);
    await page.close();
  }, 120_000);

  it('shows the rows of a stream as the budget serves them, all 200 of them', async () => {
    const { account, collectionUids, workspaceIds } = createGridAccount(4, 50, 0);
    // Postman's limits, ten times as fast.
    const small = await startFacade(
      { RATE_LIMIT: '60', RATE_LIMIT_WINDOW_MS: '6000', BURST_LIMIT: '10', BURST_LIMIT_WINDOW_MS: '1000' },
      { account, limits: { general: { limit: 60, windowMs: 6_000 }, burst: { limit: 10, windowMs: 1_000 } } },
    );
    onTestFinished(() => small.close());
    const query = '{ workspaces { nodes @stream { collections(first: 50) { nodes @stream { description } } } } }';
    const { page, failures } = await open(toQueryUrl(small.url, query));
    // An editor shows the lines that there is room for: for all of them.
    await page.setViewportSize({ width: 1360, height: 16_000 });
    const isRunning = async () => (await page.locator('.graphiql-execute-button[aria-label^="Stop"]').count()) > 0;
    const countRows = async () =>
      ((await page.locator('.result-window .view-lines').textContent()) ?? '').split('About').length - 1;
    const seen: number[] = [];
    await page.click('.graphiql-execute-button');
    do {
      seen.push(await countRows());
      await page.waitForTimeout(250);
    } while (await isRunning());
    await expect.poll(countRows).toBe(collectionUids.length);
    // A window's worth at a time, and never fewer than before.
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(new Set(seen).size).toBeGreaterThanOrEqual(4);
    expect(small.postman.arrivals.filter(({ status }) => status === 429)).toEqual([]);
    expect([...small.postman.calls].sort()).toEqual(
      [
        'GET /workspaces?limit=100',
        ...workspaceIds.map((id) => `GET /collections?workspace=${id}&limit=99&offset=0`),
        ...collectionUids.map((uid) => `GET /collections/${uid}?model=minimal`),
      ].sort(),
    );
    expect(failures).toEqual([]);
    await page.close();
  }, 120_000);

  it('keeps a key that was typed into the header editor out of the page and of the browser storage', async () => {
    const { page } = await open();
    expect(await page.content()).not.toContain(facade.postman.apiKey);
    // The header editor is the open tool; its JSON is replaced as a person would.
    await page.locator('.graphiql-editor-tool .graphiql-editor:not(.hidden) .monaco-editor').click();
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.press('Delete');
    await page.keyboard.insertText('{ "X-Api-Key": "PMAK-typed-by-a-person" }');
    // What is typed reaches GraphiQL's state a moment later: run it until it has.
    const runAgain = async () => {
      await page.click('.graphiql-execute-button');
      return page.locator('.result-window').textContent();
    };
    await expect.poll(runAgain, { timeout: 15_000, interval: 500 }).toContain('UNAUTHENTICATED');
    const stored = await page.evaluate(() =>
      JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)]),
    );
    expect(stored).toContain('Overview');
    expect(stored).not.toContain('PMAK-typed-by-a-person');
    expect(await page.locator('.answer-head').innerHTML()).not.toContain('PMAK-typed-by-a-person');
    await page.close();
  }, 120_000);

  it('has the same tabs when it is loaded again', async () => {
    const { page } = await open();
    const titles = () => page.locator('.graphiql-tab-button').allTextContents();
    await page.reload({ waitUntil: 'load' });
    await page.locator('.graphiql-tab-button').first().waitFor();
    expect(await titles()).toEqual(tabs.map(({ name }) => name));
    await page.close();
  }, 60_000);
});

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);
const isSkipped = executablePath === undefined && process.env['CI'] === undefined;
const dashboard = fileURLToPath(new URL('../../examples/dashboard/', import.meta.url));

const picture = fileURLToPath(new URL('../../examples/dashboard/dashboard.png', import.meta.url));
const isRedrawn = process.env['DRAW_PICTURE'] === 'true';

const { workspaces, collections, environments } = ids;
const toTrees = (uids: readonly string[]) => uids.map((uid) => `GET /collections/${uid}`);
const sorted = (calls: readonly string[]) => [...calls].sort();

interface OpenOptions {
  /** `preview` serves the built page, `dev` the sources. */
  readonly script?: 'preview' | 'dev';
  readonly width?: number;
  readonly colorScheme?: 'light' | 'dark';
}

/** Postman's limits in windows of this length, which the facade knows. */
const limited = (general: number, burst: number, windowMs: number) =>
  [
    {
      RATE_LIMIT: `${general}`,
      RATE_LIMIT_WINDOW_MS: `${windowMs}`,
      BURST_LIMIT: `${burst}`,
      BURST_LIMIT_WINDOW_MS: `${windowMs}`,
    },
    { limits: { general: { limit: general, windowMs }, burst: { limit: burst, windowMs } } },
  ] as const;

describe.skipIf(isSkipped)(
  `The dashboard in a browser${isSkipped ? ' (skipped: there is no Chromium in /usr/bin)' : ''}`,
  () => {
    let browser: Browser;
    let facade: Facade | undefined;
    let vite: ChildProcess | undefined;
    let failures: string[] = [];
    beforeAll(async () => {
      browser = await chromium.launch({
        ...(executablePath !== undefined && { executablePath }),
        args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
      });
    });
    afterEach(async () => {
      for (const context of browser.contexts()) await context.close();
      vite?.kill();
      await facade?.close();
      facade = undefined;
    });
    afterAll(() => browser?.close());

    /** Serves the page, with a proxy to this origin, and opens it. */
    async function open(
      origin: string,
      { script = 'preview', width = 1440, colorScheme = 'light' }: OpenOptions = {},
    ): Promise<Page> {
      vite = spawn(
        process.execPath,
        ['node_modules/vite/bin/vite.js', script, '--host', '127.0.0.1', '--port', '0', '--clearScreen', 'false'],
        { cwd: dashboard, env: { ...process.env, NO_COLOR: '1', POSTMAN_GRAPHQL_ORIGIN: origin } },
      );
      let output = '';
      vite.stdout?.on('data', (chunk) => (output += String(chunk)));
      vite.stderr?.on('data', (chunk) => (output += String(chunk)));
      await expect.poll(() => output).toMatch(/Local:/);
      const [url = ''] = /http:\S+/.exec(output) ?? [];

      const viewport = { width, height: 900 };
      const page = await browser.newPage({ viewport, colorScheme, locale: 'en-GB', timezoneId: 'UTC' });
      failures = [];
      // Not by page.route, with which Chromium sends Cache-Control: no-cache.
      page.on('request', (request) => {
        if (!request.url().startsWith(url) && !request.url().startsWith('data:')) failures.push(request.url());
      });
      page.on('pageerror', (error) => failures.push(error.message));
      page.on('console', (message) => {
        if (message.type() === 'error' && !message.text().includes('Failed to load resource')) {
          failures.push(message.text());
        }
      });
      await page.goto(url);
      return page;
    }

    const start = async (...options: Parameters<typeof startFacade>) => {
      facade = await startFacade(...options);
      return { ...facade, origin: new URL(facade.url).origin };
    };
    const sectionOf = (page: Page, name: string) => page.getByRole('region', { name });
    const statusOf = (page: Page, name: string) => sectionOf(page, name).getByRole('status').innerText();
    const rowsOf = async (page: Page, name: string) => {
      const rows = await sectionOf(page, name).locator('tbody tr').all();
      return Promise.all(rows.map(async (row) => (await row.innerText()).split('\t').map((cell) => cell.trim())));
    };

    it('shows workspaces, two environments, a search and a stream, with the fewest calls', async () => {
      const { origin, postman } = await start();
      const page = await open(origin);
      await expect.poll(() => statusOf(page, 'Workspaces')).toBe('8 calls to Postman.');
      expect((await rowsOf(page, 'Workspaces')).slice(0, 2)).toEqual([
        ['Rider Platform', 'team', '4', 'Local, Staging, Production'],
        ['Payments', 'private', '4', 'Payments sandbox, Payments live'],
      ]);

      await sectionOf(page, 'Two environments').getByRole('combobox', { name: 'Left' }).selectOption('Staging');
      await sectionOf(page, 'Two environments').getByRole('combobox', { name: 'Right' }).selectOption('Production');
      await expect.poll(() => statusOf(page, 'Two environments')).toMatch(/^7 of 7 variables\./);
      expect(await rowsOf(page, 'Two environments')).toEqual([
        ['baseUrl', 'https://api.staging.kestrel-bikes.example', 'https://api.kestrel-bikes.example', '≠ different'],
        ['riderToken', 'withheld', 'withheld', '≠ different'],
        ['riderEmail', 'qa+rider@kestrel-bikes.example', '–', '← only left'],
        ['city', 'harbour-city', 'harbour-city', '= equal'],
        ['proxyUrl', 'http://10.20.0.8:3128 (disabled)', '–', '← only left'],
        ['mapsKey', '–', 'no value', '→ only right'],
        ['traceEverything', '–', 'true (disabled)', '→ only right'],
      ]);
      // An environment equals itself, also where its values are withheld.
      await sectionOf(page, 'Two environments').getByRole('combobox', { name: 'Left' }).selectOption('Production');
      await expect
        .poll(async () => (await rowsOf(page, 'Two environments')).map(([key, ...cells]) => [key, cells.at(-1)]))
        .toContainEqual(['riderToken', '= equal']);
      await page.getByLabel('Show equal variables').uncheck();
      await expect
        .poll(() => rowsOf(page, 'Two environments').then((rows) => rows.map(([key]) => key)))
        .not.toContain('riderToken');

      await expect.poll(() => statusOf(page, 'Search all requests')).toMatch(/ collections searched/);
      await sectionOf(page, 'Collections, one by one').getByRole('button', { name: 'Load' }).click();
      await expect
        .poll(() => statusOf(page, 'Collections, one by one'))
        .toMatch(/^13 of 13 collections read\. \d+ calls/);
      expect((await rowsOf(page, 'Collections, one by one')).slice(0, 2)).toEqual([
        ['Rides API', '12', '2 Mar 2026'],
        ['Stations API', '5', '19 Jan 2026'],
      ]);
      expect(sorted(postman.calls)).toEqual(
        sorted([
          'GET /me',
          'GET /workspaces?limit=100',
          ...Object.values(workspaces).map((id) => `GET /workspaces/${id}?include=team,mocks:deactivated`),
          ...[environments.local, environments.staging, environments.production].map(
            (uid) => `GET /environments/${uid}`,
          ),
          'GET /collections?limit=99&offset=0',
          ...toTrees(Object.values(collections)),
        ]),
      );

      // The next page of the search needs no call: the stream has read everything.
      await page.getByRole('button', { name: 'More matches' }).click();
      await expect.poll(() => statusOf(page, 'Search all requests')).toContain('13 of 13 collections searched');
      expect(await page.getByRole('listitem').count()).toBe(20);
      expect(failures).toEqual([]);
    });

    it('fits at 900 and 1440 pixels, light and dark, and names every control', async () => {
      const { origin } = await start();
      for (const [width, colorScheme] of [
        [900, 'dark'],
        [1440, 'light'],
      ] as const) {
        const page = await open(origin, { width, colorScheme });
        await expect.poll(() => statusOf(page, 'Two environments')).toMatch(/variables\./);
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
        const unnamed = await page.evaluate(`[...document.querySelectorAll('input, select, button, meter, progress')]
          .filter((element) => !element.textContent && !element.labels?.length && !element.ariaLabel)
          .map((element) => element.outerHTML)`);
        expect(unnamed).toEqual([]);
        vite?.kill();
      }
      expect(failures).toEqual([]);
    });

    it('shows what it has while the budget is spent, counts down to the retry, and continues', async () => {
      const { origin, postman } = await start(...limited(60, 5, 8_000));
      const page = await open(origin);
      const timer = sectionOf(page, 'Workspaces').getByRole('timer');
      await timer.waitFor();
      expect(await sectionOf(page, 'Workspaces').getByRole('alert').innerText()).toMatch(
        /^RATE_LIMITED .*\(\d fields\)$/s,
      );
      const names = Object.values(workspaces).length;
      const before = await rowsOf(page, 'Workspaces');
      expect(before).toHaveLength(names);
      const missing = before.filter(([, , , environments]) => environments === '…').length;
      expect(missing).toBeGreaterThan(0);
      expect(await statusOf(page, 'Workspaces')).toContain(`${missing} of ${names} workspaces are not read yet.`);

      const seconds: number[] = [];
      while ((await timer.count()) > 0) {
        const text = await timer.innerText({ timeout: 1_000 }).catch(() => '');
        const [, second] = /^Continues in (\d+) s$/.exec(text) ?? [];
        if (second !== undefined && Number(second) !== seconds.at(-1)) seconds.push(Number(second));
        expect(await sectionOf(page, 'Workspaces').locator('tbody tr').count()).toBe(names);
      }
      expect(seconds.length).toBeGreaterThan(1);
      expect(seconds.slice(0, 2)).toEqual(sorted(seconds.slice(0, 2).map(String)).map(Number).reverse());

      await expect.poll(() => statusOf(page, 'Workspaces')).toMatch(/^\d calls? to Postman\.$/);
      expect((await rowsOf(page, 'Workspaces')).flat()).not.toContain('…');
      expect(await sectionOf(page, 'Workspaces').getByRole('alert').count()).toBe(0);
      // The retries cost only the missing calls.
      const reads = postman.calls.filter((call) => call.startsWith('GET /workspaces'));
      expect(reads).toHaveLength(1 + names);
      expect(postman.arrivals.filter(({ status }) => status === 429)).toEqual([]);
      expect(failures).toEqual([]);
    });

    it('fills a search as the budget allows, and says what it has not searched yet', async () => {
      const { origin, postman } = await start(...limited(14, 14, 6_000));
      const page = await open(origin);
      const search = sectionOf(page, 'Search all requests');
      await search.getByLabel('Text').fill('refund');
      await search.getByRole('button', { name: 'Search', exact: true }).click();
      await search.getByText(/^Not searched yet: /).waitFor();
      const [, found] = /(\d+) of 13 collections searched\./.exec(await statusOf(page, 'Search all requests')) ?? [];
      expect(Number(found)).toBeLessThan(13);

      const counts: number[] = [];
      const countMatches = async () => {
        const count = await search.getByRole('listitem').count();
        if (count !== counts.at(-1)) counts.push(count);
        return statusOf(page, 'Search all requests');
      };
      await expect.poll(countMatches, { interval: 50 }).toMatch(/^13 of 13 collections searched: \d+ match/);
      expect(counts.at(-1)).toBeGreaterThan(0);
      expect(counts).toEqual(sorted(counts.map(String)).map(Number));
      const trees = postman.calls.filter((call) => /^GET \/collections\/[^?]+$/.test(call));
      expect(trees).toHaveLength(new Set(trees).size);
      expect(failures).toEqual([]);
    });

    it('shows the progress of a stream, cancels it with its calls, and continues it', async () => {
      const { origin, postman } = await start(...limited(6, 6, 3_000));
      const page = await open(origin);
      const name = 'Collections, one by one';
      const section = sectionOf(page, name);
      await section.getByRole('button', { name: 'Load' }).click();
      const progress: number[] = [];
      const read = async () => {
        const value = Number(await section.getByRole('progressbar').getAttribute('value'));
        if (value !== progress.at(-1)) progress.push(value);
        expect(await section.locator('tbody tr').count()).toBeGreaterThanOrEqual(value);
        return value;
      };
      await expect.poll(read, { interval: 50 }).toBeGreaterThan(1);
      await section.getByRole('button', { name: 'Cancel' }).click();
      const cancelled = await section.locator('tbody tr').count();
      expect(cancelled).toBeLessThan(13);
      expect(await statusOf(page, name)).toBe(`${cancelled} of 13 collections read.`);

      await section.getByRole('button', { name: 'Continue' }).click();
      await expect.poll(read, { interval: 50 }).toBe(13);
      await expect.poll(() => statusOf(page, name)).toMatch(/^13 of 13 collections read\. \d+ calls? to Postman\.$/);
      const trees = postman.calls.filter((call) => /^GET \/collections\/[^?]+$/.test(call));
      expect(sorted(trees)).toEqual(sorted(toTrees(Object.values(collections))));
      expect(progress.length).toBeGreaterThan(4);
      expect(progress).toEqual(progress.toSorted((a, b) => a - b));
      expect(failures).toEqual([]);
    });

    it('waits for a server that is down, and goes on where it was', async () => {
      const { origin, close } = await start();
      const page = await open(origin);
      await expect.poll(() => statusOf(page, 'Workspaces')).toBe('8 calls to Postman.');
      await close();
      facade = undefined;
      await sectionOf(page, 'Workspaces').getByRole('button', { name: 'Load again' }).click();
      const problem = sectionOf(page, 'Workspaces').getByRole('alert');
      await expect.poll(() => problem.innerText()).toMatch(/^No response from the GraphQL server/);
      await sectionOf(page, 'Workspaces').getByRole('timer').waitFor();
      expect(await rowsOf(page, 'Workspaces')).toHaveLength(Object.values(workspaces).length);

      const again = await start({ PORT: new URL(origin).port });
      expect(again.origin).toBe(origin);
      await expect.poll(() => problem.count()).toBe(0);
      await expect.poll(() => statusOf(page, 'Workspaces')).toBe('8 calls to Postman.');
      expect(failures).toEqual([]);
    });

    it('asks for the access token and the API key that the server requires', async () => {
      const { origin, postman } = await start({ POSTMAN_API_KEY: '', ACCESS_TOKEN: 'a-long-enough-access-token' });
      const page = await open(origin);
      await expect.poll(() => page.getByRole('alert').innerText()).toContain('requires its access token');
      await page.getByLabel('Access token').fill('a-long-enough-access-token');
      await page.getByLabel('Postman API key').fill('PMAK-nobody');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await expect
        .poll(() => page.getByRole('alert').innerText())
        .toMatch(/^UNAUTHENTICATED Postman refused the API key/);
      await page.getByLabel('Access token').fill('a-long-enough-access-token');
      await page.getByLabel('Postman API key').fill(postman.apiKey);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await expect.poll(() => statusOf(page, 'Workspaces')).toBe('8 calls to Postman.');
      const stored = 'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])';
      expect(await page.evaluate(stored)).toBe('[{},{},""]');
      expect(failures).toEqual([]);
    });

    it('runs from its sources, too', async () => {
      const { origin } = await start();
      const page = await open(origin, { script: 'dev' });
      await expect.poll(() => statusOf(page, 'Workspaces')).toMatch(/calls? to Postman\.$/);
      await expect.poll(() => statusOf(page, 'Two environments')).toMatch(/variables\./);
      expect(failures).toEqual([]);
    });

    it.runIf(isRedrawn)('is drawn while the budget is spent', async () => {
      const { origin, query } = await start(...limited(60, 10, 60_000));
      // Spends 40 calls before the page is open.
      const spend = '{ environments { nodes { values { key } } } }';
      for (let round = 0; round < 5; round++) await query(spend, { headers: { 'cache-control': 'no-cache' } });
      const page = await open(origin);
      await sectionOf(page, 'Two environments').getByRole('combobox', { name: 'Left' }).selectOption('Staging');
      await sectionOf(page, 'Two environments').getByRole('combobox', { name: 'Right' }).selectOption('Production');
      await sectionOf(page, 'Search all requests').getByLabel('Text').fill('refund');
      await page.getByRole('button', { name: 'Search', exact: true }).click();
      await sectionOf(page, 'Search all requests').getByRole('timer').waitFor();
      await sectionOf(page, 'Collections, one by one').getByRole('button', { name: 'Load' }).click();
      await page.waitForTimeout(4_000);
      await page.screenshot({ path: picture, fullPage: true });
    });
  },
);

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));
const guide = readFileSync(new URL('../../docs/clients.md', import.meta.url), 'utf8');

/** What docs/clients.md shows of a program: the first block after its command. */
function shownOf(command: string): string {
  const from = guide.indexOf(`npm run ${command}\n`);
  return /```\n\n```\n([\s\S]*?)```/.exec(guide.slice(from))?.[1] ?? '';
}

interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of the examples, as its script does once it is compiled. */
function run(program: string, { args = [], env = {} }: { args?: string[]; env?: Record<string, string> } = {}) {
  return new Promise<Output>((resolve) => {
    const options = { cwd: examples, env: { POSTMAN_GRAPHQL_URL: facade?.url ?? '', ...env } };
    execFile(process.execPath, [`dist/${program}.js`, ...args], options, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

const withoutTimes = (text: string) => text.replaceAll(/in \d+ s, at \S+/g, 'in … s, at …');
/** With Postman's limits, and the facade's own. */
const startLimited = () =>
  startFacade(
    { RATE_LIMIT: '60', BURST_LIMIT: '10', MAX_CONCURRENT_CALLS: '10' },
    { limits: { general: { limit: 60, windowMs: 60_000 }, burst: { limit: 10, windowMs: 10_000 } } },
  );

let facade: Facade | undefined;
afterEach(async () => {
  await facade?.close();
  facade = undefined;
});

it('shows the typed query and the paged list, one after the other, as docs/clients.md does', async () => {
  facade = await startLimited();
  const { rides } = ids.collections;
  const { riderPlatform } = ids.workspaces;

  expect(await run('typed-query')).toEqual({ code: 0, stdout: shownOf('typed-query'), stderr: '' });
  expect(facade.postman.calls).toEqual([
    'GET /workspaces?limit=100',
    `GET /workspaces/${riderPlatform}?include=team,mocks:deactivated`,
  ]);

  facade.postman.calls.length = 0;
  const pages = { code: 0, stdout: shownOf(`paged-list -- ${rides}`), stderr: '' };
  expect(await run('paged-list', { args: [rides] })).toEqual(pages);
  expect(facade.postman.calls).toEqual([`GET /collections/${rides}`]);
});

describe('the streamed rows', () => {
  const listed = Object.values(ids.collections);

  it('come as docs/clients.md shows', async () => {
    facade = await startLimited();
    expect(await run('streamed-rows')).toEqual({ code: 0, stdout: shownOf('streamed-rows'), stderr: '' });
    expect(facade.postman.calls[0]).toBe('GET /collections?limit=99&offset=0');
    expect(facade.postman.calls.slice(1).sort()).toEqual(
      listed.map((uid) => `GET /collections/${uid}?model=minimal`).sort(),
    );
  });

  it('come also where one fails, each once and in its place', async () => {
    facade = await startFacade();
    facade.postman.fail(`/collections/${ids.collections.stations}`, { kind: 'status', status: 403 });
    const { code, stdout, stderr } = await run('streamed-rows');
    expect([code, stderr.split('\n').length]).toEqual([0, 2]);
    expect(stderr).toMatch(/^The API key may not/);
    expect(stdout).toBe(shownOf('streamed-rows').replace(/^(2\. Stations API: ).*$/m, '$1no description'));
  });

  it('are replaced by the reason where the request is not executed', async () => {
    facade = await startFacade({ ACCESS_TOKEN: 't0ken' });
    const { stdout, stderr } = await run('streamed-rows');
    expect(stdout).toBe('0 calls to Postman\n');
    expect(stderr).toMatch(/^This server requires its access token/);
  });

  it('can be asked for by their id where nothing else is executed', async () => {
    facade = await startFacade({
      PERSISTED_DOCUMENTS: `${examples}src/gql/persisted-documents.json`,
      PERSISTED_DOCUMENTS_ONLY: 'true',
    });
    const { stdout } = await run('streamed-rows', { env: { PERSISTED_DOCUMENTS_ONLY: 'true' } });
    expect(stdout).toBe(shownOf('streamed-rows'));
  });
});

describe('the typed query', () => {
  it('names its document where nothing else is executed', async () => {
    facade = await startFacade({
      PERSISTED_DOCUMENTS: `${examples}src/gql/persisted-documents.json`,
      PERSISTED_DOCUMENTS_ONLY: 'true',
    });
    const output = { code: 0, stdout: shownOf('typed-query'), stderr: '' };
    expect(await run('typed-query', { env: { PERSISTED_DOCUMENTS_ONLY: 'true' } })).toEqual(output);
    expect(await run('typed-query')).toMatchObject({ stderr: 'This server executes only persisted documents.\n' });
  });

  it('says why it has nothing', async () => {
    facade = await startFacade({ POSTMAN_API_KEY: 'PMAK-nobody' });
    const { stdout, stderr } = await run('typed-query');
    expect(stdout).toBe('1 calls to Postman\n');
    expect(stderr).toMatch(/^Postman refused the API key /);
  });

  it('says so when something else answers', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const { code, stderr } = await run('typed-query', { env: { POSTMAN_GRAPHQL_URL: url } });
    server.close();
    expect(code).toBe(1);
    expect(stderr).toContain(`${url} responded 502 with text/html, which is not a GraphQL response.`);
  });
});

describe('the paged list', () => {
  it('says why there is no page', async () => {
    facade = await startFacade();
    const { rides, stations } = ids.collections;
    facade.postman.fail(`/collections/${rides}`, { kind: 'status', status: 403 });
    expect((await run('paged-list', { args: [rides] })).stderr).toContain('Error: The API key may not');
    expect((await run('paged-list', { args: [`${stations.slice(0, -3)}000`] })).stderr).toContain(
      'Error: There is nothing to page through.',
    );
  });
});

describe('the dashboard that meets the rate limit', () => {
  it('shows what there is, waits and has the rest, as docs/clients.md says', async () => {
    facade = await startLimited();
    const { stdout, ...rest } = await run('rate-limited');
    expect(rest).toEqual({ code: 0, stderr: '' });
    expect(withoutTimes(stdout)).toBe(withoutTimes(shownOf('rate-limited')));
    expect([...facade.postman.calls].sort()).toEqual(
      [
        'GET /workspaces?limit=100',
        'GET /workspaces?type=personal&limit=100',
        'GET /workspaces?type=team&limit=100',
        ...Object.values(ids.workspaces).map((id) => `GET /workspaces/${id}?include=team,mocks:deactivated`),
      ].sort(),
    );
    expect(facade.postman.arrivals.filter(({ status }) => status === 429)).toEqual([]);
  });

  it('does not wait for what waiting cannot bring', async () => {
    facade = await startFacade();
    facade.postman.fail(/\/workspaces\/[^?]*\?/, { kind: 'status', status: 403 });
    const { stdout, stderr } = await run('rate-limited');
    expect(stdout.split('\n')).toHaveLength(2);
    expect(stderr).toMatch(/^The API key may not/);
  });

  it('does not wait for longer than its patience', async () => {
    facade = await startFacade();
    facade.postman.fail('/workspaces', { kind: 'status', status: 503, headers: { 'retry-after': '1000' } }, 10);
    const { stdout, stderr } = await run('rate-limited');
    expect(stdout).toBe('collections of 0 of 0 workspaces: 0, 3 errors, 3 calls to Postman\n');
    expect(stderr).not.toBe('');
  });
});

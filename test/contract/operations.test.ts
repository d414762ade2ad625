import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { queryInParts, merge, type Part } from '../support/parts.ts';

const { workspaces, collections, environments } = ids;
const folder = fileURLToPath(new URL('../../schema/operations/', import.meta.url));

/** The GETs of every published operation on the example account, in any order. */
const expectedCalls: Readonly<Record<string, readonly string[]>> = {
  '01-overview.graphql': [
    'GET /workspaces?limit=100',
    ...Object.values(workspaces).map((id) => `GET /workspaces/${id}?include=team,mocks:deactivated`),
  ],
  '02-workspace.graphql': [`GET /workspaces/${workspaces.riderPlatform}?include=team,mocks:deactivated`],
  '03-workspace-dates.graphql': [`GET /collections?workspace=${workspaces.riderPlatform}&limit=99&offset=0`],
  '04-collection-tree.graphql': ['GET /collections?limit=99&offset=0', `GET /collections/${collections.rides}`],
  '05-find-requests.graphql': [`GET /collections/${collections.rides}`],
  '06-environment-values.graphql': [
    'GET /environments',
    `GET /environments/${environments.local}`,
    `GET /environments/${environments.staging}`,
    `GET /environments/${environments.production}`,
  ],
  '07-many-collections.graphql': ['GET /collections?limit=99&offset=0'],
  '08-fork-and-workspace.graphql': [
    `GET /collections/${collections.openDataFork}?model=minimal`,
    `GET /collections/${collections.openData}?model=minimal`,
    `GET /workspaces?elementType=collection&elementId=${collections.openDataFork}`,
  ],
  '09-globals.graphql': [
    `GET /workspaces/${workspaces.riderPlatform}?include=team,mocks:deactivated`,
    `GET /workspaces/${workspaces.riderPlatform}/global-variables`,
  ],
  '10-budget.graphql': ['GET /me'],
  '11-paging.graphql': ['GET /collections?limit=99&offset=0'],
  '12-dry-run.graphql': [],
  '13-one-error.graphql': ['GET /me'],
  '14-stream.graphql': [
    'GET /collections?limit=99&offset=0',
    ...[
      collections.rides,
      collections.stations,
      collections.pricing,
      collections.telemetryDraft,
      collections.payments,
    ].map((uid) => `GET /collections/${uid}?model=minimal`),
  ],
  '15-recent-changes.graphql': ['GET /collections?limit=99&offset=0'],
  '16-compare-environments.graphql': [
    `GET /environments/${environments.staging}`,
    `GET /environments/${environments.production}`,
  ],
  '17-requests-to-host.graphql': [
    'GET /collections?limit=99&offset=0',
    ...Object.values(collections).map((uid) => `GET /collections/${uid}`),
    `GET /environments/${environments.paymentsLive}`,
  ],
  '18-owners.graphql': [
    'GET /workspaces?limit=100',
    ...Object.values(workspaces).map((id) => `GET /workspaces/${id}?include=team,mocks:deactivated`),
    'GET /users',
  ],
};

describe('published operations', () => {
  let facade: Facade;
  beforeAll(async () => {
    facade = await startFacade({ CACHE_TTL_MS: '0' });
  });
  beforeEach(() => facade.postman.reset());
  afterAll(() => facade.close());

  it('are all listed here', () => {
    expect(readdirSync(folder).sort()).toEqual(Object.keys(expectedCalls).sort());
  });

  it.each(Object.entries(expectedCalls))('%s runs as it is, and makes exactly its calls', async (file, calls) => {
    const parts: Part[] = [];
    for await (const part of queryInParts(facade, readFileSync(`${folder}${file}`, 'utf8'))) parts.push(part);
    const errors = parts
      .flatMap((part) => part.errors ?? [])
      .map(({ path, extensions }) => [path, extensions?.['code']]);
    // One shows what an error looks like.
    const isWrong = file === '13-one-error.graphql';
    expect(errors).toEqual(isWrong ? [[['workspaces'], 'BAD_USER_INPUT']] : []);
    expect(Object.values(merge(parts) as object).filter((value) => value === null)).toHaveLength(isWrong ? 1 : 0);
    expect([...facade.postman.calls].sort()).toEqual([...calls].sort());
    expect(parts.at(-1)?.extensions).toMatchObject({ upstream: { calls: calls.length } });
  });

  it('are the tabs of GraphiQL where they have no variables, and so name nothing of the example account', async () => {
    const page = await (await fetch(facade.url, { headers: { accept: 'text/html' } })).text();
    const texts = new Map(readdirSync(folder).map((file) => [file, readFileSync(`${folder}${file}`, 'utf8')]));
    const [, options = ''] = /<script type="application\/json" id="options">(.*?)<\/script>/.exec(page) ?? [];
    const opened = (JSON.parse(options) as { defaultTabs: { query: string }[] }).defaultTabs.map(({ query }) => query);
    const tabs = [...texts].filter(([, text]) => opened.includes(text));
    expect(tabs.map(([file]) => file).sort()).toEqual([
      '01-overview.graphql',
      '04-collection-tree.graphql',
      '06-environment-values.graphql',
      '10-budget.graphql',
      '11-paging.graphql',
      '12-dry-run.graphql',
      '13-one-error.graphql',
      '14-stream.graphql',
      '18-owners.graphql',
    ]);
    for (const [, text] of tabs) expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/);
  });
});

import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { variables } from '../../src/config/variables.ts';
import { errorCodes } from '../../src/graph/errors/error-extensions.ts';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { createGridAccount } from '../support/grid-account.ts';

const urlOf = (name: string) => new URL(`../../${name}`, import.meta.url);
const read = (name: string) => readFileSync(urlOf(name), 'utf8');
const readme = read('README.md');
const costs = read('docs/cost-and-cache.md');

const variablesHeader = '| variable | default | |';
const costHeader = '| query | GETs | on the example account |';

/** The lines of the rows of the table of a document that starts with this header. */
function tableLines(document: string, header: string): string[] {
  const lines = document.split('\n');
  const start = lines.findIndex((line) => line.startsWith(header));
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return lines.slice(start + 2, end);
}

/** The same, cell by cell. */
function tableRows(document: string, header: string): string[][] {
  return tableLines(document, header).map((line) => line.slice(2, -2).split(' | '));
}

let facade: Facade | undefined;
afterEach(() => facade?.close());

it('README.md shows the response that its curl prints', async () => {
  facade = await startFacade();
  const body = /-d '(\{"query":.*\})'/.exec(readme)?.[1] ?? '';
  const shown: unknown = JSON.parse(/```json\n([\s\S]*?)```/.exec(readme)?.[1] ?? '');
  const { query } = JSON.parse(body) as { query: string };
  const { data, errors, upstream } = await facade.query(query);
  expect(errors).toEqual([]);
  // The test's upstream is the same account, started by the test, with other limits.
  const budget = { remaining: 60 - upstream.calls, resetAt: expect.any(String) as string };
  expect(shown).toEqual({ data, extensions: { upstream: { ...upstream, sandbox: true, budget } } });
});

describe('docs/cost-and-cache.md', () => {
  it('shows the result of its dry run, with an empty cache and with cached lists', async () => {
    facade = await startFacade();
    const query = /```graphql\n([\s\S]*?)```/.exec(costs)?.[1] ?? '';
    const shown: unknown = JSON.parse(/```graphql[\s\S]*?```json\n([\s\S]*?)```/.exec(costs)?.[1] ?? '');
    expect((await facade.query(query)).data).toEqual(shown);
    expect(facade.postman.calls).toEqual([]);
    const [, lists = '', calls, cost] =
      /After `(\{.*?\})`, which makes (\d+)\ncalls, the dry run above reports (\d+)/.exec(costs) ?? [];
    expect(String((await facade.query(lists)).upstream.calls)).toBe(calls);
    expect((await facade.query(query)).data.rateLimit).toMatchObject({
      cost: Number(cost),
      costAtLeast: Number(cost),
      plan: [{ path: '/collections/{uid}' }],
    });
  });

  it('shows what the dashboard costs, cold, warm, later and after an edit', async () => {
    const grid = createGridAccount(20, 10, 0);
    facade = await startFacade({ MAX_CALLS_PER_OPERATION: '1000' }, { account: grid.account });
    const { query, skip, postman } = facade;
    const dashboard = /The dashboard query `(.+?)`/.exec(costs)?.[1] ?? '';
    const getsOf = async () => {
      postman.calls.length = 0;
      expect((await query(dashboard)).errors).toEqual([]);
      return postman.calls.length;
    };
    const gets = [await getsOf(), await getsOf()];
    skip(600_000);
    gets.push(await getsOf());
    grid.editCollection(117, 'Edited');
    skip(600_000);
    gets.push(await getsOf());
    expect(tableRows(costs, '| | GETs |').map(([, cell]) => Number.parseInt(cell ?? '', 10))).toEqual(gets);
  });
});

describe.each([
  ['README.md', readme, 9],
  ['docs/cost-and-cache.md', costs, 26],
])('the cost table of %s', (_name, document, count) => {
  const rows = tableRows(document, costHeader);
  const again = rows.at(-1);
  const queries = rows.slice(0, -1);

  it('has queries, and ends with the row of repeated ones', () => {
    expect(queries).toHaveLength(count);
    expect(again?.[0]).toMatch(/^any of these, again within /);
  });

  it.each(queries)('%s', async (query, _gets, shown) => {
    facade = await startFacade();
    const getsOf = async () => {
      facade?.postman.reset();
      expect((await facade?.query(toQuery(query ?? '')))?.errors).toEqual([]);
      return String(facade?.postman.calls.length);
    };
    expect([await getsOf(), await getsOf()]).toEqual([shown, again?.[2]]);
  });
});

/**
 * Makes an operation of a cell: identifiers of the example account where it leaves them out, fields in place of the
 * ellipsis.
 */
function toQuery(cell: string): string {
  const collections = Object.values(ids.collections).values();
  const fields = /^`(.+)`/.exec(cell)?.[1] ?? '';
  return `{ ${fields
    .replace('workspace(id:)', `workspace(id: "${ids.workspaces.riderPlatform}")`)
    .replace('environments(workspaceId:)', `environments(workspaceId: "${ids.workspaces.riderPlatform}")`)
    .replace(
      'leftUid:, rightUid:',
      `leftUid: "${ids.environments.staging}", rightUid: "${ids.environments.production}"`,
    )
    .replace('node(id:)', `node(id: "Request:${ids.collections.rides}/none")`)
    .replace('mock(uid:)', `mock(uid: "${ids.mocks.rides}")`)
    .replace('environmentUid:', `environmentUid: "${ids.environments.local}"`)
    .replaceAll('collection(uid:)', () => `collection(uid: "${collections.next().value}")`)
    .replace('{ … }', '{ name ... on Folder { items { name ... on Request { examples { name code } } } } }')} }`;
}

it('docs/configuration.md lists every variable with its default and description (vitest -u writes the table)', async () => {
  const configuration = read('docs/configuration.md');
  const rows = variables.map(
    ({ name, default: text, description, isDerived }) =>
      `| \`${name}\` | ${isDerived ? 'derived from the heap limit' : text === '' ? '' : `\`${text}\``} | ${description} |`,
  );
  const written = tableLines(configuration, variablesHeader).join('\n');
  expect(configuration).toContain(`${variablesHeader}\n| --- | --- | --- |\n${written}\n\n`);
  await expect(configuration.replace(written, () => rows.join('\n'))).toMatchFileSnapshot(
    urlOf('docs/configuration.md').pathname,
  );
});

it('docs/errors.md lists every error code', () => {
  expect(tableRows(read('docs/errors.md'), '| `extensions.code` | when | `retryable` |').map(([code]) => code)).toEqual(
    errorCodes.map((code) => `\`${code}\``),
  );
});

import { readFileSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { variables } from '../../src/config/variables.ts';
import { errorCodes } from '../../src/graph/errors/error-extensions.ts';
import { type Facade, startFacade } from '../support/facade.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const operations = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');

/** The cells of the rows of the table of a document that starts with this header. */
function tableRows(document: string, header: string): string[][] {
  const lines = document.split('\n');
  const start = lines.findIndex((line) => line.startsWith(header));
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return lines.slice(start + 2, end).map((line) => line.slice(2, -2).split(' | '));
}

let facade: Facade | undefined;
afterEach(() => facade?.close());

it('shows the very answer its curl prints', async () => {
  facade = await startFacade();
  const body = /-d '(\{"query":.*\})'/.exec(readme)?.[1] ?? '';
  const shown: unknown = JSON.parse(/```json\n([\s\S]*?)```/.exec(readme)?.[1] ?? '');
  const { query } = JSON.parse(body) as { query: string };
  const { data, errors, upstream } = await facade.query(query);
  expect(errors).toEqual([]);
  // The test's upstream is the same account, started by the test.
  expect({ data, extensions: { upstream: { ...upstream, sandbox: true } } }).toEqual(shown);
});

it('shows what the dry run of its query says, cold and over kept lists', async () => {
  facade = await startFacade();
  const query = /```graphql\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const shown: unknown = JSON.parse(/```graphql[\s\S]*?```json\n([\s\S]*?)```/.exec(readme)?.[1] ?? '');
  expect((await facade.query(query)).data).toEqual(shown);
  expect(facade.postman.calls).toEqual([]);
  const [, lists = '', calls, cost] =
    /after `(\{.*?\})`, which makes (\w+) calls,\nthe same dry run says that `cost` and `costAtLeast` are (\d+)/.exec(
      readme,
    ) ?? [];
  expect([(await facade.query(lists)).upstream.calls, calls]).toEqual([6, 'six']);
  expect((await facade.query(query)).data.rateLimit).toMatchObject({
    cost: Number(cost),
    costAtLeast: Number(cost),
    plan: [{ path: '/collections/{uid}' }],
  });
});

it('lists every variable with its default and description', () => {
  expect(tableRows(operations, '| variable | default |')).toEqual(
    variables.map(({ name, default: text, description, isDerived }) => [
      `\`${name}\``,
      isDerived ? 'derived from the heap limit' : text === '' ? '' : `\`${text}\``,
      description,
    ]),
  );
});

it('lists every error code', () => {
  expect(tableRows(readme, '| `extensions.code` |').map(([code]) => code)).toEqual(
    errorCodes.map((code) => `\`${code}\``),
  );
});

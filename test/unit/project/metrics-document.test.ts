import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { families, type Family } from '../../../src/server/metrics/families.ts';
import { PROM_CLIENT } from '../../../src/server/metrics/prom-client.ts';

const url = new URL('../../../docs/operations.md', import.meta.url);
const document = readFileSync(url, 'utf8');
const head = '| metric | type | labels | |\n| --- | --- | --- | --- |\n';

const toLabel = ([name, values]: [string, readonly string[] | undefined]) => {
  const shown = values?.filter((value) => value !== '').map((value) => `\`${value}\``);
  return `\`${name}\`${shown ? `: ${shown.join(', ')}` : ''}`;
};

it('docs/operations.md lists every metric (vitest -u writes the table)', async () => {
  const rows = Object.entries<Family>(families).map(
    ([name, { type, labels, help }]) =>
      `| \`${name}\` | ${type} | ${Object.entries(labels).map(toLabel).join('; ')} | ${help} |\n`,
  );
  const start = document.indexOf(head) + head.length;
  expect(start).toBeGreaterThan(head.length);
  const end = document.indexOf('\n\n', start - 1) + 1;
  await expect(document.slice(0, start) + rows.join('') + document.slice(end)).toMatchFileSnapshot(url.pathname);
});

it('docs/operations.md names the package to install', () => {
  expect(document).toContain(`npm install ${PROM_CLIENT}\``);
});

it('no name or label is written in more than one way', () => {
  for (const [name, { type, labels }] of Object.entries<Family>(families)) {
    expect(name).toMatch(/^(?:postman_graphql|http_(?:server|client)|db_client)_[a-z_]+$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    expect(Object.keys(labels).filter((label) => !/^[a-z_]+$/.test(label))).toEqual([]);
  }
});

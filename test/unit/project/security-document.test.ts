import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const root = new URL('../../../', import.meta.url);
const document = readFileSync(new URL('SECURITY.md', root), 'utf8');

it('names only tests that exist', () => {
  const named = [...document.matchAll(/`(test\/[\w/.-]+)` › ([^;|\n]+?)\s*(?=[;|\n])/g)];
  expect(named.length).toBeGreaterThan(30);
  const missing = named.filter(
    ([, file, title]) => !readFileSync(new URL(file ?? '', root), 'utf8').includes(title ?? ''),
  );
  expect(missing.map(([whole]) => whole)).toEqual([]);
});

it('leaves no threat without a test or a reason', () => {
  const rows = document
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2);
  expect(rows.length).toBeGreaterThan(25);
  expect(rows.filter((row) => !/`test\/|no test: /.test(row))).toEqual([]);
});

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { variables } from '../../../src/config/variables.ts';

const root = new URL('../../../', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, root), 'utf8');
const documents = [
  'README.md',
  'SECURITY.md',
  ...readdirSync(new URL('docs/', root)).map((name) => `docs/${name}`),
].filter((name) => name.endsWith('.md'));
const unit = read('deploy/postman-graphql.service');
// Variables of Node and of the examples.
const others = new Set(['NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'NODE_COMPILE_CACHE', 'POSTMAN_GRAPHQL_URL']);
const known = new Set([...variables.map(({ name }) => name), ...others]);

it.each(documents)('%s names only variables that are read', (document) => {
  const named = [...read(document).matchAll(/`([A-Z][A-Z\d]*(?:_[A-Z\d]+)+)=[^`]*`/g)].map(([, name]) => name ?? '');
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});

it('the systemd unit names only variables that are read, the file that the package starts, and the default port', () => {
  const set = [...unit.matchAll(/^(?:# )?Environment=(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]);
  expect(set.length).toBeGreaterThan(3);
  expect(set.map(([name]) => name ?? '').filter((name) => !known.has(name))).toEqual([]);
  const { bin, version } = JSON.parse(read('package.json')) as { bin: Record<string, string>; version: string };
  expect(unit).toContain(`/node_modules/postman-graphql/${bin['postman-graphql']}\n`);
  expect(unit).toContain(`postman-graphql-${version}.tgz`);
  expect(Object.fromEntries(set)['PORT']).toBe(variables.find(({ name }) => name === 'PORT')?.default);
});

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
// In CI it always runs.
it.skipIf(!hasSystemd && !process.env.CI)('systemd finds nothing wrong with the unit', () => {
  const file = fileURLToPath(new URL('deploy/postman-graphql.service', root));
  const { stdout, stderr, error } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
  expect(error).toBeUndefined();
  // Node may be at another path on this machine.
  const findings = `${stdout}${stderr}`
    .split('\n')
    .filter((line) => /\bpostman-graphql\.service:\d+:|Unknown/.test(line));
  expect(findings).toEqual([]);
});

it('the installation of the guide is that of the package', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  for (const document of ['README.md', 'docs/operations.md'])
    expect([...read(document).matchAll(/postman-graphql-(\d[\d.]*\d)\.tgz/g)].map(([, named]) => named)).toContain(
      version,
    );
});

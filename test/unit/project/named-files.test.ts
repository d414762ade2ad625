import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const root = new URL('../../../', import.meta.url);
const folders = [
  'bench',
  'deploy',
  'examples/src',
  'schema',
  'scripts',
  'src',
  'test/contract',
  'test/support',
  'test/unit',
];
const namesIn = (folder: string) =>
  readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`);
const files = [...readdirSync(root), ...folders, ...folders.flatMap(namesIn)];
// The other documents are in the package, whose users do not have these files.
const documents = ['ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md'];

it.each(documents)('%s names only files and folders that exist', (document) => {
  const text = readFileSync(new URL(document, root), 'utf8');
  const named = [...text.matchAll(/`((?:[\w-]+\/)*[\w.-]+\.(?:ts|mjs|graphql|service)|(?:[\w-]+\/)+)`/g)];
  const exists = (name: string) => files.some((file) => `/${file}`.endsWith(`/${name.replace(/\/$/, '')}`));
  expect(named.flatMap(([, name = '']) => (exists(name) ? [] : name))).toEqual([]);
});

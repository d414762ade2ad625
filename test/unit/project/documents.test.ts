import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = new URL('../../../', import.meta.url);
const guides = readdirSync(new URL('docs/', root))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);
const documents = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', ...guides];
const read = (document: string) => readFileSync(new URL(document, root), 'utf8');
/** The text of a document without its blocks of code. */
const proseOf = (document: string) => read(document).replaceAll(/^```[\s\S]*?^```$/gm, '');

/** The path from the root, and the anchor, of every link of a document that stays in the repository. */
function linksOf(document: string): { path: string; anchor: string | undefined }[] {
  const targets = [...proseOf(document).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '');
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path, anchor] = target.split('#');
      return { path: path ? posix.join(posix.dirname(document), path) : document, anchor };
    });
}

/** The anchors of the headings of a document, as GitHub makes them. */
function anchorsOf(document: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of proseOf(document).matchAll(/^#+ (.+)$/gm)) {
    const anchor = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    let unique = anchor;
    for (let count = 1; anchors.has(unique); count++) unique = `${anchor}-${count}`;
    anchors.add(unique);
  }
  return anchors;
}

it('the README is short', () => {
  expect(read('README.md').split('\n').length).toBeLessThanOrEqual(250);
});

describe.each(documents)('%s', (document) => {
  it('links only to files that exist, and to headings that they have', () => {
    const broken = linksOf(document).filter(
      ({ path, anchor }) =>
        path.startsWith('..') ||
        !existsSync(new URL(path, root)) ||
        (anchor !== undefined && !(path.endsWith('.md') && anchorsOf(path).has(anchor))),
    );
    expect(broken).toEqual([]);
  });

  it('has one title, and closes its blocks of code', () => {
    expect(proseOf(document).match(/^# .+$/gm)).toHaveLength(1);
    expect(proseOf(document)).not.toContain('```');
  });
});

it('every document in docs can be reached from the README', () => {
  const reached = new Set(['README.md']);
  for (const document of reached)
    for (const { path } of linksOf(document))
      if (path.endsWith('.md') && statSync(new URL(path, root), { throwIfNoEntry: false })?.isFile()) reached.add(path);
  expect(guides.filter((guide) => !reached.has(guide))).toEqual([]);
});

it('docs/files.md names only files that the repository has', () => {
  const [, table = ''] = /\| path \| contents \|\n((?:\|.*\n)+)/.exec(read('docs/files.md')) ?? [];
  const named = [...table.matchAll(/`([\w./-]+)`/g)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(15);
  // Created by the build.
  expect(named.filter((name) => name !== 'dist/' && !existsSync(new URL(name, root)))).toEqual([]);
});

// The rows of tables cannot be broken into lines.
it.each(['README.md', ...guides])('%s has no line of prose of more than 200 columns', (document) => {
  const long = proseOf(document)
    .split('\n')
    .filter((line) => line.length > 200 && !line.startsWith('|'));
  expect(long).toEqual([]);
});

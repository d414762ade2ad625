import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../../', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, root), 'utf8');
const contributing = read('CONTRIBUTING.md');
const sectionOf = (title: string) => contributing.split(`## ${title}\n`)[1]?.split('\n## ')[0] ?? '';

const sources = readdirSync(new URL('src', root), { recursive: true, encoding: 'utf8' })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.ts'));

describe('Add a resource', () => {
  it('lists the files that know of mock servers, and no others', () => {
    const listed = [...sectionOf('Add a resource').matchAll(/^\| `([\w./-]+)`/gm)].map(([, file]) => file);
    const knowing = sources.filter((file) => !file.startsWith('sandbox/') && /mock/i.test(read(`src/${file}`)));
    expect(listed.toSorted()).toEqual(knowing.toSorted());
  });

  it('names tests that have rows of mock servers', () => {
    const named = [...sectionOf('Add a resource').matchAll(/`([\w-]+\.test\.ts)`/g)].map(([, file = '']) => file);
    const tests = readdirSync(new URL('test', root), { recursive: true, encoding: 'utf8' }).map((name) =>
      name.replaceAll('\\', '/'),
    );
    expect(named).toHaveLength(3);
    for (const name of named) {
      const file = tests.find((test) => !test.includes('node_modules') && test.endsWith(`/${name}`));
      expect(read(`test/${file}`)).toMatch(/mock/i);
    }
  });
});

describe('Add a field', () => {
  const text = sectionOf('Add a field') + sectionOf('Add a call') + sectionOf('Add a resource');

  it('names functions and tables that the code declares', () => {
    const places = [
      ...sources.map((file) => `src/${file}`),
      'test/support/operation-needs.ts',
      'test/contract/carried-fields.test.ts',
    ];
    const code = places.map(read).join('\n');
    const named = [...text.matchAll(/`([A-Za-z]\w+)(?:\([^`]*\))?`/g)].map(([, name = '']) => name);
    const properties = ['ref', 'summary', 'minimal', 'detail', 'dedicated', 'simulate', 'src'];
    const unknown = named.filter(
      (name) =>
        !properties.includes(name) && !new RegExp(`\\b(?:function|const|interface|type|class) ${name}\\b`).test(code),
    );
    expect(named).toContain('carriedBy');
    expect(unknown).toEqual([]);
  });

  it('leads to the files in which each own field of a type with levels is declared', () => {
    const declared = sources
      .filter((file) => /carriedBy\(/.test(read(`src/${file}`)))
      .map((file) => file.slice(0, file.lastIndexOf('/')));
    expect(new Set(declared)).toEqual(new Set(['graph/types']));
    expect(text).toContain('`src/graph/types/`');
  });

  it('asks of each field on a type with levels for a source in a response', () => {
    const levels = read('src/upstream/postman/levels.ts').match(/export type Level = ([^;]+);/)?.[1] ?? '';
    const listed = [...text.matchAll(/lists the levels: ([^.]+)\./g)][0]?.[1] ?? '';
    expect(listed.replaceAll('`', '').split(', ')).toEqual(levels.replaceAll("'", '').split(' | '));
  });
});

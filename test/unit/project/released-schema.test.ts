import { readFileSync } from 'node:fs';
import { buildSchema, findBreakingChanges, versionInfo } from 'graphql';
import { describe, expect, it } from 'vitest';

const read = (name: string) => readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8');

/** The breaking changes between two schemas that the changelog does not name, in GraphQL's words, under what is not released yet. */
function findUnnamedChanges(released: string, current: string, changelog: string): string[] {
  const unreleased = /^## \[Unreleased\]\n([^]*?)(?=^## |$(?![^]))/m.exec(changelog)?.[1] ?? '';
  return findBreakingChanges(buildSchema(released), buildSchema(current))
    .map(({ description }) => description)
    .filter((description) => !unreleased.includes(description));
}

describe('findUnnamedChanges', () => {
  const released = 'type Query { a: String b(c: Int): [E!] } enum E { F G }';
  const current = 'type Query { a: Int b(c: Int, d: Int!): [E!] } enum E { F }';
  const changes =
    versionInfo.major >= 17
      ? [
          'Enum value E.G was removed.',
          'A required argument Query.b(d:) was added.',
          'Field Query.a changed type from String to Int.',
        ]
      : [
          'G was removed from enum type E.',
          'A required arg d on Query.b was added.',
          'Query.a changed type from String to Int.',
        ];
  const section = (title: string) => `## [${title}]\n\n${changes.map((change) => `- ${change}`).join('\n')}\n\n`;

  it('finds all unnamed breaking changes, and none if nothing breaks', () => {
    expect(findUnnamedChanges(released, current, '# Changelog\n').sort()).toEqual(changes.toSorted());
    expect(findUnnamedChanges(released, `${released} type H { i: E }`, '')).toEqual([]);
  });

  it('counts changes as named if they are under Unreleased, not under an earlier release', () => {
    const unreleased = section('Unreleased');
    expect(findUnnamedChanges(released, current, `# Changelog\n\n${unreleased}## [0.1.0]\n`)).toEqual([]);
    expect(findUnnamedChanges(released, current, unreleased)).toEqual([]);
    const earlier = `## [Unreleased]\n\n- Nothing.\n\n${section('0.1.0')}`;
    expect(findUnnamedChanges(released, current, earlier)).toHaveLength(3);
  });
});

it('The schema breaks nothing of the last release that CHANGELOG.md does not name, in these words, under Unreleased', () => {
  const unnamed = findUnnamedChanges(
    read('schema/released.graphql'),
    read('schema/schema.graphql'),
    read('CHANGELOG.md'),
  );
  expect(unnamed).toEqual([]);
});

it('The changelog has a section for the version of the package', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  expect(read('CHANGELOG.md')).toMatch(
    new RegExp(`^## \\[${version.replaceAll('.', '\\.')}\\] - \\d{4}-\\d\\d-\\d\\d$`, 'm'),
  );
});

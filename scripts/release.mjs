// Runs within `npm version`, when package.json has the new version. Turns the unreleased changes in CHANGELOG.md into
// the release, and the schema into the one that later schemas are compared with.
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const date = new Date().toISOString().slice(0, 10);
const changelog = readFileSync('CHANGELOG.md', 'utf8');
const released = changelog.replace('## [Unreleased]\n', `## [Unreleased]\n\n## [${version}] - ${date}\n`);
if (released === changelog) throw new Error('CHANGELOG.md has no section [Unreleased].');
writeFileSync('CHANGELOG.md', released);
copyFileSync('schema/schema.graphql', 'schema/released.graphql');
const { status } = spawnSync('git', ['add', 'CHANGELOG.md', 'schema/released.graphql'], { stdio: 'inherit' });
process.exitCode = status ?? 1;

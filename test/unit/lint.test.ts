import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

const upstream = 'upstream is the lowest layer: it imports only itself.';
const noGraphQL = 'upstream knows REST, never GraphQL.';
const slotSource = 'slots in Redis are one slot source: the rest of upstream knows the interface alone.';
const loaders = 'loaders import upstream, nothing above.';
const noInside = 'loaders know neither GraphQL nor HTTP.';
const graph = 'graph imports loaders and upstream types, nothing above.';
const noHttp = "graph never sees HTTP, a queue or a loader's inside.";
const dryRun = 'the dry run imports graph, loaders and upstream, nothing above.';
const noCalls = "the dry run makes no calls: it never sees HTTP, a cache or a loader's inside.";
const sandbox = "the sandbox is somebody else's server: it shares no code with the facade.";
const plain = 'the sandbox is plain node:http.';
const config = 'config says what can be set, and imports nothing that is made of it.';
const main = 'main starts the server, not the other way round.';

/** Where something is imported from, what, and what the linter says. */
const violations: [string, string, string][] = [
  ['src/upstream', '../loaders/loaders.ts', upstream],
  ['src/upstream', '../graph/schema.ts', upstream],
  ['src/upstream', '../server/http/prefer.ts', upstream],
  ['src/upstream', '../dry-run/work.ts', upstream],
  ['src/upstream', '../server.ts', upstream],
  ['src/upstream', '../sandbox/faults.ts', upstream],
  ['src/upstream', '../config/config.ts', upstream],
  ['src/upstream/collection-format', '../../graph/schema.ts', upstream],
  ['src/upstream', 'graphql', noGraphQL],
  ['src/upstream', 'graphql/error/index.js', noGraphQL],
  ['src/upstream', 'graphql-yoga', noGraphQL],
  ['src/upstream', '@pothos/core', noGraphQL],
  ['src/upstream', 'dataloader', noGraphQL],
  ['src/upstream', './redis-slots/redis-slots.ts', slotSource],
  ['src/loaders', '../graph/context.ts', loaders],
  ['src/loaders', '../dry-run/work.ts', loaders],
  ['src/loaders', '../server/tenants.ts', loaders],
  ['src/loaders', '../server.ts', loaders],
  ['src/loaders', '../sandbox/sandbox.ts', loaders],
  ['src/loaders', '../config/config.ts', loaders],
  ['src/loaders', 'graphql', noInside],
  ['src/loaders', 'undici', noInside],
  ['src/loaders', 'p-queue', noInside],
  ['src/loaders', 'lru-cache', noInside],
  ['src/graph', '../server/tenants.ts', graph],
  ['src/graph', '../dry-run/plan-operation.ts', graph],
  ['src/graph', '../server.ts', graph],
  ['src/graph', '../config/config.ts', graph],
  ['src/graph', '../sandbox/sandbox.ts', graph],
  ['src/graph/tree', '../../server/tenants.ts', graph],
  ['src/graph', 'graphql-yoga', noHttp],
  ['src/graph', 'undici', noHttp],
  ['src/graph', 'p-queue', noHttp],
  ['src/graph', 'dataloader', noHttp],
  ['src/graph', 'node:http', noHttp],
  ['src/dry-run', '../server/operations.ts', dryRun],
  ['src/dry-run', '../server.ts', dryRun],
  ['src/dry-run', '../config/config.ts', dryRun],
  ['src/dry-run', '../sandbox/sandbox.ts', dryRun],
  ['src/dry-run', 'graphql-yoga', noCalls],
  ['src/dry-run', 'undici', noCalls],
  ['src/dry-run', 'lru-cache', noCalls],
  ['src/dry-run', 'dataloader', noCalls],
  ['src/dry-run', 'node:http', noCalls],
  ['src/sandbox', '../upstream/scrub.ts', sandbox],
  ['src/sandbox', '../upstream/postman/levels.ts', sandbox],
  ['src/sandbox', '../graph/schema.ts', sandbox],
  ['src/sandbox', '../config/config.ts', sandbox],
  ['src/sandbox', '../dry-run/work.ts', sandbox],
  ['src/sandbox/account', '../../upstream/scrub.ts', sandbox],
  ['src/sandbox', 'graphql', plain],
  ['src/sandbox', 'undici', plain],
  ['src/config', '../server/http/client-address.ts', config],
  ['src/config', '../server.ts', config],
  ['src/config', '../graph/schema.ts', config],
  ['src/config', '../loaders/loaders.ts', config],
  ['src/config', '../sandbox/sandbox.ts', config],
  ['src/config', '../start.ts', config],
  ['src/server', '../main.ts', main],
  ['src/server', '../start.ts', main],
];

const allowed: [string, string][] = [
  ['src/upstream', './scrub.ts'],
  ['src/upstream', 'undici'],
  ['src/upstream', 'p-queue'],
  ['src/loaders', '../upstream/postman/levels.ts'],
  ['src/loaders', 'dataloader'],
  ['src/graph', '../loaders/loaders.ts'],
  ['src/graph', '../upstream/postman/levels.ts'],
  ['src/graph', 'graphql'],
  ['src/dry-run', '../graph/context.ts'],
  ['src/dry-run', '../upstream/postman/levels.ts'],
  ['src/dry-run', 'p-queue'],
  ['src/server', '../dry-run/plan-operation.ts'],
  ['src/server', '../graph/context.ts'],
  ['src/server', '../upstream/budget.ts'],
  ['src/config', '../upstream/secret.ts'],
  ['src/sandbox', './faults.ts'],
  ['src/sandbox', 'node:http'],
];

/** Other habits the linter keeps: a file's text, and the rule that it breaks. */
const habits: [string, string, string, string][] = [
  ['a default export', 'src/graph/planted-default.ts', 'export default 1;\n', 'import(no-default-export)'],
  [
    'a file of more than 250 lines',
    'src/graph/planted-length.ts',
    `export const x = [\n${'  1,\n'.repeat(250)}];\n`,
    'eslint(max-lines)',
  ],
  [
    'a function of more than 100 lines',
    'src/graph/planted-function.ts',
    `export const x = () => [\n${'  1,\n'.repeat(100)}];\n`,
    'eslint(max-lines-per-function)',
  ],
  ['console', 'src/server/planted-console.ts', "console.log('x');\n", 'eslint(no-console)'],
  ['process.env', 'src/server/planted-env.ts', 'export const x = process.env.HOME;\n', 'node(no-process-env)'],
  ['Date.now', 'src/server/planted-now.ts', 'export const x = () => Date.now();\n', 'eslint(no-restricted-properties)'],
  [
    'performance.now',
    'src/sandbox/planted-now.ts',
    'export const x = () => performance.now();\n',
    'eslint(no-restricted-properties)',
  ],
  [
    'process.hrtime',
    'src/upstream/planted-now.ts',
    'export const x = () => process.hrtime();\n',
    'eslint(no-restricted-properties)',
  ],
  ['any', 'src/graph/planted-any.ts', 'export const x = (y: any) => y;\n', 'typescript(no-explicit-any)'],
  [
    'a non-null assertion',
    'src/graph/planted-bang.ts',
    'export const x = (y?: string) => y!;\n',
    'typescript(no-non-null-assertion)',
  ],
];

const clocks = ['src/upstream/clock.ts', 'src/sandbox/clock.ts'];

const nameOf = ([from, what]: readonly string[]) => `${from}/planted-${what?.replaceAll(/\W+/g, '-')}.ts`;

interface Finding {
  readonly message: string;
  readonly code: string;
  readonly help?: string;
  readonly filename: string;
}
let findings: readonly Finding[] = [];
const findingsIn = (file: string) => findings.filter(({ filename }) => filename.replaceAll('\\', '/').endsWith(file));

// A copy, so that whoever lints the checkout meanwhile does not meet the planted files.
const copy = mkdtempSync(join(tmpdir(), 'postman-graphql-lint-'));

beforeAll(() => {
  cpSync(join(root, '.oxlintrc.json'), join(copy, '.oxlintrc.json'));
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'junction');
  const plant = (file: string, text: string) => {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    writeFileSync(join(copy, file), text);
  };
  for (const planted of [...violations, ...allowed])
    plant(nameOf(planted), `import * as planted from '${planted[1]}';\n\nexport const x = planted;\n`);
  for (const [, file, text] of habits) plant(file, text);
  plant('src/config/config.ts', 'export const x = process.env.HOME;\n');
  for (const file of clocks) plant(file, 'export const x = () => performance.now() - Date.now();\n');
  const { stdout } = spawnSync(
    process.execPath,
    [join(root, 'node_modules', 'oxlint', 'bin', 'oxlint'), '--format', 'json', 'src'],
    { cwd: copy, encoding: 'utf8' },
  );
  findings = (JSON.parse(stdout) as { diagnostics: Finding[] }).diagnostics;
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

describe('the linter', () => {
  it.each(violations)('keeps %s from importing %s', (from, what, message) => {
    const found = findingsIn(nameOf([from, what]));
    expect(found.map(({ code }) => code)).toEqual(['eslint(no-restricted-imports)']);
    expect(`${found[0]?.message} ${found[0]?.help}`).toContain(message);
  });

  it.each(allowed)('lets %s import %s', (...planted) => {
    expect(findingsIn(nameOf(planted))).toEqual([]);
  });

  it.each(habits)('refuses %s', (_what, file, _text, code) => {
    expect(findingsIn(file).map((finding) => finding.code)).toContain(code);
  });

  it('lets the configuration alone read the environment', () => {
    expect(findingsIn('src/config/read-environment.ts')).toEqual([]);
  });
});

// Type-checks the sources and runs the unit and contract tests with graphql 17, in a copy of this checkout in the system's temporary folder:
// node_modules here keeps the version that ships. Needs Node 22 or newer, as graphql 17 does, and the registry.
// Arguments go to vitest; paths among them replace test/unit and test/contract.
// Plain JavaScript, as the other scripts are.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const VERSION = '17.1.0';
const LEFT_OUT = new Set(['node_modules', 'dist', 'coverage', '.git', '.env']);

if (Number(process.versions.node.split('.')[0]) < 22) {
  console.error(`graphql ${VERSION} needs Node 22 or newer; this is ${process.version}.`);
  process.exit(1);
}

const root = fileURLToPath(new URL('..', import.meta.url));
const copy = mkdtempSync(join(tmpdir(), 'postman-graphql-17-'));

function run(command, args) {
  const { status, error } = spawnSync(command, args, {
    cwd: copy,
    stdio: 'inherit',
    shell: command === 'npm' && process.platform === 'win32',
  });
  if (error) throw error;
  return status ?? 1;
}

/** Installs what package-lock.json names, but for graphql. The override covers packages whose peer range ends at 16. */
function install() {
  const file = join(copy, 'package.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  manifest.dependencies.graphql = VERSION;
  manifest.overrides = { ...manifest.overrides, graphql: VERSION };
  writeFileSync(file, JSON.stringify(manifest, null, 2));
  return run('npm', ['install', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
}

const args = process.argv.slice(2);
const hasPaths = args.some((arg) => !arg.startsWith('-'));
const steps = [
  install,
  () => run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json']),
  () =>
    run(process.execPath, [
      'node_modules/vitest/vitest.mjs',
      'run',
      ...(hasPaths ? [] : ['test/unit', 'test/contract']),
      ...args,
    ]),
];

try {
  cpSync(root, copy, { recursive: true, filter: (source) => !LEFT_OUT.has(basename(source)) });
  process.exitCode = 0;
  for (const step of steps) process.exitCode ||= step();
} finally {
  rmSync(copy, { recursive: true, force: true });
}

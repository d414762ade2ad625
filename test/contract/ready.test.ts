import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const NOBODY = 65_534;
const LOCK = '{ "packages": { "": {} } }';
let folder = '';

const isRoot = process.getuid?.() === 0;
/** A copy of Node that all users may execute: root may have its own below its home. */
const nodeOfAll = () => join(folder, 'node');

/** Runs what comes before `npm start`: root as nobody, because permissions do not stop root. */
function ready(option: '--build' | '--start') {
  const { status, stdout, stderr } = spawnSync(
    isRoot ? nodeOfAll() : process.execPath,
    [join(folder, 'scripts/ready.mjs'), option],
    {
      encoding: 'utf8',
      ...(isRoot && option === '--start' && { uid: NOBODY, gid: NOBODY }),
    },
  );
  return { status, text: stdout + stderr };
}

/** Takes or gives the right to write, in the whole folder. */
function setWritable(isWritable: boolean) {
  for (const path of [folder, ...['src', 'bench', 'dist', 'node_modules', 'scripts'].map((name) => join(folder, name))])
    chmodSync(path, isWritable ? 0o755 : 0o555);
}

/** A clone with two sources, an installed compiler and no other dependency. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ready-test-'));
  if (isRoot) cpSync(process.execPath, nodeOfAll(), { dereference: true });
  for (const name of ['src', 'bench', 'node_modules']) mkdirSync(join(folder, name));
  cpSync(join(root, 'scripts'), join(folder, 'scripts'), { recursive: true });
  for (const name of ['tsconfig.json', 'tsconfig.build.json']) cpSync(join(root, name), join(folder, name));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "peerDependencies": {} }');
  // GraphiQL is compiled as a project of its own. Here it is empty.
  mkdirSync(join(folder, 'src/graphiql'));
  writeFileSync(
    join(folder, 'src/graphiql/tsconfig.json'),
    '{ "extends": "../../tsconfig.json", "include": ["."], "exclude": [] }',
  );
  writeFileSync(join(folder, 'src/graphiql/page.ts'), 'export {};\n');
  writeFileSync(join(folder, 'scripts/graphiql-files.mjs'), '');
  writeFileSync(join(folder, 'package-lock.json'), LOCK);
  writeFileSync(join(folder, 'codegen.ts'), 'export {};\n');
  writeFileSync(join(folder, 'bench/one.ts'), 'export {};\n');
  writeFileSync(join(folder, 'src/main.ts'), 'export const one: number = 1;\n');
  const lockHash = createHash('sha256').update(LOCK).digest('hex');
  writeFileSync(join(folder, 'node_modules/.ready'), `${lockHash} ${process.platform}-${process.arch}`);
  writeFileSync(join(folder, 'node_modules/.package-lock.json'), LOCK);
  for (const name of ['typescript', '@types', 'undici-types', 'rolldown', '@rolldown', '@oxc-project'])
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
});

afterAll(() => {
  setWritable(true);
  rmSync(folder, { recursive: true });
});

it('npm start compiles once, and then nothing, also as a user who may not write', () => {
  expect(ready('--build')).toEqual({ status: 0, text: 'postman-graphql: building …\n' });
  expect(readdirSync(join(folder, 'dist/src'))).toContain('main.js');
  setWritable(false);
  expect(ready('--start')).toEqual({ status: 0, text: '' });
});

it('npm start says what to do if dist is not current and may not be written', () => {
  setWritable(true);
  writeFileSync(join(folder, 'src/main.ts'), 'export const two: number = 2;\n');
  setWritable(false);
  expect(ready('--start')).toEqual({
    status: 1,
    text: `postman-graphql: ${folder}/ is not built and not writable. Run "npm ci" and "npm run build" there as a user who can write to it.\n`,
  });
});

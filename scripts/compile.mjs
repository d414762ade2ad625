// Compiles into dist if dist is out of date. A file in dist has the hash of the sources it was compiled from.
// Plain JavaScript, because it runs before anything is compiled.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiler = `${root}node_modules/typescript/bin/tsc`;
const stampFile = `${root}dist/.sources`;
const compiledFolders = ['src', 'bench'];

/** Returns the paths, relative to the root, of all files in a folder, in a fixed order. */
function filesIn(folder) {
  return readdirSync(`${root}${folder}`, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath ?? entry.path}/${entry.name}`.slice(root.length))
    .toSorted();
}

function hashSources() {
  const hash = createHash('sha256');
  const ownFiles = [
    'codegen.ts',
    'tsconfig.json',
    'tsconfig.build.json',
    'scripts/bundle.mjs',
    'scripts/graphiql-files.mjs',
    // The packages are bundled, and another version of GraphiQL has other files.
    'package-lock.json',
  ];
  for (const file of [...ownFiles, ...compiledFolders.flatMap(filesIn)])
    hash
      .update(`${file}\0`)
      .update(readFileSync(`${root}${file}`))
      .update('\0');
  return hash.digest('hex');
}

/** Whether dist is up to date. */
export function isCompiled() {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === hashSources();
}

/** Whether the compiler is installed. */
export function canCompile() {
  return existsSync(compiler);
}

/** Compiles, and removes the output of deleted sources. Returns the exit code of the compiler. */
export function compile() {
  const hash = hashSources();
  rmSync(stampFile, { force: true });
  // Print to stderr: programs read the server's address from the stdout of npm start.
  const run = (...args) => spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] }).status ?? 1;
  const status = run(compiler, '-p', 'tsconfig.build.json') || run(compiler, '-p', 'src/graphiql');
  if (status !== 0) return status;
  for (const file of compiledFolders.flatMap((folder) => filesIn(`dist/${folder}`))) {
    if (file.startsWith('dist/src/graphiql/served/')) continue;
    const source = file.slice('dist/'.length).replace(/\.(?:d\.ts|js|js\.map)$/, '.ts');
    if (!existsSync(`${root}${source}`)) rmSync(`${root}${file}`, { force: true });
  }
  // Replaces the compiled main.js.
  const code = run('scripts/bundle.mjs') || run('scripts/graphiql-files.mjs');
  if (code !== 0) return code;
  writeFileSync(stampFile, hash);
  return 0;
}

// Makes a fresh clone runnable: installs what package-lock.json names when node_modules lacks it, then compiles when dist is not
// what the sources make (--build). With --start nothing but what runs has to be there: no compiler where dist is current.
// Further arguments are folders with a package of their own, which are installed too.
// Plain JavaScript without dependencies, because it runs before there are any.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compile, isCompiled } from './compile.mjs';
import { restoreManifest } from './packed-manifest.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const say = (text) => process.stderr.write(`postman-graphql: ${text}\n`);

function run(command, args) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    // npm start prints the address on stdout for programs to read; the preparation speaks on stderr.
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (error || status !== 0) {
    say(`"${command} ${args.join(' ')}" failed${error ? `: ${error.message}` : ''}.`);
    process.exit(status || 1);
  }
}

const [major, minor] = process.versions.node.split('.').map(Number);
// As `engines` in package.json says: what is between these is nobody's long-term release.
if (!(major === 20 && minor >= 19) && !(major === 22 && minor >= 13) && major < 24) {
  say(`it needs Node 20.19, 22.13, 24 or newer; this is ${process.version}.`);
  process.exit(1);
}

/** Folders are relative to the root, with a slash at the end. */
function install(folder) {
  const stampFile = `${root}${folder}node_modules/.ready`;
  const lockHash = createHash('sha256')
    .update(readFileSync(`${root}${folder}package-lock.json`))
    .digest('hex');
  const wanted = `${lockHash} ${process.platform}-${process.arch}`;
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) return;
  say(`installing dependencies (npm ci${folder && ` in ${folder}`}), once …`);
  const where = folder === '' ? [] : ['--prefix', folder];
  run('npm', ['ci', ...where, '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stampFile, wanted);
}

/** Whether everything is installed that the server itself imports, in the version that package-lock.json names. */
function hasRuntimeDependencies() {
  const installedFile = `${root}node_modules/.package-lock.json`;
  if (!existsSync(installedFile)) return false;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  const wanted = Object.entries(JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8')).packages);
  return wanted.every(([path, { dev, version }]) => path === '' || dev || installed[path]?.version === version);
}

function mayWrite() {
  try {
    accessSync(root, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

restoreManifest();

const options = process.argv.slice(2);
const isStart = options.includes('--start');

if (!isStart || !isCompiled() || !hasRuntimeDependencies()) {
  if (isStart && !mayWrite()) {
    say(`${root} is not built, and may not be written. Run "npm ci" and "npm run build" there as somebody who may.`);
    process.exit(1);
  }
  install('');
  for (const folder of options.filter((option) => !option.startsWith('--'))) {
    install(`${folder}/`);
  }
  if ((isStart || options.includes('--build')) && !isCompiled()) {
    say('building …');
    const code = compile();
    if (code !== 0) process.exit(code);
  }
}

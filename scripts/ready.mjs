// Makes a fresh clone runnable: installs the packages of package-lock.json if they are missing, then compiles if dist
// is out of date (--build). With --start, nothing is needed if dist is up to date, because it contains the packages.
// Further arguments are folders with their own package.json, whose packages are installed, too.
// Plain JavaScript without dependencies, because it runs before they are installed.
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
    // Print to stderr: programs read the server's address from the stdout of npm start.
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (error || status !== 0) {
    say(`"${command} ${args.join(' ')}" failed${error ? `: ${error.message}` : ''}.`);
    process.exit(status || 1);
  }
}

const [major, minor] = process.versions.node.split('.').map(Number);
// As `engines` in package.json says. Versions in between have no long-term support.
if (!(major === 20 && minor >= 19) && !(major === 22 && minor >= 13) && major < 24) {
  say(`Node 20.19, 22.13, or 24 and newer is required; this is ${process.version}.`);
  process.exit(1);
}

/** Installs the packages of a folder if they are out of date. `folder` is relative to the root and ends in a slash. */
function install(folder) {
  const stampFile = `${root}${folder}node_modules/.ready`;
  const lockHash = createHash('sha256')
    .update(readFileSync(`${root}${folder}package-lock.json`))
    .digest('hex');
  const stamp = `${lockHash} ${process.platform}-${process.arch}`;
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  say(`installing dependencies (npm ci${folder && ` in ${folder}`}), once …`);
  const where = folder === '' ? [] : ['--prefix', folder];
  run('npm', ['ci', ...where, '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stampFile, stamp);
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

if (!isStart || !isCompiled()) {
  if (isStart && !mayWrite()) {
    say(`${root} is not built and not writable. Run "npm ci" and "npm run build" there as a user who can write to it.`);
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

// Makes a fresh clone runnable: installs what package-lock.json names when node_modules lacks it, then (--build) compiles.
// Further arguments are folders with a package of their own, which are installed too.
// Plain JavaScript without dependencies, because it runs before there are any.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

function run(command, args) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    // npm start prints the address on stdout for programs to read; the preparation speaks on stderr.
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (error || status !== 0) {
    process.stderr.write(
      `postman-graphql: "${command} ${args.join(' ')}" failed${error ? `: ${error.message}` : ''}.\n`,
    );
    process.exit(status || 1);
  }
}

const [major, minor] = process.versions.node.split('.').map(Number);
// As `engines` in package.json says: what is between these is nobody's long-term release.
if (!(major === 20 && minor >= 19) && !(major === 22 && minor >= 13) && major < 24) {
  process.stderr.write(`postman-graphql needs Node 20.19, 22.13, 24 or newer; this is ${process.version}.\n`);
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
  process.stderr.write(`postman-graphql: installing dependencies (npm ci${folder && ` in ${folder}`}), once …\n`);
  const where = folder === '' ? [] : ['--prefix', folder];
  run('npm', ['ci', ...where, '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stampFile, wanted);
}

const options = process.argv.slice(2);
install('');
for (const folder of options.filter((option) => !option.startsWith('--'))) {
  install(`${folder}/`);
}

if (options.includes('--build')) {
  process.stderr.write('postman-graphql: building …\n');
  run(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', 'tsconfig.build.json']);
}

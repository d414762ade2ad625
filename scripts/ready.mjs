// Makes a fresh clone runnable: installs what package-lock.json names when node_modules lacks it, then (--build) compiles.
// Plain JavaScript without dependencies, because it runs before there are any.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stampFile = `${root}node_modules/.ready`;
const lockHash = createHash('sha256')
  .update(readFileSync(`${root}package-lock.json`))
  .digest('hex');
const wanted = `${lockHash} ${process.platform}-${process.arch}`;

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
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`postman-graphql needs Node 20.19 or newer; this is ${process.version}.\n`);
  process.exit(1);
}

if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== wanted) {
  process.stderr.write('postman-graphql: installing dependencies (npm ci), once …\n');
  run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stampFile, wanted);
}

if (process.argv.includes('--build')) {
  process.stderr.write('postman-graphql: building …\n');
  run(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', 'tsconfig.build.json']);
}

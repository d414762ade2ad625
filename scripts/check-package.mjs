// Tests the package as a user would install it: packs it, installs it in another folder without the registry, and
// starts it by its name. Prints the sizes. Fails if the installed package is too large or the server does not respond.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAX_INSTALLED_MEGABYTES = 12;

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'postman-graphql-package-'));
const shell = process.platform === 'win32';

function npm(cwd, ...args) {
  const { status, stdout } = spawnSync('npm', args, { cwd, shell, encoding: 'utf8', stdio: ['ignore', 'pipe', 2] });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed`);
  return stdout;
}

function megabytesOf(path) {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const bytes = files.reduce((sum, { parentPath, path: before, name }) => {
    // Disk usage, in blocks.
    return sum + Math.ceil(statSync(join(parentPath ?? before, name)).size / 4_096) * 4_096;
  }, 0);
  return bytes / 1_048_576;
}

try {
  npm(root, 'pack', '--silent', '--pack-destination', folder);
  const [tarball] = readdirSync(folder);
  const packed = statSync(join(folder, tarball)).size / 1_048_576;
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  npm(
    folder,
    'install',
    '--offline',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    '--loglevel=error',
    `./${tarball}`,
  );
  const installed = megabytesOf(join(folder, 'node_modules'));
  const packages = readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'));
  const licences = readFileSync(join(folder, 'node_modules/postman-graphql/THIRD-PARTY-LICENCES.txt'), 'utf8');
  console.log(`${tarball}: ${packed.toFixed(1)} MiB, installed ${installed.toFixed(1)} MiB`);
  console.log(`${licences.match(/^Licence: /gm).length} packages with their licences`);
  if (installed > MAX_INSTALLED_MEGABYTES)
    throw new Error(`The installed package exceeds ${MAX_INSTALLED_MEGABYTES} MiB.`);
  if (packages.join() !== 'postman-graphql')
    throw new Error(`Expected only postman-graphql, but installed ${packages.join(', ')}.`);

  // Run the file that npx would run. npx itself forwards signals late.
  const main = join(folder, 'node_modules/postman-graphql/dist/src/main.js');
  const server = spawn(process.execPath, [main, '--port', '0'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(server.stdout.setEncoding('utf8'), 'data');
  const [, url] = /^listening on (\S+)/.exec(line);
  const body = JSON.stringify({ query: '{ workspaces(first: 1) { nodes { name } } }' });
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const answer = await response.json();
  server.kill('SIGTERM');
  const [code] = await once(server, 'exit');
  console.log(
    npm(folder, 'exec', '--offline', '--', 'postman-graphql', '--version').trim(),
    JSON.stringify(answer.data),
  );
  if (answer.data?.workspaces.nodes.length !== 1 || (code !== 0 && !shell))
    throw new Error('The server did not respond correctly.');
} finally {
  rmSync(folder, { recursive: true, force: true });
}

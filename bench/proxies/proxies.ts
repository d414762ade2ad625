import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A running proxy. */
export interface Proxy {
  /** Its name and version. */
  readonly name: string;
  stop(): Promise<void>;
}

const guide = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');

/** The configuration that docs/operations.md gives for a program: the block of that language. */
function readGuide(language: 'nginx' | 'haproxy'): string {
  const text = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'm').exec(guide)?.[1];
  if (text === undefined) throw new Error(`docs/operations.md has no configuration of ${language}`);
  return text;
}

function versionOf(program: string, option: string): string {
  const { stdout, stderr, status } = spawnSync(program, [option], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} is not installed: apt-get install haproxy nginx-light`);
  return /\d+(?:\.\d+)+/.exec(`${stdout}${stderr}`)?.[0] ?? '';
}

async function waitForPort(port: number) {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await sleep(50);
  }
}

async function end(child: ChildProcess) {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

/** Starts HAProxy as the guide says, on another port and with these servers. */
export async function startHaproxy(port: number, servers: readonly number[]): Promise<Proxy> {
  const lines = servers.map((server, index) => `  server s${index} 127.0.0.1:${server} check inter 1s`).join('\n');
  const text = readGuide('haproxy')
    .replace('bind :8080', `bind 127.0.0.1:${port}`)
    .replace(/^ {2}server one .*$/m, lines);
  const folder = mkdtempSync(join(tmpdir(), 'proxies-'));
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, text);
  const version = versionOf('haproxy', '-v');
  const child = spawn('haproxy', ['-db', '-q', '-f', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  await waitForPort(port);
  return {
    name: `HAProxy ${version}`,
    async stop() {
      await end(child);
      rmSync(folder, { recursive: true });
    },
  };
}

/**
 * Starts nginx as the guide says, on another port and in front of this server. On `defaultPort` it has the default
 * timeout instead of the one in the guide.
 */
export async function startNginx(port: number, defaultPort: number, server: number): Promise<Proxy> {
  const text = readGuide('nginx').replace('server 127.0.0.1:4000;', `server 127.0.0.1:${server};`);
  const [upstream, location = ''] = text.split(/^(?=server \{)/m);
  const onPort = (changed: number) => location.replace('listen 8080;', `listen 127.0.0.1:${changed};`);
  const folder = mkdtempSync(join(tmpdir(), 'proxies-'));
  chmodSync(folder, 0o755);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(folder, name)};`,
  );
  const withDefault = onPort(defaultPort).replace(/^.*proxy_read_timeout.*\n/m, '');
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off; pid ${join(folder, 'pid')}; error_log ${join(folder, 'error.log')}; events {}\n` +
      `http { access_log off; ${paths.join(' ')}\n${upstream}${onPort(port)}${withDefault}}\n`,
  );
  const version = versionOf('nginx', '-v');
  const child = spawn('nginx', ['-c', file, '-p', folder, '-e', join(folder, 'start.log')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await Promise.all([port, defaultPort].map(waitForPort));
  return {
    name: `nginx ${version}`,
    async stop() {
      await end(child);
      rmSync(folder, { recursive: true });
    },
  };
}

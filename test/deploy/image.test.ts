import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readText } from './manifests.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What the image copies from its build, as paths below the root of the repository. */
const copied = [...readText('Dockerfile').matchAll(/^COPY --from=build (.*) \S+$/gm)].flatMap(([, sources = '']) =>
  sources.split(' ').map((path) => path.slice('/app/'.length)),
);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'postman-graphql-image-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('the image has what the package runs, the optional packages, and nothing else', () => {
  const { files } = JSON.parse(readText('package.json')) as { files: readonly string[] };
  const run = files.filter((path) => path.startsWith('dist/') && !path.startsWith('dist/src/graph/errors/'));
  expect(copied.toSorted()).toEqual(
    [...run, 'LICENSE', 'THIRD-PARTY-LICENCES.txt', 'node_modules', 'package.json', 'schema/operations'].toSorted(),
  );
});

it('the server runs on what the image has, without optional packages', async () => {
  // The build of the image writes the licences.
  for (const pattern of copied.filter((path) => !['node_modules', 'THIRD-PARTY-LICENCES.txt'].includes(path))) {
    const path = pattern.replace(/\/\*\.js$/, '');
    const filter = (file: string) => path === pattern || !extname(file) || file.endsWith('.js');
    cpSync(join(root, path), join(folder, path), { recursive: true, filter });
  }
  const server = spawn(process.execPath, ['dist/src/main.js'], {
    cwd: folder,
    env: { PORT: '0', LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let line = '';
  for await (const text of server.stdout.setEncoding('utf8')) {
    line += String(text);
    if (/^listening on \S+/m.test(line)) break;
  }
  const url = /^listening on (\S+)/m.exec(line)?.[1] ?? '';
  const page = await (await fetch(url, { headers: { accept: 'text/html' } })).text();
  const files = [...page.matchAll(/(?:src|href)="(graphql\/[^"]+)"/g)].map(([, path = '']) => path);
  const statuses = await Promise.all(files.map(async (path) => (await fetch(new URL(path, url))).status));
  const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"query":"{me{id}}"}' };
  const { data } = (await (await fetch(url, request)).json()) as { data: unknown };
  server.kill('SIGTERM');
  const [code] = (await once(server, 'exit')) as [number];
  expect({ files: files.length > 2, statuses: [...new Set(statuses)], data, code }).toEqual({
    files: true,
    statuses: [200],
    data: { me: { id: expect.any(String) as string } },
    code: 0,
  });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';

// Debian's package `faketime`: it tells a program another wall clock, which can be set while it runs.
const library = (existsSync('/usr/lib') ? readdirSync('/usr/lib') : [])
  .map((folder) => join('/usr/lib', folder, 'faketime', 'libfaketimeMT.so.1'))
  .find((file) => existsSync(file));
const isSkipped = library === undefined && process.env['CI'] === undefined;
const main = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

describe.skipIf(isSkipped)(
  `a server whose wall clock is set${isSkipped ? ' (skipped: there is no libfaketime in /usr/lib)' : ''}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'postman-graphql-'));
    const wallClock = join(folder, 'wall-clock');
    let postman: Sandbox;
    let server: ChildProcess;
    let url = '';

    const setWallClock = (offset: string) => writeFileSync(wallClock, `${offset}\n`);
    const ask = async (query: string) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      });
      return { headers: response.headers, body: await response.text() };
    };

    beforeAll(async () => {
      if (library === undefined) throw new Error('There is no libfaketime in /usr/lib: apt-get install faketime');
      setWallClock('+0');
      postman = await startSandbox({ limits: 'off' });
      server = spawn(process.execPath, [main], {
        cwd: folder,
        env: {
          LD_PRELOAD: library,
          FAKETIME_TIMESTAMP_FILE: wallClock,
          FAKETIME_NO_CACHE: '1',
          FAKETIME_DONT_FAKE_MONOTONIC: '1',
          PORT: '0',
          POSTMAN_API_BASE_URL: postman.origin,
          POSTMAN_API_KEY: postman.apiKey,
          COLD_START: 'off',
          RATE_LIMIT: '2',
          RESERVED_CALLS: '0',
          BURST_LIMIT: '0',
          CACHE_SWR_MS: '0',
          LOG_LEVEL: 'warn',
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      url = await new Promise<string>((resolve, reject) => {
        server.stdout?.on('data', (text: Buffer) => resolve(/http:\S+/.exec(String(text))?.[0] ?? ''));
        server.once('exit', (code) => reject(new Error(`The server ended with ${code}`)));
      });
    });
    afterAll(async () => {
      server?.kill('SIGKILL');
      await postman?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it('knows the age of its cached responses, and how long there is to wait', async () => {
      const me = '{ me { username } }';
      const environments = '{ environments { totalCount } }';
      const collections = '{ collections { totalCount } }';
      const startedAtMs = Date.now();
      expect((await ask(me)).headers.get('age')).toBeNull();
      setWallClock('+90');
      // Older than CACHE_TTL_MS, so it is read again.
      expect((await ask(me)).headers.get('age')).toBeNull();
      expect(postman.calls).toEqual(['GET /me', 'GET /me']);
      for (const offset of ['+3690', '-3600']) {
        setWallClock(offset);
        const { headers, body } = await ask(environments);
        expect(body).toContain('"code":"RATE_LIMITED"');
        const seconds = Number(headers.get('retry-after'));
        expect(seconds).toBeGreaterThan(0);
        expect(seconds).toBeLessThanOrEqual(60);
        // The moment is told by the wall clock as it is set now.
        const retryAtMs = Date.parse(/"retryAt":"([^"]+)"/.exec(body)?.[1] ?? '') - Number(offset) * 1_000;
        expect(retryAtMs).toBeGreaterThan(startedAtMs);
        expect(retryAtMs).toBeLessThan(Date.now() + 62_000);
      }
      setWallClock('+0');
      expect((await ask(collections)).body).toContain('"code":"RATE_LIMITED"');
      expect(postman.calls).toEqual(['GET /me', 'GET /me']);
    });
  },
);

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
// Apart from what `npm start` builds, which may be running. Inside the package, because it imports from node_modules.
const built = join(root, 'dist', `process-test-${process.pid}`);
const main = join(built, 'src', 'main.js');
// Where the programs run: no .env is read from the checkout.
const folder = mkdtempSync(join(tmpdir(), 'postman-graphql-'));
const children = new Set<ChildProcess>();

beforeAll(() => {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const options = ['-p', 'tsconfig.build.json', '--outDir', built, '--declaration', 'false', '--sourceMap', 'false'];
  spawnSync(process.execPath, [compiler, ...options], { cwd: root, stdio: 'inherit' });
  if (!existsSync(main)) throw new Error('The build did not make src/main.js');
}, 60_000);

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(built, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
});

interface Program {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Exit code, or the signal that ended it, and how long that took from now. */
  ended(): Promise<{ code: number | string; tookMs: number }>;
}

/** Runs the built server in a folder of its own. It gets nothing of this process's environment. */
function run(env: Record<string, string>, cwd = folder): Program {
  const child = spawn(process.execPath, [main], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const closed = once(child, 'close') as Promise<[number | null, string | null]>;
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    async ended() {
      const startedAtMs = performance.now();
      const [code, signal] = await closed;
      return { code: code ?? signal ?? 'unknown', tookMs: performance.now() - startedAtMs };
    },
  };
}

/** Runs it and waits for its address. */
async function start(env: Record<string, string>, cwd?: string): Promise<Program & { url: string }> {
  const program = run({ PORT: '0', ...env }, cwd);
  while (!program.stdout().includes('\n') && program.child.exitCode === null)
    await Promise.race([once(program.child.stdout!, 'data'), once(program.child, 'exit')]);
  const url = /^listening on (\S+)/.exec(program.stdout())?.[1];
  if (url === undefined) throw new Error(`It did not start: ${program.stderr()}`);
  return { ...program, url };
}

async function ask(url: string, query: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
  // oxlint-disable-next-line typescript/no-explicit-any -- tests compare whole results, whatever their shape.
  const { data, errors, extensions } = (await response.json()) as Record<string, any>;
  return { status: response.status, data, errors, extensions };
}

const toEnv = (postman: Sandbox) => ({ POSTMAN_API_BASE_URL: postman.origin, POSTMAN_API_KEY: postman.apiKey });
const me = '{ me { username } }';
const myself = { me: { username: 'ines-aldana' } };

describe.concurrent('the program', () => {
  it('says its address and that the sandbox answers, and nothing else, on stdout', async ({ expect }) => {
    const program = await start({});
    expect(program.stdout()).toMatch(
      /^listening on http:\/\/127\.0\.0\.1:\d+\/graphql \(sandbox: an embedded example account, set POSTMAN_API_KEY to use your own\)\n$/,
    );
    expect(await ask(program.url, me)).toMatchObject({
      status: 200,
      data: myself,
      extensions: { upstream: { calls: 1, sandbox: true } },
    });
    program.child.kill('SIGTERM');
    expect(await program.ended()).toMatchObject({ code: 0 });
    expect(program.stdout().split('\n')).toHaveLength(2);
  });

  it('uses the Postman it is told of, and keeps the key to itself', async ({ expect }) => {
    const postman = await startSandbox();
    const program = await start({ ...toEnv(postman), LOG_LEVEL: 'trace' });
    expect(program.stdout()).toBe(`listening on ${program.url} (${postman.origin}, the server's own API key)\n`);
    expect(await ask(program.url, me)).toMatchObject({ data: myself, extensions: { upstream: { sandbox: false } } });
    postman.fail('/environments', { kind: 'status', status: 403, body: { error: { message: postman.apiKey } } });
    await ask(program.url, '{ environments { nodes { uid } } }');
    expect(postman.arrivals.map(({ keyIndex }) => keyIndex)).toEqual([0, 0]);
    program.child.kill('SIGTERM');
    await program.ended();
    await postman.close();
    expect(program.stderr().length).toBeGreaterThan(0);
    expect(program.stdout() + program.stderr()).not.toContain(postman.apiKey);
  });

  it('reads .env, under what the environment says', async ({ expect }) => {
    const cwd = mkdtempSync(join(folder, 'env-'));
    const postman = await startSandbox({ otherApiKeys: ['PMAK-of-the-file'] });
    writeFileSync(
      join(cwd, '.env'),
      `\uFEFFPOSTMAN_API_BASE_URL=${postman.origin}\r\n# a comment\nPOSTMAN_API_KEY="PMAK-of-the-file"\nPORT=nonsense\n`,
    );
    const program = await start({}, cwd);
    expect((await ask(program.url, me)).data).toEqual(myself);
    expect(postman.arrivals.map(({ keyIndex }) => keyIndex)).toEqual([1]);
    program.child.kill('SIGTERM');
    await program.ended();
    await postman.close();
  });

  it('goes on when nobody reads its log any more', async ({ expect }) => {
    const program = await start({ LOG_LEVEL: 'trace' });
    program.child.stderr?.destroy();
    for (let index = 0; index < 3; index++) expect((await ask(program.url, me)).data).toEqual(myself);
    program.child.kill('SIGTERM');
    expect(await program.ended()).toMatchObject({ code: 0 });
  });
});

describe.concurrent('a program that cannot start', () => {
  it('names every problem of its configuration at once, and no secret', async ({ expect }) => {
    const program = run({
      PORT: 'four thousand',
      RATE_LIMIT: '0',
      POSTMAN_API_BASE_URL: 'http://postman.example',
      POSTMAN_API_KEY: 'not one key',
      LOG_LEVEL: 'loud',
    });
    expect(await program.ended()).toMatchObject({ code: 1 });
    const [title, ...problems] = program.stderr().trimEnd().split('\n');
    expect(title).toBe('postman-graphql cannot start with this configuration:');
    expect(problems.map((problem) => problem.split(' ', 1)[0]).sort()).toEqual([
      'LOG_LEVEL',
      'PORT',
      'POSTMAN_API_BASE_URL',
      'POSTMAN_API_KEY',
      'RATE_LIMIT',
    ]);
    expect(program.stderr()).not.toContain('not one key');
    expect(program.stdout()).toBe('');
  });

  it('does not open its own key to a network', async ({ expect }) => {
    const program = run({ PORT: '0', HOST: '0.0.0.0', POSTMAN_API_KEY: 'PMAK-secret' });
    expect(await program.ended()).toMatchObject({ code: 1 });
    expect(program.stderr()).toMatch(
      /^postman-graphql cannot start.*\nACCESS_TOKEN is unset while POSTMAN_API_KEY is set/,
    );
    expect(program.stderr()).not.toContain('PMAK-secret');
  });

  it('says that its port is taken', async ({ expect }) => {
    const other = await startSandbox();
    const { port } = new URL(other.origin);
    const program = run({ PORT: port });
    expect(await program.ended()).toMatchObject({ code: 1 });
    await other.close();
    expect({ stdout: program.stdout(), stderr: program.stderr() }).toEqual({
      stdout: '',
      stderr: `postman-graphql could not start: listen EADDRINUSE: address already in use 127.0.0.1:${port}\n`,
    });
  });
});

describe.concurrent('a program that is told to stop', () => {
  // Five seconds, and half as much again for a machine that has other things to do.
  const limitMs = 7_500;

  it.for(['SIGTERM', 'SIGINT'] as const)('by %s first answers what is under way', async (signal, { expect }) => {
    const postman = await startSandbox();
    const program = await start({ ...toEnv(postman), LOG_LEVEL: 'info' });
    postman.fail('/me', { kind: 'delay', delayMs: 1_000 });
    const answer = ask(program.url, me);
    await expect.poll(() => postman.calls.length).toBe(1);
    program.child.kill(signal);
    // Impatience changes nothing. Sent at once, the second would be taken for the first.
    await expect.poll(() => program.stderr()).toContain('stopping');
    program.child.kill(signal);
    const ended = program.ended();
    expect(await answer).toMatchObject({ status: 200, data: myself });
    const { code, tookMs } = await ended;
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(limitMs);
    await expect(ask(program.url, me)).rejects.toThrow('fetch failed');
    await postman.close();
  });

  it('tells those who wait for their turn when it comes', async ({ expect }) => {
    const postman = await startSandbox();
    const program = await start({ ...toEnv(postman), RATE_LIMIT: '1' });
    await ask(program.url, me);
    const answer = ask(program.url, '{ environments { nodes { uid } } }', { prefer: 'wait=120' });
    await expect
      .poll(async () => (await ask(program.url, '{ rateLimit { queued } }')).data.rateLimit.queued as number)
      .toBe(1);
    program.child.kill('SIGTERM');
    const ended = program.ended();
    const { status, data, errors } = await answer;
    expect({ status, data }).toEqual({ status: 200, data: { environments: null } });
    expect(errors).toMatchObject([
      { path: ['environments'], extensions: { code: 'RATE_LIMITED', retryable: true, limitedBy: 'facade' } },
    ]);
    const { retryAfterSeconds } = errors[0].extensions;
    expect(retryAfterSeconds).toBeGreaterThan(40);
    expect(retryAfterSeconds).toBeLessThanOrEqual(60);
    const { code, tookMs } = await ended;
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(limitMs);
    expect(postman.calls).toEqual(['GET /me']);
    await postman.close();
  });

  it('does not wait for a Postman that never answers', async ({ expect }) => {
    const postman = await startSandbox();
    const program = await start(toEnv(postman));
    postman.fail('/me', { kind: 'hang' });
    const answer = ask(program.url, '{ me { username } environments { nodes { uid } } }');
    // The first call after a start goes alone, for a second at most.
    await expect.poll(() => postman.calls.length).toBe(2);
    program.child.kill('SIGTERM');
    const ended = program.ended();
    const { data, errors } = await answer;
    expect(data).toMatchObject({ me: null, environments: { nodes: expect.any(Array) } });
    expect(errors).toMatchObject([{ path: ['me'], extensions: { code: 'UPSTREAM_TIMEOUT', retryable: true } }]);
    const { code, tookMs } = await ended;
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(limitMs);
    await postman.close();
  });
});

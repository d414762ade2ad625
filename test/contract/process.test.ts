import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { Agent, createServer as createHttpServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toMemoryLimits } from '../../src/config/memory-limits.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { createBuiltServer, type ProgramRun } from '../support/built-server.ts';

const built = createBuiltServer('process-test');
const { main, folder, run, watch, start } = built;

beforeAll(built.build, 60_000);
afterAll(built.remove);

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

/** A script that runs before the program, in its process. */
const withFault = (code: string) => ({ NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` });

const toEnv = (postman: Sandbox) => ({ POSTMAN_API_BASE_URL: postman.origin, POSTMAN_API_KEY: postman.apiKey });
const me = '{ me { username } }';
const myself = { me: { username: 'ines-aldana' } };

describe.concurrent('the program', () => {
  it('prints its address and that it uses the sandbox, and nothing else, on stdout', async ({ expect }) => {
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
    expect(await program.ended()).toBe(0);
    expect(program.stdout().split('\n')).toHaveLength(2);
  });

  it('reports to a client with a key that the sandbox accepts none', async ({ expect }) => {
    const exported = mkdtempSync(join(folder, 'exports-'));
    writeFileSync(join(exported, 'a.json'), JSON.stringify({ info: { name: 'A' }, item: [] }));
    const sandboxes = [
      [{}, 'an embedded example account'],
      [{ SANDBOX_DIR: exported }, 'the exported files of SANDBOX_DIR'],
    ] as const;
    for (const [env, what] of sandboxes) {
      const program = await start(env);
      const { errors } = await ask(program.url, me, { 'x-api-key': 'PMAK-of-somebody' });
      expect(errors).toMatchObject([
        {
          message: expect.stringMatching(
            new RegExp(
              `^The sandbox refused the API key\\. This server uses its sandbox, ${what}, which accepts no key:`,
            ),
          ),
          extensions: { code: 'UNAUTHENTICATED', retryable: false },
        },
      ]);
      program.child.kill('SIGTERM');
      expect(await program.ended()).toBe(0);
    }
  });

  it('uses the configured Postman URL, and does not reveal the key', async ({ expect }) => {
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

  it('bounds its memory by the heap limit, says so, and withstands what is larger than its heap', async ({
    expect,
  }) => {
    // 0.7 MB of text each, 7 MB on the heap: sixty are twice the heap, and a hundred documents of two bytes a character
    // are as much as it.
    const heavy = gzipSync(`{"collection":{"info":{"name":"Heavy"},"x":[${'{"a":{}},'.repeat(74_000)}{}]}}`);
    const upstream = createHttpServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(heavy);
    });
    upstream.listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const { port } = upstream.address() as AddressInfo;
    const program = await start({
      NODE_OPTIONS: '--max-old-space-size=160',
      RATE_LIMIT: '1000',
      // So that a document may have a million characters.
      MAX_QUERY_TOKENS: '25000',
      POSTMAN_API_BASE_URL: `http://127.0.0.1:${port}`,
      POSTMAN_API_KEY: 'PMAK-any',
      COLD_START: 'off',
    });
    while (!program.stderr().includes('"msg":"memory"')) await once(program.child.stderr!, 'data');
    const [{ heapLimitBytes, ...bounds }] = program
      .stderr()
      .split('\n')
      .filter((line) => line.includes('"msg":"memory"'))
      .map((line) => JSON.parse(line) as Record<string, number>) as [Record<string, number>];
    const limits = toMemoryLimits(heapLimitBytes ?? 0);
    expect(bounds).toMatchObject(limits);
    // Beside the old generation there is a young one, 48 MiB in Node 20 and 192 in Node 24.
    expect(heapLimitBytes).toBeLessThan(400_000_000);

    const uids = Array.from(
      { length: 60 },
      (_, index) => `c${index}: collection(uid: "1-${index}") { name formatVersion }`,
    );
    const { data, errors } = await ask(program.url, `{ ${uids.join(' ')} }`);
    const served = Object.values(data as Record<string, unknown>).filter((collection) => collection !== null);
    expect(served).toEqual(served.map(() => ({ name: 'Heavy', formatVersion: null })));
    const fitting = Math.floor(limits.heldBytesPerOperation / 7_104_000);
    expect([served.length, errors.length]).toEqual([fitting, 60 - fitting]);
    expect(new Set(errors.map(({ extensions }: { extensions: { code: string } }) => extensions.code))).toEqual(
      new Set(['OPERATION_TOO_EXPENSIVE']),
    );

    for (let index = 0; index < 100; index++) {
      const answer = await ask(program.url, `{ __typename } #${index}${'x'.repeat(500_000)}\u0100`);
      expect([answer.status, answer.data]).toEqual([200, { __typename: 'Query' }]);
    }
    program.child.kill('SIGTERM');
    expect(await program.ended()).toBe(0);
    upstream.closeAllConnections();
    upstream.close();
  });

  it('reads .env, and the environment takes precedence', async ({ expect }) => {
    const cwd = mkdtempSync(join(folder, 'env-'));
    const postman = await startSandbox({ otherApiKeys: ['PMAK-of-the-file'] });
    writeFileSync(
      join(cwd, '.env'),
      `\uFEFFPOSTMAN_API_BASE_URL=${postman.origin}\r\n# a comment\nPOSTMAN_API_KEY="PMAK-of-the-file"\nPORT=nonsense\n`,
    );
    const program = await start({}, [], cwd);
    expect((await ask(program.url, me)).data).toEqual(myself);
    expect(postman.arrivals.map(({ keyIndex }) => keyIndex)).toEqual([1]);
    program.child.kill('SIGTERM');
    await program.ended();
    await postman.close();
  });

  it('goes on after the reader of its log has closed', async ({ expect }) => {
    const program = await start({ LOG_LEVEL: 'trace' });
    program.child.stderr?.destroy();
    for (let index = 0; index < 3; index++) expect((await ask(program.url, me)).data).toEqual(myself);
    program.child.kill('SIGTERM');
    expect(await program.ended()).toBe(0);
  });
});

/** Runs before the program, and tells the ports at which it listens through a pipe of its own. */
const tellPorts = withFault(`
  import { writeSync } from 'node:fs';
  import { Server } from 'node:net';
  const { listen } = Server.prototype;
  Server.prototype.listen = function (...options) {
    this.once('listening', () => writeSync(3, this.address().port + '\\n'));
    return listen.apply(this, options);
  };
`);

/** Runs it with outputs of any kind, where it need not tell its address, and waits until it answers. */
async function startWith(
  stdio: (number | 'pipe')[],
  prepare: (child: ChildProcess) => void = () => undefined,
): Promise<ProgramRun & { url: string }> {
  const child = spawn(process.execPath, [main], {
    cwd: folder,
    env: { PORT: '0', LOG_LEVEL: 'trace', ...tellPorts },
    stdio: ['ignore', ...stdio, 'pipe'],
  });
  prepare(child);
  const program = watch(child);
  const ports = createInterface({ input: child.stdio[3] as Readable })[Symbol.asyncIterator]();
  // That of the sandbox comes first.
  await ports.next();
  const url = `http://127.0.0.1:${(await ports.next()).value}/graphql`;
  await expect.poll(async () => (await fetch(new URL('/health', url))).ok).toBe(true);
  return { ...program, url };
}

/** A named pipe that holds as much as it can, and that nobody reads; both ends are open. */
function openFullPipe(path: string): number {
  execFileSync('mkfifo', [path]);
  const ends = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    for (;;) writeSync(ends, Buffer.alloc(4_096));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
  }
  return ends;
}

describe.concurrent('a program whose output', () => {
  const askThrice = async (url: string) => {
    const answers = [];
    for (let index = 0; index < 3; index++) answers.push((await ask(url, me)).data);
    return answers;
  };

  it.for<[string, (number | 'pipe')[]]>([
    ['stderr', [1]],
    ['stdout', [0]],
    ['stdout and stderr', [0, 1]],
  ])('is a full device serves and stops all the same: %s', async ([, outputs], { expect }) => {
    const full = openSync('/dev/full', 'w');
    const program = await startWith([0, 1].map((output) => (outputs.includes(output) ? full : 'pipe')));
    closeSync(full);
    expect(await askThrice(program.url)).toEqual([myself, myself, myself]);
    program.child.kill('SIGTERM');
    expect(await program.ended()).toBe(0);
  });

  it.for<[string, (child: ChildProcess) => void]>([
    ['stdout', ({ stdout }) => stdout?.destroy()],
    ['stderr', ({ stderr }) => stderr?.destroy()],
    [
      'stdout and stderr',
      ({ stdout, stderr }) => {
        stdout?.destroy();
        stderr?.destroy();
      },
    ],
  ])('has lost its reader from the start serves and stops all the same: %s', async ([, prepare], { expect }) => {
    const program = await startWith(['pipe', 'pipe'], prepare);
    expect(await askThrice(program.url)).toEqual([myself, myself, myself]);
    program.child.kill('SIGTERM');
    expect(await program.ended()).toBe(0);
    expect(program.stderr()).not.toContain('EPIPE');
  });

  it('is a full pipe that nobody reads serves and stops all the same', async ({ expect }) => {
    const path = join(folder, 'full-pipe');
    const pipe = openFullPipe(path);
    // As shells open it: whoever writes to it waits.
    const blocking = openSync(path, 'w');
    const program = await startWith([blocking, blocking]);
    closeSync(blocking);
    expect(await askThrice(program.url)).toEqual([myself, myself, myself]);
    program.child.kill('SIGTERM');
    expect(await program.ended()).toBe(0);
    closeSync(pipe);
  });

  it('is a disk that was full for a while says how many lines it has lost', async ({ expect }) => {
    const file = join(folder, 'log');
    const command = 'ulimit -f 2 && exec "$0" "$1" 2>>"$2"';
    const program = watch(
      spawn('sh', ['-c', command, process.execPath, main, file], {
        cwd: folder,
        env: { PORT: '0', LOG_LEVEL: 'info' },
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    );
    await expect.poll(program.stdout).toContain('\n');
    const url = /^listening on (\S+)/.exec(program.stdout())?.[1] ?? '';
    for (let index = 0; index < 20; index++) expect((await ask(url, me)).data).toEqual(myself);
    const [torn, ...whole] = readFileSync(file, 'utf8').split('\n').reverse();
    truncateSync(file);
    expect((await ask(url, me)).data).toEqual(myself);
    const [first, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
    // The line that the disk had room for in part is ended, so that it spoils no other.
    expect(first).toBe(torn === '' ? first : '');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { msg: 'operation' },
      // Those of the start and of twenty operations.
      { level: 50, lostLines: 21 - whole.length, msg: 'log lines have been lost since the start' },
    ]);
    program.child.kill('SIGTERM');
    expect(await program.ended()).toBe(0);
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
    expect(await program.ended()).toBe(1);
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
    expect(await program.ended()).toBe(1);
    expect(program.stderr()).toMatch(
      /^postman-graphql cannot start.*\nACCESS_TOKEN is unset while POSTMAN_API_KEY is set/,
    );
    expect(program.stderr()).not.toContain('PMAK-secret');
  });

  it('says of a taken port which variable takes another', async ({ expect }) => {
    const other = await startSandbox();
    const { port } = new URL(other.origin);
    const program = run({ PORT: port });
    expect(await program.ended()).toBe(1);
    await other.close();
    expect({ stdout: program.stdout(), stderr: program.stderr() }).toEqual({
      stdout: '',
      stderr: `postman-graphql could not start: port ${port} of 127.0.0.1 is in use, perhaps by another postman-graphql: set PORT to another one, or to 0 for any free port (EADDRINUSE)\n`,
    });
  });
});

describe.concurrent('a program that is told to stop', () => {
  it.for(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'by %s first answers what is under way',
    async (signal, { expect }) => {
      const postman = await startSandbox();
      const program = await start({ ...toEnv(postman), LOG_LEVEL: 'info' });
      postman.fail('/me', { kind: 'delay', delayMs: 1_000 });
      const answer = ask(program.url, me);
      await expect.poll(() => postman.calls.length).toBe(1);
      program.child.kill(signal);
      // A second signal changes nothing. Sent at once, it would merge with the first.
      await expect.poll(() => program.stderr()).toContain('stopping');
      program.child.kill(signal);
      const ended = program.ended();
      expect(await answer).toMatchObject({ status: 200, data: myself });
      expect(await ended).toBe(0);
      await expect(ask(program.url, me)).rejects.toThrow('fetch failed');
      await postman.close();
    },
  );

  it('reports to waiting operations when they can retry', async ({ expect }) => {
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
    expect(await ended).toBe(0);
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
    expect(await ended).toBe(0);
    await postman.close();
  });

  it('ends at once while it starts, whatever it waits for', async ({ expect }) => {
    const documents = join(folder, 'documents');
    execFileSync('mkfifo', [documents]);
    const program = run({ PORT: '0', PERSISTED_DOCUMENTS: documents });
    // Can be opened like this as soon as somebody reads it.
    const isRead = () => {
      try {
        return openSync(documents, constants.O_WRONLY | constants.O_NONBLOCK);
      } catch {
        return undefined;
      }
    };
    await expect.poll(isRead).toBeDefined();
    program.child.kill('SIGTERM');
    expect(await program.ended()).toBe('SIGTERM');
    expect({ stdout: program.stdout(), stderr: program.stderr() }).toEqual({ stdout: '', stderr: '' });
  });

  it('does not wait for clients that send nothing more, take nothing, or have gone', async ({ expect }) => {
    const postman = await startSandbox();
    const program = await start({ ...toEnv(postman), LOG_LEVEL: 'info' });
    postman.fail('/me', { kind: 'hang' });
    const { port } = new URL(program.url);
    const body = JSON.stringify({ query: me });
    const head = `POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
    const question = `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
    const page = 'GET /graphql HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n';
    const sockets = ['', head, page, `${head}Content-Length: 9999\r\n\r\n{`, question, question.repeat(5)].map(
      (bytes) => {
        const socket = connect(Number(port), '127.0.0.1');
        socket.on('error', () => undefined);
        socket.write(bytes);
        return socket;
      },
    );
    await expect.poll(() => postman.calls.length).toBe(1);
    sockets.at(-1)?.destroy();
    program.child.kill('SIGTERM');
    expect(await program.ended()).toBe(0);
    for (const socket of sockets) socket.destroy();
    await postman.close();
  });

  it('ends by the signal when a thread is held by what nothing can cut short', async ({ expect }) => {
    const pipe = join(folder, 'never-written');
    execFileSync('mkfifo', [pipe]);
    const program = await start(
      withFault(`import { open } from 'node:fs'; open(${JSON.stringify(pipe)}, 'r', () => {})`),
    );
    expect((await ask(program.url, me)).data).toEqual(myself);
    program.child.kill('SIGTERM');
    expect(await program.ended()).toBe('SIGTERM');
  });

  it('is killed when its event loop is blocked', async ({ expect }) => {
    const program = await start(withFault("process.on('SIGTERM', () => setImmediate(() => { for (;;); }))"));
    program.child.kill('SIGTERM');
    expect(await program.ended()).toBe('SIGKILL');
  });

  it('fails when it cannot be stopped', async ({ expect }) => {
    const program = await start(withFault("import { Server } from 'node:net'; Server.prototype.close = () => {}"));
    program.child.kill('SIGTERM');
    expect(await program.ended()).toBe(1);
    expect(program.stderr()).toMatch(/It took longer than 5000 ms\..*could not stop cleanly/);
  });
});

describe.concurrent('a program that was stopped for a while and goes on', () => {
  const count = (outcomes: readonly string[]) =>
    Object.fromEntries(
      [...new Set(outcomes)].map((outcome) => [outcome, outcomes.filter((o) => o === outcome).length]),
    );

  it('serves the requests sent meanwhile, on fresh connections and on used ones', async ({ expect }) => {
    const program = await start({});
    const send = (agent: Agent) =>
      new Promise<string>((resolve) => {
        const sent = request(
          new URL(program.url),
          { agent, method: 'POST', headers: { 'content-type': 'application/json' } },
          (response) => {
            response.resume().on('end', () => resolve(String(response.statusCode)));
          },
        );
        sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
        sent.end(JSON.stringify({ query: me }));
      });
    const used = Array.from({ length: 10 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    await Promise.all(used.map(send));
    const fresh = Array.from({ length: 20 }, () => new Agent());
    const opened = fresh.map((agent) => {
      const socket = connect(Number(new URL(program.url).port), '127.0.0.1');
      agent.createConnection = () => socket;
      return once(socket, 'connect');
    });
    await Promise.all(opened);
    // Whoever comes later is answered later: by now all of them have been let in.
    await ask(program.url, me);

    program.child.kill('SIGSTOP');
    const outcomes = [used, fresh, Array.from({ length: 5 }, () => new Agent())].map((agents) =>
      Promise.all(agents.map(send)),
    );
    // Longer than every limit that connections have but that for taking answers.
    await sleep(13_000);
    program.child.kill('SIGCONT');
    expect((await Promise.all(outcomes)).map(count)).toEqual([{ 200: 10 }, { 200: 20 }, { 200: 5 }]);
    program.child.kill('SIGTERM');
    expect(await program.ended()).toBe(0);
    for (const agent of used) agent.destroy();
  });

  it('ends an operation that timed out meanwhile with the data at hand', async ({ expect }) => {
    const postman = await startSandbox();
    const program = await start({ ...toEnv(postman), UPSTREAM_TIMEOUT_MS: '2000', COLD_START: 'off' });
    postman.fail('/environments', { kind: 'hang' });
    const answer = ask(program.url, '{ me { username } environments { nodes { uid } } }');
    await expect.poll(() => postman.calls.length).toBe(2);
    // It has read what it was answered.
    expect((await ask(program.url, '{ me { username } }')).data).toEqual(myself);
    program.child.kill('SIGSTOP');
    await sleep(3_000);
    program.child.kill('SIGCONT');
    const { data, errors } = await answer;
    expect(data).toEqual({ ...myself, environments: null });
    expect(errors).toMatchObject([{ path: ['environments'], extensions: { code: 'UPSTREAM_TIMEOUT' } }]);
    program.child.kill('SIGTERM');
    expect(await program.ended()).toBe(0);
    await postman.close();
  });
});

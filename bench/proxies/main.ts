/**
 * Runs nginx and HAProxy, with the configurations of docs/operations.md, in front of the server. Replaces an instance
 * behind HAProxy while clients send requests and a stream is open; then lets operations and streams wait longer than
 * proxies wait by default. `npm run bench:proxies -- [rounds]`: replaces the instance so often, by default five times.
 * Takes a minute and a half, and 15 s a round. Needs `haproxy` and `nginx`.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { findPort } from '../../test/support/redis-server.ts';
import { startProgram } from '../program.ts';
import { createWideAccount } from '../wide-account.ts';
import { startHaproxy, startNginx } from './proxies.ts';

const rounds = Number(process.argv[2] ?? 5);
const CLIENTS = 4;
const BETWEEN_MS = 100;
// HAProxy takes a new server after two good checks, one a second.
const TAKEN_IN_MS = 3_000;
const AFTER_MS = 2_000;
const SMALL = '{ me { username } }';
// More calls than a key has in a window.
const LONG_STREAM = '{ collections { nodes @stream { name description } } }';

interface Reply {
  readonly status: number | string;
  readonly text: string;
  readonly firstMs: number;
  readonly lastMs: number;
}

interface Sent {
  readonly query: string;
  readonly key: string;
  readonly headers?: Record<string, string>;
  readonly agent?: Agent;
  readonly onData?: () => void;
}

function send(url: string, { query, key, headers = {}, agent, onData }: Sent): Promise<Reply> {
  const startedMs = performance.now();
  const seconds = () => performance.now() - startedMs;
  return new Promise((resolve) => {
    let text = '';
    let firstMs = Number.NaN;
    const finish = (status: number | string) => resolve({ status, text, firstMs, lastMs: seconds() });
    const sent = request(
      url,
      {
        ...(agent ? { agent } : { agent: false }),
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': key, ...headers },
      },
      (response) => {
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          if (text === '') firstMs = seconds();
          text += part;
          onData?.();
        });
        response.once('error', ({ message }) => finish(message));
        response.once('end', () => finish(response.complete ? (response.statusCode ?? 0) : 'cut off'));
      },
    );
    sent.once('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
    sent.end(JSON.stringify({ query }));
  });
}

const stream = { accept: 'text/event-stream' };

async function replaceInstances() {
  const sandbox = await startSandbox({
    account: createWideAccount(2, 100),
    otherApiKeys: Array.from({ length: rounds + 1 }, (_, index) => `PMAK-proxies-${index}`),
  });
  const ports = [await findPort(), await findPort()];
  const proxyPort = await findPort();
  const start = async (round: number) => {
    const port = String(ports[round % 2]);
    return (await startProgram({ PORT: port, POSTMAN_API_BASE_URL: sandbox.origin, TRUSTED_PROXIES: '127.0.0.1' }))
      .child;
  };
  let old: ChildProcess = await start(0);
  const proxy = await startHaproxy(proxyPort, ports);
  const url = `http://127.0.0.1:${proxyPort}/graphql`;
  const rows: object[] = [];
  await sleep(TAKEN_IN_MS);
  for (let round = 1; round <= rounds; round++) {
    const replies: Reply[] = [];
    const over = new AbortController();
    const client = async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      while (!over.signal.aborted) {
        replies.push(await send(url, { query: SMALL, key: 'PMAK-proxies-0', agent }));
        await sleep(BETWEEN_MS);
      }
      agent.destroy();
    };
    const key = `PMAK-proxies-${round}`;
    let streamed: Promise<Reply> | undefined;
    await new Promise<void>((resolve) => {
      streamed = send(url, { query: LONG_STREAM, key, headers: stream, onData: resolve });
    });
    const clients = Array.from({ length: CLIENTS }, client);
    const next = await start(round);
    await sleep(TAKEN_IN_MS);
    const before = replies.length;
    const exited = once(old, 'exit') as Promise<[number | null, string | null]>;
    const stoppedMs = performance.now();
    old.kill('SIGTERM');
    const [code, signal] = await exited;
    const exitMs = performance.now() - stoppedMs;
    const { status, text } = (await streamed) ?? { status: 'never opened', text: '' };
    await sleep(AFTER_MS);
    over.abort();
    await Promise.all(clients);
    const good = replies.filter(({ status, text }) => status === 200 && text.includes('"username":"'));
    rows.push({
      requests: replies.length,
      'after SIGTERM': replies.length - before,
      'with the whole response': good.length,
      'the others': [...new Set(replies.filter((one) => !good.includes(one)).map(({ status }) => status))].join(),
      'parts of the stream': text.split('event: next').length - 1,
      'its last part': text.includes('"hasNext":false') ? 'yes' : `no (${status})`,
      'exit code': code ?? signal,
      'exit after, ms': Math.round(exitMs),
    });
    old = next;
  }
  console.log(`Instances replaced behind ${proxy.name}:`);
  console.table(rows);
  const ended = once(old, 'exit');
  old.kill('SIGTERM');
  await ended;
  await proxy.stop();
  await sandbox.close();
}

async function wait() {
  const keys = ['a', 'b', 'c', 'd', 'e'].map((name) => `PMAK-proxies-${name}`) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const sandbox = await startSandbox({ limits: 'off', otherApiKeys: keys });
  const server = await startProgram({
    POSTMAN_API_BASE_URL: sandbox.origin,
    TRUSTED_PROXIES: '127.0.0.1',
    COLD_START: 'off',
    RATE_LIMIT: '7',
    RESERVED_CALLS: '0',
    RATE_LIMIT_WINDOW_MS: '75000',
    BURST_LIMIT: '0',
  });
  const [guided, withDefault, other] = [await findPort(), await findPort(), await findPort()];
  const nginx = await startNginx(guided, withDefault, server.port);
  const haproxy = await startHaproxy(other, [server.port]);
  await sleep(TAKEN_IN_MS);
  const nginxUrl = `http://127.0.0.1:${guided}/postman/graphql`;
  const haproxyUrl = `http://127.0.0.1:${other}/graphql`;
  const query = '{ collections(first: 9) { nodes { description } } }';
  const headers = { prefer: 'wait=200' };
  const streamed = { query: '{ collections(first: 9) { nodes @stream { description } } }', headers: stream };
  const replies = await Promise.all([
    send(`http://127.0.0.1:${withDefault}/postman/graphql`, { query, key: keys[0], headers }),
    send(nginxUrl, { query, key: keys[1], headers }),
    send(haproxyUrl, { query, key: keys[2], headers }),
    send(nginxUrl, { ...streamed, key: keys[3] }),
    send(haproxyUrl, { ...streamed, key: keys[4] }),
  ]);
  const names = [
    `${nginx.name}, default timeout: an operation that waits`,
    `${nginx.name}: the same`,
    `${haproxy.name}: the same`,
    `${nginx.name}: a stream`,
    `${haproxy.name}: a stream`,
  ];
  console.log('Operations of ten calls, with seven in 75 s:');
  console.table(
    Object.fromEntries(
      replies.map(({ status, text, firstMs, lastMs }, index) => [
        names[index],
        {
          status,
          'first byte, s': (firstMs / 1_000).toFixed(1),
          'end, s': (lastMs / 1_000).toFixed(1),
          bytes: text.length,
          errors: text.includes('"errors"') ? 'yes' : 'none',
        },
      ]),
    ),
  );
  const page = await fetch(`http://127.0.0.1:${guided}/postman/`, {
    redirect: 'manual',
    headers: { accept: 'text/html' },
  });
  const address = new URL(page.headers.get('location') ?? '', page.url).pathname;
  console.log(`The page at /postman/ (${page.status}) leads to ${address}`);
  await Promise.all([nginx.stop(), haproxy.stop()]);
  const ended = once(server.child, 'exit');
  server.child.kill('SIGTERM');
  await ended;
  await sandbox.close();
}

await replaceInstances();
await wait();

/**
 * Opens many streams of many keys under Postman's limits. Each stream needs more calls than its key has in ten minutes.
 * Prints what a waiting stream costs, how it affects other clients, and how all streams end when the server stops.
 * `npm run bench:waiting-streams -- [streams] [keys] [seconds]`, by default 2,000, 50 and 45. Needs `ulimit -n` above
 * the number of streams, for server and clients each.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { createWideAccount } from '../wide-account.ts';
import type { Reading } from './probe.ts';

const [streamCount = 2_000, keyCount = 50, waitSeconds = 45] = process.argv.slice(2).map(Number);
const WORKSPACES = 12;
const COLLECTIONS_EACH = 50;
// All clients are in this process: opening them at once would measure this process.
const OPENED_AT_ONCE = 20;
const BETWEEN_MS = 20;
const STREAM = '{ workspaces { nodes @stream { name collections(first: 50) { nodes @stream { description } } } } }';
const SMALL = '{ me { username } }';

const toKey = (index: number) => `PMAK-waiting-streams-${index}`;

/** One operation as its client sees it. */
interface ClientOperation {
  status: number;
  headMs: number;
  /** Error code of the connection; absent if there was no error. */
  failure?: string;
  text: string;
  readonly over: Promise<void>;
  readonly answered: Promise<void>;
}

function startOperation(port: number, key: string, query: string): ClientOperation {
  const startedMs = performance.now();
  const headers = {
    'content-type': 'application/json',
    accept: 'text/event-stream, application/json',
    'x-api-key': key,
  };
  let markAnswered = () => {};
  let end = () => {};
  const operation: ClientOperation = {
    status: 0,
    headMs: Number.NaN,
    text: '',
    answered: new Promise((resolve) => {
      markAnswered = resolve;
    }),
    over: new Promise((resolve) => {
      end = resolve;
    }),
  };
  const finish = () => {
    markAnswered();
    end();
  };
  const sent = request(
    { agent: false, port, host: '127.0.0.1', path: '/graphql', method: 'POST', headers },
    (response: IncomingMessage) => {
      operation.status = response.statusCode ?? 0;
      operation.headMs = performance.now() - startedMs;
      markAnswered();
      response.setEncoding('utf8');
      // The start and the end of a response are enough.
      response.on('data', (chunk: string) => (operation.text = (operation.text + chunk).slice(-4_000)));
      response.once('close', finish);
      response.on('error', finish);
    },
  );
  sent.on('error', ({ code = 'an error' }: NodeJS.ErrnoException) => {
    operation.failure = code;
    finish();
  });
  sent.end(JSON.stringify({ query }));
  return operation;
}

const isStream = ({ status }: ClientOperation) => status === 200;
const hasLastPart = ({ text }: ClientOperation) => text.includes('"hasNext":false');
const seconds = (ms: number) => `${(ms / 1_000).toFixed(2)} s`;

const sandbox = await startSandbox({
  account: createWideAccount(WORKSPACES, COLLECTIONS_EACH),
  otherApiKeys: Array.from({ length: keyCount + 1 }, (_, index) => toKey(index)),
  latency: () => ({ requestMs: 50, responseMs: 100 }),
});
const child = spawn(
  process.execPath,
  [
    '--expose-gc',
    ...(process.env.BENCH_NODE_ARGS?.split(' ') ?? []),
    '--import',
    new URL('./probe.js', import.meta.url).href,
    fileURLToPath(new URL('../../src/main.js', import.meta.url)),
  ],
  {
    env: {
      ...process.env,
      PORT: '0',
      LOG_LEVEL: 'error',
      COLD_START: 'off',
      GRAPHIQL: 'false',
      POSTMAN_API_BASE_URL: sandbox.origin,
    },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  },
);
if (!child.stdout) throw new TypeError('The child has a pipe');
const [line] = (await once(child.stdout, 'data')) as [Buffer];
const port = Number(/^listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(line.toString())?.[1]);

async function read(what: 'heap' | 'time'): Promise<Reading> {
  child.send(what);
  const [reading] = (await once(child, 'message')) as [Reading];
  return reading;
}

// The first run includes compilation.
const warm = toKey(keyCount);
await startOperation(
  port,
  warm,
  '{ workspaces(first: 1) { nodes @stream { collections(first: 2) { nodes @stream { description } } } } }',
).over;
const before = await read('heap');

const streams: ClientOperation[] = [];
const startedMs = performance.now();
for (let index = 0; index < streamCount; index++) {
  streams.push(startOperation(port, toKey(index % keyCount), STREAM));
  if (index % OPENED_AT_ONCE === OPENED_AT_ONCE - 1) await sleep(BETWEEN_MS);
}
await sleep(Math.max(0, startedMs + waitSeconds * 1_000 - performance.now()));
const opened = await read('heap');
const admitted = streams.filter(isStream);
const refused = streams.filter(({ status }) => status !== 200 && status !== 0);
const failed = streams.filter(({ failure }) => failure !== undefined);
const waited = await (async () => {
  await sleep(5_000);
  return read('time');
})();
const small = startOperation(port, toKey(keyCount), SMALL);
await small.over;
const answered = await read('heap');

console.log(`${streamCount} streams of ${keyCount} keys, opened within ${waitSeconds} s:`);
console.table({
  admitted: admitted.length,
  'refused (status)': `${refused.length} (${[...new Set(refused.map(({ status }) => status))].join()})`,
  'connection failed (code)': `${failed.length} (${[...new Set(failed.map(({ failure }) => failure))].join()})`,
  'without a head': streams.length - admitted.length - refused.length - failed.length,
  'last head after': seconds(Math.max(...streams.map(({ headMs }) => headMs).filter((ms) => !Number.isNaN(ms)))),
  'CPU until then': seconds(opened.cpuMs),
  'longest stall until then': seconds(opened.stallMs),
  'live heap a stream, KB': ((opened.heapBytes - before.heapBytes) / 1_024 / Math.max(1, admitted.length)).toFixed(0),
  'CPU in a second of waiting': seconds(waited.cpuMs / 5),
  'longest stall while waiting': seconds(waited.stallMs),
  'a small query on a new connection: response after': seconds(small.headMs),
  'CPU until then ': seconds(answered.cpuMs),
});

const exited = once(child, 'exit') as Promise<[number | null, string | null]>;
let lastWords = '';
child.stdout.on('data', (data: Buffer) => (lastWords += data.toString()));
const stoppedMs = performance.now();
child.kill('SIGTERM');
const [code, signal] = await exited;
const stopMs = performance.now() - stoppedMs;
await Promise.all(streams.map(({ over }) => over));
const stopped = JSON.parse(lastWords || '{"cpuMs":0,"stallMs":0}') as Reading;
const open = admitted.filter((stream) => stream.text !== '');
console.log('SIGTERM:');
console.table({
  'exit code': code ?? signal,
  'exit after': seconds(stopMs),
  'CPU until then': seconds(stopped.cpuMs),
  'longest stall': seconds(stopped.stallMs),
  'admitted streams that had a last part': `${open.filter(hasLastPart).length} of ${admitted.length}`,
  'of those, with a retry time': open.filter((s) => hasLastPart(s) && s.text.includes('"retryAfterSeconds":')).length,
});
await sandbox.close();

/**
 * Shows how a stream arrives that needs more calls than the budget has: the descriptions of 200 collections with 60 calls in 6 s, which is
 * Postman's 60 in 60 s ten times as fast. `npm run bench:stream-timeline`; upstream's side tells what was called.
 */
import { pino } from 'pino';
import { parseConfig } from '../src/config.ts';
import { toUid } from '../src/sandbox/account/account.ts';
import { createDemoAccount } from '../src/sandbox/account/demo.ts';
import { startSandbox } from '../src/sandbox/sandbox.ts';
import { startServer } from '../src/server.ts';

interface Part {
  readonly incremental?: readonly { readonly items?: readonly unknown[]; readonly path: readonly unknown[] }[];
  readonly extensions?: { readonly upstream?: { readonly calls: number; readonly waitedMs: number } };
}

const WORKSPACES = 4;
const COLLECTIONS_EACH = 50;
const WINDOW_MS = 6_000;
const LIMIT = 60;
const QUERY = '{ workspaces { nodes @stream { name collections(first: 50) { nodes @stream { description } } } } }';

const demo = createDemoAccount();
const [workspace] = demo.workspaces;
const [collection] = demo.collections;
if (!workspace || !collection) throw new TypeError('The demo account has a workspace and a collection');
const toId = (kind: number, index: number) => `${kind}0000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
const collections = Array.from({ length: WORKSPACES * COLLECTIONS_EACH }, (_, index) => ({
  ...collection,
  id: toId(2, index),
}));
const workspaces = Array.from({ length: WORKSPACES }, (_, index) => ({
  ...workspace,
  id: toId(1, index),
  collections: collections.slice(index * COLLECTIONS_EACH, (index + 1) * COLLECTIONS_EACH).map(toUid),
}));
const sandbox = await startSandbox({
  account: { ...demo, collections, workspaces },
  limits: { general: { limit: LIMIT, windowMs: WINDOW_MS }, burst: { limit: 10, windowMs: 1_000 } },
  latency: () => ({ requestMs: 10, answerMs: 20 }),
});
const server = await startServer(
  parseConfig({
    PORT: '0',
    POSTMAN_API_BASE_URL: sandbox.origin,
    POSTMAN_API_KEY: sandbox.apiKey,
    RATE_LIMIT: String(LIMIT),
    RATE_LIMIT_WINDOW_MS: String(WINDOW_MS),
    BURST_LIMIT_WINDOW_MS: '1000',
    COLD_START: 'off',
  }),
  pino({ level: 'silent' }),
);

const startMs = performance.now();
const response = await fetch(server.url, {
  method: 'POST',
  headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
  body: JSON.stringify({ query: QUERY }),
});
const rowsAtMs: number[] = [];
let callsAtFirstRow = 0;
let last: Part = {};
let buffer = '';
for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
  buffer += chunk;
  const events = buffer.split('\n\n');
  buffer = events.pop() ?? '';
  for (const event of events) {
    const data = /^data: (.+)$/m.exec(event)?.[1];
    if (data === undefined) continue;
    last = JSON.parse(data) as Part;
    const rows = (last.incremental ?? []).filter(({ path }) => path[3] === 'collections');
    for (const { items = [] } of rows) {
      if (rowsAtMs.length === 0) callsAtFirstRow = sandbox.calls.length;
      rowsAtMs.push(...items.map(() => performance.now() - startMs));
    }
  }
}

const at = (share: number) => rowsAtMs[Math.ceil(rowsAtMs.length * share) - 1] ?? Number.NaN;
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
const gapsMs = rowsAtMs.slice(1).map((atMs, index) => atMs - (rowsAtMs[index] ?? 0));
const refused = sandbox.arrivals.filter(({ status }) => status === 429).length;
console.table({
  'rows that came': `${rowsAtMs.length} of ${WORKSPACES * COLLECTIONS_EACH}`,
  'calls upstream had seen when the first row came': callsAtFirstRow,
  'first row': seconds(rowsAtMs[0] ?? Number.NaN),
  'a quarter of the rows': seconds(at(0.25)),
  'half of the rows': seconds(at(0.5)),
  'three quarters of the rows': seconds(at(0.75)),
  'last row': seconds(at(1)),
  'longest time between two rows': seconds(Math.max(...gapsMs)),
  'calls, as the last part says': last.extensions?.upstream?.calls,
  'refused by upstream with 429': refused,
});
await server.stop();
await sandbox.close();

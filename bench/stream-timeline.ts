/**
 * Shows when the rows of a stream arrive that needs more calls than the budget has: the descriptions of 200 collections
 * under Postman's limits, ten times as fast, compared with the same query without `@stream`. Upstream's side shows when
 * calls were made, and when they could have been made.
 * `npm run bench:stream-timeline -- [speed]`; a speed of 1 is Postman's own, and takes three minutes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { parseConfig } from '../src/config/config.ts';
import type { RateLimits } from '../src/sandbox/rate-windows.ts';
import { type Arrival, type Sandbox, startSandbox } from '../src/sandbox/sandbox.ts';
import { startServer } from '../src/server.ts';
import { createWideAccount } from './wide-account.ts';

interface Part {
  readonly data?: { readonly workspaces: { readonly nodes: readonly Workspace[] } };
  readonly errors?: readonly { readonly extensions?: { readonly code?: string } }[];
  readonly incremental?: readonly { readonly items?: readonly unknown[]; readonly path: readonly unknown[] }[];
}

interface Workspace {
  readonly collections: { readonly nodes: readonly { readonly description: string | null }[] } | null;
}

const [speed = 10] = process.argv.slice(2).map(Number);
const WORKSPACES = 4;
const COLLECTIONS_EACH = 50;
const WINDOW_MS = 60_000 / speed;
const LIMIT = 60;
const RESERVED = 5;
const LATENCY_MS = 300 / speed;
const toQuery = (stream: string) =>
  `{ workspaces { nodes ${stream} { name collections(first: ${COLLECTIONS_EACH}) { nodes ${stream} { description } } } } }`;

const account = createWideAccount(WORKSPACES, COLLECTIONS_EACH);

/** Queries a new facade with a new upstream. Returns each part of the response with the time since the start. */
async function runStream(
  query: string,
  limits: RateLimits,
  onPart: (part: Part, atMs: number) => void,
): Promise<readonly Arrival[]> {
  const sandbox = await startSandbox({
    account,
    limits,
    latency: () => ({ requestMs: LATENCY_MS / 3, responseMs: (LATENCY_MS * 2) / 3 }),
  });
  const server = await startServer(toConfig(sandbox), pino({ level: 'silent' }));
  const startMs = performance.now();
  const response = await fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream, application/json' },
    body: JSON.stringify({ query }),
  });
  const isWhole = response.headers.get('content-type')?.startsWith('application/json');
  let buffer = '';
  for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    buffer += chunk;
    if (isWhole) continue;
    const events = buffer.split('\n\n');
    buffer = events.pop() ?? '';
    for (const event of events) {
      const data = /^data: (.+)$/m.exec(event)?.[1];
      if (data !== undefined) onPart(JSON.parse(data) as Part, performance.now() - startMs);
    }
  }
  if (isWhole) onPart(JSON.parse(buffer) as Part, performance.now() - startMs);
  await server.stop();
  await sandbox.close();
  return sandbox.arrivals;
}

function toConfig({ origin, apiKey }: Sandbox) {
  return parseConfig({
    PORT: '0',
    POSTMAN_API_BASE_URL: origin,
    POSTMAN_API_KEY: apiKey,
    RATE_LIMIT: String(LIMIT),
    RATE_LIMIT_WINDOW_MS: String(WINDOW_MS),
    BURST_LIMIT_WINDOW_MS: String(WINDOW_MS / 6),
    RESERVED_CALLS: String(RESERVED),
    OPERATION_TIMEOUT_MS: String(30_000 / speed),
    COLD_START: 'off',
  });
}

/**
 * Returns the longest time for which a call was not sent although the slot of the call a full limit earlier was free.
 */
function longestIdleMs(arrivals: readonly Arrival[]): number {
  const backAtMs = arrivals.map(({ finishedAtMs = Number.NaN }) => finishedAtMs + WINDOW_MS).sort((a, b) => a - b);
  const usable = LIMIT - RESERVED;
  const idleMs = arrivals.slice(usable).map(({ atMs }, index) => atMs - (backAtMs[index] ?? Number.NaN));
  return Math.max(...idleMs);
}

const seconds = (ms: number) => `${(ms / 1_000).toFixed(ms < 1_000 ? 2 : 1)} s`;
const limits: RateLimits = {
  general: { limit: LIMIT, windowMs: WINDOW_MS },
  burst: { limit: 10, windowMs: WINDOW_MS / 6 },
};

// The first run includes compilation, so it does not count.
await runStream(
  '{ workspaces { nodes @stream { collections(first: 2) { nodes @stream { description } } } } }',
  'off',
  () => {},
);
await sleep(WINDOW_MS / 60);

const rowsAtMs: number[] = [];
const arrivals = await runStream(toQuery('@stream'), limits, ({ incremental = [] }, atMs) => {
  const rows = incremental.filter(({ path }) => path[3] === 'collections');
  for (const { items = [] } of rows) rowsAtMs.push(...items.map(() => atMs));
});
const gapsMs = rowsAtMs.map((atMs, index) => (index === 0 ? 0 : atMs - (rowsAtMs[index - 1] ?? 0)));
const firstRowCall = arrivals.findIndex(({ requestLine }) => requestLine.includes(account.collections[0]?.id ?? ''));
const refused = arrivals.filter(({ status }) => status === 429).length;
console.log(`With @stream, ${LIMIT} calls in ${WINDOW_MS / 1_000} s, ${LATENCY_MS} ms each:`);
console.table({
  'rows that came': `${rowsAtMs.length} of ${account.collections.length}`,
  'calls to Postman': arrivals.length,
  'refused by Postman with 429': refused,
  'the first row was read by call number': firstRowCall + 1,
  'the first row came after': `${seconds(rowsAtMs[0] ?? Number.NaN)} (${((rowsAtMs[0] ?? Number.NaN) / LATENCY_MS).toFixed(1)} calls' time)`,
  'longest time between two rows': seconds(Math.max(...gapsMs)),
  'longest time for which a free slot was not used': seconds(longestIdleMs(arrivals)),
});
rowsAtMs.forEach((atMs, index) => {
  const isLastBefore = (gapsMs[index + 1] ?? Number.POSITIVE_INFINITY) > WINDOW_MS / 4;
  if (index > 0 && !isLastBefore) return;
  const count = index + 1;
  console.log(`${seconds(atMs).padStart(7)} ${String(count).padStart(4)} rows ${'#'.repeat(Math.ceil(count / 5))}`);
});

const codes = new Map<string, number>();
await runStream(toQuery(''), limits, ({ data, errors = [] }, atMs) => {
  const nodes = data?.workspaces.nodes.flatMap((node) => node.collections?.nodes ?? []) ?? [];
  for (const { extensions } of errors) {
    const code = extensions?.code ?? 'none';
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  const there = nodes.filter(({ description }) => description !== null).length;
  const missing = [...codes].map(([code, count]) => `${count} ${code}`).join(', ');
  console.log(`\nWithout @stream: ${there} rows after ${seconds(atMs)}, and ${missing}.`);
});

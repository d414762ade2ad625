/**
 * Loads two keys of two users, each beyond its budget, over sockets of varying latency. Judges from upstream's side.
 * `npm run bench:budget-sockets -- [minutes]`, by default 10. Exits with 1 if a call exceeded a limit or was refused.
 */
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { parseConfig } from '../src/config/config.ts';
import { createDemoAccount } from '../src/sandbox/account/demo.ts';
import { isBurstRoute } from '../src/sandbox/routes.ts';
import { type Arrival, type Latency, startSandbox } from '../src/sandbox/sandbox.ts';
import { startServer } from '../src/server.ts';

const [minutes = 10] = process.argv.slice(2).map(Number);
const COLLECTIONS = 500;
const GENERAL = { limit: 60, windowMs: 60_000 };
const BURST = { limit: 10, windowMs: 10_000 };

interface GraphQLResponse {
  readonly errors?: readonly {
    readonly extensions: { readonly code: string; readonly retryAt?: string };
  }[];
  readonly extensions?: { readonly upstream: { readonly waitedMs: number } };
}

/** Outcomes of the operations of one kind of client. Every operation sent counts in exactly one of the first five. */
interface Tally {
  answered: number;
  refused: number;
  hungUp: number;
  cutOff: number;
  failed: number;
  /** Of the answered operations. */
  withoutWaiting: number;
  retried: number;
  /** Of the retried operations. */
  servedOnRetry: number;
}

function createWideAccount() {
  const demo = createDemoAccount();
  // Small collections only: the budget is under test, not the parser.
  const templates = demo.collections.filter(({ document }) => JSON.stringify(document).length < 20_000);
  const collections = Array.from({ length: COLLECTIONS }, (_, index) => {
    const template = templates[index % templates.length];
    if (!template) throw new TypeError('The demo account has small collections');
    return { ...template, id: randomUUID(), name: `Collection ${index}` };
  });
  // Keep the collections of the workspaces, so that the dashboards have some.
  return { account: { ...demo, collections: [...demo.collections, ...collections] }, collections };
}

const between = (leastMs: number, mostMs: number) => leastMs + Math.random() * (mostMs - leastMs);

const latencies = { calls: 0, totalMs: 0 };
/** 5 to 300 ms, for one in ten 1 to 2.5 s. A random part of it passes before the call arrives. */
function drawLatency(): Latency {
  const latencyMs = Math.random() < 0.1 ? between(1_000, 2_500) : between(5, 300);
  latencies.calls++;
  latencies.totalMs += latencyMs;
  const requestMs = latencyMs * Math.random();
  return { requestMs, responseMs: latencyMs - requestMs };
}

const { account, collections } = createWideAccount();
const jonas = { ...account.user, id: account.user.id + 1, username: 'jonas' };
const apiKeys = ['PMAK-first', 'PMAK-second'] as const;
const sandbox = await startSandbox({
  account,
  apiKey: apiKeys[0],
  otherApiKeys: [{ apiKey: apiKeys[1], user: jonas }],
  limits: { general: GENERAL, burst: BURST },
  latency: drawLatency,
});
const config = parseConfig({
  PORT: '0',
  POSTMAN_API_BASE_URL: sandbox.origin,
  // Cache nothing, so that demand always exceeds the limits.
  CACHE_TTL_MS: '0',
  LOG_LEVEL: 'silent',
});
const server = await startServer(config, pino({ level: 'silent' }));
const timeUp = new AbortController();
// One connection per waiting client.
setMaxListeners(0, timeUp.signal);
const tallies = new Map<string, Tally>();
const failures = new Map<string, number>();

const anyUid = () => {
  const { owner, id } = collections[Math.floor(Math.random() * collections.length)] ?? { owner: '', id: '' };
  return `"${owner}-${id}"`;
};
const many = (count: number) =>
  `{ ${Array.from({ length: count }, (_, index) => `c${index}: collection(uid: ${anyUid()}) { description }`).join(' ')} }`;
const tree = () => `{ collection(uid: ${anyUid()}) { items { name ... on Folder { items { name } } } } }`;
const lookUp = () => `{ collection(uid: ${anyUid()}) { name } }`;
const workspace = () => `{ workspace(id: "${randomUUID()}") { name } }`;
const dashboard = () => '{ workspaces { nodes { name collections { nodes { name updatedAt } } } } }';

interface Client {
  readonly kind: string;
  readonly query: () => string;
  /** Mean time between a response and the next operation. */
  readonly pauseMs: number;
  readonly waitSeconds?: number;
  /** The client disconnects some time before this has passed. */
  readonly patienceMs?: number;
  readonly retriesRefusals?: boolean;
}

// Clients of one key. Their demand is several times its budget.
const clients: readonly Client[] = [
  ...Array.from({ length: 6 }, () => ({ kind: 'look-up', query: lookUp, pauseMs: 15_000 })),
  ...Array.from({ length: 2 }, () => ({ kind: 'dashboard', query: dashboard, pauseMs: 500, waitSeconds: 300 })),
  ...Array.from({ length: 4 }, () => ({ kind: 'workspace', query: workspace, pauseMs: 500, waitSeconds: 60 })),
  ...Array.from({ length: 3 }, () => ({ kind: 'collection tree', query: tree, pauseMs: 500, waitSeconds: 60 })),
  ...Array.from({ length: 3 }, () => ({
    kind: 'twelve at once',
    query: () => many(12),
    pauseMs: 500,
    waitSeconds: 120,
  })),
  ...Array.from({ length: 2 }, () => ({
    kind: 'hangs up',
    query: () => many(4),
    pauseMs: 2_000,
    waitSeconds: 60,
    patienceMs: 5_000,
  })),
  ...Array.from({ length: 4 }, () => ({
    kind: 'retries',
    query: () => many(2),
    pauseMs: 2_000,
    waitSeconds: 5,
    retriesRefusals: true,
  })),
];

const toTally = (kind: string): Tally => {
  const known = tallies.get(kind) ?? {
    answered: 0,
    refused: 0,
    hungUp: 0,
    cutOff: 0,
    failed: 0,
    withoutWaiting: 0,
    retried: 0,
    servedOnRetry: 0,
  };
  tallies.set(kind, known);
  return known;
};

/** Sends one operation. Returns when to retry, in epoch milliseconds; undefined unless it was refused. */
async function sendQuery({ kind, waitSeconds, patienceMs }: Client, query: string, apiKey: string, isRetry: boolean) {
  const tally = toTally(kind);
  const hangUp = patienceMs === undefined ? undefined : AbortSignal.timeout(Math.round(between(0, patienceMs)));
  try {
    const response = await fetch(server.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-api-key': apiKey,
        ...(waitSeconds !== undefined && { prefer: `wait=${waitSeconds}` }),
      },
      body: JSON.stringify({ query }),
      signal: AbortSignal.any([timeUp.signal, ...(hangUp ? [hangUp] : [])]),
    });
    const { errors = [], extensions } = (await response.json()) as GraphQLResponse;
    if (isRetry) tally.retried++;
    if (errors.length === 0) {
      tally.answered++;
      if (isRetry) tally.servedOnRetry++;
      if (extensions?.upstream.waitedMs === 0) tally.withoutWaiting++;
      return undefined;
    }
    const times = errors.map(({ extensions: { code, retryAt } }) => (code === 'RATE_LIMITED' ? retryAt : undefined));
    if (times.every((time) => time !== undefined)) {
      tally.refused++;
      return Math.max(...times.map((time) => Date.parse(time)));
    }
    tally.failed++;
    for (const { extensions } of errors) failures.set(extensions.code, (failures.get(extensions.code) ?? 0) + 1);
  } catch (error) {
    if (timeUp.signal.aborted) tally.cutOff++;
    else if (hangUp?.aborted) tally.hungUp++;
    else {
      tally.failed++;
      failures.set(String(error), (failures.get(String(error)) ?? 0) + 1);
    }
  }
  return undefined;
}

async function run(client: Client, apiKey: string): Promise<void> {
  const pause = (ms: number) => sleep(Math.max(0, ms), undefined, { signal: timeUp.signal }).catch(() => undefined);
  await pause(between(0, client.pauseMs));
  while (!timeUp.signal.aborted) {
    const query = client.query();
    let backAtMs = await sendQuery(client, query, apiKey, false);
    while (client.retriesRefusals && backAtMs !== undefined && !timeUp.signal.aborted) {
      await pause(backAtMs - Date.now());
      if (!timeUp.signal.aborted) backAtMs = await sendQuery(client, query, apiKey, true);
    }
    await pause(between(0, 2 * client.pauseMs));
  }
}

/** Returns the most calls within any rolling window. Refused calls count, too. */
function mostInWindow(times: readonly number[], windowMs: number): number {
  let most = 0;
  for (let start = 0, end = 0; end < times.length; end++) {
    while ((times[end] ?? 0) - (times[start] ?? 0) >= windowMs) start++;
    most = Math.max(most, end - start + 1);
  }
  return most;
}

/** Returns the time from each call to the call that is a full limit later. */
const spans = (times: readonly number[], limit: number) =>
  times.slice(limit).map((atMs, index) => atMs - (times[index] ?? 0));

const isBurst = ({ requestLine }: Arrival) => isBurstRoute(/^GET ([^?]*)/.exec(requestLine)?.[1] ?? '');

function judge(keyIndex: number) {
  const arrivals = sandbox.arrivals.filter((arrival) => arrival.keyIndex === keyIndex);
  const times = arrivals.map(({ atMs }) => atMs);
  const burstTimes = arrivals.filter(isBurst).map(({ atMs }) => atMs);
  const above = (all: readonly number[], { limit, windowMs }: typeof GENERAL) =>
    spans(all, limit).filter((spanMs) => spanMs < windowMs).length;
  const generalSpans = spans(times, GENERAL.limit);
  const meanSpanMs = generalSpans.reduce((sum, spanMs) => sum + spanMs, 0) / generalSpans.length;
  // A slot is free again one window after its response, so the highest safe use is W / (W + latency).
  const bestSpanMs = GENERAL.windowMs + latencies.totalMs / latencies.calls;
  return {
    GETs: arrivals.length,
    'most in any 60 s': mostInWindow(times, GENERAL.windowMs),
    'burst GETs': burstTimes.length,
    'most in any 10 s': mostInWindow(burstTimes, BURST.windowMs),
    'above a limit': above(times, GENERAL) + above(burstTimes, BURST),
    '429s': arrivals.filter(({ status }) => status === 429).length,
    'use of W / (W + latency), %': Number(((bestSpanMs / meanSpanMs) * 100).toFixed(2)),
  };
}

const running = apiKeys.flatMap((apiKey) => clients.map((client) => run(client, apiKey)));
await sleep(minutes * 60_000);
timeUp.abort();
await Promise.all(running);

const users = { 'user 1': judge(0), 'user 2': judge(1) };
console.log(`mean latency ${Math.round(latencies.totalMs / latencies.calls)} ms, ${minutes} minutes`);
console.table(users);
console.table(
  Object.fromEntries(
    [...tallies].map(([kind, tally]) => [
      kind,
      {
        answered: tally.answered,
        refused: tally.refused,
        'hung up': tally.hungUp,
        'cut off by the end': tally.cutOff,
        failed: tally.failed,
        'answered without waiting': tally.withoutWaiting,
        'retried at retryAt': tally.retried,
        'served on retry': tally.servedOnRetry,
      },
    ]),
  ),
);
if (failures.size > 0) console.table(Object.fromEntries(failures));
await server.stop();
await sandbox.close();
if (Object.values(users).some((user) => user['above a limit'] > 0 || user['429s'] > 0)) process.exitCode = 1;

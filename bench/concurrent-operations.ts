/**
 * Sends many operations at once with one key, each for a different collection, to the sandbox with Postman's real
 * limits. Judges from upstream's side. `npm run bench:concurrent -- [operations] [wait in seconds]`, by default 200 and
 * 30.
 */
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { parseConfig } from '../src/config/config.ts';
import { createDemoAccount } from '../src/sandbox/account/demo.ts';
import { type Arrival, startSandbox } from '../src/sandbox/sandbox.ts';
import { startServer } from '../src/server.ts';

const [operationCount = 200, waitSeconds = 30] = process.argv.slice(2).map(Number);

interface GraphQLResponse {
  readonly data?: { readonly collection: { readonly uid: string; readonly name: string | null } | null };
  readonly errors?: readonly {
    readonly extensions: { readonly code: string; readonly retryAt?: string; readonly retryAfterSeconds?: number };
  }[];
}

function createWideAccount() {
  const demo = createDemoAccount();
  const [template] = demo.collections;
  if (!template) throw new TypeError('The demo account has collections');
  const collections = Array.from({ length: operationCount }, (_, index) => ({
    ...template,
    id: randomUUID(),
    name: `Collection ${index}`,
  }));
  return { ...demo, collections };
}

/** Returns the most arrivals within any rolling window. Refused calls count, too. */
function mostInWindow(arrivals: readonly Arrival[], windowMs: number): number {
  let most = 0;
  for (let start = 0, end = 0; end < arrivals.length; end++) {
    while ((arrivals[end]?.atMs ?? 0) - (arrivals[start]?.atMs ?? 0) >= windowMs) start++;
    most = Math.max(most, end - start + 1);
  }
  return most;
}

const account = createWideAccount();
const sandbox = await startSandbox({ account });
const config = parseConfig({
  PORT: '0',
  POSTMAN_API_BASE_URL: sandbox.origin,
  POSTMAN_API_KEY: sandbox.apiKey,
  LOG_LEVEL: 'silent',
});
const server = await startServer(config, pino({ level: 'silent' }));

const startedMs = performance.now();
const results = await Promise.all(
  account.collections.map(async ({ owner, id }) => {
    const uid = `${owner}-${id}`;
    const response = await fetch(server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: `wait=${waitSeconds}` },
      body: JSON.stringify({ query: `{ collection(uid: "${uid}") { uid name } }` }),
    });
    const result = (await response.json()) as GraphQLResponse;
    return {
      result,
      isRight: result.data?.collection?.uid === uid && result.data.collection.name !== null,
      tookMs: performance.now() - startedMs,
    };
  }),
);

const refused = results.filter(({ result }) => result.errors);
const waits = refused
  .map(({ result }) => result.errors?.[0]?.extensions.retryAfterSeconds ?? Number.NaN)
  .sort((a, b) => a - b);
console.table({
  operations: results.length,
  'answered with data': results.filter(({ isRight }) => isRight).length,
  'refused with RATE_LIMITED and a time': refused.filter(
    ({ result }) => result.errors?.[0]?.extensions.code === 'RATE_LIMITED' && result.errors[0].extensions.retryAt,
  ).length,
  'first and last retryAfterSeconds': `${waits[0] ?? '-'} to ${waits.at(-1) ?? '-'}`,
  'slowest response, ms after the start': Math.round(Math.max(...results.map(({ tookMs }) => tookMs))),
  'deadline, ms': waitSeconds * 1_000,
  'GETs at upstream': sandbox.arrivals.length,
  '429 at upstream': sandbox.arrivals.filter(({ status }) => status === 429).length,
  'most GETs in any 60 s at upstream': mostInWindow(sandbox.arrivals, 60_000),
});
await server.stop();
await sandbox.close();

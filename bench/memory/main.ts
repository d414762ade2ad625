/**
 * Measures the memory of the server at several heap limits: what it reserves, what it takes after its first query, and
 * with a full cache. Then measures what a cached megabyte of each kind of response takes.
 * `npm run bench:memory -- [megabytes…]`, values for `--max-old-space-size`, by default 512, 768 and 2048. The second
 * table is measured with the first of them. Takes some minutes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { type Account, toUid } from '../../src/sandbox/account/account.ts';
import { createDemoAccount } from '../../src/sandbox/account/demo.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { findPort } from '../../test/support/redis-server.ts';
import { parseMetrics } from '../../test/support/scrape.ts';
import { createSyntheticCollection } from '../collection-size/synthetic-collection.ts';
import type { Memory } from './probe.ts';

const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [512, 768, 2_048];
const MEBIBYTE = 1_048_576;
const AT_ONCE = 8;
// With two fifths more than fit, the cache evicts, as it does in a server that has run for a while.
const OVERFILL = 1.4;
// Without evictions, so that all that was read is cached.
const OF_KIND_BYTES = 24 * MEBIBYTE;

/** Responses of one kind, each of another target. */
interface Kind {
  readonly name: string;
  readonly account: (count: number) => Account;
  readonly query: (uid: string) => string;
  readonly uids: (account: Account) => readonly string[];
  /** JSON text of one response. */
  readonly text: (account: Account) => string;
}

const toId = (index: number) => `10000000-0000-4000-8000-${String(index).padStart(12, '0')}`;

function collectionsOf(requestCount: number): Kind {
  const document = createSyntheticCollection(requestCount);
  return {
    name: `collections of ${requestCount} requests`,
    account(count) {
      const demo = createDemoAccount();
      const [template] = demo.collections;
      if (!template) throw new TypeError('The demo account has collections');
      const collections = Array.from({ length: count }, (_, index) => ({ ...template, id: toId(index), document }));
      return { ...demo, collections };
    },
    query: (uid) => `{ collection(uid: "${uid}") { requests(first: 1) { totalCount } } }`,
    uids: ({ collections }) => collections.map(toUid),
    text: () => JSON.stringify({ collection: document }),
  };
}

function environmentsOf(valueCount: number): Kind {
  const values = Array.from({ length: valueCount }, (_, index) => ({
    key: `service${index}Url`,
    value: `https://service-${index}.staging.example.com/v1`,
    type: 'default',
    enabled: true,
  }));
  return {
    name: `environments of ${valueCount} variables`,
    account(count) {
      const demo = createDemoAccount();
      const [template] = demo.environments;
      if (!template) throw new TypeError('The demo account has environments');
      const environments = Array.from({ length: count }, (_, index) => ({ ...template, id: toId(index), values }));
      return { ...demo, environments };
    },
    query: (uid) => `{ environment(uid: "${uid}") { valueCount } }`,
    uids: ({ environments }) => environments.map(toUid),
    text: () => JSON.stringify({ environment: { values } }),
  };
}

interface Server {
  readonly child: ChildProcess;
  /** Fields of the log line with the memory limits, in bytes. */
  readonly limits: Readonly<Record<string, number>>;
  readonly ask: (query: string) => Promise<void>;
  /** Memory after garbage collection. */
  readonly memory: () => Promise<Memory>;
  readonly cache: () => Promise<{ readonly bytes: number; readonly entries: number; readonly evictions: number }>;
}

async function startServer(megabytes: number, env: Record<string, string>): Promise<Server> {
  const metricsPort = await findPort();
  const probe = new URL('./probe.js', import.meta.url).href;
  const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));
  const args = [`--max-old-space-size=${megabytes}`, '--expose-gc', '--import', probe, main];
  const child = spawn(process.execPath, args, {
    env: {
      PORT: '0',
      METRICS_PORT: String(metricsPort),
      COLD_START: 'off',
      RATE_LIMIT: '100000',
      BURST_LIMIT: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  if (!child.stdout || !child.stderr) throw new TypeError('The child has pipes');
  let log = '';
  child.stderr.on('data', (data: Buffer) => (log += log.includes('"memory"') ? '' : data.toString()));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const url = /http:\S+/.exec(line.toString())?.[0] ?? '';
  const limits = log.split('\n').find((one) => one.includes('"msg":"memory"'));
  return {
    child,
    limits: JSON.parse(limits ?? '{}') as Readonly<Record<string, number>>,
    async ask(query) {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) });
      const text = await response.text();
      if (text.includes('"errors"')) throw new Error(text.slice(0, 1_000));
    },
    async memory() {
      child.send('memory');
      const [memory] = (await once(child, 'message')) as [Memory];
      return memory;
    },
    async cache() {
      const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
      const { sum } = parseMetrics(text);
      return {
        bytes: sum('postman_graphql_cache_bytes'),
        entries: sum('postman_graphql_cache_entries'),
        evictions: sum('postman_graphql_cache_evictions_total'),
      };
    },
  };
}

async function stop({ child }: Server) {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

const megabytesOf = (bytes: number) => Math.round(bytes / MEBIBYTE);

/** Caches responses of one kind. @param bytes - About so much, as the cache counts it. */
async function fill(megabytes: number, kind: Kind, bytes: number) {
  const [before, after] = await measure(megabytes, kind, 20);
  const bytesEach = (after.cache.bytes - before.cache.bytes) / 20;
  return measure(megabytes, kind, Math.ceil(bytes / bytesEach));
}

async function readCacheBytes(megabytes: number): Promise<number> {
  const server = await startServer(megabytes, {});
  await stop(server);
  return server.limits['cacheBytes'] ?? 0;
}

/** Reads so many objects. @returns The server's memory before and after. */
async function measure(megabytes: number, kind: Kind, count: number) {
  const account = kind.account(count);
  const sandbox = await startSandbox({ account, limits: 'off' });
  const server = await startServer(megabytes, {
    POSTMAN_API_BASE_URL: sandbox.origin,
    POSTMAN_API_KEY: sandbox.apiKey,
    CACHE_TTL_MS: '600000',
  });
  // The first queries include compilation.
  for (const query of ['{ me { username } }', '{ workspaces(first: 1) { nodes { name } } }']) await server.ask(query);
  const before = { memory: await server.memory(), cache: await server.cache() };
  const uids = kind.uids(account);
  for (let from = 0; from < uids.length; from += AT_ONCE)
    await Promise.all(uids.slice(from, from + AT_ONCE).map((uid) => server.ask(kind.query(uid))));
  const after = { memory: await server.memory(), cache: await server.cache(), limits: server.limits };
  await stop(server);
  await sandbox.close();
  return [before, after] as const;
}

const middle = collectionsOf(200);
const table: Record<string, object> = {};
for (const megabytes of sizes) {
  const [before, { memory, cache, limits }] = await fill(
    megabytes,
    middle,
    OVERFILL * (await readCacheBytes(megabytes)),
  );
  table[`--max-old-space-size=${megabytes}`] = {
    'heap limit, MiB': megabytesOf(limits['heapLimitBytes'] ?? 0),
    'cache, MiB': megabytesOf(limits['cacheBytes'] ?? 0),
    'held responses, MiB': megabytesOf(limits['heldBytes'] ?? 0),
    'resident after the first query, MiB': megabytesOf(before.memory.residentBytes),
    'resident with a full cache, MiB': megabytesOf(memory.residentBytes),
    'cached, MiB': megabytesOf(cache.bytes),
    evictions: cache.evictions,
  };
}
console.log(`Node ${process.version}`);
console.table(table);

const kinds: Record<string, object> = {};
for (const kind of [collectionsOf(10), middle, collectionsOf(2_000), environmentsOf(20)]) {
  const [before, { memory, cache }] = await fill(sizes[0] ?? 512, kind, OF_KIND_BYTES);
  const counted = cache.bytes - before.cache.bytes;
  const textBytes = Buffer.byteLength(kind.text(kind.account(1)));
  kinds[kind.name] = {
    cached: cache.entries,
    'JSON of one, KB': (textBytes / 1_024).toFixed(1),
    'heap per cached MiB, MiB': ((memory.heapBytes - before.memory.heapBytes) / counted).toFixed(2),
    'resident per cached MiB, MiB': ((memory.residentBytes - before.memory.residentBytes) / counted).toFixed(2),
    'JSON per cached MiB, MiB': ((cache.entries * textBytes) / counted).toFixed(2),
  };
}
console.table(kinds);

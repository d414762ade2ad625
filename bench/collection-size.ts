/**
 * Measures what a large collection costs the server: CPU time and memory, compared with parsing and writing the same
 * JSON, and for how long other clients are not served. `npm run bench:collection-size -- [file] [rounds] [passes]`, by
 * default a synthetic collection of 2,000 requests, 7 rounds and 2 passes. Each round starts new processes; the table has
 * medians. The first pass is that of a fresh process, the last one that of a warm one; after some 20, V8 has compiled all.
 */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSchema } from '../src/graph/schema.ts';
import { createDemoAccount } from '../src/sandbox/account/demo.ts';
import { startSandbox } from '../src/sandbox/sandbox.ts';
import { createCollectionTree } from '../src/upstream/collection-format/tree/collection-tree.ts';
import { findRequests } from '../src/upstream/collection-format/tree/filter-requests.ts';
import { isJsonObject, type JsonObject } from '../src/upstream/collection-format/syntax/json.ts';
import { runAtOnce } from '../src/upstream/steps.ts';
import { startMeasured } from './collection-size/measured-process.ts';
import { pageQuery, treeQuery } from './collection-size/selections.ts';
import type { Spent } from './collection-size/stall-probe.ts';
import { createSyntheticCollection } from './collection-size/synthetic-collection.ts';

const [file = '', rounds = '7', passes = '2'] = process.argv.slice(2);
const SEARCHED_REQUESTS = 10_000;
const SEARCH = 'number 77';
const SEARCH_FIELDS = 'totalCount nodes { id name method path url { raw } }';
const TREE_LEVELS = 8;
const SMALL_QUERY = '{ me { username } }';

const toDocument = (json: unknown): JsonObject => {
  if (!isJsonObject(json)) throw new TypeError('The file holds no JSON object');
  return isJsonObject(json.collection) ? json.collection : json;
};
const document = file === '' ? createSyntheticCollection(2_000) : toDocument(JSON.parse(readFileSync(file, 'utf8')));
const searched = createSyntheticCollection(SEARCHED_REQUESTS);
const documentText = JSON.stringify(document);
const searchedText = JSON.stringify(searched);

const demo = createDemoAccount();
const [template] = demo.collections;
if (!template) throw new TypeError('The demo account has collections');
const toId = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
const toUid = (index: number) => `${template.owner}-${toId(index)}`;
// The same collections under an id for each pass: a process that has warmed up on one reads the next as new.
const copies = <T>(one: T) => Array.from({ length: Number(passes) }, () => one);
const collections = [...copies(document), ...copies(searched)].map((content, index) => ({
  ...template,
  id: toId(index),
  document: content,
}));
const sandbox = await startSandbox({ account: { ...demo, collections }, limits: 'off' });
const schema = createSchema();

type SendQuery = (query: string, variables: object) => Promise<string>;

async function startServer() {
  const server = await startMeasured('../../src/main.js', [], {
    PORT: '0',
    POSTMAN_API_BASE_URL: sandbox.origin,
    POSTMAN_API_KEY: sandbox.apiKey,
    LOG_LEVEL: 'silent',
    RATE_LIMIT: '10000',
    COLD_START: 'off',
    MAX_QUERY_TOKENS: '100000',
    CACHE_TTL_MS: '600000',
  });
  const url = /http:\S+/.exec(server.firstLine)?.[0] ?? '';
  const sendQuery: SendQuery = async (query, variables) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
    const text = await response.text();
    if (text.includes('"errors":[{"message"')) throw new Error(text.slice(0, 1_000));
    return text;
  };
  await sendQuery(SMALL_QUERY, {});
  return { ...server, sendQuery };
}

async function queryPages(sendQuery: SendQuery, uid: string) {
  for (const list of ['folders', 'requests'] as const) {
    const query = pageQuery(schema, list);
    let after: string | undefined;
    do {
      const text = await sendQuery(query, { uid, after });
      const page = /"hasNextPage":(true|false),"endCursor":"([^"]*)"/.exec(text);
      after = page?.[1] === 'true' ? page[2] : undefined;
    } while (after !== undefined);
  }
}

const onCollection = (selection: string) => `query ($uid: ID!) { collection(uid: $uid) { ${selection} } }`;
const searchQuery = onCollection(`requests(first: 50, filter: { search: "${SEARCH}" }) { ${SEARCH_FIELDS} }`);

interface Work {
  readonly what: string;
  /** The collection of each pass. */
  readonly uids: readonly string[];
  readonly run: (sendQuery: SendQuery, uid: string) => Promise<unknown>;
  readonly textLength: number;
}

const toUids = (from: number) => copies('').map((_, pass) => toUid(from + pass));
const wholeCollection = { uids: toUids(0), textLength: documentText.length };
const works: readonly Work[] = [
  { ...wholeCollection, what: 'every field, in pages of 100', run: queryPages },
  {
    ...wholeCollection,
    what: 'the whole tree in one response',
    run: (sendQuery, uid) => sendQuery(treeQuery(schema, TREE_LEVELS), { uid }),
  },
  {
    ...wholeCollection,
    what: 'json in one response',
    run: (sendQuery, uid) => sendQuery(onCollection('json'), { uid }),
  },
  {
    what: `a search in ${SEARCHED_REQUESTS} requests`,
    uids: toUids(Number(passes)),
    run: (sendQuery, uid) => sendQuery(searchQuery, { uid }),
    textLength: searchedText.length,
  },
];

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const round = (value: number) => Math.round(value * 10) / 10;

/** Measures the passes of the same work in one process. */
async function measurePasses(
  start: () => Promise<{ measure(work: () => Promise<unknown>): Promise<Spent>; stop(): Promise<void> }>,
  toWork: (process: Awaited<ReturnType<typeof start>>) => readonly (() => Promise<unknown>)[],
) {
  const measured = await start();
  const spent: Spent[] = [];
  for (const work of toWork(measured)) spent.push(await measured.measure(work));
  await measured.stop();
  return spent;
}

const folder = mkdtempSync(join(tmpdir(), 'collection-size-'));
const texts = [documentText, searchedText].map((text, index) => {
  const path = join(folder, `${index}.json`);
  writeFileSync(path, text);
  return { text, path };
});

const results = new Map<string, { fresh: Spent[]; warm: Spent[] }>();
const record = (what: string, [fresh, ...warm]: readonly Spent[]) => {
  const recorded = results.get(what) ?? { fresh: [], warm: [] };
  results.set(what, recorded);
  if (fresh) recorded.fresh.push(fresh);
  const last = warm.at(-1);
  if (last) recorded.warm.push(last);
};
const toBaseline = (length: number) => `parse and write ${round(length / 1e6)} MB`;

for (let index = 0; index < Number(rounds); index++) {
  for (const { text, path } of texts) {
    const start = () => startMeasured('./parse-and-write.js', [path], {});
    const runs = await measurePasses(start, (process) => {
      const { child } = process as Awaited<ReturnType<typeof start>>;
      const run = async () => {
        child.send('run');
        await once(child, 'message');
      };
      return copies(run);
    });
    record(toBaseline(text.length), runs);
  }
  for (const { what, uids, run } of works) {
    const runs = await measurePasses(startServer, (process) => {
      const { sendQuery } = process as Awaited<ReturnType<typeof startServer>>;
      return uids.map((uid) => () => run(sendQuery, uid));
    });
    record(what, runs);
  }
}

const cpuMs = (spent: readonly Spent[]) => median(spent.map((one) => one.cpuMs));
const peakMb = (spent: readonly Spent[]) => median(spent.map((one) => one.peakBytes / 1e6));
const stallMs = (spent: readonly Spent[]) => median(spent.map((one) => one.stallMs));
const rows = [...results].map(([what, { fresh, warm }]) => {
  const base = results.get(toBaseline(works.find((work) => work.what === what)?.textLength ?? Number.NaN));
  return [
    what,
    {
      'CPU ms, fresh': Math.round(cpuMs(fresh)),
      'x parse and write': base ? round(cpuMs(fresh) / cpuMs(base.fresh)) : '',
      'peak MB, fresh': Math.round(peakMb(fresh)),
      'x its peak': base ? round(peakMb(fresh) / peakMb(base.fresh)) : '',
      'stall ms, fresh': Math.round(stallMs(fresh)),
      'CPU ms, warm': Math.round(cpuMs(warm)),
      'x it, warm': base ? round(cpuMs(warm) / cpuMs(base.warm)) : '',
      'stall ms, warm': Math.round(stallMs(warm)),
    },
  ] as const;
});
console.table(Object.fromEntries(rows));

/** Measures in this process, without a socket, what finding and searching the requests adds to parsing. */
const times = { parse: [] as number[], search: [] as number[] };
for (let index = 0; index < Math.max(15, Number(rounds)); index++) {
  const startedMs = performance.now();
  const json = toDocument(JSON.parse(searchedText));
  const parsedMs = performance.now();
  runAtOnce(findRequests(createCollectionTree(json, toUid(2)).requests, { search: SEARCH }));
  times.parse.push(parsedMs - startedMs);
  times.search.push(performance.now() - parsedMs);
}
const megabytes = searchedText.length / 1e6;
console.table({
  [`a search in ${SEARCHED_REQUESTS} requests, in process`]: {
    MB: round(megabytes),
    'parse ms': Math.round(median(times.parse)),
    'parse ms per MB': round(median(times.parse) / megabytes),
    'index and search ms': round(median(times.search)),
    'x parse': Math.round((1 + median(times.search) / median(times.parse)) * 100) / 100,
  },
});
rmSync(folder, { recursive: true });
await sandbox.close();

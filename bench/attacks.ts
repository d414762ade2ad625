/**
 * Attacks a server with one API key or with made-up keys. Counts how many reads with another key succeed meanwhile, and
 * how many calls reach upstream. `npm run bench:attacks -- [reads]`: reads with the other key per attack, default 250.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDemoAccount } from '../src/sandbox/account/demo.ts';
import { startSandbox } from '../src/sandbox/sandbox.ts';
import { startProgram } from './program.ts';

const [readCount = 250] = process.argv.slice(2).map(Number);
const ATTACKER = 'PMAK-attacker';
const NEIGHBOUR = 'PMAK-neighbour';
const NEW_KEY = 'PMAK-newcomer';
const ATTACKERS_ADDRESS = '198.51.100.7';

interface GraphQLResponse {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly { readonly extensions?: { readonly code?: string } }[];
}

const demo = createDemoAccount();
const [template] = demo.collections;
if (!template) throw new TypeError('The example account has collections');
const collections = Array.from({ length: 4 * readCount }, (_, index) => ({
  ...template,
  id: randomUUID(),
  name: `Collection ${index}`,
}));
const uids = collections.map(({ owner, id }) => `${owner}-${id}`);

const sandbox = await startSandbox({
  account: { ...demo, collections },
  otherApiKeys: [ATTACKER, NEIGHBOUR, NEW_KEY],
  limits: 'off',
});
const { child, port } = await startProgram({
  POSTMAN_API_BASE_URL: sandbox.origin,
  RATE_LIMIT: '100000',
  BURST_LIMIT: '0',
  COLD_START: 'off',
  TRUSTED_PROXIES: '127.0.0.1',
  OPERATION_TIMEOUT_MS: '10000',
});

async function send(key: string, body: object, address: string): Promise<GraphQLResponse> {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': key, 'x-forwarded-for': address },
    body: JSON.stringify(body),
  });
  return (await response.json()) as GraphQLResponse;
}
const sendQuery = (key: string, query: string, address = '203.0.113.9') => send(key, { query }, address);
const attack = (query: string) => sendQuery(ATTACKER, query, ATTACKERS_ADDRESS);

const brokenCollection = (index: number) => `{ collection(uid: "1-broken-${index}") { description } }`;
const brokenEnvironment = (index: number) => `{ environment(uid: "1-broken-${index}") { values { key } } }`;
const EVERYTHING =
  '{ rateLimit(dryRun: true) { cost } workspaces(first: 100) { nodes { description collections(first: 100) { nodes { description } } environments(first: 100) { nodes { values { key } } } } } }';
const MANY_ROOTS = (uid: string) =>
  `{ c0: collection(uid: "${uid}") { name } ${Array.from({ length: 20 }, (_, index) => `c${index + 1}: collection(uid: "1-none-${index}") { name }`).join(' ')} }`;

/** Attacks in a loop while the neighbour reads, and counts the successful reads. */
async function countServedDuring(
  attackOnce: (round: number) => Promise<unknown>,
  from: number,
  toQuery: (uid: string) => string,
) {
  const over = new AbortController();
  const attacking = (async () => {
    for (let round = 0; !over.signal.aborted; round++) await attackOnce(round);
  })();
  // Give the attack time to have an effect.
  await sleep(3_000);
  let served = 0;
  for (const uid of uids.slice(from, from + readCount)) {
    const { data, errors } = await sendQuery(NEIGHBOUR, toQuery(uid));
    if (!errors && data) served++;
  }
  over.abort();
  await attacking;
  return `${served} of ${readCount}`;
}

const readName = (uid: string) => `{ c0: collection(uid: "${uid}") { description } }`;
const callsOf = async (run: () => Promise<unknown>) => {
  sandbox.calls.length = 0;
  await run();
  return sandbox.calls.length;
};

sandbox.fail('broken', { kind: 'status', status: 500 });
const figures: Record<string, string | number> = {};
figures['neighbour served while 50 collections and 50 environments fail'] = await countServedDuring(
  async (round) => {
    await Promise.all([attack(brokenCollection(round % 50)), attack(brokenEnvironment(round % 50))]);
    await sleep(20);
  },
  0,
  readName,
);
figures['neighbour served while one collection and one environment fail'] = await countServedDuring(
  async () => {
    await Promise.all([attack(brokenCollection(0)), attack(brokenEnvironment(0))]);
    await sleep(20);
  },
  readCount,
  readName,
);
figures['neighbour served, a read in twenty failing once, while one route of the attacker fails'] =
  await countServedDuring(
    async (round) => {
      await attack(brokenCollection(round % 50));
      if (round % 20 === 0) sandbox.fail(uids[2 * readCount + round] ?? 'none', { kind: 'status', status: 500 }, 1);
      await sleep(20);
    },
    2 * readCount,
    readName,
  );
figures['neighbour served with 21 root fields beside dry runs of everything'] = await countServedDuring(
  () => attack(EVERYTHING),
  3 * readCount,
  MANY_ROOTS,
);

const fourFields = '{ me { id } workspaces { totalCount } environments { totalCount } collections { totalCount } }';
figures['calls for 300 made-up keys, four root fields each'] = await callsOf(() =>
  Promise.all(
    Array.from({ length: 300 }, (_, index) => sendQuery(`PMAK-made-up-${index}`, fourFields, ATTACKERS_ADDRESS)),
  ),
);
figures['calls for one made-up key, queried 40 times'] = await callsOf(async () => {
  for (let index = 0; index < 40; index++) await sendQuery('PMAK-forty', fourFields, '192.0.2.1');
});

for (let sent = 0; sent < 10_500; sent += 50) {
  await Promise.all(
    Array.from({ length: 50 }, (_, index) => send(`PMAK-empty-${sent + index}`, {}, ATTACKERS_ADDRESS)),
  );
}
const flooded = new AbortController();
const flood: Promise<unknown>[] = [];
const flooding = (async () => {
  for (let sent = 0; !flooded.signal.aborted; sent++) {
    flood.push(sendQuery(`PMAK-flood-${sent}`, fourFields, ATTACKERS_ADDRESS));
    await sleep(20);
  }
})();
await sleep(5_000);
const startedMs = performance.now();
const { data, errors } = await sendQuery(NEW_KEY, '{ me { username } }');
figures['a new good key after 10,500 made-up ones and beside 50 more a second'] = errors
  ? `refused: ${errors[0]?.extensions?.code}`
  : `${JSON.stringify(data)} after ${Math.round(performance.now() - startedMs)} ms`;
flooded.abort();
await flooding;
await Promise.all(flood);

for (const [name, value] of Object.entries(figures)) console.log(`${name}: ${value}`);
child.kill('SIGTERM');
await sandbox.close();

/**
 * Measures the CPU time of dry runs with nothing cached: of each operation in schema/operations, and of the largest
 * operations possible. Also measures operations that are refused because they certainly need too many calls.
 * `npm run bench:dry-run -- [runs]`, by default 9.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { pino } from 'pino';
import { parseConfig } from '../src/config/config.ts';
import { startServer } from '../src/server.ts';

const runs = Number(process.argv[2] ?? 9);
const WARM_UPS = 20;
const DRY_RUN = 'rateLimit(dryRun: true) { cost costAtLeast likelyCost readyAt plan { path forFields } }';

interface NamedQuery {
  readonly name: string;
  readonly query: string;
  readonly variables?: object;
}

interface GraphQLResponse {
  readonly data?: {
    readonly dry?: { readonly cost: number; readonly likelyCost: number; readonly costAtLeast: number };
  };
  readonly errors?: readonly { readonly extensions?: { readonly code?: string } }[];
}

const folder = new URL('../../schema/operations/', import.meta.url);
const published: readonly NamedQuery[] = readdirSync(folder)
  .sort()
  .map((name) => {
    const text = readFileSync(new URL(name, folder), 'utf8');
    return {
      name,
      query: text.replace(/^(query[^{]*)\{/m, `$1{ dry: ${DRY_RUN} `),
    };
  });

const repeat = (count: number, toText: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => toText(index)).join(' ');
const toId = (index: number) => `10000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
const toUid = (index: number) => `1-${toId(index)}`;
const toCursor = (index: number) => Buffer.from(JSON.stringify(['', index, 'x'])).toString('base64url');
const aliased = (count: number, toField: (index: number) => string) =>
  repeat(count, (index) => `a${index}: ${toField(index)}`);
const nested = (depth: number, before: string, inner: string, after: string) =>
  `${before.repeat(depth)} ${inner} ${after.repeat(depth)}`;
const ofAll = (toKey: (index: number) => string) => ({
  r: Array.from({ length: 1_000 }, (_, index) => ({ __typename: 'Collection', uid: toKey(index) })),
});
const entities = (fields: string) => `_entities(representations: $r) { ... on Collection { ${fields} } }`;
const wholeCollection =
  'name description isPublic fork { parent { name isPublic workspace { name } } } workspace { name description collections(first: 100) { nodes { name isPublic } } environments(first: 100) { nodes { name values { key } } } }';

const dry = (
  name: string,
  fields: string,
  about: { readonly head?: string; readonly more?: string; readonly variables?: object } = {},
): NamedQuery => ({
  name,
  query: `query Bench${about.head ?? ''} { dry: ${DRY_RUN} ${fields} } ${about.more ?? ''}`,
  ...(about.variables && { variables: about.variables }),
});
const withReferences = { head: '($r: [_Any!]!)' };

const largest: readonly NamedQuery[] = [
  dry(
    'a dashboard',
    'workspaces { nodes { name collections { nodes { name description updatedAt } } environments { nodes { name values { key } } } } }',
  ),
  dry(
    'everything',
    'workspaces(first: 100) { nodes { globals { key } collections(first: 100) { nodes { description fork { parent { name } } items { name } workspace { name } } } environments(first: 100) { nodes { values { key } } } } } me { id } collections(first: 100) { nodes { description } } environments(first: 100) { nodes { values { key } } }',
  ),
  dry(
    'names of everything',
    'workspaces(first: 100) { nodes { name collections(first: 100) { nodes { name } } environments(first: 100) { nodes { name } } } }',
  ),
  dry(
    'nodes of lists, under 90 aliases',
    `workspaces(first: 100) { nodes { collections(first: 100) { ${aliased(90, () => 'nodes { name }')} } } }`,
  ),
  dry(
    'ends of long lists, under 60 aliases',
    `workspaces(first: 100) { nodes { ${aliased(60, (index) => `environments(first: 100, after: "${toCursor(1_900 + index)}") { nodes { isPublic } }`)} } }`,
  ),
  dry(
    'forks of forks',
    `collections(first: 100) { nodes { ${nested(17, 'fork { parent {', 'name isPublic', '} }')} } }`,
  ),
  dry(
    'workspaces of collections of workspaces',
    `collections(first: 100) { nodes { ${nested(10, 'workspace { collections(first: 100) { nodes {', 'description', '} } }')} } }`,
  ),
  dry(
    '90 look-ups of everything',
    aliased(90, (index) => `collection(uid: "${toUid(index)}") { ...F }`),
    { more: `fragment F on Collection { ${wholeCollection} }` },
  ),
  dry('1,000 references', entities('name isPublic description fork { parent { name } } workspace { name }'), {
    ...withReferences,
    variables: ofAll(toUid),
  }),
  dry('1,000 references, by a list', entities('updatedAt'), { ...withReferences, variables: ofAll(toUid) }),
  dry('one reference 1,000 times, under 90 aliases', entities(aliased(90, () => 'fork { parent { name } }')), {
    ...withReferences,
    variables: ofAll(() => toUid(1)),
  }),
  dry(
    'parts in lists in lists',
    'workspaces(first: 100) { nodes @stream { name ... @defer { collections(first: 100) { nodes @stream { description ... @defer { isPublic } } } } } }',
  ),
];

const refused: readonly NamedQuery[] = [
  { name: '90 look-ups', query: `{ ${aliased(90, (index) => `collection(uid: "${toUid(index)}") { description }`)} }` },
  {
    name: '1,000 references, not dry',
    query: `query ($r: [_Any!]!) { ${entities('description isPublic')} }`,
    variables: ofAll(toUid),
  },
];

const config = parseConfig({
  PORT: '0',
  // A dry run sends nothing there.
  POSTMAN_API_BASE_URL: 'http://127.0.0.1:9',
  COLD_START: 'off',
  LOG_LEVEL: 'silent',
});
const server = await startServer(config, pino({ level: 'silent' }));

let keys = 0;
async function sendQuery({ query, variables }: Pick<NamedQuery, 'query' | 'variables'>): Promise<GraphQLResponse> {
  const response = await fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', 'x-api-key': `PMAK-made-up-${keys++}` },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()) as GraphQLResponse;
}

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/** Measures the most CPU time between two turns of the event loop. */
async function findStretchMs(operation: NamedQuery): Promise<number> {
  let longestMs = 0;
  let lastMs = cpuMs();
  let isOver = false;
  const onRound = () => {
    const nowMs = cpuMs();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
    if (!isOver) setImmediate(onRound);
  };
  setImmediate(onRound);
  await sendQuery(operation);
  isOver = true;
  return longestMs;
}

for (let time = 0; time < WARM_UPS; time++)
  await sendQuery({ query: '{ rateLimit(dryRun: true) { cost } me { id } }' });
const startBytes = process.memoryUsage.rss();
const rows: Record<string, Readonly<Record<string, string | number>>> = {};
for (const operation of [...published, ...largest, ...refused]) {
  const timesMs: number[] = [];
  let result: GraphQLResponse = {};
  for (let time = 0; time < runs; time++) {
    const beforeMs = cpuMs();
    result = await sendQuery(operation);
    timesMs.push(cpuMs() - beforeMs);
  }
  timesMs.sort((a, b) => a - b);
  const { costAtLeast, likelyCost, cost } = result.data?.dry ?? {};
  rows[operation.name] = {
    'CPU, ms (median)': Math.round(timesMs[Math.floor(runs / 2)] ?? 0),
    most: Math.round(timesMs.at(-1) ?? 0),
    'longest stretch': Math.round(await findStretchMs(operation)),
    cost:
      cost === undefined
        ? (result.errors?.[0]?.extensions?.code ?? '')
        : `${costAtLeast} to ${cost}, likely ${likelyCost}`,
    'RSS, MB more': Math.round((process.memoryUsage.rss() - startBytes) / 1e6),
  };
}
console.table(rows);
await server.stop();

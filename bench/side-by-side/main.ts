/**
 * Compares the CPU time of a response of the server with that of smaller servers with the same data. All run at the
 * same time and get requests in turn, so the load of the machine affects them alike.
 * `npm run bench:side-by-side -- [rounds] [requests]`: default 15 rounds of 400 requests for each server.
 */
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { type MeasuredProcess, startMeasured } from '../collection-size/measured-process.ts';
import { createWideAccount } from '../wide-account.ts';
import { ACCOUNT_SIZE, DOCUMENTS, type Question } from './questions.ts';

const [rounds = 15, requests = 400] = process.argv.slice(2).map(Number);
const CONNECTIONS = 4;
// V8 has optimized the code of a response after about this many.
const WARM_UP_REQUESTS = 3_000;
// A request that reads all from upstream costs more, and needs fewer repetitions for the same precision.
const COLD_FRACTION = 0.1;

const sandbox = await startSandbox({
  account: createWideAccount(ACCOUNT_SIZE.workspaces, ACCOUNT_SIZE.collectionsEach),
  limits: 'off',
});
const folder = mkdtempSync(join(tmpdir(), 'side-by-side-'));
// The server writes its log as it does by default, into a file.
const log = openSync(join(folder, 'log'), 'w');

type Start = (file: string, args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<string>;
const processOf = new Map<string, MeasuredProcess>();
const start: Start = async (file, args, env = {}) => {
  const measured = await startMeasured(file, args, { ...env }, log);
  const url = /http:\S+/.exec(measured.firstLine)?.[0] ?? '';
  processOf.set(url, measured);
  return url;
};
const startOurs = (env: Readonly<Record<string, string>>) =>
  start('../../src/main.js', [], {
    PORT: '0',
    POSTMAN_API_BASE_URL: sandbox.origin,
    POSTMAN_API_KEY: sandbox.apiKey,
    RATE_LIMIT: '100000',
    MAX_CALLS_PER_OPERATION: '1000',
    BURST_LIMIT: '0',
    COLD_START: 'off',
    CACHE_TTL_MS: '600000',
    ...env,
  });

interface Response {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
const send = (url: string, body: string, headers: Readonly<Record<string, string>>) =>
  new Promise<Response>((resolve, reject) => {
    const options = { method: 'POST', agent, headers: { 'content-type': 'application/json', ...headers } };
    const request = httpRequest(url, options, (response) => {
      const chunks: Buffer[] = [];
      response
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .once('end', () => {
          if (response.statusCode === 200) resolve({ body: Buffer.concat(chunks), headers: response.headers });
          else reject(new Error(`Status ${response.statusCode}: ${Buffer.concat(chunks).toString()}`));
        });
    });
    request.once('error', reject).end(body);
  });
const toBody = (question: Question, salt?: number) =>
  JSON.stringify({ query: DOCUMENTS[question], ...(salt !== undefined && { variables: { salt } }) });

/** Fails if a server responds with errors or other data, since it would be compared with other work. */
function check(url: string, { body, headers }: Response, data: string): void {
  const text = (headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString();
  const given = JSON.stringify((JSON.parse(text) as { data: unknown }).data);
  if (given !== data) throw new Error(`${url} responds with other data: ${text.slice(0, 300)}`);
}

interface Row {
  readonly what: string;
  readonly ours: string;
  readonly other: string;
  readonly otherName: string;
  readonly question: Question;
  /** Whether each request has variables of its own, so that no earlier response serves it. */
  readonly isSalted?: boolean;
  readonly isGzipped?: boolean;
  readonly isCold?: boolean;
}

const ours = await startOurs({});
const oursCold = await startOurs({ CACHE_TTL_MS: '0' });
const GZIP = { 'accept-encoding': 'gzip' };
async function startBare(question: Question, headers: Readonly<Record<string, string>>): Promise<string> {
  // The first response has other headers than those that follow: it was made with calls.
  await send(ours, toBody(question), headers);
  const response = await send(ours, toBody(question), headers);
  const { connection: _, 'keep-alive': __, date: ___, ...fixed } = response.headers;
  const name = join(folder, `${question}${Object.keys(headers).length}`);
  writeFileSync(`${name}.body`, response.body);
  writeFileSync(`${name}.json`, JSON.stringify(fixed));
  return start('../side-by-side/bare-server.js', [`${name}.body`, `${name}.json`]);
}

const dataFile = join(folder, 'data.json');
const whole = JSON.parse((await send(ours, toBody('nested'), {})).body.toString()) as { data: unknown };
writeFileSync(dataFile, JSON.stringify(whole.data));
const constant = await start('../side-by-side/yoga-server.js', ['constant', dataFile]);
const facade = await start('../side-by-side/yoga-server.js', ['facade', sandbox.origin], {
  POSTMAN_API_KEY: sandbox.apiKey,
});

const rows: readonly Row[] = [
  { what: 'repeat', question: 'small', ours, other: await startBare('small', {}), otherName: 'bare' },
  { what: 'repeat', question: 'nested', ours, other: await startBare('nested', {}), otherName: 'bare' },
  {
    what: 'repeat, gzip',
    question: 'nested',
    ours,
    other: await startBare('nested', GZIP),
    otherName: 'bare',
    isGzipped: true,
  },
  { what: 'other variables', question: 'small', ours, other: constant, otherName: 'constant yoga', isSalted: true },
  { what: 'other variables', question: 'nested', ours, other: constant, otherName: 'constant yoga', isSalted: true },
  {
    what: 'nothing cached',
    question: 'nested',
    ours: oursCold,
    other: facade,
    otherName: 'yoga by hand',
    isCold: true,
  },
];

let salt = 0;
async function sendMany(url: string, row: Row, count: number): Promise<void> {
  const headers = row.isGzipped ? GZIP : {};
  const fixed = toBody(row.question);
  // The server makes equal calls of concurrent operations once. Here, each operation is to make its own.
  const connections = row.isCold ? 1 : CONNECTIONS;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (let sent = 0; sent < count / connections; sent++)
        await send(url, row.isSalted ? toBody(row.question, salt++) : fixed, headers);
    }),
  );
}

const quantile = (values: readonly number[], fraction: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(fraction * (values.length - 1))] ?? Number.NaN;

console.log(`CPU of a response, ${rounds} rounds of ${requests} requests in turn, medians (quartiles of the ratio)\n`);
console.log('| operation | response | bytes | server, µs | compared with | its µs | server ÷ it |');
console.log('| --- | --- | --- | --- | --- | --- | --- |');
for (const row of rows) {
  const servers = [row.ours, row.other];
  const counted = Math.ceil(requests * (row.isCold ? COLD_FRACTION : 1));
  const data = JSON.stringify(
    (JSON.parse((await send(row.ours, toBody(row.question), {})).body.toString()) as { data: unknown }).data,
  );
  const first = await send(row.ours, toBody(row.question), row.isGzipped ? GZIP : {});
  for (const url of servers) {
    check(url, await send(url, toBody(row.question), row.isGzipped ? GZIP : {}), data);
    await sendMany(url, row, WARM_UP_REQUESTS * (row.isCold ? COLD_FRACTION : 1));
  }
  const cpuUs = servers.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const index of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const url = servers[index] ?? '';
      const spent = await processOf.get(url)?.measure(() => sendMany(url, row, counted));
      cpuUs[index]?.push((1_000 * (spent?.cpuMs ?? Number.NaN)) / counted);
    }
  }
  const [measured = [], base = []] = cpuUs;
  const ratios = measured.map((value, index) => value / (base[index] ?? Number.NaN));
  const cells = [
    row.question,
    row.what,
    first.body.length,
    quantile(measured, 0.5).toFixed(0),
    row.otherName,
    quantile(base, 0.5).toFixed(0),
    `${quantile(ratios, 0.5).toFixed(1)} (${quantile(ratios, 0.25).toFixed(1)} to ${quantile(ratios, 0.75).toFixed(1)})`,
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
await Promise.all([...processOf.values()].map((measured) => measured.stop()));
closeSync(log);
agent.destroy();
await sandbox.close();
rmSync(folder, { recursive: true });

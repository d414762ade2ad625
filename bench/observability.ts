/**
 * Measures the CPU time that observation takes of a response from the cache. Servers with and without it run at the same
 * time and get the same requests in turn, so load of the machine affects them alike. `without, again` shows how much of a
 * difference is chance. `npm run bench:observability -- [rounds] [requests]`: default 24 rounds of 400 requests.
 */
import { once } from 'node:events';
import { Agent, createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type MeasuredProcess, startMeasured } from './collection-size/measured-process.ts';

const [rounds = 24, requests = 400] = process.argv.slice(2).map(Number);
const CONNECTIONS = 4;
const BODY = JSON.stringify({
  query: 'query Bench { me { username } workspaces(first: 3) { nodes { name collections { nodes { name } } } } }',
});

/** Takes all spans. */
const collector = createServer((request, response) => {
  request.resume().once('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
}).listen(0, '127.0.0.1');
await once(collector, 'listening');
const traces = {
  OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
  OTEL_TRACES_SAMPLER: 'traceidratio',
};

/** What is added to a server without observation. */
const VARIANTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  without: {},
  'without, again': {},
  metrics: { METRICS_PORT: '0' },
  'traces of 1 %': { ...traces, OTEL_TRACES_SAMPLER_ARG: '0.01' },
  'traces of 100 %': { ...traces, OTEL_TRACES_SAMPLER_ARG: '1' },
};
const [BASE = ''] = Object.keys(VARIANTS);

interface Server {
  readonly name: string;
  readonly process: MeasuredProcess;
  readonly send: (count: number) => Promise<void>;
  /** CPU time of each round in microseconds per request. */
  readonly cpuUs: number[];
}

async function start([name, env]: readonly [string, Readonly<Record<string, string>>]): Promise<Server> {
  const measured = await startMeasured('../../src/main.js', [], { PORT: '0', LOG_LEVEL: 'silent', ...env });
  const port = Number(/:(\d+)\//.exec(measured.firstLine)?.[1]);
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const ask = () =>
    new Promise<void>((resolve, reject) => {
      const headers = { 'content-type': 'application/json' };
      const request = httpRequest({ port, path: '/graphql', method: 'POST', agent, headers }, (response) => {
        if (response.statusCode !== 200) reject(new Error(`Status ${response.statusCode}`));
        response.resume().once('end', resolve);
      });
      request.once('error', reject).end(BODY);
    });
  const send = async (count: number) => {
    const perConnection = Math.ceil(count / CONNECTIONS);
    await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        for (let sent = 0; sent < perConnection; sent++) await ask();
      }),
    );
  };
  return { name, process: measured, send, cpuUs: [] };
}

const quantile = (values: readonly number[], fraction: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(fraction * (values.length - 1))] ?? Number.NaN;

const servers = await Promise.all(Object.entries(VARIANTS).map(start));
for (const { send } of servers) await send(3 * requests);
for (let round = 0; round < rounds; round++) {
  for (const { process: measured, send, cpuUs } of round % 2 === 0 ? servers : servers.toReversed()) {
    const { cpuMs } = await measured.measure(() => send(requests));
    cpuUs.push((1_000 * cpuMs) / requests);
  }
}
const base = servers.find(({ name }) => name === BASE)?.cpuUs ?? [];
console.log(`CPU of a response from the cache, ${rounds} rounds of ${requests} requests in turn`);
console.log('\n| | median, µs | quartiles, µs | median of the ratio | quartiles |\n| --- | --- | --- | --- | --- |');
for (const { name, cpuUs } of servers) {
  const ratios = cpuUs.map((value, index) => value / (base[index] ?? Number.NaN));
  const spread = (values: readonly number[], digits: number) =>
    `${quantile(values, 0.25).toFixed(digits)} to ${quantile(values, 0.75).toFixed(digits)}`;
  console.log(
    `| ${name} | ${quantile(cpuUs, 0.5).toFixed(0)} | ${spread(cpuUs, 0)} | ${quantile(ratios, 0.5).toFixed(3)} | ${spread(ratios, 3)} |`,
  );
}
await Promise.all(servers.map(({ process: measured }) => measured.stop()));
collector.close();

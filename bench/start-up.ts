/**
 * Measures the CPU time that the server takes from the start of its process until its first response to a probe, and
 * until its first response to a query. It starts the builds in turn, so the load of the machine affects them alike.
 * `npm run bench:start-up -- [folder …]`: each folder is a clone with a current `dist`; the ratios are relative to the
 * first one. Default: this clone. `ROUNDS=30` starts each 30 times (default 15). It needs `/proc` (Linux).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { get, request as httpRequest } from 'node:http';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { question } from './program.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 15);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const folders = process.argv.length > 2 ? process.argv.slice(2) : [ROOT];

/** CPU time in milliseconds. */
interface Start {
  readonly readyMs: number;
  /** Until the response to the first query, which needs one call to the sandbox. */
  readonly queriedMs: number;
}

/** Returns the CPU time of all threads of a process in milliseconds. */
function cpuMsOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const cpuNs = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  );
  return cpuNs.reduce((sum, threadNs) => sum + threadNs, 0) / 1e6;
}

async function statusOf(url: string): Promise<number | undefined> {
  const [response] = await once(get(url), 'response');
  response.resume();
  return response.statusCode;
}

async function query(url: string): Promise<void> {
  const request = httpRequest(url, { method: 'POST', headers: { 'content-type': 'application/json' } }).end(question);
  const [response] = await once(request, 'response');
  await once(response.resume(), 'end');
  if (response.statusCode !== 200) throw new Error(`Status ${response.statusCode}`);
}

async function start(folder: string): Promise<Start> {
  const child = spawn(process.execPath, [join(folder, 'dist/src/main.js')], {
    env: { PORT: '0' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exited = once(child, 'exit');
  const { pid } = child;
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const url = /http:\S+/.exec(line.toString())?.[0];
  if (pid === undefined || url === undefined) throw new Error(`${folder} does not start: ${line.toString()}`);
  // Early builds have the probe at another path.
  let status = await statusOf(new URL('/healthz', url).href);
  if (status === 404) status = await statusOf(new URL('/health', url).href);
  if (status !== 200) throw new Error(`${folder}: the probe has the status ${status}`);
  const readyMs = cpuMsOf(pid);
  await query(url);
  const queriedMs = cpuMsOf(pid);
  child.kill('SIGKILL');
  await exited;
  return { readyMs, queriedMs };
}

const quantile = (values: readonly number[], fraction: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(fraction * (values.length - 1))] ?? Number.NaN;
const row = (values: readonly number[], base: readonly number[]) => {
  const ratios = values.map((value, index) => value / (base[index] ?? Number.NaN));
  const [low, median, high] = [0.25, 0.5, 0.75].map((fraction) => quantile(values, fraction).toFixed(0));
  return `${median} | ${low} to ${high} | ${quantile(ratios, 0.5).toFixed(3)} |`;
};

const builds = folders.map((folder) => ({ folder: resolve(folder), starts: [] as Start[] }));
// The first start of each reads the files from the disk.
for (const { folder } of builds) await start(folder);
for (let round = 0; round < ROUNDS; round++) {
  for (const { folder, starts } of round % 2 === 0 ? builds : builds.toReversed()) starts.push(await start(folder));
}
const base = builds[0]?.starts ?? [];
console.log(`CPU of a start, ${ROUNDS} rounds, Node ${process.version}\n`);
console.log('| build | until | median, ms | quartiles, ms | median of the ratio |\n| --- | --- | --- | --- | --- |');
for (const { folder, starts } of builds) {
  const ready = starts.map(({ readyMs }) => readyMs);
  const queried = starts.map(({ queriedMs }) => queriedMs);
  console.log(
    `| ${folder} | first probe | ${row(
      ready,
      base.map(({ readyMs }) => readyMs),
    )}`,
  );
  console.log(
    `| ${folder} | first query | ${row(
      queried,
      base.map(({ queriedMs }) => queriedMs),
    )}`,
  );
}

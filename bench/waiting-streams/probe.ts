/**
 * Loaded into the server's process with `--import`: tells its parent, each time it is asked, what the process holds and has spent.
 */
import { writeSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';

/** What a process holds, and what it has spent since it was asked before. */
export interface Reading {
  /** Of all threads: also what collects garbage. */
  readonly cpuMs: number;
  /** Live objects. Reading them costs a collection, which is not counted in `cpuMs`. */
  readonly heapBytes: number;
  /** The longest time in which nothing else could happen in the process. */
  readonly stallMs: number;
}

const RESOLUTION_MS = 1;

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();
let spent = process.cpuUsage();

const toCpuMs = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1_000;
const toStallMs = () => Math.max(0, delay.max / 1e6 - RESOLUTION_MS);

process.on('message', (message) => {
  const cpuMs = toCpuMs(process.cpuUsage(spent));
  const stallMs = toStallMs();
  if (message === 'heap') globalThis.gc?.();
  const reading: Reading = { cpuMs, heapBytes: process.memoryUsage().heapUsed, stallMs };
  process.send?.(reading, () => {
    delay.reset();
    spent = process.cpuUsage();
  });
});

process.once('exit', () => {
  const reading: Reading = { cpuMs: toCpuMs(process.cpuUsage(spent)), heapBytes: 0, stallMs: toStallMs() };
  writeSync(1, JSON.stringify(reading));
});

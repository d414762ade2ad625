/**
 * Loaded into the server's process with `--import`. Sends the parent, on request, what the process holds and has spent.
 */
import { writeSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';

/** Memory of a process, and what it has spent since the last request. */
export interface Reading {
  /** Of all threads, including garbage collection. */
  readonly cpuMs: number;
  /** Size of live objects. Measuring it takes a garbage collection, which `cpuMs` leaves out. */
  readonly heapBytes: number;
  /** The longest time the event loop was blocked. */
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

/**
 * Loaded into a measured process with `--import`: on `start` it begins to count, on `stop` it tells its parent what the work
 * between cost. It knows nothing of the program it is loaded into.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';

/** What a process spent between `start` and `stop`. */
export interface Spent {
  /** Of all threads: also what collects garbage and unpacks gzip. */
  readonly cpuMs: number;
  /** How far the process grew at most over what it held at `start`. */
  readonly peakBytes: number;
  /** The longest time in which nothing else could happen in the process. */
  readonly stallMs: number;
}

const RESOLUTION_MS = 1;

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
let cpuAtStart = process.cpuUsage();
let bytesAtStart = 0;

process.on('message', (message) => {
  if (message === 'start') {
    delay.reset();
    delay.enable();
    bytesAtStart = process.memoryUsage.rss();
    // A timer has to have run before its lateness can be told.
    setTimeout(() => {
      cpuAtStart = process.cpuUsage();
      process.send?.('started');
    }, 20);
  } else if (message === 'stop') {
    const { user, system } = process.cpuUsage(cpuAtStart);
    const peakBytes = process.resourceUsage().maxRSS * 1_024 - bytesAtStart;
    setTimeout(() => {
      delay.disable();
      const spent: Spent = {
        cpuMs: (user + system) / 1_000,
        peakBytes,
        stallMs: Math.max(0, delay.max / 1e6 - RESOLUTION_MS),
      };
      process.send?.(spent);
    }, 20);
  }
});

/**
 * Loaded into a measured process with `--import`. Starts to measure on `start`, and sends the parent the cost of the
 * work on `stop`. Knows nothing of the program it is loaded into.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';

/** The cost of a process between `start` and `stop`. */
export interface Spent {
  /** Of all threads, including garbage collection and gzip. */
  readonly cpuMs: number;
  /** Largest growth of the process since `start`. */
  readonly peakBytes: number;
  /** The longest time the event loop was blocked. */
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
    // Let a timer run first, so that its lateness is known.
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

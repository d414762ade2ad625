import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import { monotonicMs } from './upstream/clock.ts';

/** A program that a signal stops. */
export interface Stoppable {
  /** Stops serving. */
  readonly stop: () => Promise<void>;
  /** Logs the signal, and a failure to stop. */
  readonly logger: Logger;
  /** Called last: waits until the output is written, or gives up. */
  readonly settle: () => Promise<void>;
}

type StopSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP';

const STOP_SIGNALS: readonly StopSignal[] = ['SIGTERM', 'SIGINT', 'SIGHUP'];
const STOP_TIMEOUT_MS = 5_000;
const KILL_TIMEOUT_MS = 6_000;
// Longer than a successful file read or name lookup takes.
const THREADS_TIMEOUT_MS = 250;
const THREADS_POLL_MS = 5;

/** Handles the signals that end the process. */
export function createShutdown() {
  let stoppable: Stoppable | undefined;
  let isStopping = false;

  const onSignal = (signal: StopSignal) => {
    if (!stoppable) return dieOf(signal);
    // Ctrl-C under npm arrives twice: from the terminal and from npm.
    if (isStopping) return;
    isStopping = true;
    killAfter(KILL_TIMEOUT_MS);
    void end(stoppable, signal);
  };

  const end = async ({ stop, logger, settle }: Stoppable, signal: StopSignal) => {
    logger.info({ signal }, 'stopping');
    let code = 0;
    try {
      await Promise.race([stop(), rejectAfter(STOP_TIMEOUT_MS)]);
    } catch (error) {
      logger.error({ err: error }, 'could not stop cleanly');
      code = 1;
    }
    await settle();
    await exit(code, signal);
  };

  const exit = async (code: number, signal: StopSignal) => {
    // process.exit() waits for libuv's threads, and a name lookup without a response blocks one of them.
    const endMs = monotonicMs() + THREADS_TIMEOUT_MS;
    while (usesThreads() && monotonicMs() < endMs) await sleep(THREADS_POLL_MS);
    if (usesThreads()) dieOf(signal);
    process.exit(code);
  };

  /** Ends the process by the signal's default action. */
  const dieOf = (signal: StopSignal) => {
    process.removeListener(signal, onSignal);
    process.kill(process.pid, signal);
    // Signals have no default action for process 1 of a container.
    process.exit(128 + constants.signals[signal]);
  };

  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  return {
    /**
     * Sets what the first SIGTERM, SIGINT or SIGHUP stops; later signals do nothing. Before this call, a signal ends
     * the process at once. The exit code is 0 after a clean stop, and 1 if it failed or took longer than five seconds.
     */
    serve(next: Stoppable): void {
      stoppable = next;
    },
  };
}

async function rejectAfter(timeoutMs: number): Promise<never> {
  await sleep(timeoutMs);
  throw new Error(`It took longer than ${timeoutMs} ms.`);
}

const THREAD_RESOURCES = /^(?:FSReq|GetAddrInfoReq|GetNameInfoReq)/;

function usesThreads(): boolean {
  return process.getActiveResourcesInfo().some((resource) => THREAD_RESOURCES.test(resource));
}

/** Kills the process after a time, even if its event loop is blocked: the timer runs in a thread of its own. */
function killAfter(timeoutMs: number): void {
  const source = `setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${timeoutMs})`;
  try {
    const worker = new Worker(source, { eval: true, env: {}, execArgv: [] });
    worker.on('error', () => undefined);
    worker.unref();
  } catch {
    // If no thread can be created, the timeout of stop() has to suffice.
  }
}

import { constants } from 'node:os';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import { monotonicMs } from './upstream/clock.ts';

/** What a signal has to stop. */
export interface Stoppable {
  /** Ends what is served. */
  readonly stop: () => Promise<void>;
  /** Told of what becomes of it. */
  readonly logger: Logger;
  /** Comes last: has what waits to be written written, or gives it up. */
  readonly settle: () => Promise<void>;
}

type StopSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP';

const STOP_SIGNALS: readonly StopSignal[] = ['SIGTERM', 'SIGINT', 'SIGHUP'];
const STOP_TIMEOUT_MS = 5_000;
const KILL_TIMEOUT_MS = 6_000;
// Longer than reading a file or looking up a name takes that can be read or looked up.
const THREADS_TIMEOUT_MS = 250;
const THREADS_POLL_MS = 5;

/** Takes over the signals that end the process. */
export function createShutdown() {
  let stoppable: Stoppable | undefined;
  let isStopping = false;

  const onSignal = (signal: StopSignal) => {
    if (!stoppable) return dieOf(signal);
    // Ctrl-C under npm comes twice: from the terminal, and passed on by npm.
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
    // process.exit() waits for the threads of libuv, and nothing ends a name look-up there that gets no answer.
    const endMs = monotonicMs() + THREADS_TIMEOUT_MS;
    while (usesThreads() && monotonicMs() < endMs) await sleep(THREADS_POLL_MS);
    if (usesThreads()) dieOf(signal);
    process.exit(code);
  };

  /** Leaves it to the signal's own default, as if nobody had listened. */
  const dieOf = (signal: StopSignal) => {
    process.removeListener(signal, onSignal);
    process.kill(process.pid, signal);
    // Process 1 of a container has no defaults.
    process.exit(128 + constants.signals[signal]);
  };

  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  return {
    /**
     * From now on the first SIGTERM, SIGINT or SIGHUP stops this, and later ones do nothing; until now they end the process at
     * once. It ends with 0 when it has been stopped, and with 1 when that failed or took longer than five seconds.
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

/** Ends the process also when its event loop has no turn for a timer any more. */
function killAfter(timeoutMs: number): void {
  const source = `setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${timeoutMs})`;
  try {
    const worker = new Worker(source, { eval: true, env: {}, execArgv: [] });
    worker.on('error', () => undefined);
    worker.unref();
  } catch {
    // Where no thread can be had any more, the timer of this one has to do.
  }
}

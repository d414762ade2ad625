import type { StopSignal } from '../../upstream/stop.ts';

/**
 * Waits for a promise until a signal aborts. Unlike a race against a long-lived promise, it leaves no listener behind.
 *
 * @returns The value of the promise; rejects with the reason of the signal if that aborts first.
 */
export function untilStopped<Value>(value: Promise<Value>, stopped: StopSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(stopped.reason);
    if (stopped.aborted) stop();
    else stopped.addEventListener('abort', stop, { once: true });
    value.finally(() => stopped.removeEventListener('abort', stop)).then(resolve, reject);
  });
}

/**
 * Waits for something until nobody waits for it any more. Unlike a race against one long-lived promise, it leaves nothing behind on the signal.
 *
 * @returns What `value` comes to; rejects with the reason of the signal when that aborts before.
 */
export function untilStopped<Value>(value: Promise<Value>, stopped: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(stopped.reason as Error);
    if (stopped.aborted) stop();
    else stopped.addEventListener('abort', stop, { once: true });
    value.finally(() => stopped.removeEventListener('abort', stop)).then(resolve, reject);
  });
}

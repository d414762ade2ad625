import type { Clock } from '../../clock.ts';

/** A command had no reply in time. */
export class NoReplyError extends Error {
  override readonly name = 'NoReplyError';

  constructor() {
    super('no reply in time');
  }
}

/**
 * Waits for a reply, for a limited time.
 *
 * @throws {NoReplyError} The time is over. A reply that has arrived meanwhile, but waits for the event loop, counts.
 */
export function waitAtMost<Value>(reply: Promise<Value>, ms: number, clock: Clock): Promise<Value> {
  return new Promise((resolve, reject) => {
    const cancel = clock.schedule(clock.nowMs() + ms, () => {
      // After a pause of the event loop, timers run before sockets are read.
      setImmediate(() => setImmediate(() => reject(new NoReplyError())));
    });
    reply.then(resolve, reject).finally(cancel);
  });
}

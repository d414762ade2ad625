import type { Clock } from '../../clock.ts';
import type { StoreScript, UpstreamObserver } from '../../observer.ts';
import type { RedisConnection } from './redis-connection.ts';
import { EXCHANGE_SCRIPT } from './scripts/exchange-script.ts';
import { LEAVE_SCRIPT } from './scripts/generation-script.ts';

/** Wraps a connection, so that an observer gets the duration and the outcome of each script. */
export function observeConnection(
  connection: RedisConnection,
  observer: Pick<UpstreamObserver, 'onStoreReplied'>,
  clock: Pick<Clock, 'nowMs'>,
): RedisConnection {
  return {
    ...connection,
    async run(script, keys, argument) {
      const sentAtMs = clock.nowMs();
      let isFailed = true;
      try {
        const reply = await connection.run(script, keys, argument);
        isFailed = false;
        return reply;
      } finally {
        observer.onStoreReplied(nameOf(script), clock.nowMs() - sentAtMs, isFailed);
      }
    },
  };
}

function nameOf(script: string): StoreScript {
  if (script === EXCHANGE_SCRIPT) return 'exchange';
  return script === LEAVE_SCRIPT ? 'leave' : 'heartbeat';
}

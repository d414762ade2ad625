import type { Clock } from '../../clock.ts';
import type { StoreScript, UpstreamObserver } from '../../observer.ts';
import type { RedisConnection } from './redis-connection.ts';
import { EXCHANGE_SCRIPT } from './scripts/exchange-script.ts';
import { LEAVE_SCRIPT } from './scripts/generation-script.ts';

/**
 * Wraps the scripts of a connection, so that an observer gets the duration and the outcome of each.
 *
 * @param nameOf - What a script does. Default: the scripts of slots.
 */
export function observeConnection<Connection extends Pick<RedisConnection, 'run'>>(
  connection: Connection,
  observer: Pick<UpstreamObserver, 'onStoreReplied'>,
  clock: Pick<Clock, 'nowMs'>,
  nameOf: (script: string) => StoreScript = toName,
): Connection {
  return {
    ...connection,
    async run(script: string, keys: readonly string[], argument: string) {
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

function toName(script: string): StoreScript {
  if (script === EXCHANGE_SCRIPT) return 'exchange';
  return script === LEAVE_SCRIPT ? 'leave' : 'heartbeat';
}

import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Clock } from '../../upstream/clock.ts';
import type { Operation } from '../../upstream/calls/operation/operation.ts';
import type { RequestRecord } from './request-record.ts';

// An operation whose calls can all have their turn within this time gets it when the server stops; all others get what they have.
const GRACE_MS = 3_000;
const POLL_MS = 20;

/**
 * Has everything that is open answered soon: what cannot be complete when the grace is over ends at once with what it has, and all the rest then.
 * One operation at a time, and between them whatever else there is to do: what each is owed costs milliseconds, and together they would be seconds
 * in which nothing is sent.
 *
 * @param open - Loses those that have ended.
 */
export async function stopOperations(open: ReadonlySet<RequestRecord>, clock: Clock): Promise<void> {
  const endMs = clock.nowMs() + GRACE_MS;
  const expire = async (isDue: (operation: Operation | undefined) => boolean) => {
    for (const { operation, expire: end } of [...open]) {
      if (!isDue(operation)) continue;
      end?.();
      await setImmediate();
    }
  };
  await expire((operation) => operation !== undefined && operation.lastSlotAtMs() > endMs);
  while (open.size > 0 && clock.nowMs() < endMs) await setTimeout(POLL_MS);
  await expire(() => true);
}

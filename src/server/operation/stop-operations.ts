import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Clock } from '../../upstream/clock.ts';
import type { Operation } from '../../upstream/calls/operation/operation.ts';
import type { RequestRecord } from './request-record.ts';

// When the server stops, an operation may continue if all its calls get their slots within this time. Others end at
// once.
const GRACE_MS = 3_000;
const POLL_MS = 20;

/**
 * Ends all open operations within the grace period, with the data they have. Those that cannot be complete by its end
 * are ended at once, and the rest at its end.
 *
 * It yields to the event loop between two operations: ending one takes milliseconds, so ending all of them in one go
 * could block the event loop for seconds.
 *
 * @param open - The open operations. Those that end are removed from it by their own cleanup.
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

import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Clock } from '../../upstream/clock.ts';
import type { Operation } from '../../upstream/calls/operation/operation.ts';
import type { RequestRecord } from './request-record.ts';

const GRACE_MS = 3_000;
const POLL_MS = 20;

/**
 * Ends all open operations within the grace period, with the data they have: at once those whose calls do not all get
 * their slots within it, and the rest when it is over.
 *
 * Ending an operation takes milliseconds, and ending all of them can take seconds, so it yields to the event loop after
 * each.
 *
 * @param open - The open operations. Those that end are removed from it by their own cleanup.
 */
export async function stopOperations(open: ReadonlySet<RequestRecord>, clock: Clock): Promise<void> {
  const endMs = clock.nowMs() + GRACE_MS;
  const expireIf = async (isDue: (operation: Operation | undefined) => boolean) => {
    for (const { operation, expire } of [...open]) {
      if (!isDue(operation)) continue;
      expire?.();
      await setImmediate();
    }
  };
  await expireIf((operation) => operation !== undefined && operation.lastSlotAtMs() > endMs);
  while (open.size > 0 && clock.nowMs() < endMs) await setTimeout(POLL_MS);
  await expireIf(() => true);
}

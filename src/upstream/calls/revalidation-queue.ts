import type { ResponseCache } from '../cache/response-cache.ts';
import type { Call } from '../postman/call.ts';
import type { Clock } from '../clock.ts';
import { type Caller, type Operation, toBackground } from './operation/operation.ts';
import { createRefusals } from './operation/refusals.ts';
import { backgroundRetryOutlook } from './operation/retry-outlook.ts';

/** What is to be revalidated for one tenant, by target. */
interface Queue {
  readonly lists: Map<string, Call<unknown>>;
  readonly singles: Map<string, Call<unknown>>;
}

// It has found a free slot: should it have to wait all the same, the next client that asks is sooner.
const REVALIDATION_MS = 2_000;
const RETRY_MS = 1_000;
const MAX_JOBS = 1_000;

/**
 * Makes the queue of the process, by which answers that were served stale are renewed, after the clients and below them.
 *
 * One call of a tenant at a time, lists first: what a list shows to be unchanged needs no call of its own any more. A call is only made while
 * half of every window is free and nobody waits; what is still waiting when it may be served stale no longer is left to whoever asks for it next.
 *
 * @param revalidate - Makes the call now, if it can be made. Never rejects.
 */
export function createRevalidationQueue(
  cache: ResponseCache,
  clock: Clock,
  revalidate: (call: Call<unknown>, operation: Operation) => Promise<void>,
) {
  const queues = new Map<string, Queue>();

  const shouldRevalidate = ({ target }: Call<unknown>, { keyHash }: Caller) => {
    const cached = cache.get(keyHash, target);
    return cached !== undefined && cache.freshness.isInRevalidationPeriod(cached);
  };

  const drain = async (caller: Caller, { lists, singles }: Queue): Promise<void> => {
    for (;;) {
      const calls = lists.size > 0 ? lists : singles;
      const [call] = calls.values();
      if (call === undefined) break;
      if (shouldRevalidate(call, caller) && !caller.keyBudget.current.view.hasSpareSlot(call.route.routeClass)) {
        await new Promise<void>((resolve) => clock.schedule(clock.nowMs() + RETRY_MS, resolve));
        continue;
      }
      const deadlineMs = clock.nowMs() + REVALIDATION_MS;
      if (shouldRevalidate(call, caller))
        await revalidate(call, toBackground(caller, deadlineMs, createRefusals(clock, backgroundRetryOutlook)));
      calls.delete(call.target);
    }
    queues.delete(caller.keyHash);
  };

  return {
    /** Has an answer renewed for a tenant; once, however often it is asked for. */
    add(call: Call<unknown>, caller: Caller): void {
      const known = queues.get(caller.keyHash);
      const queue: Queue = known ?? { lists: new Map(), singles: new Map() };
      if (queue.lists.size + queue.singles.size >= MAX_JOBS) return;
      const calls = call.listedUpdates ? queue.lists : queue.singles;
      if (!calls.has(call.target)) calls.set(call.target, call);
      if (known) return;
      queues.set(caller.keyHash, queue);
      void drain(caller, queue);
    },
  };
}

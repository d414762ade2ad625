import type { Freshness } from '../cache/freshness.ts';
import type { CachedReads } from './cached-reads/cached-reads.ts';
import type { Call } from '../postman/call.ts';
import type { Clock } from '../clock.ts';
import { type Caller, type Operation, toBackgroundOperation } from './operation/operation.ts';
import { createRefusals } from './operation/refusals.ts';
import type { UpstreamObserver } from '../observer.ts';
import { backgroundRetryOutlook } from './operation/retry-outlook.ts';

/** A call, and the operation's caller that was served its stale response. */
interface Job {
  readonly call: Call<unknown>;
  readonly caller: Caller;
}

/** The calls to revalidate for one API key, by target. */
interface Queue {
  readonly lists: Map<string, Job>;
  readonly singles: Map<string, Job>;
}

// A revalidation starts when a slot is free. If that slot is put off for longer than this, the revalidation is dropped.
const REVALIDATION_MS = 2_000;
const RETRY_MS = 1_000;
const MAX_JOBS = 1_000;

/**
 * Makes the queue that revalidates responses that were served stale. Client calls always have priority.
 *
 * Each API key has one revalidation at a time, lists first: an object that a list shows to be unchanged needs no call.
 * A call is sent only while no call waits and half of every window is free. A response that has meanwhile become too
 * old to be served stale is skipped: the next client that requests it makes the call.
 *
 * @param revalidate - Sends the call now if possible. Never rejects.
 * @param observer - Gets the calls that turned out not to be needed.
 */
export function createRevalidationQueue(
  cachedReads: Pick<CachedReads, 'find' | 'load'>,
  freshness: Freshness,
  clock: Clock,
  revalidate: (call: Call<unknown>, operation: Operation) => Promise<void>,
  observer: Pick<UpstreamObserver, 'onRevalidated'>,
) {
  const queues = new Map<string, Queue>();

  const shouldRevalidate = (call: Call<unknown>, caller: Caller) => {
    const cached = cachedReads.find(call, caller);
    return cached !== undefined && freshness.isInRevalidationPeriod(cached);
  };

  const drain = async (keyHash: string, { lists, singles }: Queue): Promise<void> => {
    for (;;) {
      const jobs = lists.size > 0 ? lists : singles;
      const [job] = jobs.values();
      if (job === undefined) break;
      const { call, caller } = job;
      if (shouldRevalidate(call, caller) && !caller.keyBudget.current.view.hasSpareSlot(call.route.routeClass)) {
        await new Promise<void>((resolve) => clock.schedule(clock.nowMs() + RETRY_MS, resolve));
        continue;
      }
      // Another instance may have read it meanwhile.
      const loading = cachedReads.load(call, caller);
      if (loading) await loading;
      const deadlineMs = clock.nowMs() + REVALIDATION_MS;
      if (shouldRevalidate(call, caller))
        await revalidate(
          call,
          toBackgroundOperation(caller, deadlineMs, createRefusals(clock, backgroundRetryOutlook)),
        );
      else observer.onRevalidated('skipped');
      jobs.delete(call.target);
    }
    queues.delete(keyHash);
  };

  return {
    /** Queues a call for revalidation with the key of the caller. A call that is queued already is not queued again. */
    add(call: Call<unknown>, caller: Caller): void {
      const known = queues.get(caller.keyHash);
      const queue: Queue = known ?? { lists: new Map(), singles: new Map() };
      if (queue.lists.size + queue.singles.size >= MAX_JOBS) return;
      const jobs = call.listedUpdates ? queue.lists : queue.singles;
      if (!jobs.has(call.target)) jobs.set(call.target, { call, caller });
      if (known) return;
      queues.set(caller.keyHash, queue);
      void drain(caller.keyHash, queue);
    },
  };
}

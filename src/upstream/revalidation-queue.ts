import type { AnswerCache } from './answer-cache.ts';
import type { Call } from './call.ts';
import type { Clock } from './clock.ts';
import { type Caller, type Operation, toBackground } from './operation.ts';
import { createRefusals } from './refusals.ts';
import { noRepeats } from './repeats.ts';

/** Renews answers that were served stale, after the clients and below them. */
export interface RevalidationQueue {
  /** Has an answer renewed for a tenant; once, however often it is asked for. */
  add(call: Call<unknown>, caller: Caller): void;
}

/** What the queue is made with. */
export interface RevalidationQueueOptions {
  readonly cache: AnswerCache;
  readonly clock: Clock;
  /** Makes the call now, if it can be made. Never rejects. */
  readonly revalidate: (call: Call<unknown>, operation: Operation) => Promise<void>;
}

interface Job {
  readonly call: Call<unknown>;
  readonly caller: Caller;
}

/** What is to be revalidated for one tenant, by target. */
interface Queue {
  readonly lists: Map<string, Job>;
  readonly singles: Map<string, Job>;
}

// It has found a free slot: should it have to wait all the same, the next client that asks is sooner.
const REVALIDATION_MS = 2_000;
const RETRY_MS = 1_000;
const MAX_JOBS = 1_000;

/**
 * Makes the queue of the process.
 *
 * One call of a tenant at a time, lists first: what a list shows to be unchanged needs no call of its own any more. A call is only made while
 * half of every window is free and nobody waits; what is still waiting when its refresh period is over is left to whoever asks for it next.
 */
export function createRevalidationQueue({ cache, clock, revalidate }: RevalidationQueueOptions): RevalidationQueue {
  const queues = new Map<string, Queue>();

  const isWorthIt = ({ call, caller }: Job) => {
    const kept = cache.get(caller.tenant, call.target);
    return kept !== undefined && cache.freshness.isInRefreshPeriod(kept);
  };

  const work = async (tenant: string, queue: Queue): Promise<void> => {
    for (;;) {
      const jobs = queue.lists.size > 0 ? queue.lists : queue.singles;
      const [next] = jobs;
      if (next === undefined) break;
      const [target, job] = next;
      if (isWorthIt(job) && !job.caller.keyBudget.current.view.hasSpareSlot(job.call.route.routeClass)) {
        await new Promise<void>((resolve) => clock.schedule(clock.nowMs() + RETRY_MS, resolve));
        continue;
      }
      if (isWorthIt(job))
        await revalidate(
          job.call,
          toBackground(job.caller, clock.nowMs() + REVALIDATION_MS, createRefusals(clock, noRepeats)),
        );
      jobs.delete(target);
    }
    queues.delete(tenant);
  };

  return {
    add(call, caller) {
      const { tenant } = caller;
      const known = queues.get(tenant);
      const queue = known ?? { lists: new Map<string, Job>(), singles: new Map<string, Job>() };
      if (queue.lists.size + queue.singles.size >= MAX_JOBS) return;
      const jobs = call.shows ? queue.lists : queue.singles;
      if (!jobs.has(call.target)) jobs.set(call.target, { call, caller });
      if (known) return;
      queues.set(tenant, queue);
      void work(tenant, queue);
    },
  };
}

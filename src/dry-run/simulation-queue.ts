import { GraphQLError } from 'graphql';
import PQueue, { type Queue, type QueueAddOptions } from 'p-queue';
import type { Clock } from '../upstream/clock.ts';
import { toRetryLater } from '../graph/errors/retry-later.ts';
import type { StopSignal } from '../upstream/stop.ts';

/** Runs simulations one at a time, because each takes memory while it runs. Serves fair shares in rotation. */
export interface SimulationQueue {
  /**
   * Queues a simulation and runs it.
   *
   * @param requester - The fair share, as `Calls.fairShareOf` returns it, and a signal for the end of the operation.
   * @param maxWaitMs - Longest time in the queue, in milliseconds. Default: as long as the operation lasts.
   * @returns The result of the simulation. undefined if it did not run: the queue is full, the wait was too long, or
   *   the operation ended.
   */
  run<Result>(
    requester: { readonly fairShare: string; readonly ended: StopSignal },
    simulate: () => Promise<Result>,
    maxWaitMs?: number,
  ): Promise<Result | undefined>;
}

type Start = () => Promise<unknown>;
type QueueOptions = QueueAddOptions & { readonly fairShare?: string };

// Limits of waiting simulations: per fair share, and in all.
const MAX_WAITING_PER_FAIR_SHARE = 20;
const MAX_WAITING = 200;
// A simulation takes a tenth of that, and few API keys have one waiting at the same time.
const RETRY_AFTER_SECONDS = 1;

/** Creates the simulation queue of this process. */
export function createSimulationQueue(clock: Clock): SimulationQueue {
  let waiting = new FairQueue();
  const adopt = (created: FairQueue) => {
    waiting = created;
  };
  // p-queue creates its queue itself. This subclass passes it to `run`, which counts the waiting simulations.
  class ObservedFairQueue extends FairQueue {
    constructor() {
      super();
      adopt(this);
    }
  }
  const queue = new PQueue<FairQueue, QueueOptions>({ concurrency: 1, queueClass: ObservedFairQueue });

  return {
    async run({ fairShare, ended }, simulate, maxWaitMs) {
      if (waiting.size >= MAX_WAITING || waiting.sizeOf(fairShare) >= MAX_WAITING_PER_FAIR_SHARE) return undefined;
      const abortController = new AbortController();
      const abort = () => abortController.abort();
      if (ended.aborted) abort();
      ended.addEventListener('abort', abort, { once: true });
      const cancel = maxWaitMs === undefined ? undefined : clock.schedule(clock.nowMs() + maxWaitMs, abort);
      const clearAbort = () => {
        ended.removeEventListener('abort', abort);
        cancel?.();
      };
      try {
        return await queue.add(
          () => {
            // A running simulation ends by itself when its operation does. The next one must not start earlier.
            clearAbort();
            return simulate();
          },
          { fairShare, signal: abortController.signal },
        );
      } catch (error) {
        clearAbort();
        if (abortController.signal.aborted) return undefined;
        throw error;
      }
    },
  };
}

/** Queue for p-queue. The next task belongs to the fair share that has gone longest without a start. */
class FairQueue implements Queue<Start, QueueOptions> {
  readonly #byFairShare = new Map<string, Map<string, Start>>();
  readonly #fairShareOf = new Map<string, string>();

  get size(): number {
    return this.#fairShareOf.size;
  }

  sizeOf(fairShare: string): number {
    return this.#byFairShare.get(fairShare)?.size ?? 0;
  }

  enqueue(start: Start, { id, fairShare }: Partial<QueueOptions> = {}): void {
    if (id === undefined || fairShare === undefined) throw new TypeError('A simulation needs an id and a fair share');
    const starts = this.#byFairShare.get(fairShare) ?? new Map<string, Start>();
    starts.set(id, start);
    this.#byFairShare.set(fairShare, starts);
    this.#fairShareOf.set(id, fairShare);
  }

  dequeue(): Start | undefined {
    const [next] = this.#byFairShare;
    if (!next) return undefined;
    const [fairShare, starts] = next;
    const [first] = starts;
    if (!first) return undefined;
    const [id, start] = first;
    this.remove(id);
    // If this fair share has more tasks, move it behind all others.
    if (this.#byFairShare.delete(fairShare)) this.#byFairShare.set(fairShare, starts);
    return start;
  }

  remove(id: string): void {
    const fairShare = this.#fairShareOf.get(id);
    if (fairShare === undefined) return;
    this.#fairShareOf.delete(id);
    const starts = this.#byFairShare.get(fairShare);
    starts?.delete(id);
    if (starts?.size === 0) this.#byFairShare.delete(fairShare);
  }

  filter(): Start[] {
    return [...this.#byFairShare.values()].flatMap((starts) => [...starts.values()]);
  }

  setPriority(): void {
    throw new TypeError('Simulations have no priority');
  }
}

/** Creates the error for an estimate whose simulation did not run. */
export function toSimulationRefusal(clock: Clock): GraphQLError {
  return new GraphQLError('Too many dry runs are waiting. Retry at `retryAt`.', {
    extensions: { ...toRetryLater('RATE_LIMITED', RETRY_AFTER_SECONDS, clock.epochMs()) },
  });
}

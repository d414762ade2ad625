import { GraphQLError } from 'graphql';
import PQueue, { type Queue, type QueueAddOptions } from 'p-queue';
import type { Clock } from '../upstream/clock.ts';
import { toRetryLater } from '../graph/errors/retry-later.ts';

/** Runs simulations one at a time, because each takes memory while it lasts. Tenants take turns. */
export interface SimulationQueue {
  /**
   * Runs a simulation when its turn has come.
   *
   * @param requester - Whose turn it takes, as `Calls.fairShareOf` tells it, and the end of its operation.
   * @param maxWaitMs - How long it may wait for its turn. Default: as long as its operation lasts.
   * @returns What it resolves to; undefined where it was not run: too many wait, it has waited for too long, or nobody waits for its
   *   operation any more.
   */
  run<Result>(
    requester: { readonly fairShare: string; readonly ended: AbortSignal },
    simulate: () => Promise<Result>,
    maxWaitMs?: number,
  ): Promise<Result | undefined>;
}

type Start = () => Promise<unknown>;
type QueueOptions = QueueAddOptions & { readonly fairShare?: string };

// How many may wait: of one tenant, and of all together.
const MAX_WAITING_PER_FAIR_SHARE = 20;
const MAX_WAITING = 200;
// A simulation takes a tenth of that, and few tenants have one at the same time.
const RETRY_AFTER_SECONDS = 1;

/** Makes the queue of the process. */
export function createSimulationQueue(clock: Clock): SimulationQueue {
  let waiting = new FairQueue();
  const adopt = (created: FairQueue) => {
    waiting = created;
  };
  // p-queue makes its queue itself, and this one is asked how many wait.
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
            // It ends by itself when its operation does, and nobody else begins before.
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

/** The queue that p-queue keeps its waiting tasks in: the next one is of the tenant that has waited for longest since its last. */
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
    if (id === undefined || fairShare === undefined) throw new TypeError('Only simulations of a tenant wait here');
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
    // Whoever has more of them goes behind everybody else.
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
    throw new TypeError('A simulation keeps the turn of its tenant');
  }
}

/** The refusal of an estimate for which no simulation was run. */
export function toSimulationRefusal(clock: Clock): GraphQLError {
  return new GraphQLError('Too many dry runs wait for their turn. Ask again at the time given.', {
    extensions: { ...toRetryLater('RATE_LIMITED', RETRY_AFTER_SECONDS, clock.epochMs()) },
  });
}

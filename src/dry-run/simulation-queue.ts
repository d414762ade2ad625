import { GraphQLError } from 'graphql';
import PQueue, { type Queue, type QueueAddOptions } from 'p-queue';
import type { Clock } from '../upstream/clock.ts';
import { toRetryLater } from '../graph/errors/retry-later.ts';

/** Runs simulations one at a time, because each takes memory while it lasts. Tenants take turns. */
export interface SimulationQueue {
  /**
   * Runs a simulation when its turn has come.
   *
   * @param turn - Whose turn it takes, as `Calls.fairShareOf` tells it, and the end of its operation.
   * @param maxWaitMs - How long it may wait for its turn. Default: as long as its operation lasts.
   * @returns What it resolves to; undefined where it was not run: too many wait, it has waited for too long, or nobody waits for its
   *   operation any more.
   */
  run<Result>(
    turn: { readonly fairShare: string; readonly ended: AbortSignal },
    simulate: () => Promise<Result>,
    maxWaitMs?: number,
  ): Promise<Result | undefined>;
}

type Start = () => Promise<unknown>;
type TurnOptions = QueueAddOptions & { readonly tenant?: string };

// How many may wait: of one tenant, and of all together.
const MAX_WAITING_PER_TENANT = 20;
const MAX_WAITING = 200;
// A simulation takes a tenth of that, and few tenants have one at the same time.
const RETRY_AFTER_SECONDS = 1;

/** Makes the queue of the process. */
export function createSimulationQueue(clock: Clock): SimulationQueue {
  let waiting = new TenantTurns();
  const adopt = (turns: TenantTurns) => {
    waiting = turns;
  };
  // p-queue makes its queue itself, and this one is asked how many wait.
  class AskedTurns extends TenantTurns {
    constructor() {
      super();
      adopt(this);
    }
  }
  const queue = new PQueue<TenantTurns, TurnOptions>({ concurrency: 1, queueClass: AskedTurns });

  return {
    async run({ fairShare: tenant, ended }, simulate, maxWaitMs) {
      if (waiting.size >= MAX_WAITING || waiting.sizeOf(tenant) >= MAX_WAITING_PER_TENANT) return undefined;
      const leaving = new AbortController();
      const leave = () => leaving.abort();
      if (ended.aborted) leave();
      ended.addEventListener('abort', leave, { once: true });
      const cancel = maxWaitMs === undefined ? undefined : clock.schedule(clock.nowMs() + maxWaitMs, leave);
      const stay = () => {
        ended.removeEventListener('abort', leave);
        cancel?.();
      };
      try {
        return await queue.add(
          () => {
            // It ends by itself when its operation does, and nobody else begins before.
            stay();
            return simulate();
          },
          { tenant, signal: leaving.signal },
        );
      } catch (error) {
        stay();
        if (leaving.signal.aborted) return undefined;
        throw error;
      }
    },
  };
}

/** The queue that p-queue keeps its waiting tasks in: the next one is of the tenant that has waited for longest since its last. */
class TenantTurns implements Queue<Start, TurnOptions> {
  readonly #byTenant = new Map<string, Map<string, Start>>();
  readonly #tenantOf = new Map<string, string>();

  get size(): number {
    return this.#tenantOf.size;
  }

  sizeOf(tenant: string): number {
    return this.#byTenant.get(tenant)?.size ?? 0;
  }

  enqueue(start: Start, { id, tenant }: Partial<TurnOptions> = {}): void {
    if (id === undefined || tenant === undefined) throw new TypeError('Only simulations of a tenant wait here');
    const own = this.#byTenant.get(tenant) ?? new Map<string, Start>();
    own.set(id, start);
    this.#byTenant.set(tenant, own);
    this.#tenantOf.set(id, tenant);
  }

  dequeue(): Start | undefined {
    const [turn] = this.#byTenant;
    if (!turn) return undefined;
    const [tenant, own] = turn;
    const [first] = own;
    if (!first) return undefined;
    const [id, start] = first;
    this.remove(id);
    // Whoever has more of them goes behind everybody else.
    if (this.#byTenant.delete(tenant)) this.#byTenant.set(tenant, own);
    return start;
  }

  remove(id: string): void {
    const tenant = this.#tenantOf.get(id);
    if (tenant === undefined) return;
    this.#tenantOf.delete(id);
    const own = this.#byTenant.get(tenant);
    own?.delete(id);
    if (own?.size === 0) this.#byTenant.delete(tenant);
  }

  filter(): Start[] {
    return [...this.#byTenant.values()].flatMap((own) => [...own.values()]);
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

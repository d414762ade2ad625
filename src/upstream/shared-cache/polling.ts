import type { Clock } from '../clock.ts';
import type { Owners, OwnerState } from './owners.ts';
import type { ResponseIndex } from './response-index.ts';
import type { CacheRedis } from './store/cache-redis.ts';
import type { RedisHealth } from './store/redis-health.ts';
import { CHANGES_SCRIPT } from './store/scripts.ts';

/** Makes the function that updates what this instance knows of an API key. It rejects if Redis does not reply. */
export function createChangesReader({
  redis,
  clock,
  owners,
  onKeyDropped,
}: {
  readonly redis: Pick<CacheRedis, 'run'>;
  readonly clock: Clock;
  readonly owners: Owners;
  readonly onKeyDropped: (keyHash: string) => void;
}) {
  return async (state: OwnerState): Promise<void> => {
    const readIndex = async (index: ResponseIndex) => {
      const { indexKey, dropKey, orderKey } = index.keys;
      const reply = await redis.run(CHANGES_SCRIPT, [indexKey, dropKey, orderKey], [String(index.sinceMs)]);
      if (index.read(reply)) onKeyDropped(state.keyHash);
    };
    await Promise.all(state.indexes.map(readIndex));
    state.knownAtMs = clock.nowMs();
    owners.resize(state);
  };
}

/** What `startPolling` needs. */
export interface PollingOptions {
  readonly clock: Clock;
  readonly servedForMs: number;
  readonly owners: Owners;
  readonly health: RedisHealth;
  /** Waits for Redis for a limited time, and returns undefined if there is no reply. */
  readonly inTime: <Value>(reply: Promise<Value>) => Promise<Value | undefined>;
  readonly log: { read(): Promise<void> };
  readonly readChanges: (state: OwnerState) => Promise<void>;
  readonly drops: { retry(): void };
  readonly memory: { check(): Promise<void> };
}

const POLL_MS = 1_000;
const MAX_ACTIVE_MS = 600_000;
const MAX_ACTIVE = 200;

/**
 * Reads every second which API keys were refused, and what has changed for the API keys that were used last. So neither
 * a cached response nor a plan of an active API key has to wait for Redis. It is also the probe of a Redis that did not
 * reply.
 *
 * @returns After the first poll: a function that ends the polling.
 */
export async function startPolling(options: PollingOptions): Promise<() => void> {
  const { clock, servedForMs, owners, health, inTime, log, readChanges, drops, memory } = options;
  let isStopped = false;
  let cancel = () => {};

  const poll = async () => {
    if (health.mayProbe() && (await inTime(log.read().then(() => true)))) health.recovered();
    if (health.isOn()) {
      const active = owners.usedSince(clock.nowMs() - Math.min(servedForMs, MAX_ACTIVE_MS)).slice(0, MAX_ACTIVE);
      if (active.length > 0) await inTime(Promise.all(active.map(readChanges)));
      drops.retry();
      await inTime(memory.check());
    }
    if (!isStopped) cancel = clock.schedule(clock.nowMs() + POLL_MS, () => void poll());
  };

  await poll();
  return () => {
    isStopped = true;
    cancel();
  };
}

import type { Config } from '../config/config.ts';
import { type ChangeLog, createChangeLog } from '../upstream/cache/changes/change-log.ts';
import type { ChangeMarks } from '../upstream/cache/changes/change-marks.ts';
import type { Clock } from '../upstream/clock.ts';
import { observeConnection } from '../upstream/rate-limiter/redis/observed-connection.ts';
import type { UpstreamObserver } from '../upstream/observer.ts';
import type { SharedSlots } from './shared-slots.ts';

/**
 * Opens the log of changes that webhooks report to any instance.
 *
 * @param connection - The connection of slots.
 * @returns undefined: there are no webhooks, or no other instances.
 */
export function openSharedChanges(
  { redis, access, cache }: Config,
  connection: SharedSlots['connection'],
  marks: ChangeMarks,
  clock: Clock,
  observer: Pick<UpstreamObserver, 'onStoreReplied'>,
): ChangeLog | undefined {
  if (!redis || !connection || access.webhookSecrets.length === 0) return undefined;
  return createChangeLog({
    run: observeConnection(connection, observer, clock, () => 'changes').run,
    secrets: redis.tenantSecrets,
    marks,
    relevantMs: Math.max(cache.ttlMs + cache.swrMs, cache.renewMs, 1),
    clock,
  });
}

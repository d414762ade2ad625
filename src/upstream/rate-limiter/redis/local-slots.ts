import { RateLimiter } from '../rate-limiter.ts';
import type { RateLimiterOptions } from '../rate-limiter-view.ts';
import type { SlotMirror } from './slot-mirror.ts';
import type { SlotStore } from './slot-store.ts';

/**
 * Makes the slots of this instance's own: the part of each limit that is left when all instances that were there lately take as much. The first call
 * goes alone, because its answer tells what is left.
 *
 * @param mirror - Knows the limits.
 * @returns undefined while the store can be reached, as long as something can be in use that was granted before, where instances are not to use a
 *   share, and where a limit has no slot for each.
 */
export function createLocalLimiter(
  store: SlotStore,
  mirror: SlotMirror,
  options: RateLimiterOptions,
  onDelay: () => void,
): RateLimiter | undefined {
  const { clock, general, burst } = options;
  const nowMs = clock.nowMs();
  if (store.isUp() || store.withoutStore === 'refuse' || nowMs < store.localLimiterFromMs()) return undefined;
  const { windows } = mirror;
  const toLocalLimit = (limit: number) => Math.floor(limit / store.instances);
  const generalLimit = toLocalLimit(windows.general.limit);
  const burstLimit = windows.burst && toLocalLimit(windows.burst.limit);
  if (generalLimit === 0 || burstLimit === 0) return undefined;
  return new RateLimiter(
    {
      ...options,
      general: { ...general, limit: generalLimit, isCap: true },
      ...(burst && burstLimit !== undefined && { burst: { ...burst, limit: burstLimit } }),
      coldStart: 'probe',
      processStartedAtMs: nowMs,
    },
    onDelay,
  );
}

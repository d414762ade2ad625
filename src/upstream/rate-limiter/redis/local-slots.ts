import { RateLimiter } from '../rate-limiter.ts';
import type { RateLimiterOptions } from '../rate-limiter-view.ts';
import type { SlotMirror } from './slot-mirror.ts';
import type { SlotStore } from './slot-store.ts';

/**
 * Creates the limiter of this instance for the time without a store. Its limits are this instance's part: each limit
 * divided by the number of instances seen lately. It starts with a probe: the response reports how many slots are left.
 *
 * @param mirror - Provides the limits.
 * @returns undefined while the store can be reached, while slots granted by the store may still be in use, if
 *   `withoutStore` is `refuse`, and if a limit is smaller than the number of instances.
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

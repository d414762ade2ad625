import { type Clock, type Instant, readInstant, toAgeMs } from '../../clock.ts';

/** Redis' clock, as this instance knows it from the last reply. All instances compare times by it. */
export interface RedisTime {
  /** The time now: never later than Redis' own, and earlier by at most one round trip. undefined: no reply yet. */
  nowMs(): number | undefined;
  /** The same moment on Redis' clock. */
  toRedisMs(atMs: number): number | undefined;
  /** Reads the time of a reply that has just arrived. */
  read(redisMs: number): void;
}

/** Creates the clock; it is unknown until the first reply. */
export function createRedisTime(clock: Clock): RedisTime {
  let last: { readonly redisMs: number; readonly at: Instant } | undefined;
  // Monotonic time stops while the machine sleeps, so ages are measured like those of cached responses.
  const nowMs = () => last && Math.floor(last.redisMs + toAgeMs(last.at, clock));
  return {
    nowMs,
    toRedisMs(atMs) {
      const redisNowMs = nowMs();
      return redisNowMs === undefined ? undefined : Math.floor(redisNowMs - (clock.nowMs() - atMs));
    },
    read(redisMs) {
      last = { redisMs, at: readInstant(clock) };
    },
  };
}

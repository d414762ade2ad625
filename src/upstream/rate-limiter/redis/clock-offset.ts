/** Difference between the clock of Redis and the monotonic clock of this process. */
export interface ClockOffset {
  /** The same moment on Redis' clock, or an earlier one, never a later one; undefined before the first reply. */
  toRedisMs(atMs: number): number | undefined;
  /**
   * Reads a reply: Redis' clock showed `redisMs` at some moment between `sentAtMs` and `receivedAtMs`.
   *
   * @returns `atMs`: the latest that this moment can have been (monotonic ms), given this reply and earlier ones.
   *   `hasJumped`: Redis' clock was set forward by more than a second, so its slots become free too early.
   */
  read(redisMs: number, sentAtMs: number, receivedAtMs: number): { readonly atMs: number; readonly hasJumped: boolean };
}

// Clocks drift, so old measurements lose their value.
const SPAN_MS = 30_000;
const JUMP_MS = 1_000;

/** Creates an offset that is unknown until the first reply. */
export function createClockOffset(): ClockOffset {
  let spanEndsAtMs = Number.NEGATIVE_INFINITY;
  // Smallest difference of this span and of the previous one: from the reply with the shortest way back.
  let least = Number.POSITIVE_INFINITY;
  let leastBefore = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;

  return {
    toRedisMs: (atMs) => (greatest === Number.NEGATIVE_INFINITY ? undefined : atMs - Math.min(least, leastBefore)),
    read(redisMs, sentAtMs, receivedAtMs) {
      const hasJumped = receivedAtMs - redisMs < greatest - JUMP_MS;
      if (receivedAtMs >= spanEndsAtMs || hasJumped) {
        spanEndsAtMs = receivedAtMs + SPAN_MS;
        leastBefore = hasJumped ? Number.POSITIVE_INFINITY : least;
        least = Number.POSITIVE_INFINITY;
        greatest = sentAtMs - redisMs;
      }
      least = Math.min(least, receivedAtMs - redisMs);
      greatest = Math.max(greatest, sentAtMs - redisMs);
      // Redis' clock was set back: earlier differences are too small.
      if (Math.min(least, leastBefore) < greatest) least = leastBefore = receivedAtMs - redisMs;
      return { atMs: redisMs + Math.min(least, leastBefore), hasJumped };
    },
  };
}

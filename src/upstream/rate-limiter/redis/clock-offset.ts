/** How far the clock of Redis is from the monotonic one of this process. */
export interface ClockOffset {
  /** A moment on Redis' clock, not too late; undefined: nothing has been read yet. */
  toRedisMs(atMs: number): number | undefined;
  /**
   * Reads an answer: Redis' clock showed `redisMs` at some moment from `sentAtMs` to `receivedAtMs`.
   *
   * @returns That moment (monotonic ms), as nearly as it is known and never too early by what is known, and whether Redis' clock has been set forward
   *   by more than a second: then slots come back too early.
   */
  read(redisMs: number, sentAtMs: number, receivedAtMs: number): { readonly atMs: number; readonly hasJumped: boolean };
}

// Clocks drift: what was found out before that says less and less.
const SPAN_MS = 30_000;
const JUMP_MS = 1_000;

/** Makes one that knows nothing yet. */
export function createClockOffset(): ClockOffset {
  let spanEndsAtMs = Number.NEGATIVE_INFINITY;
  // The least of this span and of the one before: the answer that was underway for the shortest time.
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
      // Back: what was least before is not any more.
      if (Math.min(least, leastBefore) < greatest) least = leastBefore = receivedAtMs - redisMs;
      return { atMs: redisMs + Math.min(least, leastBefore), hasJumped };
    },
  };
}

/** At most `limit` calls in any `windowMs` milliseconds. */
export interface RateWindow {
  limit: number;
  windowMs: number;
}

/**
 * The rate windows. `'off'` disables them, and the monthly quota as well. Responses announce the general window. With
 * `isBurstAnnounced`, those of the burst routes announce both, as two policies of the draft headers (only in the
 * behavior `current`).
 */
export type RateLimits = { general: RateWindow; burst: RateWindow; isBurstAnnounced?: boolean } | 'off';

/** State of one window at one moment. */
export interface WindowReading {
  readonly limit: number;
  readonly windowMs: number;
  readonly remaining: number;
  /** Milliseconds until the next slot becomes free; a whole window when no call is counted. */
  readonly resetMs: number;
}

/** The rolling windows of one user or API key. Reads no clock: callers pass monotonic milliseconds. */
export interface RateWindows {
  /**
   * Checks whether a call may be served, without counting it.
   *
   * @returns Undefined when it may. Otherwise the full window; of two, the one that takes longer to reset.
   */
  refusal(limits: Exclude<RateLimits, 'off'>, isBurstRoute: boolean, nowMs: number): WindowReading | undefined;
  /** Counts a call that is served. */
  count(isBurstRoute: boolean, nowMs: number): void;
  read(
    limits: Exclude<RateLimits, 'off'>,
    nowMs: number,
  ): { readonly general: WindowReading; readonly burst: WindowReading };
}

/** Creates windows that have counted no calls. */
export function createRateWindows(): RateWindows {
  const generalArrivals: number[] = [];
  const burstArrivals: number[] = [];
  return {
    refusal(limits, isBurstRoute, nowMs) {
      const readings = [read(generalArrivals, limits.general, nowMs)];
      if (isBurstRoute) readings.push(read(burstArrivals, limits.burst, nowMs));
      return readings.filter((reading) => reading.remaining === 0).sort((a, b) => b.resetMs - a.resetMs)[0];
    },
    count(isBurstRoute, nowMs) {
      generalArrivals.push(nowMs);
      if (isBurstRoute) burstArrivals.push(nowMs);
    },
    read: (limits, nowMs) => ({
      general: read(generalArrivals, limits.general, nowMs),
      burst: read(burstArrivals, limits.burst, nowMs),
    }),
  };
}

function read(arrivals: number[], window: RateWindow, nowMs: number): WindowReading {
  const { limit, windowMs } = window;
  const firstCounted = arrivals.findIndex((at) => at > nowMs - windowMs);
  arrivals.splice(0, firstCounted === -1 ? arrivals.length : firstCounted);
  // After a limit was lowered, more calls can be counted than it allows. A slot is free when enough of them expired.
  const nextToExpire = arrivals[Math.max(0, arrivals.length - limit)];
  return {
    limit,
    windowMs,
    remaining: Math.max(0, limit - arrivals.length),
    resetMs: nextToExpire === undefined ? windowMs : nextToExpire + windowMs - nowMs,
  };
}

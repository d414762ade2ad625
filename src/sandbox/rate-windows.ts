/** At most `limit` calls in any `windowMs` milliseconds. */
export interface RateWindow {
  limit: number;
  windowMs: number;
}

/**
 * The windows in force, or `'off'` for none at all, nor a monthly allowance. `isBurstAnnounced`: answers of the burst routes announce
 * both windows, as two policies of the draft form (today's dialect only); else the general one alone.
 */
export type RateLimits = { general: RateWindow; burst: RateWindow; isBurstAnnounced?: boolean } | 'off';

/** How full one window was at one moment; waits are in milliseconds from that moment. */
export interface WindowReading {
  readonly limit: number;
  readonly windowMs: number;
  readonly remaining: number;
  /** Until the oldest counted call leaves, which is when the next slot comes back; a whole window when none is counted. */
  readonly resetMs: number;
}

/** The rolling windows of one user or API key. It reads no clock: all times are handed in, as monotonic milliseconds of arrival. */
export interface RateWindows {
  /**
   * Decides whether a call may be served, without counting it.
   *
   * @returns Undefined when it may, else the window that refuses; of two, the one that refuses longer.
   */
  refusal(limits: Exclude<RateLimits, 'off'>, isBurstRoute: boolean, nowMs: number): WindowReading | undefined;
  /** Counts a call that is served. */
  count(isBurstRoute: boolean, nowMs: number): void;
  read(
    limits: Exclude<RateLimits, 'off'>,
    nowMs: number,
  ): { readonly general: WindowReading; readonly burst: WindowReading };
}

/** Makes windows in which nothing is counted yet. */
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
  // After a limit was lowered more calls can be counted than it allows: a slot is free only when enough of them have left.
  const nextToExpire = arrivals[Math.max(0, arrivals.length - limit)];
  return {
    limit,
    windowMs,
    remaining: Math.max(0, limit - arrivals.length),
    resetMs: nextToExpire === undefined ? windowMs : nextToExpire + windowMs - nowMs,
  };
}

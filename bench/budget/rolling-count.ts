/** Counts events within the last `windowMs`, exactly: of two events `windowMs` apart only one counts. */
export interface RollingCount {
  add(atMs: number): void;
  count(nowMs: number): number;
  /** When the oldest of the newest `count` events leaves the window; now, if there are fewer. */
  leavesAtMs(nowMs: number, count: number): number;
}

/** Creates an empty count. Times must be passed in ascending order. */
export function createRollingCount(windowMs: number): RollingCount {
  let times: number[] = [];
  let oldest = 0;

  const forget = (nowMs: number) => {
    while (oldest < times.length && (times[oldest] ?? nowMs) <= nowMs - windowMs) oldest++;
    if (oldest > 1_024 && oldest > times.length / 2) {
      times = times.slice(oldest);
      oldest = 0;
    }
  };

  return {
    add: (atMs) => void times.push(atMs),
    count(nowMs) {
      forget(nowMs);
      return times.length - oldest;
    },
    leavesAtMs(nowMs, count) {
      forget(nowMs);
      const index = times.length - count;
      const atMs = index < oldest ? undefined : times[index];
      return atMs === undefined ? nowMs : atMs + windowMs;
    },
  };
}

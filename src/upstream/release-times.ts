/** Moments (monotonic ms) at which slots come back, soonest first. */
export interface ReleaseTimes {
  /** Those that are still to come, as of the last time the past was forgotten. */
  readonly size: number;
  forgetPast(nowMs: number): void;
  add(atMs: number, count: number): void;
  addAll(times: readonly number[]): void;
  removeFirst(count: number): void;
  /** The one with this index, soonest first; Infinity beyond the last, -Infinity before the first. */
  atMs(index: number): number;
  /** -Infinity when there is none. */
  lastAtMs(): number;
  times(): readonly number[];
}

/** Makes a list without any. */
export function createReleaseTimes(): ReleaseTimes {
  // Ascending from `first` on. What stands before it has passed, and is cut off once it is the larger part: taking one away at a
  // time would cost a walk over all.
  let times: number[] = [];
  let first = 0;

  const removeFirst = (count: number) => {
    first += count;
    if (first * 2 > times.length) {
      times = times.slice(first);
      first = 0;
    }
  };

  return {
    get size() {
      return times.length - first;
    },
    forgetPast(nowMs) {
      let past = 0;
      while ((times[first + past] ?? Number.POSITIVE_INFINITY) <= nowMs) past++;
      removeFirst(past);
    },
    add(atMs, count) {
      let low = first;
      let high = times.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((times[middle] ?? 0) <= atMs) low = middle + 1;
        else high = middle;
      }
      if (low === times.length) for (let added = 0; added < count; added++) times.push(atMs);
      else times = [...times.slice(0, low), ...Array.from({ length: count }, () => atMs), ...times.slice(low)];
    },
    addAll(added) {
      times = [...times.slice(first), ...added].sort((a, b) => a - b);
      first = 0;
    },
    removeFirst,
    atMs: (index) => (index < 0 ? Number.NEGATIVE_INFINITY : (times[first + index] ?? Number.POSITIVE_INFINITY)),
    lastAtMs: () => times.at(-1) ?? Number.NEGATIVE_INFINITY,
    times: () => times.slice(first),
  };
}

/** The time with this index of two lists taken together; Infinity beyond the last. */
export function timeInBoth(one: ReleaseTimes, other: ReleaseTimes, index: number): number {
  // How many of the first `index` are of the one list: as many as stand before those that the other one then gives.
  let low = Math.max(0, index - other.size);
  let high = Math.min(index, one.size);
  while (low < high) {
    const ofOne = (low + high) >>> 1;
    if (one.atMs(ofOne) < other.atMs(index - ofOne - 1)) low = ofOne + 1;
    else high = ofOne;
  }
  return Math.min(one.atMs(low), other.atMs(index - low));
}

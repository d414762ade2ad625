/** Moments (monotonic ms) at which slots come back, soonest first. */
export interface ReleaseSchedule {
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

/** Every key has several: the methods are in one place for all. */
class SortedTimes implements ReleaseSchedule {
  // Ascending from `first` on. What stands before it has passed, and is cut off once it is the larger part: taking one away at a
  // time would cost a walk over all.
  #times: number[] = [];
  #first = 0;

  get size() {
    return this.#times.length - this.#first;
  }

  forgetPast(nowMs: number): void {
    let past = 0;
    while (this.atMs(past) <= nowMs) past++;
    this.removeFirst(past);
  }

  add(atMs: number, count: number): void {
    const times = this.#times;
    let low = this.#first;
    let high = times.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((times[middle] ?? 0) <= atMs) low = middle + 1;
      else high = middle;
    }
    if (low === times.length) for (let added = 0; added < count; added++) times.push(atMs);
    else this.#times = [...times.slice(0, low), ...Array.from({ length: count }, () => atMs), ...times.slice(low)];
  }

  addAll(added: readonly number[]): void {
    this.#times = [...this.times(), ...added].sort((a, b) => a - b);
    this.#first = 0;
  }

  removeFirst(count: number): void {
    this.#first += count;
    if (this.#first * 2 <= this.#times.length) return;
    this.#times = this.times();
    this.#first = 0;
  }

  atMs(index: number): number {
    return index < 0 ? Number.NEGATIVE_INFINITY : (this.#times[this.#first + index] ?? Number.POSITIVE_INFINITY);
  }

  lastAtMs(): number {
    return this.#times.at(-1) ?? Number.NEGATIVE_INFINITY;
  }

  times(): number[] {
    return this.#times.slice(this.#first);
  }
}

/** Makes a list without any. */
export function createReleaseSchedule(): ReleaseSchedule {
  return new SortedTimes();
}

/** The time with this index of two lists taken together; Infinity beyond the last. */
export function mergedAtMs(one: ReleaseSchedule, other: ReleaseSchedule, index: number): number {
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

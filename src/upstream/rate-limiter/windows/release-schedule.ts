/** Times (monotonic ms) at which slots become free, soonest first. */
export interface ReleaseSchedule {
  readonly size: number;
  forgetPast(nowMs: number): void;
  add(atMs: number, count: number): void;
  addAll(times: readonly number[]): void;
  removeFirst(count: number): void;
  /** The time with this index; Infinity beyond the last, -Infinity for a negative index. */
  atMs(index: number): number;
  /** The last time; -Infinity if there is none. */
  lastAtMs(): number;
  times(): readonly number[];
}

/** A class, because every key has several schedules: they share their methods. */
class SortedTimes implements ReleaseSchedule {
  // Ascending from `first` on. Entries before it have passed; they are cut off once they are the larger part, because
  // removing each one would move all others.
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

/** Creates an empty schedule. */
export function createReleaseSchedule(): ReleaseSchedule {
  return new SortedTimes();
}

/** The time with this index in two schedules merged; Infinity beyond the last. */
export function mergedAtMs(one: ReleaseSchedule, other: ReleaseSchedule, index: number): number {
  // Binary search for how many of the first `index` times are from `one`.
  let low = Math.max(0, index - other.size);
  let high = Math.min(index, one.size);
  while (low < high) {
    const ofOne = (low + high) >>> 1;
    if (one.atMs(ofOne) < other.atMs(index - ofOne - 1)) low = ofOne + 1;
    else high = ofOne;
  }
  return Math.min(one.atMs(low), other.atMs(index - low));
}

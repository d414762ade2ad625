/**
 * One rolling rate limit: at most `limit` calls in any `windowMs`, as the other side counts them.
 *
 * Pure arithmetic on times that are handed in (monotonic milliseconds, never going back); it reads no clock and sets no timer.
 * A slot is taken when a call is sent and comes back one window after its *response*: the other side saw the call
 * somewhere between the two, so freeing it one window after the sending would be too early whenever the latency varies.
 */
export interface RateWindow {
  readonly limit: number;
  readonly windowMs: number;
  /** Calls that may be sent now. Never negative. */
  free(nowMs: number): number;
  /** A call is being sent. */
  take(): void;
  /** A call that was taken has been answered (or given up): its slot comes back one window from now. */
  release(nowMs: number): void;
  /** From now on the limit is this. Slots already taken stay taken. */
  setLimit(limit: number): void;
  /** Somebody else has used `count` more slots of the same budget; they come back at `untilMs`. */
  hold(count: number, untilMs: number): void;
  /** Remembers how much is in use now. */
  mark(nowMs: number): SlotMark;
  /** The most slots that can have been in use at any moment since the mark was made, as far as this window knows. */
  mostUsedSince(mark: SlotMark): number;
  /** The next moment at which a slot comes back by itself; Infinity while that hangs on an answer that is still out. */
  nextReleaseAtMs(nowMs: number): number;
  /** When its slots can next be taken, soonest first (`index` 0 to `limit - 1`), if calls still out are answered after `latencyMs`. */
  slotAtMs(nowMs: number, index: number, latencyMs: number): number;
  /** When the window is as if unused, supposing that calls still out are answered now. */
  restoredAtMs(nowMs: number): number;
  /** Takes over what another window of the same limit knows: calls that are out, and slots that have yet to come back. */
  absorb(other: RateWindow, nowMs: number): void;
  /** Slots of calls that are out, and when those of others come back, soonest first. */
  inUse(nowMs: number): { readonly takenCalls: number; readonly releasesAtMs: readonly number[] };
}

/** How much of a window was in use at a moment. */
export interface SlotMark {
  /** Slots in use, of calls that are out and of those that have yet to come back. */
  readonly used: number;
  /** Slots taken or held in the window's whole life. */
  readonly takenEver: number;
}

/**
 * Makes an unused rolling window.
 *
 * @param initialLimit - Calls per window, at least 1.
 * @param windowMs - Length of the window in milliseconds.
 */
export function createRateWindow(initialLimit: number, windowMs: number): RateWindow {
  let limit = initialLimit;
  let takenCalls = 0;
  let takenEver = 0;
  // When each slot comes back that is neither free nor taken by a call still out; ascending from `first` on. What stands
  // before it has passed, and is cut off in lots: taking one away at a time would cost a walk over all.
  let releases: number[] = [];
  let first = 0;

  const forgetPast = (nowMs: number) => {
    while (first < releases.length && (releases[first] ?? 0) <= nowMs) first++;
    if (first > 64 && first * 2 > releases.length) {
      releases = releases.slice(first);
      first = 0;
    }
  };
  const used = () => takenCalls + releases.length - first;
  /** Below zero when the limit has been lowered below what is in use. */
  const unused = () => limit - used();

  const comesBackAt = (atMs: number, count: number) => {
    let low = first;
    let high = releases.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((releases[middle] ?? 0) <= atMs) low = middle + 1;
      else high = middle;
    }
    if (low === releases.length) for (let slot = 0; slot < count; slot++) releases.push(atMs);
    else releases = [...releases.slice(0, low), ...Array.from({ length: count }, () => atMs), ...releases.slice(low)];
  };

  return {
    get limit() {
      return limit;
    },
    windowMs,
    free(nowMs) {
      forgetPast(nowMs);
      return Math.max(0, unused());
    },
    take() {
      takenCalls++;
      takenEver++;
    },
    mark(nowMs) {
      forgetPast(nowMs);
      return { used: used(), takenEver };
    },
    release(nowMs) {
      takenCalls--;
      comesBackAt(nowMs + windowMs, 1);
    },
    setLimit(newLimit) {
      limit = Math.max(1, newLimit);
    },
    hold(count, untilMs) {
      takenEver += count;
      comesBackAt(untilMs, count);
    },
    mostUsedSince: (mark) => mark.used + takenEver - mark.takenEver,
    nextReleaseAtMs(nowMs) {
      forgetPast(nowMs);
      return releases[first] ?? Number.POSITIVE_INFINITY;
    },
    slotAtMs(nowMs, index, latencyMs) {
      forgetPast(nowMs);
      const free = unused();
      if (index < free) return nowMs;
      // Over a lowered limit `free` is negative: the first slots to come back only pay the debt.
      return releases[first + index - free] ?? nowMs + latencyMs + windowMs;
    },
    restoredAtMs(nowMs) {
      forgetPast(nowMs);
      return Math.max(
        nowMs,
        first < releases.length ? (releases.at(-1) ?? nowMs) : nowMs,
        takenCalls > 0 ? nowMs + windowMs : nowMs,
      );
    },
    absorb(other, nowMs) {
      const { takenCalls: othersCalls, releasesAtMs } = other.inUse(nowMs);
      takenCalls += othersCalls;
      takenEver += othersCalls + releasesAtMs.length;
      for (const atMs of releasesAtMs) comesBackAt(atMs, 1);
    },
    inUse(nowMs) {
      forgetPast(nowMs);
      return { takenCalls, releasesAtMs: releases.slice(first) };
    },
  };
}

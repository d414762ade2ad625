import { createReleaseTimes, timeInBoth } from './release-times.ts';

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
  /** A slot that was taken has not been used. */
  giveBack(): void;
  /** From now on the limit is this. Slots already taken stay taken. */
  setLimit(limit: number): void;
  /** Somebody else has used `count` more slots of the same budget; they come back evenly from the first of these times to the second. */
  hold(count: number, fromMs: number, toMs: number): void;
  /** Somebody else has used `count` slots less than is held, as far as it was held before the mark was made. */
  letGo(count: number, mark: SlotMark, nowMs: number): void;
  /** Remembers how much is in use now. */
  mark(nowMs: number): SlotMark;
  /** One of the slots that are held comes back at that time already. */
  bringForward(atMs: number, nowMs: number): void;
  /** Slots that are held for others. */
  held(nowMs: number): number;
  /** The most slots that calls of our own can have used at any moment since the mark was made. */
  mostOwnSince(mark: SlotMark): number;
  /** Slots that have been taken or held since the mark was made. */
  takenSince(mark: SlotMark): number;
  /** The next moment at which a slot comes back by itself; Infinity while that hangs on an answer that is still out. */
  nextReleaseAtMs(nowMs: number): number;
  /** When its slots can next be taken, soonest first (`index` 0 to `limit - 1`), if calls still out are answered after `latencyMs`. */
  slotAtMs(nowMs: number, index: number, latencyMs: number): number;
  /** When the window is as if unused, supposing that calls still out are answered now. */
  restoredAtMs(nowMs: number): number;
  /** Takes over what another window of the same limit knows: calls that are out, and slots that have yet to come back. */
  absorb(other: RateWindow, nowMs: number): void;
  /** Slots of calls that are out, and when those come back that our own calls have used and those that others have, soonest first. */
  inUse(nowMs: number): {
    readonly takenCalls: number;
    readonly releasesAtMs: readonly number[];
    readonly heldUntilMs: readonly number[];
  };
}

// What others have used is known roughly at best.
const MAX_LOTS = 60;

/** How much of a window was in use at a moment. */
export interface SlotMark {
  /** Slots in use by calls of our own: that were out, or have yet to come back. */
  readonly ownUsed: number;
  /** Calls that were out. */
  readonly callsOut: number;
  /** Slots taken in the window's whole life, and used. */
  readonly takenEver: number;
  /** Slots held in the window's whole life. */
  readonly heldEver: number;
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
  let heldEver = 0;
  // When the slots come back that calls of our own have used, and those that others have.
  const own = createReleaseTimes();
  const others = createReleaseTimes();

  const forgetPast = (nowMs: number) => {
    own.forgetPast(nowMs);
    others.forgetPast(nowMs);
  };
  const used = () => takenCalls + own.size + others.size;
  /** Below zero when the limit has been lowered below what is in use. */
  const unused = () => limit - used();

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
    release(nowMs) {
      takenCalls--;
      own.add(nowMs + windowMs, 1);
    },
    giveBack() {
      takenCalls--;
      takenEver--;
    },
    setLimit(newLimit) {
      limit = Math.max(1, newLimit);
    },
    hold(count, fromMs, toMs) {
      heldEver += count;
      const lots = Math.min(count, MAX_LOTS);
      for (let lot = 0; lot < lots; lot++) {
        const size = Math.floor((count * (lot + 1)) / lots) - Math.floor((count * lot) / lots);
        others.add(fromMs + (Math.max(0, toMs - fromMs) * lot) / lots, size);
      }
    },
    letGo(count, mark, nowMs) {
      others.forgetPast(nowMs);
      const heldBefore = others.size - (heldEver - mark.heldEver);
      others.removeFirst(Math.max(0, Math.min(count, heldBefore)));
    },
    mark(nowMs) {
      forgetPast(nowMs);
      return { ownUsed: takenCalls + own.size, callsOut: takenCalls, takenEver, heldEver };
    },
    bringForward(atMs, nowMs) {
      others.forgetPast(nowMs);
      if (others.atMs(0) <= atMs || others.size === 0) return;
      others.removeFirst(1);
      others.add(atMs, 1);
    },
    held(nowMs) {
      others.forgetPast(nowMs);
      return others.size;
    },
    takenSince: (mark) => takenEver - mark.takenEver + heldEver - mark.heldEver,
    mostOwnSince: (mark) => mark.ownUsed + takenEver - mark.takenEver,
    nextReleaseAtMs(nowMs) {
      forgetPast(nowMs);
      return timeInBoth(own, others, 0);
    },
    slotAtMs(nowMs, index, latencyMs) {
      forgetPast(nowMs);
      const free = unused();
      if (index < free) return nowMs;
      // Over a lowered limit `free` is negative: the first slots to come back only pay the debt.
      const atMs = timeInBoth(own, others, index - free);
      return atMs === Number.POSITIVE_INFINITY ? nowMs + latencyMs + windowMs : atMs;
    },
    restoredAtMs(nowMs) {
      return Math.max(nowMs, own.lastAtMs(), others.lastAtMs(), takenCalls > 0 ? nowMs + windowMs : nowMs);
    },
    absorb(other, nowMs) {
      forgetPast(nowMs);
      const { takenCalls: othersCalls, releasesAtMs, heldUntilMs } = other.inUse(nowMs);
      // What the other has taken for somebody else's calls are these here first of all.
      others.addAll(heldUntilMs.slice(used()));
      takenCalls += othersCalls;
      takenEver += othersCalls + releasesAtMs.length;
      own.addAll(releasesAtMs);
    },
    inUse(nowMs) {
      forgetPast(nowMs);
      return { takenCalls, releasesAtMs: own.times(), heldUntilMs: others.times() };
    },
  };
}

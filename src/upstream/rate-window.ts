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
  /** Somebody else used `count` slots of the same budget; they come back at `untilMs`. Replaces what was held before. */
  hold(count: number, untilMs: number): void;
  /** The next moment at which a slot comes back by itself; Infinity while that hangs on an answer that is still out. */
  nextReleaseAtMs(nowMs: number): number;
  /** When the `position`-th further call (1 is the next) gets its slot, if every call is answered after `latencyMs`. */
  turnAtMs(nowMs: number, position: number, latencyMs: number): number;
  /** How many further calls get their slot up to `atMs`, if every call is answered after `latencyMs`. */
  turnsUntil(nowMs: number, atMs: number, latencyMs: number): number;
  /** When the window is as if unused, supposing that calls still out are answered now. */
  restoredAtMs(nowMs: number): number;
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
  // Ascending, because time only goes forward and every slot is kept equally long.
  const releases: number[] = [];
  let heldCalls = 0;
  let heldUntilMs = 0;

  const forgetPast = (nowMs: number) => {
    let past = 0;
    while (past < releases.length && (releases[past] ?? 0) <= nowMs) past++;
    if (past > 0) releases.splice(0, past);
    if (heldUntilMs <= nowMs) heldCalls = 0;
  };
  const unused = () => limit - takenCalls - releases.length - heldCalls;

  /** When each of the `limit` slots can next be taken, soonest first. */
  const slotTimes = (nowMs: number, latencyMs: number) => {
    forgetPast(nowMs);
    const times = [
      ...Array.from({ length: Math.max(0, unused()) }, () => nowMs),
      ...releases,
      ...Array.from({ length: heldCalls }, () => heldUntilMs),
      ...Array.from({ length: takenCalls }, () => nowMs + latencyMs + windowMs),
    ].sort((a, b) => a - b);
    // Over a lowered limit the first slots to come back only pay the debt.
    return times.slice(Math.max(0, times.length - limit));
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
    },
    release(nowMs) {
      takenCalls--;
      releases.push(nowMs + windowMs);
    },
    setLimit(newLimit) {
      limit = Math.max(1, newLimit);
    },
    hold(count, untilMs) {
      heldCalls = Math.max(0, count);
      heldUntilMs = untilMs;
    },
    nextReleaseAtMs(nowMs) {
      forgetPast(nowMs);
      return Math.min(releases[0] ?? Number.POSITIVE_INFINITY, heldCalls > 0 ? heldUntilMs : Number.POSITIVE_INFINITY);
    },
    turnAtMs(nowMs, position, latencyMs) {
      const slots = slotTimes(nowMs, latencyMs);
      const slot = slots[(position - 1) % slots.length] ?? nowMs;
      return slot + Math.floor((position - 1) / slots.length) * (windowMs + latencyMs);
    },
    turnsUntil(nowMs, atMs, latencyMs) {
      const rounds = slotTimes(nowMs, latencyMs).filter((slotAtMs) => slotAtMs <= atMs);
      return rounds.reduce((turns, slotAtMs) => turns + 1 + Math.floor((atMs - slotAtMs) / (windowMs + latencyMs)), 0);
    },
    restoredAtMs(nowMs) {
      forgetPast(nowMs);
      return Math.max(
        nowMs,
        releases.at(-1) ?? nowMs,
        heldCalls > 0 ? heldUntilMs : nowMs,
        takenCalls > 0 ? nowMs + windowMs : nowMs,
      );
    },
  };
}

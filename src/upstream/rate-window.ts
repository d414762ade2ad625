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
  /** The next moment at which a slot comes back by itself; Infinity while that hangs on an answer that is still out. */
  nextReleaseAtMs(nowMs: number): number;
  /** When its slots can next be taken, soonest first (`index` 0 to `limit - 1`), if calls still out are answered after `latencyMs`. */
  slotAtMs(nowMs: number, index: number, latencyMs: number): number;
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
  // When each slot comes back that is neither free nor taken by a call still out; ascending.
  const releases: number[] = [];

  const forgetPast = (nowMs: number) => {
    let past = 0;
    while (past < releases.length && (releases[past] ?? 0) <= nowMs) past++;
    if (past > 0) releases.splice(0, past);
  };
  /** Below zero when the limit has been lowered below what is in use. */
  const unused = () => limit - takenCalls - releases.length;

  const comesBackAt = (atMs: number, count: number) => {
    for (let slot = 0; slot < count; slot++) releases.push(atMs);
    releases.sort((a, b) => a - b);
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
      comesBackAt(nowMs + windowMs, 1);
    },
    setLimit(newLimit) {
      limit = Math.max(1, newLimit);
    },
    hold(count, untilMs) {
      comesBackAt(untilMs, count);
    },
    nextReleaseAtMs(nowMs) {
      forgetPast(nowMs);
      return releases[0] ?? Number.POSITIVE_INFINITY;
    },
    slotAtMs(nowMs, index, latencyMs) {
      forgetPast(nowMs);
      const free = unused();
      if (index < free) return nowMs;
      // Over a lowered limit `free` is negative: the first slots to come back only pay the debt.
      return releases[index - free] ?? nowMs + latencyMs + windowMs;
    },
    restoredAtMs(nowMs) {
      forgetPast(nowMs);
      return Math.max(nowMs, releases.at(-1) ?? nowMs, takenCalls > 0 ? nowMs + windowMs : nowMs);
    },
  };
}

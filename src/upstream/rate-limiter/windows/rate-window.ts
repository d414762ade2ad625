import { createReleaseSchedule, type ReleaseSchedule, mergedAtMs } from './release-schedule.ts';

/** What forecasts and refusals read of a window. Times are monotonic milliseconds. */
export interface RateWindowView {
  readonly limit: number;
  readonly windowMs: number;
  /** Calls that may be sent now. Never negative. */
  free(nowMs: number): number;
  /** The next moment at which a slot comes back by itself; Infinity while that hangs on an answer that is still out. */
  nextReleaseAtMs(nowMs: number): number;
  /** When its slots can next be taken, soonest first (`index` 0 to `limit - 1`), if calls still out are answered after `latencyMs`. */
  slotAtMs(nowMs: number, index: number, latencyMs: number): number;
  /** When the window is as if unused, supposing that calls still out are answered now. */
  restoredAtMs(nowMs: number): number;
}

/**
 * One rolling rate limit: at most `limit` calls in any `windowMs`, as the other side counts them.
 *
 * Pure arithmetic on times that are handed in (monotonic milliseconds, never going back); it reads no clock and sets no timer.
 * A slot is taken when a call is sent and comes back one window after its *response*: the other side saw the call
 * somewhere between the two, so freeing it one window after the sending would be too early whenever the latency varies.
 */
export interface RateWindow extends RateWindowView {
  /** What is known of the use by others. */
  readonly externalUse: ExternalUse;
  /** A call is being sent. */
  take(): void;
  /** A call that was taken has been answered (or given up): its slot comes back one window from now. */
  release(nowMs: number): void;
  /** A slot that was taken has not been used. */
  giveBack(): void;
  /** From now on the limit is this. Slots already taken stay taken. */
  setLimit(limit: number): void;
}

/** What others use of the same rate limit, which is known from answers alone: headers take away, they do not give. */
export interface ExternalUse {
  /** They have used `count` more slots, which come back evenly from the first of these times to the second. */
  hold(count: number, fromMs: number, toMs: number): void;
  /** One of the slots that are held for them comes back at that time already. */
  bringForward(atMs: number, nowMs: number): void;
  /** Remembers how much is in use now, when a call is sent. */
  mark(nowMs: number): SlotMark;
  /**
   * Learns from what the answer of that call says is left.
   *
   * @param isCounted - Whether the call counts against the window.
   */
  learn(
    left: { remaining: number; resetInMs?: number | undefined },
    mark: SlotMark,
    isCounted: boolean,
    nowMs: number,
  ): void;
  /** Takes over what another window of the same limit knows: calls that are out, and slots that have yet to come back. */
  absorb(other: RateWindow, nowMs: number): void;
  /** Slots of calls that are out, and when those come back that our own calls have used and those that others have, soonest first. */
  inUse(nowMs: number): {
    readonly takenCalls: number;
    readonly releasesAtMs: readonly number[];
    readonly heldUntilMs: readonly number[];
  };
}

/** How much of a window was in use at a moment. */
export interface SlotMark {
  /** Slots in use by calls of our own: that were out, or have yet to come back. */
  readonly localUsed: number;
  /** Calls that were out. */
  readonly callsInFlight: number;
  /** Slots taken in the window's whole life, and used. */
  readonly totalTaken: number;
  /** Slots held in the window's whole life. */
  readonly totalHeld: number;
}

/** What is in use of a window. */
interface State {
  limit: number;
  readonly windowMs: number;
  takenCalls: number;
  totalTaken: number;
  totalHeld: number;
  /** When the slots come back that calls of our own have used. */
  readonly localReleases: ReleaseSchedule;
  /** When the slots come back that others have used. */
  readonly externalReleases: ReleaseSchedule;
}

// What others have used is known roughly at best.
const MAX_LOTS = 60;

/**
 * Makes an unused rolling window.
 *
 * @param limit - Calls per window, at least 1.
 * @param windowMs - Length of the window in milliseconds.
 */
export function createRateWindow(limit: number, windowMs: number): RateWindow {
  const [localReleases, externalUse] = [createReleaseSchedule(), createReleaseSchedule()];
  const state: State = {
    limit,
    windowMs,
    takenCalls: 0,
    totalTaken: 0,
    totalHeld: 0,
    localReleases,
    externalReleases: externalUse,
  };

  return {
    get limit() {
      return state.limit;
    },
    windowMs,
    externalUse: createExternalUse(state),
    free: (nowMs) => Math.max(0, toUnused(state, nowMs)),
    take() {
      state.takenCalls++;
      state.totalTaken++;
    },
    release(nowMs) {
      state.takenCalls--;
      localReleases.add(nowMs + windowMs, 1);
    },
    giveBack() {
      state.takenCalls--;
      state.totalTaken--;
    },
    setLimit(newLimit) {
      state.limit = Math.max(1, newLimit);
    },
    nextReleaseAtMs(nowMs) {
      forgetPast(state, nowMs);
      return mergedAtMs(localReleases, externalUse, 0);
    },
    slotAtMs(nowMs, index, latencyMs) {
      const free = toUnused(state, nowMs);
      if (index < free) return nowMs;
      // Over a lowered limit `free` is negative: the first slots to come back only pay the debt.
      const atMs = mergedAtMs(localReleases, externalUse, index - free);
      return atMs === Number.POSITIVE_INFINITY ? nowMs + latencyMs + windowMs : atMs;
    },
    restoredAtMs(nowMs) {
      return Math.max(
        nowMs,
        localReleases.lastAtMs(),
        externalUse.lastAtMs(),
        state.takenCalls > 0 ? nowMs + windowMs : nowMs,
      );
    },
  };
}

function createExternalUse(state: State): ExternalUse {
  const { windowMs, localReleases, externalReleases } = state;

  const hold = (count: number, fromMs: number, toMs: number) => {
    state.totalHeld += count;
    const lots = Math.min(count, MAX_LOTS);
    for (let lot = 0; lot < lots; lot++) {
      const size = Math.floor((count * (lot + 1)) / lots) - Math.floor((count * lot) / lots);
      externalReleases.add(fromMs + (Math.max(0, toMs - fromMs) * lot) / lots, size);
    }
  };

  return {
    hold,
    bringForward(atMs, nowMs) {
      externalReleases.forgetPast(nowMs);
      if (externalReleases.atMs(0) <= atMs || externalReleases.size === 0) return;
      externalReleases.removeFirst(1);
      externalReleases.add(atMs, 1);
    },
    mark(nowMs) {
      forgetPast(state, nowMs);
      const { takenCalls, totalTaken, totalHeld } = state;
      return { localUsed: takenCalls + localReleases.size, callsInFlight: takenCalls, totalTaken, totalHeld };
    },
    learn({ remaining, resetInMs = windowMs }, mark, isCounted, nowMs) {
      const free = Math.max(0, toUnused(state, nowMs));
      const takenSince = state.totalTaken - mark.totalTaken;
      const heldSince = state.totalHeld - mark.totalHeld;
      // The answer counts what was in use when upstream saw the call, somewhere between its sending and now: what none of our
      // own calls of that time can explain is certain to be another's.
      const externalCalls = state.limit - remaining - (mark.localUsed + takenSince) - externalReleases.size;
      if (externalCalls > 0) {
        // A reset can mean the first slot that comes back, or all of them.
        hold(externalCalls, nowMs + Math.min(resetInMs, windowMs), nowMs + windowMs);
        return;
      }
      // What was held was a guess. As much was left then, less what had not arrived yet and what has been sent since.
      const notCounted = mark.callsInFlight - (isCounted ? 1 : 0) + takenSince + heldSince;
      externalReleases.removeFirst(
        Math.max(0, Math.min(remaining - notCounted - free, externalReleases.size - heldSince)),
      );
    },
    absorb(other, nowMs) {
      const { takenCalls, releasesAtMs, heldUntilMs } = other.externalUse.inUse(nowMs);
      // What the other has taken for somebody else's calls are these here first of all.
      externalReleases.addAll(heldUntilMs.slice(state.limit - toUnused(state, nowMs)));
      state.takenCalls += takenCalls;
      state.totalTaken += takenCalls + releasesAtMs.length;
      localReleases.addAll(releasesAtMs);
    },
    inUse(nowMs) {
      forgetPast(state, nowMs);
      return {
        takenCalls: state.takenCalls,
        releasesAtMs: localReleases.times(),
        heldUntilMs: externalReleases.times(),
      };
    },
  };
}

function forgetPast({ localReleases, externalReleases }: State, nowMs: number): void {
  localReleases.forgetPast(nowMs);
  externalReleases.forgetPast(nowMs);
}

/** Slots that are not in use; below zero when the limit has been lowered below what is. */
function toUnused(state: State, nowMs: number): number {
  forgetPast(state, nowMs);
  return state.limit - state.takenCalls - state.localReleases.size - state.externalReleases.size;
}

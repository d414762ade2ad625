import { createReleaseSchedule, type ReleaseSchedule, mergedAtMs } from './release-schedule.ts';

/** Read-only view of a window. Times are monotonic milliseconds. */
export interface RateWindowView {
  readonly limit: number;
  readonly windowMs: number;
  /** Calls that may be sent now. Never negative. */
  free(nowMs: number): number;
  /** When the next slot becomes free without another response; Infinity if a response has to come first. */
  nextReleaseAtMs(nowMs: number): number;
  /** When the slot with this index, soonest first, can be taken if the calls in flight end in `latencyMs`. */
  slotAtMs(nowMs: number, index: number, latencyMs: number): number;
  /** When the window would be entirely unused if the calls in flight ended now. */
  restoredAtMs(nowMs: number): number;
}

/**
 * One rolling rate limit: at most `limit` calls in any `windowMs`, as Postman counts them.
 *
 * Pure arithmetic on the times passed in (monotonic milliseconds, never decreasing), without a clock or timers. A slot
 * is taken when a call is sent and becomes free one window after its *response*: Postman counted the call at some
 * moment between the two, so freeing it one window after sending would be too early whenever the latency varies.
 */
export interface RateWindow extends RateWindowView {
  /** Slots used by other clients of the same limit. */
  readonly externalUse: ExternalUse;
  /** Takes a slot for a call that is being sent. */
  take(): void;
  /** A call ended, with or without a response: its slot is free one window from now. */
  release(nowMs: number): void;
  /** Frees a taken slot that was not used. */
  giveBack(): void;
  /** Changes the limit; at least 1. Slots in use stay in use. */
  setLimit(limit: number): void;
}

/** Estimate of the slots that other clients use, from responses only. Headers can add slots in use, never free ours. */
export interface ExternalUse {
  /** Holds `count` more slots for other clients; they become free evenly between the two times. */
  hold(count: number, fromMs: number, toMs: number): void;
  /** Frees one held slot at `atMs` if none becomes free earlier. */
  bringForward(atMs: number, nowMs: number): void;
  /** Records the slots in use when a call is sent, for `learn`. */
  mark(nowMs: number): SlotMark;
  /**
   * Updates the estimate from the remaining count that the call's response announces.
   *
   * @param isCounted - Whether the call counts against this window.
   */
  learn(
    left: { remaining: number; resetInMs?: number | undefined },
    mark: SlotMark,
    isCounted: boolean,
    nowMs: number,
  ): void;
  /** Adds the slots in use of another window of the same limit: calls in flight and slots that are not free yet. */
  absorb(other: RateWindow, nowMs: number): void;
  /** Calls in flight, and when the slots of our ended calls and those held for others become free, soonest first. */
  inUse(nowMs: number): {
    readonly takenCalls: number;
    readonly releasesAtMs: readonly number[];
    readonly heldUntilMs: readonly number[];
  };
}

/** The slots of a window in use at one moment. */
export interface SlotMark {
  /** Slots in use by our own calls: in flight, or not free again yet. */
  readonly localUsed: number;
  /** Our own calls in flight, and reserved slots. */
  readonly callsInFlight: number;
  /** Slots taken since the window was created, except those given back. */
  readonly totalTaken: number;
  /** Slots held for others since the window was created. */
  readonly totalHeld: number;
}

/** State of a window. */
interface State {
  limit: number;
  readonly windowMs: number;
  takenCalls: number;
  totalTaken: number;
  totalHeld: number;
  /** When the slots of our ended calls become free. */
  readonly localReleases: ReleaseSchedule;
  /** When the slots held for others become free. */
  readonly externalReleases: ReleaseSchedule;
}

// Slots held for others become free in this many lots at most: more would be pointless for a rough estimate.
const MAX_LOTS = 60;

/**
 * Creates an unused rolling window.
 *
 * @param limit - Calls per window, at least 1.
 * @param windowMs - Length of the window in milliseconds.
 */
export function createRateWindow(limit: number, windowMs: number): RateWindow {
  const [localReleases, externalReleases] = [createReleaseSchedule(), createReleaseSchedule()];
  const state: State = {
    limit,
    windowMs,
    takenCalls: 0,
    totalTaken: 0,
    totalHeld: 0,
    localReleases,
    externalReleases,
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
      return mergedAtMs(localReleases, externalReleases, 0);
    },
    slotAtMs(nowMs, index, latencyMs) {
      const free = toUnused(state, nowMs);
      if (index < free) return nowMs;
      // After the limit was lowered, `free` may be negative: that many slots have to become free first.
      const atMs = mergedAtMs(localReleases, externalReleases, index - free);
      return atMs === Number.POSITIVE_INFINITY ? nowMs + latencyMs + windowMs : atMs;
    },
    restoredAtMs(nowMs) {
      return Math.max(
        nowMs,
        localReleases.lastAtMs(),
        externalReleases.lastAtMs(),
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
      // Postman counted when it received the call, at some moment between its sending and now. Usage that none of our
      // own calls of that time can explain belongs to another client.
      const externalCalls = state.limit - remaining - (mark.localUsed + takenSince) - externalReleases.size;
      if (externalCalls > 0) {
        // A reset may mean the first slot that becomes free, or all of them.
        hold(externalCalls, nowMs + Math.min(resetInMs, windowMs), nowMs + windowMs);
        return;
      }
      // Held slots are an estimate, so the response can free them. Free now = what it reports as remaining - our calls
      // that had not arrived by then - slots taken or held since.
      const notCounted = mark.callsInFlight - (isCounted ? 1 : 0) + takenSince + heldSince;
      externalReleases.removeFirst(
        Math.max(0, Math.min(remaining - notCounted - free, externalReleases.size - heldSince)),
      );
    },
    absorb(other, nowMs) {
      const { takenCalls, releasesAtMs, heldUntilMs } = other.externalUse.inUse(nowMs);
      // The calls counted here may be the ones that the other window held slots for: add only the excess.
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

/** Slots not in use; negative if the limit was lowered below the slots in use. */
function toUnused(state: State, nowMs: number): number {
  forgetPast(state, nowMs);
  return state.limit - state.takenCalls - state.localReleases.size - state.externalReleases.size;
}

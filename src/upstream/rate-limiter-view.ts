import type { MonthlyQuota } from './monthly-quota.ts';
import type { ProbeGate, ProbeGateOptions } from './probe-gate.ts';
import type { RateWindow } from './rate-window.ts';
import type { RateWindows, TakenSlots } from './rate-windows.ts';
import type { RouteClass } from './share.ts';
import type { Room, SlotGrant, SlotView } from './slot-source.ts';
import type { RateWindowsOptions } from './window-set.ts';

/** What the limiter of every key is made with. */
export interface RateLimiterOptions extends RateWindowsOptions, ProbeGateOptions {
  /**
   * Calls an operation makes before it has to leave this many slots of the general window (and one of every other, and one connection) to
   * the first calls of others. When that many have passed it, it takes the next slot itself: a stream of new operations may slow it, not stop it.
   */
  readonly reservedCalls: number;
  /** Calls of one key that are out at the same time, at most. */
  readonly maxConcurrentCalls: number;
}

/** What a limiter knows. */
export interface RateLimiterState {
  readonly windows: RateWindows;
  readonly probes: ProbeGate;
  readonly quota: MonthlyQuota;
  /** The slots of every grant that has not been handed back. */
  readonly granted: Map<SlotGrant, TakenSlots>;
  readonly callsOut: Record<RouteClass, number>;
  readonly virtualTime: Record<RouteClass, number>;
  pausedUntilMs: number;
  /** undefined: nothing has been measured. */
  latencyMs: number | undefined;
  hasAnswer: boolean;
}

const FIRST_LATENCY_MS = 300;
const NO_ROOM: Room = { forFirstCalls: false, forLaterCalls: false };

/** Makes the view of a limiter: everything that follows from its state and the time. */
export function createRateLimiterView(state: RateLimiterState, options: RateLimiterOptions): SlotView {
  const { windows, probes, quota, callsOut } = state;
  const { reservedCalls, maxConcurrentCalls, clock } = options;

  const totalOut = () => callsOut.general + callsOut.burst;
  const concurrency = () => quota.mostOut(maxConcurrentCalls);
  const slotsToLeave = (window: RateWindow) =>
    Math.min(window === windows.general ? reservedCalls : Math.min(1, reservedCalls), window.limit - 1);

  const room = (routeClass: RouteClass): Room => {
    const nowMs = clock.nowMs();
    if (nowMs < state.pausedUntilMs || totalOut() >= concurrency()) return NO_ROOM;
    if (probes.untilMs(routeClass, callsOut) !== undefined) return NO_ROOM;
    // Of the connections one is left to first calls, too.
    let forLaterCalls = totalOut() < concurrency() - Math.min(1, reservedCalls, concurrency() - 1);
    for (const window of windows.of(routeClass)) {
      const free = window.free(nowMs);
      if (free === 0) return NO_ROOM;
      if (free <= slotsToLeave(window)) forLaterCalls = false;
    }
    return { forFirstCalls: true, forLaterCalls };
  };

  const toWindowSnapshot = (window: RateWindow) => {
    const nowMs = clock.nowMs();
    return {
      limit: window.limit,
      windowMs: window.windowMs,
      remaining: nowMs < state.pausedUntilMs || quota.isSpent() ? 0 : window.free(nowMs),
      restoredInMs: Math.max(window.restoredAtMs(nowMs), state.pausedUntilMs) - nowMs,
    };
  };

  return {
    room,
    nextRoomAtMs(routeClass) {
      const nowMs = clock.nowMs();
      // With all connections busy the next thing to happen is an answer.
      if (totalOut() >= concurrency()) return Number.POSITIVE_INFINITY;
      if (nowMs < state.pausedUntilMs) return state.pausedUntilMs;
      const probedUntilMs = probes.untilMs(routeClass, callsOut);
      if (probedUntilMs !== undefined) return probedUntilMs;
      const full = windows.of(routeClass).filter((window) => window.free(nowMs) === 0);
      const toReleaseAtMs = (window: RateWindow) => window.nextReleaseAtMs(nowMs);
      // Where none is full, slots are reserved for first calls.
      return full.length > 0
        ? Math.max(...full.map(toReleaseAtMs))
        : Math.min(...windows.of(routeClass).map(toReleaseAtMs));
    },
    outlook(usesReserve) {
      const toUsable = (window: RateWindow) => ({ window, slotsToLeave: usesReserve ? 0 : slotsToLeave(window) });
      const general = windows.of('general');
      return {
        general: general.map(toUsable),
        burst: windows
          .of('burst')
          .filter((window) => !general.includes(window))
          .map(toUsable),
        connections: { free: concurrency() - totalOut(), total: concurrency() },
        startMs: Math.max(clock.nowMs(), state.pausedUntilMs),
        latencyMs: state.latencyMs ?? FIRST_LATENCY_MS,
      };
    },
    virtualTime: (routeClass) => state.virtualTime[routeClass],
    callsOut: totalOut,
    isMonthSpent: quota.isSpent,
    hasSpareSlot: (routeClass) =>
      !quota.isSpent() &&
      room(routeClass).forLaterCalls &&
      windows.of(routeClass).every((window) => window.free(clock.nowMs()) > window.limit / 2),
    snapshot() {
      const { general, burst } = windows;
      const ofGeneralClass = windows.of('general').map(toWindowSnapshot);
      return {
        ...toWindowSnapshot(general),
        remaining: Math.min(...ofGeneralClass.map(({ remaining }) => remaining)),
        ...(burst && { burst: toWindowSnapshot(burst) }),
        learned: windows
          .all()
          .filter((window) => window !== general && window !== burst)
          .map(toWindowSnapshot),
        hasAnswer: state.hasAnswer,
        ...(quota.limit !== undefined && { monthLimit: quota.limit }),
        ...(quota.remaining !== undefined && { monthRemaining: quota.remaining }),
      };
    },
  };
}

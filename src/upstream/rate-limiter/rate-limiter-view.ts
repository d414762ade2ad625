import type { MonthlyQuota } from './monthly-quota.ts';
import type { ProbeGate, ProbeGateOptions } from './probe-gate.ts';
import type { RateWindow } from './windows/rate-window.ts';
import type { RateWindows, TakenSlots } from './windows/rate-windows.ts';
import type { RouteClass } from '../postman/route-class.ts';
import { type FreeSlots, NO_FREE_SLOTS, type SlotGrant, type SlotView } from './slot-source.ts';
import type { RateWindowsOptions } from './windows/window-set.ts';

/** Options of a rate limiter, the same for every key. */
export interface RateLimiterOptions extends RateWindowsOptions, ProbeGateOptions {
  /**
   * How many calls of an operation are first calls. Its later calls leave this many slots of the general window, one of
   * every other window and one connection to the first calls of other operations. Once this many first calls have
   * passed a later call, the later call takes the next slot: new operations can slow an operation down, not stop it.
   */
  readonly reservedCalls: number;
  /** Most calls of one key in flight at the same time. */
  readonly maxConcurrentCalls: number;
}

/** State of a rate limiter. */
export interface RateLimiterState {
  readonly windows: RateWindows;
  readonly probes: ProbeGate;
  readonly quota: MonthlyQuota;
  /** Slots of each grant that was neither settled nor given back. */
  readonly granted: Map<SlotGrant, TakenSlots>;
  readonly callsInFlight: Record<RouteClass, number>;
  readonly virtualTime: Record<RouteClass, number>;
  pausedUntilMs: number;
  /** Mean duration of calls; undefined before the first measurement. */
  latencyMs: number | undefined;
  hasResponse: boolean;
}

/** The part of a window that a view reads. */
export type ViewedWindow = Pick<
  RateWindow,
  'limit' | 'windowMs' | 'free' | 'nextReleaseAtMs' | 'slotAtMs' | 'restoredAtMs'
>;

/** What a view reads: the state of a limiter in this process, or the mirror of a shared one. */
export interface ViewedState
  extends Readonly<
    Pick<RateLimiterState, 'virtualTime' | 'callsInFlight' | 'pausedUntilMs' | 'latencyMs' | 'hasResponse'>
  > {
  readonly windows: {
    readonly general: ViewedWindow;
    readonly burst: ViewedWindow | undefined;
    of(routeClass: RouteClass): readonly ViewedWindow[];
    all(): readonly ViewedWindow[];
  };
  readonly probes: Pick<ProbeGate, 'untilMs'>;
  readonly quota: Pick<MonthlyQuota, 'limit' | 'remaining' | 'isExhausted' | 'maxInFlight'>;
}

// Assumed until a call has been measured.
const FIRST_LATENCY_MS = 300;

/** Creates the view of a limiter. It has no state of its own. */
export function createRateLimiterView(state: ViewedState, options: RateLimiterOptions): SlotView {
  const { probes, callsInFlight } = state;
  const { reservedCalls, maxConcurrentCalls, clock } = options;

  const totalInFlight = () => callsInFlight.general + callsInFlight.burst;
  const concurrency = () => state.quota.maxInFlight(maxConcurrentCalls);
  const slotsToLeave = (window: ViewedWindow) =>
    Math.min(window === state.windows.general ? reservedCalls : Math.min(1, reservedCalls), window.limit - 1);

  const freeSlots = (routeClass: RouteClass): FreeSlots => {
    const nowMs = clock.nowMs();
    if (nowMs < state.pausedUntilMs || totalInFlight() >= concurrency()) return NO_FREE_SLOTS;
    if (probes.untilMs(routeClass, callsInFlight, nowMs) !== undefined) return NO_FREE_SLOTS;
    // One connection is reserved for first calls too.
    let forLaterCalls = totalInFlight() < concurrency() - Math.min(1, reservedCalls, concurrency() - 1);
    for (const window of state.windows.of(routeClass)) {
      const free = window.free(nowMs);
      if (free === 0) return NO_FREE_SLOTS;
      if (free <= slotsToLeave(window)) forLaterCalls = false;
    }
    return { forFirstCalls: true, forLaterCalls };
  };

  const toWindowSnapshot = (window: ViewedWindow) => {
    const nowMs = clock.nowMs();
    return {
      limit: window.limit,
      windowMs: window.windowMs,
      remaining: nowMs < state.pausedUntilMs || state.quota.isExhausted() ? 0 : window.free(nowMs),
      restoredInMs: Math.max(window.restoredAtMs(nowMs), state.pausedUntilMs) - nowMs,
    };
  };

  return {
    freeSlots,
    nextFreeSlotAtMs(routeClass) {
      const nowMs = clock.nowMs();
      // With all connections busy, a response has to come first.
      if (totalInFlight() >= concurrency()) return Number.POSITIVE_INFINITY;
      if (nowMs < state.pausedUntilMs) return state.pausedUntilMs;
      const probedUntilMs = probes.untilMs(routeClass, callsInFlight, nowMs);
      if (probedUntilMs !== undefined) return probedUntilMs;
      const full = state.windows.of(routeClass).filter((window) => window.free(nowMs) === 0);
      const toReleaseAtMs = (window: ViewedWindow) => window.nextReleaseAtMs(nowMs);
      // If no window is full, the remaining slots are reserved for first calls.
      return full.length > 0
        ? Math.max(...full.map(toReleaseAtMs))
        : Math.min(...state.windows.of(routeClass).map(toReleaseAtMs));
    },
    outlook(usesReserve) {
      const toUsable = (window: ViewedWindow) => ({ window, slotsToLeave: usesReserve ? 0 : slotsToLeave(window) });
      const general = state.windows.of('general');
      return {
        general: general.map(toUsable),
        burst: state.windows
          .of('burst')
          .filter((window) => !general.includes(window))
          .map(toUsable),
        connections: { free: concurrency() - totalInFlight(), total: concurrency() },
        startMs: Math.max(clock.nowMs(), state.pausedUntilMs),
        latencyMs: state.latencyMs ?? FIRST_LATENCY_MS,
      };
    },
    virtualTime: (routeClass) => state.virtualTime[routeClass],
    callsInFlight: totalInFlight,
    isMonthlyQuotaExhausted: () => state.quota.isExhausted(),
    hasSpareSlot: (routeClass) =>
      !state.quota.isExhausted() &&
      freeSlots(routeClass).forLaterCalls &&
      state.windows.of(routeClass).every((window) => window.free(clock.nowMs()) > window.limit / 2),
    limits: () => state.windows.all(),
    snapshot() {
      const { general, burst, of, all } = state.windows;
      const { limit, windowMs, restoredInMs } = toWindowSnapshot(general);
      return {
        limit,
        windowMs,
        remaining: Math.min(...of('general').map((window) => toWindowSnapshot(window).remaining)),
        restoredInMs,
        burst: burst && toWindowSnapshot(burst),
        learned: all()
          .filter((window) => window !== general && window !== burst)
          .map(toWindowSnapshot),
        hasResponse: state.hasResponse,
        monthLimit: state.quota.limit,
        monthRemaining: state.quota.remaining,
      };
    },
  };
}

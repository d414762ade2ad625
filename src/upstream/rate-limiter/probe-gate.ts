import type { Clock } from '../clock.ts';
import type { RateWindows } from './windows/rate-windows.ts';
import type { RouteClass } from '../postman/route-class.ts';

/**
 * What a new process assumes about the slots that calls with the key used before it started.
 *
 * - `probe`: unknown. One call at a time is sent until the first response; in the burst class, until a response reports
 *   how many slots of the burst window are left, or that window has passed.
 * - `wait`: all are used, until each window has passed.
 * - `off`: none is used.
 */
export type ColdStart = 'probe' | 'wait' | 'off';

/** Options of `createProbeGate`. */
export interface ProbeGateOptions {
  readonly coldStart: ColdStart;
  /** Monotonic ms. */
  readonly processStartedAtMs: number;
  readonly clock: Clock;
}

/** Lets only one call in flight while our count of slots may be wrong: after the process starts and after a 429. */
export interface ProbeGate {
  /**
   * Until when (monotonic ms) a call has to wait for the response of the probe, at most; undefined: it may be sent.
   *
   * @param callsInFlight - Calls in flight by class.
   */
  untilMs(
    routeClass: RouteClass,
    callsInFlight: Readonly<Record<RouteClass, number>>,
    nowMs: number,
  ): number | undefined;
  /** A call is being sent. */
  onSent(atMs: number): void;
  /** Postman sent a 429: the count is suspect until the response to a call sent at `untilMs` (monotonic) or later. */
  suspect(untilMs: number): void;
  /** A response arrived; `reportsBurst`: it says how many slots of the burst window are left. */
  onResponse(sentAtMs: number, reportsBurst: boolean): void;
}

// Without a response to the probe, another call is sent after this long.
const PROBE_TIMEOUT_MS = 1_000;

/** Creates the probe gate of one key. With `wait`, it holds all slots until each window has passed since the start. */
export function createProbeGate(
  windows: RateWindows,
  { coldStart, processStartedAtMs, clock }: ProbeGateOptions,
): ProbeGate {
  const coldUntilMs = (windowMs: number) => processStartedAtMs + windowMs;
  let isSuspect = coldStart === 'probe' && clock.nowMs() < coldUntilMs(windows.general.windowMs);
  let isBurstSuspect = coldStart === 'probe';
  let trustedFromMs = Number.NEGATIVE_INFINITY;
  let lastSentAtMs = Number.NEGATIVE_INFINITY;

  if (coldStart === 'wait') {
    for (const window of windows.all()) {
      const untilMs = coldUntilMs(window.windowMs);
      if (clock.nowMs() < untilMs) window.externalUse.hold(window.limit, untilMs, untilMs);
    }
  }

  return {
    untilMs(routeClass, callsInFlight, nowMs) {
      const untilMs = lastSentAtMs + PROBE_TIMEOUT_MS;
      if (nowMs >= untilMs) return undefined;
      if (isSuspect && callsInFlight.general + callsInFlight.burst > 0) return untilMs;
      const isBurstCold = isBurstSuspect && windows.burst !== undefined && nowMs < coldUntilMs(windows.burst.windowMs);
      return routeClass === 'burst' && callsInFlight.burst > 0 && isBurstCold ? untilMs : undefined;
    },
    onSent(atMs) {
      lastSentAtMs = atMs;
    },
    suspect(untilMs) {
      isSuspect = true;
      trustedFromMs = Math.max(trustedFromMs, untilMs);
    },
    onResponse(sentAtMs, reportsBurst) {
      if (sentAtMs >= trustedFromMs) isSuspect = false;
      if (reportsBurst) isBurstSuspect = false;
    },
  };
}

import type { Clock } from '../clock.ts';
import type { RateWindows } from './windows/rate-windows.ts';
import type { RouteClass } from '../postman/route-class.ts';

/**
 * What a process that has just started supposes of the calls that another one may have made under the key before it.
 *
 * - `probe`: one call at a time until answers have told what is left, and of the burst class until its window has passed.
 * - `wait`: everything is used up until each window has passed.
 * - `off`: nothing has been used.
 */
export type ColdStart = 'probe' | 'wait' | 'off';

/** When that is supposed. */
export interface ProbeGateOptions {
  readonly coldStart: ColdStart;
  /** Monotonic ms. */
  readonly processStartedAtMs: number;
  readonly clock: Clock;
}

/** Sends one call alone where our own count of the windows may be wrong: after the start of the process, and after a 429. */
export interface ProbeGate {
  /**
   * Until when (monotonic ms) a call has to wait for the answer of the one before it; undefined: it need not.
   *
   * @param callsInFlight - Calls of each class that have not been answered.
   */
  untilMs(routeClass: RouteClass, callsInFlight: Readonly<Record<RouteClass, number>>): number | undefined;
  /** A call is being sent. */
  onSent(): void;
  /** Upstream has refused a call: what is sent before this moment proves nothing. */
  suspect(untilMs: number): void;
  /** A call has been answered; `toldOfBurst`: the answer says how much is left of the burst window. */
  onResponse(sentAtMs: number, reportsBurst: boolean): void;
}

// An upstream that leaves a first call unanswered gets a second one after this long.
const PROBE_TIMEOUT_MS = 1_000;

/** Makes the probe gate of one key; with `wait` it holds the slots of the windows that may not have passed. */
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
    untilMs(routeClass, callsInFlight) {
      const nowMs = clock.nowMs();
      const untilMs = lastSentAtMs + PROBE_TIMEOUT_MS;
      if (nowMs >= untilMs) return undefined;
      if (isSuspect && callsInFlight.general + callsInFlight.burst > 0) return untilMs;
      const isBurstCold = isBurstSuspect && windows.burst !== undefined && nowMs < coldUntilMs(windows.burst.windowMs);
      return routeClass === 'burst' && callsInFlight.burst > 0 && isBurstCold ? untilMs : undefined;
    },
    onSent() {
      lastSentAtMs = clock.nowMs();
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

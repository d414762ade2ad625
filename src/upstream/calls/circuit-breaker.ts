import type { Clock } from '../clock.ts';

/** A call that upstream has not served: a 5XX, a broken connection or no response. */
export interface Failure {
  /** The route's template. */
  readonly route: string;
  /** Identifies the call. */
  readonly key: string;
  /** No connection was made, so the requested object cannot be the reason. */
  readonly isConnectFailure: boolean;
  /** There was no response in time. */
  readonly isTimeout?: boolean;
  /** Why upstream cannot be reached until someone changes something; absent: it may recover by itself. */
  readonly unreachable?: string;
}

/**
 * `closed` lets calls through. `open` refuses them until the next probe is due. `halfOpen` has had a probe in flight
 * since `sinceMs`; if the probe is abandoned, the breaker is open again, with the same `nextProbeAtMs`. Times are
 * monotonic ms.
 */
type State =
  | { readonly is: 'closed' }
  | { readonly is: 'open'; readonly nextProbeAtMs: number }
  | { readonly is: 'halfOpen'; readonly nextProbeAtMs: number; readonly probe: string; readonly sinceMs: number };

/** A circuit breaker: refuses calls that would fail, and sends probes to find out when they no longer do. */
export interface CircuitBreaker {
  /**
   * Asks whether a call must be refused.
   *
   * @param key - Identifies the call.
   * @returns When to try again (monotonic ms); undefined: the call may be made. If the breaker is open, the call then
   *   becomes its probe and the breaker half-open.
   */
  refuse(key: string): number | undefined;
  /** Reports that an allowed call will not be made. */
  abandon(key: string): void;
  /** Reports that upstream has responded, with whatever status. */
  succeeded(): void;
  /**
   * Reports a failed call.
   *
   * @param threshold - Opens the breaker at this many failures, of any kind and within any time. Default: the rule of
   *   `createCircuitBreaker`.
   */
  failed(failure: Failure, threshold?: number): void;
  /** Whether the breaker is open or half-open. */
  isOpen(): boolean;
  /** The `unreachable` reason of the last failure while the breaker is not closed; undefined if it has none. */
  unreachable(): string | undefined;
}

// Fewer failures prove nothing. Only failures since the last success and within the window count.
const MIN_FAILURES = 5;
const FAILURE_WINDOW_MS = 60_000;
const MAX_FAILURES = 50;
// Calls that fail at the same moment may have shared one broken connection to a proxy.
const MIN_SPAN_MS = 1_000;
/** The time between two probes, and from opening to the first one. */
const PROBE_INTERVAL_MS = 6_000;
/** How much longer the call that was the last probe waits than others, with `avoids: 'lastProbe'`. */
const LAST_PROBE_MS = 1_000;

/**
 * Makes a closed circuit breaker.
 *
 * It opens when at least five calls have failed over at least a second without a success between them, and the
 * requested objects cannot be the reason: no connection was made, or calls of two routes failed. One route or one
 * object that always fails does not open it.
 *
 * Open, it lets one call through every six seconds as a probe; the first response closes it. A call that has failed
 * becomes a probe only if no other call comes for six more seconds, because its object may be the only one that fails.
 *
 * @param onChange - Called when the breaker has opened (true) or closed (false).
 * @param avoids - Which calls give way to others as probes. `failed`: those that have failed, for six seconds.
 *   `lastProbe`: only the last probe, for one second, because every call fails anyway. Default: `failed`.
 */
export function createCircuitBreaker(
  clock: Clock,
  onChange: (isOpen: boolean) => void,
  avoids: 'failed' | 'lastProbe' = 'failed',
): CircuitBreaker {
  let failures: (Failure & { readonly atMs: number })[] = [];
  let state: State = { is: 'closed' };
  let lastProbe: string | undefined;

  const shouldOpen = (nowMs: number): boolean => {
    const [oldest] = failures;
    if (!oldest || failures.length < MIN_FAILURES || nowMs - oldest.atMs < MIN_SPAN_MS) return false;
    const connectFailures = failures.filter(({ isConnectFailure }) => isConnectFailure);
    return connectFailures.length >= MIN_FAILURES || new Set(failures.map(({ route }) => route)).size > 1;
  };

  const recordFailure = (failure: Failure, nowMs: number) => {
    failures = [...failures.filter(({ atMs }) => nowMs - atMs < FAILURE_WINDOW_MS), { ...failure, atMs: nowMs }];
    // The oldest stays, because it shows how long the failures have been going on.
    if (failures.length > MAX_FAILURES) failures.splice(1, 1);
  };

  const endProbe = (key: string, nextProbeAtMs: number) => {
    lastProbe = key;
    state = { is: 'open', nextProbeAtMs };
  };

  /** How much longer a call waits before it may be the probe than one that need not give way. */
  const avoidMsOf = (key: string, nowMs: number): number => {
    if (avoids === 'lastProbe') return key === lastProbe ? LAST_PROBE_MS : 0;
    const hasFailed = failures.some((failure) => failure.key === key && nowMs - failure.atMs < FAILURE_WINDOW_MS);
    return hasFailed ? PROBE_INTERVAL_MS : 0;
  };

  return {
    isOpen: () => state.is !== 'closed',

    unreachable: () => (state.is === 'closed' ? undefined : failures.at(-1)?.unreachable),

    refuse(key) {
      if (state.is === 'closed') return undefined;
      const nowMs = clock.nowMs();
      if (state.is === 'halfOpen') {
        if (nowMs < state.sinceMs + PROBE_INTERVAL_MS) return nowMs + PROBE_INTERVAL_MS;
        // The probe takes too long to wait for it. Its outcome still counts when it comes.
        recordFailure({ route: '', key: state.probe, isConnectFailure: false }, nowMs);
        endProbe(state.probe, nowMs);
      }
      const { nextProbeAtMs } = state;
      const dueAtMs = nextProbeAtMs + avoidMsOf(key, nowMs);
      if (nowMs < dueAtMs) return dueAtMs;
      state = { is: 'halfOpen', probe: key, sinceMs: nowMs, nextProbeAtMs };
      return undefined;
    },

    abandon(key) {
      if (state.is === 'halfOpen' && state.probe === key) state = { is: 'open', nextProbeAtMs: state.nextProbeAtMs };
    },

    succeeded() {
      failures = [];
      lastProbe = undefined;
      if (state.is === 'closed') return;
      state = { is: 'closed' };
      onChange(false);
    },

    failed(failure, threshold) {
      const nowMs = clock.nowMs();
      recordFailure(failure, nowMs);
      if (state.is === 'closed') {
        if (threshold === undefined ? !shouldOpen(nowMs) : failures.length < threshold) return;
        state = { is: 'open', nextProbeAtMs: nowMs + PROBE_INTERVAL_MS };
        onChange(true);
      } else if (state.is === 'halfOpen' && failure.key === state.probe) {
        // Any other call was sent before this probe.
        endProbe(failure.key, nowMs + PROBE_INTERVAL_MS);
      }
    },
  };
}

import type { Clock } from '../clock.ts';

/** One call that upstream has not served: it failed (5XX), broke the connection or did not answer. */
export interface Failure {
  /** The route's template. */
  readonly route: string;
  /** Tells one call from another. */
  readonly key: string;
  /** No connection was made, so that what was asked for can have nothing to do with it. */
  readonly isConnectFailure: boolean;
  /** There was no answer in time. */
  readonly isTimeout?: boolean;
  /** Why upstream cannot be reached before somebody has changed something; absent: time alone may mend it. */
  readonly unreachable?: string;
}

/**
 * Closed, it lets calls through. Open, it refuses them until the next probe is due (monotonic ms). Half-open, its probe has been out since `sinceMs`,
 * and a probe that is abandoned leaves it as it was before.
 */
type State =
  | { readonly is: 'closed' }
  | { readonly is: 'open'; readonly nextProbeAtMs: number }
  | { readonly is: 'halfOpen'; readonly nextProbeAtMs: number; readonly probe: string; readonly sinceMs: number };

/** A circuit breaker: stops calls that would fail, and finds out when they no longer do. */
export interface CircuitBreaker {
  /**
   * Asks to make a call.
   *
   * @returns Monotonic ms at which to ask again; undefined: the call may be made. While the breaker is open that makes the call its probe, and the breaker half-open.
   */
  refuse(key: string): number | undefined;
  /** A call that was allowed will not be made. */
  abandon(key: string): void;
  /** Upstream has answered, whatever it said. */
  succeeded(): void;
  /** @param threshold - So many failures open it, whatever failed and however fast; absent: by the rule of `createCircuitBreaker`. */
  failed(failure: Failure, threshold?: number): void;
  /** Whether it is open or half-open. */
  isOpen(): boolean;
  /** Why it is open, where that is not mended by waiting: as the last call said. */
  unreachable(): string | undefined;
}

// Fewer failures than this say nothing. They count only without a success between them, and not for ever.
const MIN_FAILURES = 5;
const FAILURE_WINDOW_MS = 60_000;
const MAX_FAILURES = 50;
// Calls that fail all at once can be one broken connection of somebody between.
const MIN_SPAN_MS = 1_000;
/** Between two probes, and from opening to the first one. */
const PROBE_INTERVAL_MS = 6_000;
const LAST_PROBE_MS = 1_000;

/**
 * Makes a closed circuit breaker.
 *
 * It opens when nothing has succeeded for at least five calls and a second, and when that cannot be the fault of what was asked for:
 * no connection was made, or calls of two routes failed. One route or one document that always fails leaves it closed.
 * Open, it lets one call through every six seconds; the first that is answered closes it. A call that has failed is let through only when no
 * other one has come for six seconds more: what it asks for can be the one thing that fails.
 *
 * @param onChange - Is told when it has opened (true) or closed.
 * @param avoids - `lastProbe`: everything has failed, so that only what was the last probe gives way to others, for a second.
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
    // The oldest stays: however fast they come, it tells how long this has been going on.
    if (failures.length > MAX_FAILURES) failures.splice(1, 1);
  };

  const endProbe = (key: string, nextProbeAtMs: number) => {
    lastProbe = key;
    state = { is: 'open', nextProbeAtMs };
  };

  /** How much longer a call waits than one that has not failed. */
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
        // It takes too long to be waited for. What it comes to counts all the same.
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
        // Calls that were sent before it opened are no probes.
        endProbe(failure.key, nowMs + PROBE_INTERVAL_MS);
      }
    },
  };
}

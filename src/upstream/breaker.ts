import type { Clock } from './clock.ts';

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

/** A circuit breaker: stops calls that would fail, and finds out when they no longer do. */
export interface Breaker {
  /**
   * Asks to make a call.
   *
   * @returns Monotonic ms at which to ask again; undefined: the call may be made. While the breaker is open that makes the call its probe.
   */
  refuse(key: string): number | undefined;
  /** A call that was allowed will not be made. */
  abandon(key: string): void;
  /** Upstream has answered, whatever it said. */
  succeeded(): void;
  /** @param enough - So many failures open it, whatever failed and however fast; absent: by the rule of `createBreaker`. */
  failed(failure: Failure, enough?: number): void;
  isOpen(): boolean;
  /** Why it is open, where that is not mended by waiting: as the last call said. */
  unreachable(): string | undefined;
}

// Fewer failures than this say nothing. They count only without a success between them, and not for ever.
const MIN_FAILURES = 5;
const JUDGED_MS = 60_000;
const MAX_FAILURES_KEPT = 50;
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
export function createBreaker({
  clock,
  onChange,
  avoids = 'failed',
}: {
  readonly clock: Clock;
  readonly onChange: (isOpen: boolean) => void;
  readonly avoids?: 'failed' | 'lastProbe';
}): Breaker {
  let failures: (Failure & { readonly atMs: number })[] = [];
  let isOpen = false;
  let nextProbeAtMs = 0;
  let probe: string | undefined;
  let probeAtMs = 0;
  let lastProbe: string | undefined;

  const judge = (nowMs: number): boolean => {
    const [oldest] = failures;
    if (!oldest || failures.length < MIN_FAILURES || nowMs - oldest.atMs < MIN_SPAN_MS) return false;
    const unconnected = failures.filter(({ isConnectFailure }) => isConnectFailure);
    return unconnected.length >= MIN_FAILURES || new Set(failures.map(({ route }) => route)).size > 1;
  };

  const note = (failure: Failure, nowMs: number) => {
    failures = [...failures.filter(({ atMs }) => nowMs - atMs < JUDGED_MS), { ...failure, atMs: nowMs }];
    // The oldest stays: however fast they come, it tells how long this has been going on.
    if (failures.length > MAX_FAILURES_KEPT) failures.splice(1, 1);
  };

  return {
    isOpen: () => isOpen,

    unreachable: () => (isOpen ? failures.at(-1)?.unreachable : undefined),

    refuse(key) {
      if (!isOpen) return undefined;
      const nowMs = clock.nowMs();
      if (probe !== undefined && nowMs < probeAtMs + PROBE_INTERVAL_MS) return nowMs + PROBE_INTERVAL_MS;
      if (probe !== undefined) {
        // It takes too long to be waited for. What it comes to counts all the same.
        note({ route: '', key: probe, isConnectFailure: false }, nowMs);
        lastProbe = probe;
        probe = undefined;
        nextProbeAtMs = nowMs;
      }
      const hasFailed = failures.some((failure) => failure.key === key && nowMs - failure.atMs < JUDGED_MS);
      const avoidMs =
        avoids === 'lastProbe' ? (key === lastProbe ? LAST_PROBE_MS : 0) : hasFailed ? PROBE_INTERVAL_MS : 0;
      const dueAtMs = nextProbeAtMs + avoidMs;
      if (nowMs < dueAtMs) return dueAtMs;
      probe = key;
      probeAtMs = nowMs;
      return undefined;
    },

    abandon(key) {
      if (probe === key) probe = undefined;
    },

    succeeded() {
      failures = [];
      probe = undefined;
      lastProbe = undefined;
      if (!isOpen) return;
      isOpen = false;
      onChange(false);
    },

    failed(failure, enough) {
      const nowMs = clock.nowMs();
      note(failure, nowMs);
      if (isOpen) {
        // Calls that were out when it opened are no probes.
        if (failure.key !== probe) return;
        lastProbe = probe;
        probe = undefined;
        nextProbeAtMs = nowMs + PROBE_INTERVAL_MS;
        return;
      }
      if (enough === undefined ? !judge(nowMs) : failures.length < enough) return;
      isOpen = true;
      nextProbeAtMs = nowMs + PROBE_INTERVAL_MS;
      onChange(true);
    },
  };
}

import type { Clock } from '../../clock.ts';

/** Whether the second level is used. Failures turn it off, so that a slow Redis does not slow every call. */
export interface RedisHealth {
  isOn(): boolean;
  /** Whether a command may be sent to find out if Redis replies again. */
  mayProbe(): boolean;
  /** A command got no reply in time, or failed. */
  failed(reason: string): void;
  /** A probe got its reply in time. */
  recovered(): void;
}

const MAX_FAILURES = 3;
const WINDOW_MS = 10_000;
const OFF_MS = 5_000;

/**
 * Creates the state, which is off until the first probe. Three failures within ten seconds turn the second level off
 * for five seconds; then one probe decides.
 *
 * @param onChange - Called when the second level is turned on or off.
 */
export function createRedisHealth(
  clock: Pick<Clock, 'nowMs'>,
  onChange: (isOn: boolean, reason: string) => void,
): RedisHealth {
  let isOn = false;
  let probeFromMs = Number.NEGATIVE_INFINITY;
  let failuresAtMs: readonly number[] = [];
  return {
    isOn: () => isOn,
    mayProbe: () => isOn || clock.nowMs() >= probeFromMs,
    failed(reason) {
      const nowMs = clock.nowMs();
      failuresAtMs = [...failuresAtMs.filter((atMs) => atMs > nowMs - WINDOW_MS), nowMs].slice(-MAX_FAILURES);
      if (isOn && failuresAtMs.length < MAX_FAILURES) return;
      probeFromMs = nowMs + OFF_MS;
      if (isOn) onChange(false, reason);
      isOn = false;
    },
    recovered() {
      if (isOn) return;
      isOn = true;
      failuresAtMs = [];
      onChange(true, '');
    },
  };
}

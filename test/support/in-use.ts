import type { RateWindow } from '../../src/upstream/rate-limiter/windows/rate-window.ts';

/** Calls of a window that are out, and when all its other slots come back, whosever they are, soonest first. */
export function inUse(window: RateWindow | undefined, nowMs: number) {
  const { takenCalls, releasesAtMs, heldUntilMs } = window?.externalUse.inUse(nowMs) ?? {
    takenCalls: 0,
    releasesAtMs: [],
    heldUntilMs: [],
  };
  return { takenCalls, releasesAtMs: [...releasesAtMs, ...heldUntilMs].sort((a, b) => a - b) };
}

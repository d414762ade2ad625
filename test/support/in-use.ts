import type { RateWindow } from '../../src/upstream/rate-limiter/windows/rate-window.ts';

/** Calls of a window in flight, and when all other slots in use become free, own and others', soonest first. */
export function inUse(window: RateWindow | undefined, nowMs: number) {
  const { takenCalls, releasesAtMs, heldUntilMs } = window?.externalUse.inUse(nowMs) ?? {
    takenCalls: 0,
    releasesAtMs: [],
    heldUntilMs: [],
  };
  return { takenCalls, releasesAtMs: [...releasesAtMs, ...heldUntilMs].sort((a, b) => a - b) };
}

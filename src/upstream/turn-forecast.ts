import type { RateWindow } from './rate-window.ts';
import { otherClass, type RouteClass } from './share.ts';

/** A window, and how many slots of it are left to others. */
export interface UsableWindow {
  readonly window: RateWindow;
  readonly slotsToLeave: number;
}

/** What decides when a waiting call gets its turn. Times are monotonic milliseconds. */
export interface Forecast {
  /** Every call needs a slot of each of these. */
  readonly general: readonly UsableWindow[];
  /** Calls of the burst class need one of each of these besides. */
  readonly burst: readonly UsableWindow[];
  readonly connections: { readonly free: number; readonly total: number };
  /** Calls that go first: in the own line those before it, in the other line all. */
  readonly ahead: Readonly<Record<RouteClass, number>>;
  /** The line whose turn is next where both can send. */
  readonly preferred: RouteClass;
  readonly nowMs: number;
  /** Nothing is sent before; at least `nowMs`. */
  readonly startMs: number;
  /** Within which calls are answered. */
  readonly latencyMs: number;
}

// More than fit the general window within the longest usual wait. What lies further ahead is told by the rates alone.
const MAX_PLAYED_CALLS = 300;

/**
 * Foretells when a call gets its turn that stands behind so many others, if everything is sent as soon as it can be, every call is answered
 * after the mean latency, and nobody else comes.
 */
export function foretellTurnMs(routeClass: RouteClass, forecast: Forecast): number {
  const { connections, ahead, nowMs, latencyMs } = forecast;
  // The calls that are out were sent one after the other, so that on the whole they come back evenly.
  const toConnectionMs = (index: number) =>
    nowMs + Math.max(0, index + 1 - connections.free) * (latencyMs / connections.total);
  const isAlone = routeClass === 'general' && ahead.burst === 0;
  return isAlone
    ? Math.max(
        toConnectionMs(ahead.general),
        ...forecast.general.map((window) => toSlots(window, forecast).atMs(ahead.general)),
      )
    : playThrough(routeClass, forecast, toConnectionMs);
}

/** When the slots of a window are taken one after the other; each can be taken again one window after its answer. */
function toSlots({ window, slotsToLeave }: UsableWindow, { nowMs, startMs, latencyMs }: Forecast) {
  const usable = Math.max(1, window.limit - slotsToLeave);
  const cycleMs = latencyMs + window.windowMs;
  const firstAtMs = (index: number) => Math.max(startMs, window.slotAtMs(nowMs, slotsToLeave + index, latencyMs));
  const takenAtMs: number[] = [];
  return {
    atMs: (index: number) => firstAtMs(index % usable) + Math.floor(index / usable) * cycleMs,
    nextMs() {
      const again = takenAtMs[takenAtMs.length - usable];
      return again === undefined ? firstAtMs(takenAtMs.length) : again + cycleMs;
    },
    take: (atMs: number) => takenAtMs.push(atMs),
    perMs: usable / cycleMs,
  };
}

/** Plays through what the two lines will do: they take turns with the slots that both need, and one of them needs more. */
function playThrough(
  routeClass: RouteClass,
  { ahead, preferred, startMs, ...forecast }: Forecast,
  toConnectionMs: (index: number) => number,
): number {
  const general = forecast.general.map((window) => toSlots(window, { ahead, preferred, startMs, ...forecast }));
  const burst = forecast.burst.map((window) => toSlots(window, { ahead, preferred, startMs, ...forecast }));
  const left = { ...ahead };
  let next = preferred;
  let atMs = startMs;
  for (let played = 0; played < MAX_PLAYED_CALLS; played++) {
    const generalMs = general.reduce((ms, slots) => Math.max(ms, slots.nextMs()), toConnectionMs(played));
    const burstMs = burst.reduce((ms, slots) => Math.max(ms, slots.nextMs()), generalMs);
    const waits = {
      general: routeClass === 'general' || left.general > 0,
      burst: routeClass === 'burst' || left.burst > 0,
    };
    const isBurst = waits.burst && (!waits.general || (next === 'burst' && burstMs <= generalMs));
    const sent = isBurst ? 'burst' : 'general';
    atMs = isBurst ? burstMs : generalMs;
    if (sent === routeClass && left[sent] === 0) return atMs;
    left[sent]--;
    for (const slots of general) slots.take(atMs);
    if (isBurst) for (const slots of burst) slots.take(atMs);
    next = otherClass(sent);
  }
  const perMs = Math.min(...general.map((slots) => slots.perMs));
  const burstPerMs = Math.min(perMs / 2, ...burst.map((slots) => slots.perMs));
  const ownPerMs = routeClass === 'burst' ? burstPerMs : perMs - burstPerMs;
  // The other line slows this one only as long as it lasts.
  const together = (left.general + left.burst) / perMs;
  const alone =
    left[routeClass] / (routeClass === 'burst' ? Math.min(perMs, ...burst.map((slots) => slots.perMs)) : perMs);
  return atMs + Math.max(alone, Math.min(together, left[routeClass] / ownPerMs));
}

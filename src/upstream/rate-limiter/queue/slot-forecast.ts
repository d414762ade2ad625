import { otherClass, type RouteClass } from '../../postman/route-class.ts';
import type { SlotOutlook, UsableWindow } from '../slot-source.ts';

/** State from which the slot time of a waiting call is predicted. Times are monotonic milliseconds. */
export interface Forecast extends SlotOutlook {
  /** Calls that go first: those before it in its line, and the whole other line. */
  readonly ahead: Readonly<Record<RouteClass, number>>;
  /** The line that is served next if both can send. */
  readonly preferred: RouteClass;
  readonly nowMs: number;
}

// More calls than the general window allows within the longest usual wait. Beyond that, rates are extrapolated.
const MAX_SIMULATED_CALLS = 300;

/**
 * Predicts when a call behind others gets its slots (monotonic ms), assuming that every call is sent as soon as
 * possible and takes the mean latency, and that no other calls arrive.
 */
export function predictSlotMs(routeClass: RouteClass, forecast: Forecast): number {
  const [window, another] = forecast.general;
  const isAlone = routeClass === 'general' && forecast.ahead.burst === 0 && another === undefined;
  return window && isAlone
    ? toSlots(window, forecast).atMs(forecast.ahead.general)
    : simulateLines(routeClass, forecast);
}

/** When the call with this index gets a connection: `free` are available now, `total` at most when sending starts. */
function toConnectionMs(index: number, { connections, nowMs, startMs, latencyMs }: Forecast): number {
  const { free, total } = connections;
  // Calls in flight were sent one after the other, so on average they end evenly.
  const eachMs = latencyMs / total;
  return Math.max(startMs, nowMs + (index + 1 - free) * eachMs, startMs + (index + 1 - total) * eachMs);
}

type Slots = ReturnType<typeof toSlots>;

/** When the slots of a window can be taken one after the other; each is free again one window after its response. */
function toSlots({ window, slotsToLeave }: UsableWindow, forecast: Forecast) {
  const { nowMs, latencyMs } = forecast;
  const usable = Math.max(1, window.limit - slotsToLeave);
  const cycleMs = latencyMs + window.windowMs;
  const firstAtMs = (index: number) =>
    Math.max(toConnectionMs(index, forecast), window.slotAtMs(nowMs, slotsToLeave + index, latencyMs));
  const takenAtMs: number[] = [];
  return {
    /** Slot time of the call with this index if only this window and the connections matter. */
    atMs: (index: number) =>
      Math.max(toConnectionMs(index, forecast), firstAtMs(index % usable) + Math.floor(index / usable) * cycleMs),
    nextMs() {
      const again = takenAtMs[takenAtMs.length - usable];
      return again === undefined ? firstAtMs(takenAtMs.length) : again + cycleMs;
    },
    take: (atMs: number) => takenAtMs.push(atMs),
    usable,
    perMs: usable / cycleMs,
  };
}

/** Simulates the two lines: they alternate in the slots that both need; burst calls need further slots. */
function simulateLines(routeClass: RouteClass, forecast: Forecast): number {
  const general = forecast.general.map((window) => toSlots(window, forecast));
  const burst = forecast.burst.map((window) => toSlots(window, forecast));
  const left = { ...forecast.ahead };
  const sent: RouteClass[] = [];
  let atMs = forecast.startMs;
  let next = forecast.preferred;
  for (let simulated = 0; simulated < MAX_SIMULATED_CALLS; simulated++) {
    const generalMs = general.reduce((ms, slots) => Math.max(ms, slots.nextMs()), toConnectionMs(simulated, forecast));
    const burstMs = burst.reduce((ms, slots) => Math.max(ms, slots.nextMs()), generalMs);
    const waits = {
      general: routeClass === 'general' || left.general > 0,
      burst: routeClass === 'burst' || left.burst > 0,
    };
    const isBurst = waits.burst && (!waits.general || (next === 'burst' && burstMs <= generalMs));
    const sentClass = isBurst ? 'burst' : 'general';
    atMs = isBurst ? burstMs : generalMs;
    if (sentClass === routeClass && left[sentClass] === 0) return atMs;
    left[sentClass]--;
    sent.push(sentClass);
    for (const slots of general) slots.take(atMs);
    if (isBurst) for (const slots of burst) slots.take(atMs);
    next = otherClass(sentClass);
  }
  return atMs + toRestMs(routeClass, forecast, { general, burst, left, sent });
}

interface Simulation {
  readonly general: readonly Slots[];
  readonly burst: readonly Slots[];
  /** Calls that still go first when the simulation ends. */
  readonly left: Readonly<Record<RouteClass, number>>;
  /** Class of each simulated call, in order. */
  readonly sent: readonly RouteClass[];
}

/** Extrapolates the time after the simulation from the rates of the last whole cycles of the slowest window. */
function toRestMs(
  routeClass: RouteClass,
  { connections, latencyMs }: Forecast,
  { general, burst, left, sent }: Simulation,
) {
  const slowest = general.reduce((slow, slots) => (slots.perMs < slow.perMs ? slots : slow));
  const perMs = Math.min(connections.total / latencyMs, slowest.perMs);
  // An even number, because the lines alternate.
  const cycles = 2 * Math.max(1, Math.floor(MAX_SIMULATED_CALLS / 4 / slowest.usable));
  const recentlySent = sent.slice(-cycles * slowest.usable);
  const toPerMs = (ofClass: RouteClass) =>
    (perMs * Math.max(1, recentlySent.filter((sentClass) => sentClass === ofClass).length)) / recentlySent.length;
  const other = otherClass(routeClass);
  const classCalls = left[routeClass] + 1;
  const togetherMs = Math.min(classCalls / toPerMs(routeClass), left[other] / toPerMs(other));
  const alonePerMs = routeClass === 'burst' ? Math.min(perMs, ...burst.map((slots) => slots.perMs)) : perMs;
  return togetherMs + Math.max(0, classCalls - togetherMs * toPerMs(routeClass)) / alonePerMs;
}

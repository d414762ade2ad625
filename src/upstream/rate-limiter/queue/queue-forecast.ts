import type { AdmissionQueue } from './admission-queue.ts';
import type { Clock } from '../../clock.ts';
import type { QueuePosition } from './fair-queue.ts';
import { ROUTE_CLASSES, type RouteClass } from '../../postman/route-class.ts';
import { predictSlotMs } from './slot-forecast.ts';
import type { SlotSource, UsableWindow } from '../slot-source.ts';

/** Parts of a budget that forecasts read. */
export interface ForecastParts {
  readonly slots: SlotSource;
  readonly queue: AdmissionQueue;
  readonly clock: Clock;
}

type CallCounts = Readonly<Record<RouteClass, number>>;

function predict({ slots, queue, clock }: ForecastParts, routeClass: RouteClass, ahead: CallCounts, isFirst: boolean) {
  const outlook = slots.view.outlook(isFirst);
  return predictSlotMs(routeClass, { ahead, preferred: queue.preferred, nowMs: clock.nowMs(), ...outlook });
}

/** Predicts when a call at this position gets its slots (monotonic ms). */
export function toSlotAtMs(parts: ForecastParts, routeClass: RouteClass, position: QueuePosition): number {
  return predict(parts, routeClass, parts.queue.ahead(routeClass, position), position.isFirstCall);
}

/** Predicts the slot time of a call behind all others, for each class (monotonic ms). */
export function toLastSlotAtMs(parts: ForecastParts): CallCounts {
  const ahead = parts.queue.ahead();
  return { general: predict(parts, 'general', ahead, false), burst: predict(parts, 'burst', ahead, false) };
}

/**
 * Predicts when all of these calls would have a response if one operation requested them now, behind those that wait
 * (monotonic ms).
 */
export function toServedAtMs(parts: ForecastParts, calls: CallCounts): number {
  const { slots, queue, clock } = parts;
  const waiting = queue.ahead();
  const ahead = { general: waiting.general + calls.general, burst: waiting.burst + calls.burst };
  const areFirst = calls.general + calls.burst <= queue.reservedCalls;
  const toResponseMs = (routeClass: RouteClass) =>
    predict(parts, routeClass, { ...ahead, [routeClass]: ahead[routeClass] - 1 }, areFirst) +
    slots.view.outlook(areFirst).latencyMs;
  const requestedClasses = ROUTE_CLASSES.filter((routeClass) => calls[routeClass] > 0);
  return Math.max(clock.nowMs(), ...requestedClasses.map(toResponseMs));
}

/**
 * Predicts how long one operation would take to get slots for these calls if no slot were in use and no call waited, in
 * milliseconds, assuming that responses take no time.
 */
export function toServedFromIdleMs({ slots, queue }: ForecastParts, { general, burst }: CallCounts): number {
  const outlook = slots.view.outlook(false);
  const count = general + burst;
  const toLastMs = ({ window: { limit, windowMs }, slotsToLeave }: UsableWindow, calls: number) => {
    const areFirst = count <= Math.min(queue.reservedCalls, limit);
    return areFirst ? 0 : Math.max(0, Math.ceil(calls / (limit - slotsToLeave)) - 1) * windowMs;
  };
  return Math.max(
    ...outlook.general.map((usable) => toLastMs(usable, count)),
    ...outlook.burst.map((usable) => toLastMs(usable, burst)),
  );
}

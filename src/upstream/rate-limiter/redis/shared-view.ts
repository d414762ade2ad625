import { createRateLimiterView, NO_FREE_SLOTS, type RateLimiterOptions } from '../rate-limiter-view.ts';
import { ROUTE_CLASSES, type RouteClass } from '../../postman/route-class.ts';
import type { SlotRequest, SlotView } from '../slot-source.ts';
import { type StoredSlotRequest, type StoredSlots, YIELD_MS } from './exchange.ts';
import type { SlotMirror } from './slot-mirror.ts';
import type { SlotStore } from './slot-store.ts';

/** What a view has to know of its source. */
export interface SharedViewSource {
  /** The slots of this instance's own, where the store cannot be reached and they may be used. */
  local(): SlotView | undefined;
  /** Calls of this instance that are out. */
  localCallsInFlight(): number;
  /** Is called by whoever finds that the store cannot be reached, and wants to know when it can. */
  onUnreached(): void;
}

/** The view of slots that are shared, and how requests are told to the store. */
export interface SharedView {
  readonly view: SlotView;
  toStored(
    request: SlotRequest,
  ): Pick<StoredSlotRequest, 'class' | 'virtualTime' | 'usesReserve' | 'knownVirtualTime' | 'next'>;
  /** The store has answered the request. */
  replied(request: SlotRequest, slots: StoredSlots): void;
}

/** What is known of what waits in one class. */
interface Waiting {
  /** What the store was told still waits here. */
  isKnown: boolean;
  requestedAtMs: number;
  /** Virtual time of the store less that of this instance. */
  offset: number;
  virtualTime: number;
  /** It is the turn of another instance until then. */
  yieldsUntilMs: number;
  /** When to ask again where nothing that is known here says that there is room. */
  retriesAtMs: number;
}

const ALL_FREE = { forFirstCalls: true, forLaterCalls: true };
// Other instances give slots back of which this one hears nothing.
const RETRY_MS = 5_000;
const RETRY_SOON_MS = 100;
const FORGOTTEN_MS = 6_000;
const REFUSED_MS = 60_000;
const FRONT = -1;

const never = Number.NEGATIVE_INFINITY;

/** Makes the view of one budget. */
export function createSharedView(
  mirror: SlotMirror,
  options: RateLimiterOptions,
  store: SlotStore,
  { local, localCallsInFlight, onUnreached }: SharedViewSource,
): SharedView {
  const { clock } = options;
  const base = createRateLimiterView(mirror, options);
  const createWaiting = (): Waiting => ({
    isKnown: false,
    requestedAtMs: never,
    offset: 0,
    virtualTime: 0,
    yieldsUntilMs: never,
    retriesAtMs: never,
  });
  const waiting: Record<RouteClass, Waiting> = { general: createWaiting(), burst: createWaiting() };

  /** Whether others can have made room of which nothing is known here. */
  const canBeOptimistic = (routeClass: RouteClass) => {
    const nowMs = clock.nowMs();
    const hasOthers = store.instances > 1 || base.callsInFlight() > localCallsInFlight();
    return hasOthers && nowMs >= mirror.pausedUntilMs && nowMs >= waiting[routeClass].yieldsUntilMs && !isBusyAlone();
  };
  const isBusyAlone = () => localCallsInFlight() >= mirror.quota.maxInFlight(options.maxConcurrentCalls);

  /** What is asked while the store cannot be reached; undefined: it can. */
  const whenUnreachable = <T>(read: (view: SlotView) => T, otherwise: () => T): { readonly value: T } | undefined => {
    if (store.isUp()) return undefined;
    onUnreached();
    const view = local();
    return { value: view ? read(view) : otherwise() };
  };
  const nextLocalMs = () => {
    const atMs = store.localLimiterFromMs();
    return store.withoutStore === 'share' && atMs > clock.nowMs() ? atMs : undefined;
  };

  const view: SlotView = {
    freeSlots(routeClass) {
      const unreached = whenUnreachable(
        (localView) => localView.freeSlots(routeClass),
        () => NO_FREE_SLOTS,
      );
      if (unreached) return unreached.value;
      const nowMs = clock.nowMs();
      if (nowMs < waiting[routeClass].yieldsUntilMs) return NO_FREE_SLOTS;
      const freeSlots = base.freeSlots(routeClass);
      const isOptimistic =
        !freeSlots.forLaterCalls && nowMs >= waiting[routeClass].retriesAtMs && canBeOptimistic(routeClass);
      return isOptimistic ? ALL_FREE : freeSlots;
    },
    nextFreeSlotAtMs(routeClass) {
      const unreached = whenUnreachable(
        (localView) => localView.nextFreeSlotAtMs(routeClass),
        () => nextLocalMs() ?? Number.POSITIVE_INFINITY,
      );
      if (unreached) return unreached.value;
      const { yieldsUntilMs, retriesAtMs } = waiting[routeClass];
      if (clock.nowMs() < yieldsUntilMs) return yieldsUntilMs;
      const atMs = base.nextFreeSlotAtMs(routeClass);
      return canBeOptimistic(routeClass) ? Math.min(atMs, retriesAtMs) : atMs;
    },
    outlook(usesReserve) {
      const unreached = whenUnreachable(
        (localView) => localView.outlook(usesReserve),
        () => ({ ...base.outlook(usesReserve), startMs: nextLocalMs() ?? clock.nowMs() + REFUSED_MS }),
      );
      return unreached?.value ?? base.outlook(usesReserve);
    },
    virtualTime(routeClass) {
      const one = waiting[routeClass];
      one.virtualTime = Math.max(one.virtualTime, mirror.virtualTime[routeClass] - one.offset);
      return one.virtualTime;
    },
    callsInFlight: localCallsInFlight,
    isMonthlyQuotaExhausted: base.isMonthlyQuotaExhausted,
    hasSpareSlot: (routeClass) => store.isUp() && base.hasSpareSlot(routeClass),
    snapshot: () => (store.isUp() ? base : (local() ?? base)).snapshot(),
  };

  return { view, ...createRequests(waiting, view, mirror, clock) };
}

/** Translates between the virtual times of this instance and those of the store, and notes when to ask again. */
function createRequests(
  waiting: Readonly<Record<RouteClass, Waiting>>,
  view: SlotView,
  mirror: SlotMirror,
  clock: RateLimiterOptions['clock'],
): Omit<SharedView, 'view'> {
  const toStoredTime = (routeClass: RouteClass, virtualTime: number) =>
    virtualTime === never ? FRONT : virtualTime + waiting[routeClass].offset;

  return {
    toStored({ routeClass, virtualTime, usesReserve, next }) {
      const one = waiting[routeClass];
      const nowMs = clock.nowMs();
      const isFirst = !one.isKnown || nowMs > one.requestedAtMs + FORGOTTEN_MS;
      one.requestedAtMs = nowMs;
      return {
        class: routeClass,
        virtualTime: toStoredTime(routeClass, virtualTime),
        usesReserve,
        knownVirtualTime: isFirst ? toStoredTime(routeClass, view.virtualTime(routeClass)) : undefined,
        next: next && { ...next, virtualTime: toStoredTime(routeClass, next.virtualTime) },
      };
    },
    replied({ routeClass, next }, { shift, isGranted, isYielding }) {
      const one = waiting[routeClass];
      const nowMs = clock.nowMs();
      one.offset += shift;
      one.isKnown = !isGranted || next !== undefined;
      if (isYielding) one.yieldsUntilMs = nowMs + YIELD_MS;
      const isSoon = mirror.isBusy() || mirror.isSuspect;
      const retryInMs = isSoon ? Math.max(RETRY_SOON_MS, mirror.latencyMs ?? 0) : RETRY_MS;
      for (const ofClass of ROUTE_CLASSES) waiting[ofClass].retriesAtMs = nowMs + retryInMs;
    },
  };
}

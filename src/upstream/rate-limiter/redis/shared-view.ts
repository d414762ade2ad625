import { createRateLimiterView, type RateLimiterOptions } from '../rate-limiter-view.ts';
import { ROUTE_CLASSES, type RouteClass } from '../../postman/route-class.ts';
import { NO_FREE_SLOTS, type SlotRequest, type SlotView } from '../slot-source.ts';
import { type StoredSlotRequest, type StoredSlots, YIELD_MS } from './exchange.ts';
import type { SlotMirror } from './slot-mirror.ts';
import type { SlotStore } from './slot-store.ts';

/** What a shared view needs from its slot source. */
export interface SharedViewSource {
  /** The limiter of this instance alone, if the store cannot be reached and it may be used. */
  local(): SlotView | undefined;
  /** Calls of this instance in flight. */
  localCallsInFlight(): number;
  /** Called when a reading found the store unreachable, so that the source can wait for its recovery. */
  onUnreached(): void;
}

/** The view of shared slots, and the part of requests to the store that depends on it. */
export interface SharedView {
  readonly view: SlotView;
  toStored(
    request: SlotRequest,
  ): Pick<StoredSlotRequest, 'class' | 'virtualTime' | 'usesReserve' | 'knownVirtualTime' | 'next'>;
  /** Takes in the store's reply to a request. */
  replied(request: SlotRequest, slots: StoredSlots): void;
}

/** State of the calls that wait here in one class. */
interface Waiting {
  /** The store knows that calls wait here. */
  isKnown: boolean;
  requestedAtMs: number;
  /** Virtual time of the store minus that of this instance. */
  offset: number;
  virtualTime: number;
  /** Until then another instance has precedence. */
  yieldsUntilMs: number;
  /** When to request again although no free slot is known here. */
  retriesAtMs: number;
}

const ALL_FREE = { forFirstCalls: true, forLaterCalls: true };
// Other instances give slots back without this one learning of it.
const RETRY_MS = 5_000;
const RETRY_SOON_MS = 100;
// The store ignores waiting calls that their instance has not reported again within this time.
const FORGOTTEN_MS = 6_000;
// The forecast while no call is allowed and nobody knows for how long.
const REFUSED_MS = 60_000;
// The store's virtual time of a call that goes before all others: JSON has no infinity.
const FRONT = -1;

const never = Number.NEGATIVE_INFINITY;

/** Creates the view of the slots of one key or user. */
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

  /** Whether other instances may have freed slots that this one does not know of. */
  const canBeOptimistic = (routeClass: RouteClass) => {
    const nowMs = clock.nowMs();
    const hasOthers = store.instances > 1 || base.callsInFlight() > localCallsInFlight();
    return hasOthers && nowMs >= mirror.pausedUntilMs && nowMs >= waiting[routeClass].yieldsUntilMs && !isBusyAlone();
  };
  const isBusyAlone = () => localCallsInFlight() >= mirror.quota.maxInFlight(options.maxConcurrentCalls);

  /** What a view reads while the store cannot be reached; undefined while it can. */
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
      const state = waiting[routeClass];
      state.virtualTime = Math.max(state.virtualTime, mirror.virtualTime[routeClass] - state.offset);
      return state.virtualTime;
    },
    callsInFlight: localCallsInFlight,
    isMonthlyQuotaExhausted: base.isMonthlyQuotaExhausted,
    hasSpareSlot: (routeClass) => store.isUp() && base.hasSpareSlot(routeClass),
    snapshot: () => (store.isUp() ? base : (local() ?? base)).snapshot(),
    limits: () => (store.isUp() ? base : (local() ?? base)).limits(),
  };

  return { view, ...createRequests(waiting, view, mirror, clock) };
}

/** Translates virtual times of this instance into those of the store, and records when to request again. */
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
      const state = waiting[routeClass];
      const nowMs = clock.nowMs();
      const isKnown = state.isKnown && nowMs <= state.requestedAtMs + FORGOTTEN_MS;
      state.requestedAtMs = nowMs;
      return {
        class: routeClass,
        virtualTime: toStoredTime(routeClass, virtualTime),
        usesReserve,
        knownVirtualTime: isKnown ? undefined : toStoredTime(routeClass, view.virtualTime(routeClass)),
        next: next && { ...next, virtualTime: toStoredTime(routeClass, next.virtualTime) },
      };
    },
    replied({ routeClass, next }, { virtualTimeShift, isGranted, isYielding }) {
      const state = waiting[routeClass];
      const nowMs = clock.nowMs();
      state.offset += virtualTimeShift;
      state.isKnown = !isGranted || next !== undefined;
      if (isYielding) state.yieldsUntilMs = nowMs + YIELD_MS;
      const isSoon = mirror.isBusy() || mirror.isSuspect;
      const retryInMs = isSoon ? Math.max(RETRY_SOON_MS, mirror.latencyMs ?? 0) : RETRY_MS;
      for (const eachClass of ROUTE_CLASSES) waiting[eachClass].retriesAtMs = nowMs + retryInMs;
    },
  };
}

import { createRateLimiterView, NO_ROOM, type RateLimiterOptions } from '../rate-limiter-view.ts';
import { ROUTE_CLASSES, type RouteClass } from '../../postman/route-class.ts';
import type { SlotRequest, SlotView } from '../slot-source.ts';
import { type SlotAsk, type StoredSlots, YIELD_MS } from './exchange.ts';
import type { SlotMirror } from './slot-mirror.ts';
import type { SlotStore } from './slot-store.ts';

/** What a view has to know of its source. */
export interface SharedViewSource {
  /** The slots of this instance's own, where the store cannot be reached and they may be used. */
  local(): SlotView | undefined;
  /** Calls of this instance that are out. */
  ownCallsOut(): number;
  /** Is called by whoever finds that the store cannot be reached, and wants to know when it can. */
  onUnreached(): void;
}

/** The view of slots that are shared, and how requests are told to the store. */
export interface SharedView {
  readonly view: SlotView;
  toStored(request: SlotRequest): Pick<SlotAsk, 'class' | 'virtualTime' | 'usesReserve' | 'knownVirtualTime' | 'next'>;
  /** The store has answered the request. */
  asked(request: SlotRequest, slots: StoredSlots): void;
}

/** What is known of what waits in one class. */
interface Waiting {
  /** What the store was told still waits here. */
  isKnown: boolean;
  askedAtMs: number;
  /** Virtual time of the store less that of this instance. */
  offset: number;
  virtualTime: number;
  /** It is the turn of another instance until then. */
  yieldsUntilMs: number;
  /** When to ask again where nothing that is known here says that there is room. */
  asksAgainAtMs: number;
}

const ANY_ROOM = { forFirstCalls: true, forLaterCalls: true };
// Other instances give slots back of which this one hears nothing.
const ASK_AGAIN_MS = 5_000;
const ASK_AGAIN_SOON_MS = 100;
const FORGOTTEN_MS = 6_000;
const REFUSED_MS = 60_000;
const FRONT = -1;

const never = Number.NEGATIVE_INFINITY;

/** Makes the view of one budget. */
export function createSharedView(
  mirror: SlotMirror,
  options: RateLimiterOptions,
  store: SlotStore,
  { local, ownCallsOut, onUnreached }: SharedViewSource,
): SharedView {
  const { clock } = options;
  const base = createRateLimiterView(mirror, options);
  const toWaiting = (): Waiting => ({
    isKnown: false,
    askedAtMs: never,
    offset: 0,
    virtualTime: 0,
    yieldsUntilMs: never,
    asksAgainAtMs: never,
  });
  const waiting: Record<RouteClass, Waiting> = { general: toWaiting(), burst: toWaiting() };

  /** Whether others can have made room of which nothing is known here. */
  const canBeHopeful = (routeClass: RouteClass) => {
    const nowMs = clock.nowMs();
    const hasOthers = store.instances > 1 || base.callsOut() > ownCallsOut();
    return hasOthers && nowMs >= mirror.pausedUntilMs && nowMs >= waiting[routeClass].yieldsUntilMs && !isBusyAlone();
  };
  const isBusyAlone = () => ownCallsOut() >= mirror.quota.mostOut(options.maxConcurrentCalls);

  /** What is asked while the store cannot be reached; undefined: it can. */
  const without = <T>(ask: (view: SlotView) => T, otherwise: () => T): { readonly answer: T } | undefined => {
    if (store.isUp()) return undefined;
    onUnreached();
    const view = local();
    return { answer: view ? ask(view) : otherwise() };
  };
  const nextLocalMs = () => {
    const atMs = store.localShareFromMs();
    return store.withoutStore === 'share' && atMs > clock.nowMs() ? atMs : undefined;
  };

  const view: SlotView = {
    room(routeClass) {
      const unreached = without(
        (own) => own.room(routeClass),
        () => NO_ROOM,
      );
      if (unreached) return unreached.answer;
      const nowMs = clock.nowMs();
      if (nowMs < waiting[routeClass].yieldsUntilMs) return NO_ROOM;
      const room = base.room(routeClass);
      const isHopeful = !room.forLaterCalls && nowMs >= waiting[routeClass].asksAgainAtMs && canBeHopeful(routeClass);
      return isHopeful ? ANY_ROOM : room;
    },
    nextRoomAtMs(routeClass) {
      const unreached = without(
        (own) => own.nextRoomAtMs(routeClass),
        () => nextLocalMs() ?? Number.POSITIVE_INFINITY,
      );
      if (unreached) return unreached.answer;
      const { yieldsUntilMs, asksAgainAtMs } = waiting[routeClass];
      if (clock.nowMs() < yieldsUntilMs) return yieldsUntilMs;
      const atMs = base.nextRoomAtMs(routeClass);
      return canBeHopeful(routeClass) ? Math.min(atMs, asksAgainAtMs) : atMs;
    },
    outlook(usesReserve) {
      const unreached = without(
        (own) => own.outlook(usesReserve),
        () => ({ ...base.outlook(usesReserve), startMs: nextLocalMs() ?? clock.nowMs() + REFUSED_MS }),
      );
      return unreached?.answer ?? base.outlook(usesReserve);
    },
    virtualTime(routeClass) {
      const one = waiting[routeClass];
      one.virtualTime = Math.max(one.virtualTime, mirror.virtualTime[routeClass] - one.offset);
      return one.virtualTime;
    },
    callsOut: ownCallsOut,
    isMonthSpent: base.isMonthSpent,
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
      const isFirst = !one.isKnown || nowMs > one.askedAtMs + FORGOTTEN_MS;
      one.askedAtMs = nowMs;
      return {
        class: routeClass,
        virtualTime: toStoredTime(routeClass, virtualTime),
        usesReserve,
        knownVirtualTime: isFirst ? toStoredTime(routeClass, view.virtualTime(routeClass)) : undefined,
        next: next && { ...next, virtualTime: toStoredTime(routeClass, next.virtualTime) },
      };
    },
    asked({ routeClass, next }, { shift, isGranted, isYielding }) {
      const one = waiting[routeClass];
      const nowMs = clock.nowMs();
      one.offset += shift;
      one.isKnown = !isGranted || next !== undefined;
      if (isYielding) one.yieldsUntilMs = nowMs + YIELD_MS;
      const isSoon = mirror.isBusy() || mirror.isInDoubt;
      const againMs = isSoon ? Math.max(ASK_AGAIN_SOON_MS, mirror.latencyMs ?? 0) : ASK_AGAIN_MS;
      for (const ofClass of ROUTE_CLASSES) waiting[ofClass].asksAgainAtMs = nowMs + againMs;
    },
  };
}

import type { AnnouncedRateLimit } from '../http/rate-limit-headers.ts';
import type { RateWindow } from './windows/rate-window.ts';
import type { RouteClass } from '../postman/route-class.ts';

/** Which calls can be sent now. */
export interface FreeSlots {
  readonly forFirstCalls: boolean;
  /** There are free slots besides those reserved for first calls of operations. */
  readonly forLaterCalls: boolean;
}

/** No call can be sent. */
export const NO_FREE_SLOTS: FreeSlots = { forFirstCalls: false, forLaterCalls: false };

/** A request for the slots of one call. */
export interface SlotRequest {
  readonly routeClass: RouteClass;
  /** Identifies the call. A shared source finds by it the slot that another process reserved for the call. */
  readonly key: string;
  /** Of two calls of a class, the one with the lower virtual time goes first. */
  readonly virtualTime: number;
  /** It may use the slots reserved for first calls of operations. */
  readonly usesReserve: boolean;
  /** The call behind it in its class. Default: none. */
  readonly next?: { readonly virtualTime: number; readonly usesReserve: boolean } | undefined;
}

/** One slot of every window that a call counts against. It ends once, with `settle` or `giveBack`. */
export interface SlotGrant {
  readonly routeClass: RouteClass;
  /** Monotonic ms. */
  readonly grantedAtMs: number;
  /** It is reserved for a refused call that is expected again; no call is in flight with it. */
  readonly isReservation: boolean;
}

/** A window in a forecast, and how many of its slots have to be left to first calls. */
export interface UsableWindow {
  readonly window: Pick<RateWindow, 'limit' | 'windowMs' | 'slotAtMs'>;
  readonly slotsToLeave: number;
}

/** State from which slot times are predicted. Times are monotonic milliseconds. */
export interface SlotOutlook {
  /** Every call needs a slot of each of these. */
  readonly general: readonly UsableWindow[];
  /** Calls of the burst class need a slot of each of these too. */
  readonly burst: readonly UsableWindow[];
  readonly connections: { readonly free: number; readonly total: number };
  /** No call is sent before this moment; never in the past. */
  readonly startMs: number;
  /** Mean time until the response. */
  readonly latencyMs: number;
}

/** State of one window. */
export interface WindowSnapshot {
  readonly limit: number;
  readonly windowMs: number;
  /** Calls that can be sent now. */
  readonly remaining: number;
  /** Milliseconds until the whole window is free again if no more calls are sent. */
  readonly restoredInMs: number;
}

/** State of the general window, and of the others if there are any. */
export interface SlotsSnapshot extends WindowSnapshot {
  /** Calls of the general class that can be sent now: the minimum over its windows. */
  readonly remaining: number;
  readonly burst: WindowSnapshot | undefined;
  /** Windows learned from responses only. */
  readonly learned: readonly WindowSnapshot[];
  /** Whether Postman has responded to a call of this key yet. */
  readonly hasResponse: boolean;
  readonly monthLimit: number | undefined;
  readonly monthRemaining: number | undefined;
}

/** What a source knows at this moment. All methods are synchronous. */
export interface SlotView {
  freeSlots(routeClass: RouteClass): FreeSlots;
  /** When a slot may next be free (monotonic ms) without a response first; Infinity if a response has to come first. */
  nextFreeSlotAtMs(routeClass: RouteClass): number;
  /** State for forecasts. `usesReserve`: for a call that may use the slots reserved for first calls. */
  outlook(usesReserve: boolean): SlotOutlook;
  /** Highest virtual time of all granted calls of the class. */
  virtualTime(routeClass: RouteClass): number;
  /** Calls that were granted and have not settled. */
  callsInFlight(): number;
  /** Whether the monthly quota is used up as far as known. False every ten minutes, so that a call can check. */
  isMonthlyQuotaExhausted(): boolean;
  /** Whether a background call may be sent: half of every window is free. */
  hasSpareSlot(routeClass: RouteClass): boolean;
  snapshot(): SlotsSnapshot;
  /** The limits of all windows, of the general and the burst window first. The list changes with the limits. */
  limits(): readonly Pick<WindowSnapshot, 'limit' | 'windowMs'>[];
}

/**
 * Grants the slots of one API key. A call is sent only with a grant.
 *
 * Every source, whether it counts in this process or in Redis, guarantees:
 *
 * - No limit is exceeded: in any period as long as a window, the calls in flight plus the settled ones are at most the
 *   window's limit. A slot is free again one window after `settle`, or at once after `giveBack`.
 * - `take` and `reserve` call `done` exactly once, synchronously or later, in the order of the requests. A source may
 *   refuse although its view showed free slots; then, before `done`, the view shows none until `nextFreeSlotAtMs`,
 *   which is in the future or Infinity. So requesting again whenever the view shows a free slot is not a busy loop.
 * - All other methods change the view before they return, and apply to every later request.
 * - The view may be wrong about other clients of the same key, never about this source's own grants.
 * - `onDelay`, passed at creation, is called after everything that can delay slots predicted before: a pause, a lower
 *   limit, slots used by other clients, an exhausted monthly quota, an absorbed source.
 */
export interface SlotSource {
  readonly view: SlotView;
  /** Other processes take slots of the same key too. */
  readonly isShared: boolean;
  /** Requests slots for a call that is sent as soon as they are granted. */
  take(request: SlotRequest, done: (grant: SlotGrant | undefined) => void): void;
  /**
   * Reports that the call ended.
   *
   * @param announced - Limits announced by the response. Default: there was no response.
   * @param isRateLimited - The response was a 429; `pause` was called before.
   */
  settle(grant: SlotGrant, announced?: AnnouncedRateLimit, isRateLimited?: boolean): void;
  /**
   * Frees slots that were not used.
   *
   * @param done - For a reservation: called with whether another process has redeemed it. Default: not reported.
   */
  giveBack(grant: SlotGrant, done?: (wasUsed: boolean) => void): void;
  /**
   * Requests slots for a refused call that is expected again. The grant is given back when the call arrives, or when it
   * is no longer expected.
   *
   * @param maxFraction - Largest fraction of a window that may be reserved; of windows shorter than 30 s a smaller one.
   */
  reserve(request: SlotRequest, maxFraction: number, done: (grant: SlotGrant | undefined) => void): void;
  /** Takes over the slots that another process has reserved for this call. */
  redeem(request: SlotRequest, done: (grant: SlotGrant | undefined) => void): void;
  /**
   * Stops sending after a 429, until `untilMs` (monotonic) and for at least 1 s, doubled with each 429 in a row up to
   * 32 s. Then one call is sent alone as a probe.
   */
  pause(untilMs: number): void;
  /** Postman reported that the monthly quota is used up. */
  exhaustMonthlyQuota(): void;
  /** Merges another source of the same user into this one: its slots count here, and its grants are settled here. */
  absorb(other: this): void;
}

/** Creates the source of one key or user. `onDelay`: see `SlotSource`. */
export type CreateSlotSource = (onDelay: () => void) => SlotSource;

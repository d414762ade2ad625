import type { AnnouncedRateLimit } from '../http/rate-limit-headers.ts';
import type { RateWindow } from './windows/rate-window.ts';
import type { RouteClass } from '../postman/route-class.ts';

/** Whose calls can be sent at a moment. */
export interface FreeSlots {
  readonly forFirstCalls: boolean;
  /** There are slots left beyond those that are reserved for the first calls of operations. */
  readonly forLaterCalls: boolean;
}

/** A call that asks for slots. */
export interface SlotRequest {
  readonly routeClass: RouteClass;
  /** Names what is called. A source that several processes share knows by it the call that a slot was reserved for. */
  readonly key: string;
  /** Where it stands in its queue: the lower, the sooner. */
  readonly virtualTime: number;
  /** It may take the slots that are reserved for the first calls of operations. */
  readonly usesReserve: boolean;
  /** What waits behind it in its class. Default: nothing. */
  readonly next?: { readonly virtualTime: number; readonly usesReserve: boolean } | undefined;
}

/** One slot of every window that a call counts against. It is handed back once: by `settle` or by `giveBack`. */
export interface SlotGrant {
  readonly routeClass: RouteClass;
  /** Monotonic ms. */
  readonly grantedAtMs: number;
  /** It is kept for a call that was refused, and no call is out with it. */
  readonly isReservation: boolean;
}

/** A window, as a forecast sees it, and how many of its slots are left to others. */
export interface UsableWindow {
  readonly window: Pick<RateWindow, 'limit' | 'windowMs' | 'slotAtMs'>;
  readonly slotsToLeave: number;
}

/** What decides when slots can be taken. Times are monotonic milliseconds. */
export interface SlotOutlook {
  /** Every call needs a slot of each of these. */
  readonly general: readonly UsableWindow[];
  /** Calls of the burst class need one of each of these besides. */
  readonly burst: readonly UsableWindow[];
  readonly connections: { readonly free: number; readonly total: number };
  /** Nothing is sent before; at least now. */
  readonly startMs: number;
  /** Within which calls are answered. */
  readonly latencyMs: number;
}

/** How full one window is. */
export interface WindowSnapshot {
  readonly limit: number;
  readonly windowMs: number;
  /** Calls that can be sent now. */
  readonly remaining: number;
  /** Milliseconds until the whole window is free again, if nothing more is sent. */
  readonly restoredInMs: number;
}

/** How full the general window is, and the others where there are any. */
export interface SlotsSnapshot extends WindowSnapshot {
  /** Calls of the general class that can be sent now, as far as any window goes. */
  readonly remaining: number;
  readonly burst?: WindowSnapshot;
  /** Windows that are known from answers alone. */
  readonly learned: readonly WindowSnapshot[];
  /** Whether upstream has answered under this key yet. */
  readonly hasResponse: boolean;
  readonly monthLimit?: number;
  readonly monthRemaining?: number;
}

/** What a source knows at this moment. It can be asked at any time, and answers at once. */
export interface SlotView {
  freeSlots(routeClass: RouteClass): FreeSlots;
  /** The next moment (monotonic ms) at which there can be room without an answer coming first; Infinity where that hangs on an answer. */
  nextFreeSlotAtMs(routeClass: RouteClass): number;
  /** What forecasts start from, for calls that may use the reserved slots and for those that leave them. */
  outlook(usesReserve: boolean): SlotOutlook;
  /** Virtual time of the call of the class that was granted last. It never goes back. */
  virtualTime(routeClass: RouteClass): number;
  /** Calls that have been granted slots and not been settled. */
  callsInFlight(): number;
  /** Whether there is nothing left of the month, as far as is known. Every ten minutes it is not, so that one call can find out. */
  isMonthlyQuotaExhausted(): boolean;
  /** Whether there is so much room that a call can be sent that nobody waits for: half of every window is free. */
  hasSpareSlot(routeClass: RouteClass): boolean;
  snapshot(): SlotsSnapshot;
}

/**
 * Where the slots of one API key come from. The queue of calls knows no other source of permission: a call is sent with a grant, or not at all.
 *
 * What holds for every source, in this process or behind a network:
 *
 * - Never over: in any stretch of time as long as a window there are no more calls between their grant and their settlement, or settled, than the
 *   window has slots. A slot comes back one window after `settle`; one that is given back has not been used.
 * - `take` and `reserve` call `done` exactly once, at once or later, in the order they were asked. A source may refuse although its view showed
 *   room; then, before `done`, the view shows none until `nextRoomAtMs`, which lies ahead or is Infinity. So whoever asks again when there is room does not spin.
 * - All other methods take effect on the view before they return, and on what is asked for after them.
 * - The view may be wrong about others who use the same key, never about what this source itself has granted.
 * - `onDelay`, with which it is made, is called after everything that can put turns off that were foretold before: a pause, a lower limit, slots
 *   used by others, a month used up, another source absorbed.
 */
export interface SlotSource {
  readonly view: SlotView;
  /** Other processes take slots of the same key from it, too. */
  readonly isShared: boolean;
  /** Asks for the slots of a call that is sent as soon as it has them. */
  take(request: SlotRequest, done: (grant: SlotGrant | undefined) => void): void;
  /**
   * The call has been answered, or given up.
   *
   * @param announced - What the answer said of the limits. Default: there was no answer.
   * @param isRefused - It was answered with a 429, after which the source has been paused.
   */
  settle(grant: SlotGrant, announced?: AnnouncedRateLimit, isRefused?: boolean): void;
  /**
   * The slots have not been used, and are free again.
   *
   * @param done - Is told of a reservation whether the call has been served elsewhere. Default: nobody wants to know.
   */
  giveBack(grant: SlotGrant, done?: (wasUsed: boolean) => void): void;
  /**
   * Asks for the slots of a call that was refused until now, and is about to come back: they are given back when it does, or when it does not.
   *
   * @param maxFraction - No more than this part of any window is reserved, and less of a short one.
   */
  reserve(request: SlotRequest, maxFraction: number, done: (grant: SlotGrant | undefined) => void): void;
  /** Takes over the slots that another process has reserved for a call that comes back to this one. */
  redeem(request: SlotRequest, done: (grant: SlotGrant | undefined) => void): void;
  /** Upstream said 429: nothing is sent before `untilMs` (monotonic) and for at least a second, twice as long each time in a row; then one call alone, to see whether it is over. */
  pause(untilMs: number): void;
  /** Upstream said that the month's quota is used up. */
  exhaustMonthlyQuota(): void;
  /** The other source turns out to be of the same user: what is in use there counts here, and its grants are settled here. The other has none left. */
  absorb(other: this): void;
}

/** Makes the slots of one key, of which none are used. `onDelay`: see `SlotSource`. */
export type CreateSlotSource = (onDelay: () => void) => SlotSource;

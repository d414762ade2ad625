/**
 * Entry of the module `windows`: counts the slots of one key in this process. It exports `createRateWindows`: the
 * general window, the burst window and those learned from responses. `rate-window.ts` is the arithmetic of one window.
 * The module knows no clock, queue, budget or slot source: it may not import the files above it or `queue/`.
 */
import type { AnnouncedWindow } from '../../http/rate-limit-headers.ts';
import type { RateWindow, SlotMark } from './rate-window.ts';
import type { RouteClass } from '../../postman/route-class.ts';
import { createWindowSet, type RateWindowsOptions, type WindowSet } from './window-set.ts';

/** The slots that one call has taken. */
export interface TakenSlots {
  readonly routeClass: RouteClass;
  /** The windows that the call counts against. */
  readonly taken: RateWindow[];
  /** For every window: its slots in use when the call was sent. */
  readonly marks: Map<RateWindow, SlotMark>;
}

/** All rolling windows of one key: the general one, the burst one, and those that responses have announced. */
export interface RateWindows extends Pick<WindowSet, 'general' | 'burst' | 'of' | 'all'> {
  /** Takes slots for a call that is being sent. */
  take(routeClass: RouteClass, nowMs: number): TakenSlots;
  /** The call ended, with or without a response. */
  release(slots: TakenSlots, nowMs: number): void;
  /** The call was not sent: its slots are free again. */
  giveBack(slots: TakenSlots): void;
  /**
   * Updates limits and external use from the announcement of a response; to be called before the slots are released.
   * A limit is forgotten if responses have not announced it for as long as two of its windows.
   *
   * @returns `isDelay`: slots predicted before are delayed now. `reportsBurst`: the response says how many slots of the
   *   burst window are left.
   */
  learn(
    slots: TakenSlots,
    announced: readonly AnnouncedWindow[],
    nowMs: number,
  ): { readonly isDelay: boolean; readonly reportsBurst: boolean };
  /**
   * A call got a 429 although a slot was free, so other clients have used more than estimated. Unless the response
   * reports a window without remaining slots, all free slots of one window are held for others: of the burst window if
   * it can explain the wait, else of the general one. They become free evenly, from `untilMs` to one window from now.
   *
   * @param untilMs - When Postman allows the next call (monotonic ms).
   */
  refused(slots: TakenSlots, announced: readonly AnnouncedWindow[], untilMs: number, nowMs: number): void;
  /**
   * Takes over the slots in use of the general and the burst window of another key of the same user.
   *
   * @param slots - The slots of all calls in flight there. They are taken here instead.
   */
  absorb(other: RateWindows, slots: readonly TakenSlots[], nowMs: number): void;
}

/** Creates the unused windows of one key. */
export function createRateWindows(options: RateWindowsOptions): RateWindows {
  const set = createWindowSet(options);
  const { general, burst, of, all } = set;
  // So that a window learned later counts the calls in flight too.
  const inFlight = new Set<TakenSlots>();

  const take = (window: RateWindow, slots: TakenSlots, nowMs: number) => {
    if (of(slots.routeClass).includes(window)) {
      window.take();
      slots.taken.push(window);
    }
    slots.marks.set(window, window.externalUse.mark(nowMs));
  };

  const add = (routeClass: RouteClass, { limit, windowMs }: AnnouncedWindow, nowMs: number) => {
    if (limit === undefined || windowMs === undefined) return undefined;
    const window = set.add(routeClass, limit, windowMs);
    if (window) for (const slots of inFlight) take(window, slots, nowMs);
    return window;
  };

  return {
    general,
    burst,
    of,
    all,
    take(routeClass, nowMs) {
      const slots: TakenSlots = { routeClass, taken: [], marks: new Map() };
      for (const window of all()) take(window, slots, nowMs);
      inFlight.add(slots);
      return slots;
    },
    release(slots, nowMs) {
      inFlight.delete(slots);
      for (const window of slots.taken) window.release(nowMs);
    },
    giveBack(slots) {
      inFlight.delete(slots);
      for (const window of slots.taken) window.giveBack();
    },
    learn(slots, announced, nowMs) {
      const { routeClass, taken, marks } = slots;
      let isDelay = false;
      let reportsBurst = false;
      const limited = new Set<RateWindow>();
      for (const announcedWindow of announced) {
        const { limit, remaining, resetInMs } = announcedWindow;
        const known = set.find(routeClass, announcedWindow);
        const window = known ?? add(routeClass, announcedWindow, nowMs);
        if (!window) continue;
        reportsBurst ||= window === burst && remaining !== undefined;
        const before = { limit: window.limit, free: window.free(nowMs) };
        if (limit !== undefined) {
          // Of two limits over the same length of time the lower one applies.
          set.setAnnouncedLimit(window, limited.has(window) ? Math.min(limit, window.limit) : limit, routeClass);
          limited.add(window);
        }
        const mark = marks.get(window);
        if (mark && remaining !== undefined) {
          window.externalUse.learn({ remaining, resetInMs }, mark, taken.includes(window), nowMs);
        }
        isDelay ||= !known || window.limit < before.limit || window.free(nowMs) < before.free;
      }
      set.forgetUnannounced(routeClass, limited, nowMs);
      return { isDelay, reportsBurst };
    },
    refused({ routeClass }, announced, untilMs, nowMs) {
      const isReported = announced.some(({ remaining }) => remaining === 0);
      const window = burst && routeClass === 'burst' && untilMs <= nowMs + burst.windowMs ? burst : general;
      if (!isReported) window.externalUse.hold(window.free(nowMs), untilMs, nowMs + window.windowMs);
      for (const { externalUse } of all()) externalUse.bringForward(untilMs, nowMs);
    },
    absorb(other, moved, nowMs) {
      for (const slots of moved) other.giveBack(slots);
      general.externalUse.absorb(other.general, nowMs);
      if (burst && other.burst) burst.externalUse.absorb(other.burst, nowMs);
      for (const slots of moved) {
        slots.taken.length = 0;
        for (const window of all()) take(window, slots, nowMs);
        // How many slots were in use here when the call was sent is unknown.
        slots.marks.clear();
        inFlight.add(slots);
      }
    },
  };
}

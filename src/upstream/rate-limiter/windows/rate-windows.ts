import type { AnnouncedWindow } from '../../http/rate-limit-headers.ts';
import type { RateWindow, SlotMark } from './rate-window.ts';
import type { RouteClass } from '../../postman/route-class.ts';
import { createWindowSet, type RateWindowsOptions, type WindowSet } from './window-set.ts';

/** The slots one call has taken. */
export interface TakenSlots {
  readonly routeClass: RouteClass;
  /** The windows it counts against. */
  readonly taken: RateWindow[];
  /** What was in use of every window when the call was sent. */
  readonly marks: Map<RateWindow, SlotMark>;
}

/** All rolling windows of one key: the general one, the burst one, and those that answers have announced besides. */
export interface RateWindows extends Pick<WindowSet, 'general' | 'burst' | 'of' | 'all'> {
  /** A call is being sent. */
  take(routeClass: RouteClass, nowMs: number): TakenSlots;
  /** The call has been answered, or given up. */
  release(slots: TakenSlots, nowMs: number): void;
  /** The call has not been made. */
  giveBack(slots: TakenSlots): void;
  /**
   * Learns from what the answer of a call announces, before its slots are released: headers take away, they do not give. A limit that
   * answers have not announced for two of its windows is forgotten.
   *
   * @returns Whether turns that were foretold before are now put off, and whether the burst window was spoken of.
   */
  learn(
    slots: TakenSlots,
    announced: readonly AnnouncedWindow[],
    nowMs: number,
  ): { readonly isDelay: boolean; readonly reportsBurst: boolean };
  /**
   * A call has been refused although there was room for it, so that others have used more than is known. Unless the answer says how much
   * is left of the window that refused, nothing is, and it comes back evenly until a window has passed.
   *
   * @param untilMs - When upstream wants to be asked again.
   */
  refused(slots: TakenSlots, announced: readonly AnnouncedWindow[], untilMs: number, nowMs: number): void;
  /**
   * Takes over what is in use of the general and the burst window of another key of the same user.
   *
   * @param slots - All slots that are taken there. They are taken here instead.
   */
  absorb(other: RateWindows, slots: readonly TakenSlots[], nowMs: number): void;
}

/** Makes the unused windows of one key. */
export function createRateWindows(options: RateWindowsOptions): RateWindows {
  const set = createWindowSet(options);
  const { general, burst, of, all } = set;
  // Calls that are out, so that a window that is learned of counts them too.
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
          // Of two limits over the same length of time the lower holds.
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
        // What was in use here when the call was sent is not known.
        slots.marks.clear();
        inFlight.add(slots);
      }
    },
  };
}

import type { AnnouncedWindow } from './rate-limit-headers.ts';
import { createRateWindow, type RateWindow, type SlotMark } from './rate-window.ts';
import { ROUTE_CLASSES, type RouteClass } from './share.ts';

/** The windows that are known before the first answer. */
export interface RateWindowsOptions {
  /** The window of every call. `isCap`: announced limits above it are not followed. */
  readonly general: { readonly limit: number; readonly windowMs: number; readonly isCap: boolean };
  /** The second window of `burst` routes; absent: there is none. */
  readonly burst?: { readonly limit: number; readonly windowMs: number };
}

/** The slots one call has taken. */
export interface TakenSlots {
  readonly routeClass: RouteClass;
  /** The windows it counts against. */
  readonly taken: RateWindow[];
  /** What was in use of every window when the call was sent. */
  readonly marks: Map<RateWindow, SlotMark>;
}

/** All rolling windows of one key: the general one, the burst one, and those that answers have announced besides. */
export interface RateWindows {
  readonly general: RateWindow;
  readonly burst: RateWindow | undefined;
  /** Every window that a call of the class counts against. */
  of(routeClass: RouteClass): readonly RateWindow[];
  /** Every window. */
  all(): readonly RateWindow[];
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
  ): { readonly isDelay: boolean; readonly toldOfBurst: boolean };
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

// Of what upstream announces; the most that can be configured, too.
const MAX_LIMIT = 100_000;
const MAX_LEARNED_WINDOWS = 4;
// A limit holds for as long as answers announce it, and for this many of its windows of answers that do not.
const SILENT_WINDOWS = 2;

/** Where a limit comes from that was announced. */
interface Announcement {
  readonly routeClass: RouteClass;
  /** When the first answer came that did not repeat it; undefined: the last one did. */
  silentSinceMs: number | undefined;
}

/** Makes the unused windows of one key. */
export function createRateWindows({ general: generalLimit, burst: burstLimit }: RateWindowsOptions): RateWindows {
  const general = createRateWindow(generalLimit.limit, generalLimit.windowMs);
  const burst = burstLimit && createRateWindow(burstLimit.limit, burstLimit.windowMs);
  const known: Record<RouteClass, RateWindow[]> = { general: [general], burst: burst ? [general, burst] : [general] };
  // Calls that are out, so that a window that is learned of counts them too.
  const out = new Set<TakenSlots>();
  // Of the windows whose limit is an announced one.
  const announcements = new Map<RateWindow, Announcement>();

  const all = () => [...new Set([...known.burst, ...known.general])];

  const take = (window: RateWindow, slots: TakenSlots, nowMs: number) => {
    if (known[slots.routeClass].includes(window)) {
      window.take();
      slots.taken.push(window);
    }
    slots.marks.set(window, window.mark(nowMs));
  };

  /** Which window is spoken of; undefined: one that is not known yet. */
  const find = (routeClass: RouteClass, { windowMs, limit }: AnnouncedWindow): RateWindow | undefined => {
    const isSameLength = burst?.windowMs === general.windowMs;
    if (burst && (windowMs === undefined || (isSameLength && windowMs === general.windowMs))) {
      // Nothing but its size tells them apart.
      return routeClass === 'burst' && limit !== undefined && limit <= (burstLimit?.limit ?? 0) ? burst : general;
    }
    if (windowMs === undefined) return general;
    return all().find((window) => window.windowMs === windowMs);
  };

  /** Somebody counts calls over yet another length of time: those of this class, and all of them where the class is every call's. */
  const add = (routeClass: RouteClass, limit: number, windowMs: number, nowMs: number): RateWindow | undefined => {
    if (all().length - (burst ? 2 : 1) >= MAX_LEARNED_WINDOWS) return undefined;
    const window = createRateWindow(limit, windowMs);
    for (const ofClass of ROUTE_CLASSES)
      if (ofClass === 'burst' || routeClass === 'general') known[ofClass].push(window);
    for (const slots of out) take(window, slots, nowMs);
    return window;
  };

  const capOf = (window: RateWindow) =>
    window === burst ? burstLimit?.limit : window === general && generalLimit.isCap ? generalLimit.limit : undefined;

  /** A limit that is not announced any more was a mistake, or is over: what was known before it holds again. */
  const forgetUnannounced = (routeClass: RouteClass, limited: ReadonlySet<RateWindow>, nowMs: number) => {
    for (const [window, announcement] of announcements) {
      if (limited.has(window)) continue;
      // An answer of the other class that announces limits of its own need not repeat this one.
      const isSilent = limited.size === 0 || announcement.routeClass === routeClass;
      if (!isSilent || !known[routeClass].includes(window)) continue;
      announcement.silentSinceMs ??= nowMs;
      if (nowMs < announcement.silentSinceMs + SILENT_WINDOWS * window.windowMs) continue;
      announcements.delete(window);
      if (window === general) window.setLimit(generalLimit.limit);
      else if (window === burst) window.setLimit(burstLimit?.limit ?? window.limit);
      else for (const ofClass of ROUTE_CLASSES) known[ofClass] = known[ofClass].filter((one) => one !== window);
    }
  };

  return {
    general,
    burst,
    of: (routeClass) => known[routeClass],
    all,
    take(routeClass, nowMs) {
      const slots: TakenSlots = { routeClass, taken: [], marks: new Map() };
      for (const window of all()) take(window, slots, nowMs);
      out.add(slots);
      return slots;
    },
    release(slots, nowMs) {
      out.delete(slots);
      for (const window of slots.taken) window.release(nowMs);
    },
    giveBack(slots) {
      out.delete(slots);
      for (const window of slots.taken) window.giveBack();
    },
    learn(slots, announced, nowMs) {
      let isDelay = false;
      let toldOfBurst = false;
      const limited = new Set<RateWindow>();
      for (const told of announced) {
        const { limit, remaining, resetInMs, windowMs } = told;
        let window = find(slots.routeClass, told);
        if (!window && limit !== undefined && windowMs !== undefined) {
          window = add(slots.routeClass, limit, windowMs, nowMs);
          isDelay ||= window !== undefined;
        }
        if (!window) continue;
        toldOfBurst ||= window === burst && remaining !== undefined;
        const before = { limit: window.limit, free: window.free(nowMs) };
        if (limit !== undefined) {
          // Of two limits over the same length of time the lower holds.
          window.setLimit(Math.min(limit, limited.has(window) ? window.limit : (capOf(window) ?? MAX_LIMIT)));
          limited.add(window);
          announcements.set(window, { routeClass: slots.routeClass, silentSinceMs: undefined });
        }
        const mark = slots.marks.get(window);
        if (mark && remaining !== undefined) {
          // The answer counts what was in use when upstream saw the call, somewhere between its sending and now: what none of our
          // own calls of that time can explain is certain to be another's.
          const othersCalls = window.limit - remaining - window.mostOwnSince(mark) - window.held(nowMs);
          if (othersCalls > 0) {
            // A reset can mean the first slot that comes back, or all of them.
            const firstInMs = Math.min(resetInMs ?? window.windowMs, window.windowMs);
            window.hold(othersCalls, nowMs + firstInMs, nowMs + window.windowMs);
          } else {
            // What was held was a guess. As much was left then, less what had not arrived yet and what has been sent since.
            const notCounted = mark.callsOut - (slots.taken.includes(window) ? 1 : 0) + window.takenSince(mark);
            window.letGo(remaining - notCounted - window.free(nowMs), mark, nowMs);
          }
        }
        isDelay ||= window.limit < before.limit || window.free(nowMs) < before.free;
      }
      forgetUnannounced(slots.routeClass, limited, nowMs);
      return { isDelay, toldOfBurst };
    },
    refused({ routeClass }, announced, untilMs, nowMs) {
      const isTold = announced.some(({ remaining }) => remaining === 0);
      const window = burst && routeClass === 'burst' && untilMs <= nowMs + burst.windowMs ? burst : general;
      if (!isTold) window.hold(window.free(nowMs), untilMs, nowMs + window.windowMs);
      for (const known of all()) known.bringForward(untilMs, nowMs);
    },
    absorb(other, others, nowMs) {
      for (const slots of others) other.giveBack(slots);
      general.absorb(other.general, nowMs);
      if (burst && other.burst) burst.absorb(other.burst, nowMs);
      for (const slots of others) {
        slots.taken.length = 0;
        for (const window of all()) take(window, slots, nowMs);
        // What was in use here when the call was sent is not known.
        slots.marks.clear();
        out.add(slots);
      }
    },
  };
}

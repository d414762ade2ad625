import type { AnnouncedWindow } from '../../http/rate-limit-headers.ts';
import { createRateWindow, type RateWindow } from './rate-window.ts';
import { ROUTE_CLASSES, type RouteClass } from '../../postman/route-class.ts';

/** The configured windows. */
export interface RateWindowsOptions {
  /** The window of every call. `isCap`: announced limits above `limit` are ignored. */
  readonly general: { readonly limit: number; readonly windowMs: number; readonly isCap: boolean };
  /** The additional window of calls of the burst class. Default: none. */
  readonly burst?: { readonly limit: number; readonly windowMs: number };
}

/** The windows of one key and their limits: configured ones, and those that responses announce. */
export interface WindowSet {
  readonly general: RateWindow;
  readonly burst: RateWindow | undefined;
  /** Every window that a call of the class counts against. */
  of(routeClass: RouteClass): readonly RateWindow[];
  /** Every window. */
  all(): readonly RateWindow[];
  /** The window that a response to a call of the class announces; undefined: a window not known yet. */
  find(routeClass: RouteClass, announced: AnnouncedWindow): RateWindow | undefined;
  /**
   * Adds a window with a length not known before. It counts the calls of this class; for the general class, all calls.
   *
   * @returns undefined if four windows have been learned already.
   */
  add(routeClass: RouteClass, limit: number, windowMs: number): RateWindow | undefined;
  /** Sets the limit that a response to a call of the class announces, at most the configured one if that is a cap. */
  setAnnouncedLimit(window: RateWindow, limit: number, routeClass: RouteClass): void;
  /**
   * Forgets limits that responses have not announced for as long as two of their windows: they were a mistake, or have
   * been lifted. Configured windows get their configured limit back, learned ones are removed.
   *
   * @param announced - Windows whose limit the response announces.
   */
  forgetUnannounced(routeClass: RouteClass, announced: ReadonlySet<RateWindow>, nowMs: number): void;
}

/** Which responses announce a limit. */
interface Announcement {
  readonly routeClass: RouteClass;
  /** Time of the first response that did not repeat it; undefined: the last one did. */
  silentSinceMs: number | undefined;
}

// Highest limit accepted from Postman; also the highest that can be configured.
const MAX_LIMIT = 100_000;
const MAX_LEARNED_WINDOWS = 4;
// An announced limit expires after this many of its windows without being repeated.
const SILENT_WINDOWS = 2;

/** Creates the configured windows of one key. */
export function createWindowSet({ general: generalLimit, burst: burstLimit }: RateWindowsOptions): WindowSet {
  const general = createRateWindow(generalLimit.limit, generalLimit.windowMs);
  const burst = burstLimit && createRateWindow(burstLimit.limit, burstLimit.windowMs);
  const configured = new Map([[general, generalLimit.limit]]);
  if (burst) configured.set(burst, burstLimit.limit);
  const windowsByClass: Record<RouteClass, RateWindow[]> = {
    general: [general],
    burst: burst ? [general, burst] : [general],
  };
  // One per window whose limit was announced.
  const announcements = new Map<RateWindow, Announcement>();

  // Every window counts calls of the burst class.
  const all = () => windowsByClass.burst;

  const capOf = (window: RateWindow) =>
    window === burst || (window === general && generalLimit.isCap) ? configured.get(window) : undefined;

  return {
    general,
    burst,
    of: (routeClass) => windowsByClass[routeClass],
    all,
    find(routeClass, { windowMs, limit }) {
      const isSameLength = burst?.windowMs === general.windowMs;
      if (burst && (windowMs === undefined || (isSameLength && windowMs === general.windowMs))) {
        // The announced length does not say which window it is: only the limit can.
        return routeClass === 'burst' && limit !== undefined && limit <= (configured.get(burst) ?? 0) ? burst : general;
      }
      if (windowMs === undefined) return general;
      return all().find((window) => window.windowMs === windowMs);
    },
    add(routeClass, limit, windowMs) {
      if (all().length - configured.size >= MAX_LEARNED_WINDOWS) return undefined;
      const window = createRateWindow(limit, windowMs);
      for (const ofClass of ROUTE_CLASSES)
        if (ofClass === 'burst' || routeClass === 'general') windowsByClass[ofClass].push(window);
      return window;
    },
    setAnnouncedLimit(window, limit, routeClass) {
      window.setLimit(Math.min(limit, capOf(window) ?? MAX_LIMIT));
      announcements.set(window, { routeClass, silentSinceMs: undefined });
    },
    forgetUnannounced(routeClass, announced, nowMs) {
      for (const [window, announcement] of announcements) {
        if (announced.has(window)) continue;
        // A response to the other class that announces other limits need not repeat this one.
        const isSilent = announced.size === 0 || announcement.routeClass === routeClass;
        if (!isSilent || !windowsByClass[routeClass].includes(window)) continue;
        announcement.silentSinceMs ??= nowMs;
        if (nowMs < announcement.silentSinceMs + SILENT_WINDOWS * window.windowMs) continue;
        announcements.delete(window);
        const limit = configured.get(window);
        if (limit !== undefined) window.setLimit(limit);
        else
          for (const ofClass of ROUTE_CLASSES)
            windowsByClass[ofClass] = windowsByClass[ofClass].filter((one) => one !== window);
      }
    },
  };
}

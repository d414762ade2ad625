import type { AnnouncedWindow } from '../../http/rate-limit-headers.ts';
import { createRateWindow, type RateWindow } from './rate-window.ts';
import { ROUTE_CLASSES, type RouteClass } from '../../postman/route-class.ts';

/** The windows that are known before the first answer. */
export interface RateWindowsOptions {
  /** The window of every call. `isCap`: announced limits above it are not followed. */
  readonly general: { readonly limit: number; readonly windowMs: number; readonly isCap: boolean };
  /** The second window of `burst` routes; absent: there is none. */
  readonly burst?: { readonly limit: number; readonly windowMs: number };
}

/** Which windows there are, and their limits: those that are configured, and what answers announce. */
export interface WindowSet {
  readonly general: RateWindow;
  readonly burst: RateWindow | undefined;
  /** Every window that a call of the class counts against. */
  of(routeClass: RouteClass): readonly RateWindow[];
  /** Every window. */
  all(): readonly RateWindow[];
  /** Which window an answer to a call of the class speaks of; undefined: one that is not known yet. */
  find(routeClass: RouteClass, announced: AnnouncedWindow): RateWindow | undefined;
  /** Somebody counts calls over yet another length of time: those of this class, and all of them where the class is every call's. Returns undefined where there are too many. */
  add(routeClass: RouteClass, limit: number, windowMs: number): RateWindow | undefined;
  /** Follows a limit that an answer to a call of the class announces: up to what is configured, where that is a cap. */
  setAnnouncedLimit(window: RateWindow, limit: number, routeClass: RouteClass): void;
  /**
   * Forgets limits that answers have not announced for two of their windows: they were a mistake, or are over, and what was known before holds again.
   *
   * @param announced - Windows of which the answer announces the limit.
   */
  forgetUnannounced(routeClass: RouteClass, announced: ReadonlySet<RateWindow>, nowMs: number): void;
}

/** Where a limit comes from that was announced. */
interface Announcement {
  readonly routeClass: RouteClass;
  /** When the first answer came that did not repeat it; undefined: the last one did. */
  silentSinceMs: number | undefined;
}

// Of what upstream announces; the most that can be configured, too.
const MAX_LIMIT = 100_000;
const MAX_LEARNED_WINDOWS = 4;
// A limit holds for as long as answers announce it, and for this many of its windows of answers that do not.
const SILENT_WINDOWS = 2;

/** Makes the windows of one key that are configured. */
export function createWindowSet({ general: generalLimit, burst: burstLimit }: RateWindowsOptions): WindowSet {
  const general = createRateWindow(generalLimit.limit, generalLimit.windowMs);
  const burst = burstLimit && createRateWindow(burstLimit.limit, burstLimit.windowMs);
  const configured = new Map([[general, generalLimit.limit]]);
  if (burst) configured.set(burst, burstLimit.limit);
  const windowsByClass: Record<RouteClass, RateWindow[]> = {
    general: [general],
    burst: burst ? [general, burst] : [general],
  };
  // Of the windows whose limit is an announced one.
  const announcements = new Map<RateWindow, Announcement>();

  const all = () => [...new Set([...windowsByClass.burst, ...windowsByClass.general])];

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
        // Nothing but its size tells them apart.
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
        // An answer of the other class that announces limits of its own need not repeat this one.
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

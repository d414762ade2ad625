/** Upstream's two rate classes: `burst` routes count against both windows, all others against the general one alone. */
export type RouteClass = 'general' | 'burst';

/** Both of them. */
export const ROUTE_CLASSES: readonly RouteClass[] = ['general', 'burst'];

/** The class that a class takes turns with. */
export const otherClass = (routeClass: RouteClass): RouteClass => (routeClass === 'general' ? 'burst' : 'general');

/** One operation's standing in the fair queue. */
export interface Share {
  /** Virtual time of its newest call of each class. */
  readonly lastTag: Record<RouteClass, number>;
  /** Calls it has asked for so far. */
  askedCalls: number;
}

/** Makes the standing of an operation that has not asked for a call yet. */
export function createShare(): Share {
  return { lastTag: { general: 0, burst: 0 }, askedCalls: 0 };
}

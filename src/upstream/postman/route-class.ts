/** Upstream's two rate classes: `burst` routes count against both windows, all others against the general one alone. */
export type RouteClass = 'general' | 'burst';

/** Both of them. */
export const ROUTE_CLASSES: readonly RouteClass[] = ['general', 'burst'];

/** The class that a class takes turns with. */
export const otherClass = (routeClass: RouteClass): RouteClass => (routeClass === 'general' ? 'burst' : 'general');

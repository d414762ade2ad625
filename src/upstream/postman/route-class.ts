/** Postman's two rate classes: `burst` routes count against both windows, `general` ones against the general window. */
export type RouteClass = 'general' | 'burst';

/** Both rate classes. */
export const ROUTE_CLASSES: readonly RouteClass[] = ['general', 'burst'];

/** The other of the two rate classes. */
export const otherClass = (routeClass: RouteClass): RouteClass => (routeClass === 'general' ? 'burst' : 'general');

import type { RouteTemplate } from '../../upstream/postman/routes.ts';

/**
 * Declares, once, the routes that a field reads by itself: to find a thing, to list things, or because no answer about its parent carries it.
 *
 * @returns Options for the Pothos field.
 */
export function declareRoutes(...routes: readonly RouteTemplate[]) {
  return { extensions: { reads: routes } };
}

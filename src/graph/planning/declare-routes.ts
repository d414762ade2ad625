import type { RouteTemplate } from '../../upstream/postman/routes.ts';

/**
 * Declares the routes that a field itself reads: to look up an object, to list objects, or because no response about
 * its parent carries it.
 *
 * @returns Options for the Pothos field.
 */
export function declareRoutes(...routes: readonly RouteTemplate[]) {
  return { extensions: { reads: routes } };
}

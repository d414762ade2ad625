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

/**
 * Declares the routes that a field reads only if its arguments name objects. All fields with the same arguments share
 * these calls, so gateways must not count them for each.
 *
 * @returns Options for the Pothos field.
 */
export function declareRoutesOfArguments(...routes: readonly RouteTemplate[]) {
  return { extensions: { reads: routes, isForArguments: true } };
}

import type { Level } from '../loaders/levels.ts';
import type { RouteTemplate } from '../upstream/postman-api.ts';

/** What one item of a route's answer is: a type of the graph, and the levels at which the answer has it. */
export interface AnsweredType {
  readonly type: 'User' | 'Workspace' | 'Collection' | 'Environment';
  /** Absent: the type has no levels, every field of it is there. */
  readonly levels?: readonly Level[];
}

/** What the answers of each route carry. */
export const answeredTypes: Readonly<Record<RouteTemplate, readonly AnsweredType[]>> = {
  '/me': [{ type: 'User' }],
  '/workspaces': [{ type: 'Workspace', levels: ['summary'] }],
  '/workspaces/{id}': [
    { type: 'Workspace', levels: ['detail'] },
    { type: 'Collection', levels: ['ref'] },
    { type: 'Environment', levels: ['ref'] },
  ],
  '/workspaces/{id}/global-variables': [],
  '/collections': [{ type: 'Collection', levels: ['summary'] }],
  '/collections/{uid}': [{ type: 'Collection', levels: ['minimal', 'detail'] }],
  '/environments': [{ type: 'Environment', levels: ['summary'] }],
  '/environments/{uid}': [{ type: 'Environment', levels: ['detail'] }],
};

/**
 * Declares, once, the routes that a field reads by itself: to find a thing, to list things, or because no answer about its parent carries it.
 *
 * @returns Options for the Pothos field.
 */
export function reads(...routes: readonly RouteTemplate[]) {
  return { extensions: { reads: routes } };
}

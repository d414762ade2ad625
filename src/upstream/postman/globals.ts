import { listAt } from './body.ts';
import type { PostmanCall, PostmanRoute } from './postman-call.ts';
import { toSegment } from './target.ts';

/** `GET /workspaces/{id}/global-variables`. */
export const globalsRoute = {
  template: '/workspaces/{id}/global-variables',
  routeClass: 'general',
  carries: [],
} as const satisfies PostmanRoute;

/** Asks for the global variables of a workspace. They are as upstream sent them. */
export const globalsCall = (workspaceId: string): PostmanCall<readonly unknown[], null> => ({
  route: globalsRoute,
  target: `/workspaces/${toSegment(workspaceId)}/global-variables`,
  parse: parseGlobals,
  whenMissing: null,
  simulate: ({ exists, nameOf }) => (exists ? [{ key: nameOf(workspaceId) }] : null),
});

/** Reads `GET /workspaces/{id}/global-variables`; the variables stay as sent. @throws {UnexpectedShapeError} */
function parseGlobals(body: unknown): readonly unknown[] {
  return listAt(body, 'values');
}

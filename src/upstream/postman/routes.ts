/**
 * Entry of the `postman` module, which describes the Postman API: its routes, the calls that can be made to them
 * (`resources/`), how their responses are parsed, and which fields each route carries.
 *
 * It describes calls and makes none: it must not import `http`, `rate-limiter`, `cache`, `calls`, undici or p-queue.
 */
import type { ChildResource, ChildSummary } from './resources/child-resource.ts';
import { collectionResource, collectionRoute, collectionsRoute } from './resources/collections.ts';
import { environmentResource, environmentRoute, environmentsRoute } from './resources/environments.ts';
import type { ChildType, Level, LeveledType } from './levels.ts';
import { meRoute } from './resources/me.ts';
import { mockResource, mockRoute, mocksRoute } from './resources/mocks.ts';
import type { PostmanRoute } from './postman-call.ts';
import { usersRoute } from './resources/users.ts';
import { globalsRoute, workspaceRoute, workspacesRoute } from './resources/workspaces.ts';

/** Every route of the Postman API that the facade calls. */
export const routes = [
  meRoute,
  usersRoute,
  workspacesRoute,
  workspaceRoute,
  globalsRoute,
  collectionsRoute,
  collectionRoute,
  environmentsRoute,
  environmentRoute,
  mocksRoute,
  mockRoute,
] as const;

/** Template of one of these routes. */
export type RouteTemplate = (typeof routes)[number]['template'];

/** The levels at which routes carry a type, cheapest first. */
export function levelsOf(type: LeveledType): readonly Level[] {
  return CARRIED_LEVELS.filter((level) => routes.some((route) => carriesAt(route, type, level)));
}

/** The routes that return objects of a type: its list and its single read. */
export function routesTo(type: ChildType): readonly RouteTemplate[] {
  const [, ...levelsAboveRef] = CARRIED_LEVELS;
  return routes
    .filter((route) => levelsAboveRef.some((level) => carriesAt(route, type, level)))
    .map(({ template }) => template);
}

const CARRIED_LEVELS = ['ref', 'summary', 'minimal', 'detail'] as const;

const carriesAt = ({ carries }: PostmanRoute, type: LeveledType, level: Level) =>
  carries.some((carried) => carried.type === type && carried.levels.includes(level));

/** How each type of workspace content is read. */
export const childResources = {
  Collection: collectionResource,
  Environment: environmentResource,
  Mock: mockResource,
} as const satisfies Readonly<Record<ChildType, ChildResource>>;

/** An item of the list of a type of workspace content. */
export type SummaryOf<Type extends ChildType> =
  (typeof childResources)[Type] extends ChildResource<infer Summary extends ChildSummary> ? Summary : never;

/** The result of a single read of a type of workspace content. */
export type DetailOf<Type extends ChildType> =
  (typeof childResources)[Type] extends ChildResource<SummaryOf<Type>, infer Detail> ? Detail : never;

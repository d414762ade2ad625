import type { ChildResource, ChildSummary } from './resources/child-resource.ts';
import { collectionResource, collectionRoute, collectionsRoute } from './resources/collections.ts';
import { environmentResource, environmentRoute, environmentsRoute } from './resources/environments.ts';
import type { ChildType, Level, LeveledType } from './levels.ts';
import { meRoute } from './resources/me.ts';
import { mockResource, mockRoute, mocksRoute } from './resources/mocks.ts';
import type { PostmanRoute } from './postman-call.ts';
import { globalsRoute, workspaceRoute, workspacesRoute } from './resources/workspaces.ts';

/** The routes of the Postman API that are read. */
export const routes = [
  meRoute,
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
  return CARRIED_LEVELS.filter((level) => routes.some((route) => carries(route, type, level)));
}

/** The routes by which things of a type are found: their lists, and their single reads. */
export function routesTo(type: ChildType): readonly RouteTemplate[] {
  const [, ...levels] = CARRIED_LEVELS;
  return routes.filter((route) => levels.some((level) => carries(route, type, level))).map(({ template }) => template);
}

const CARRIED_LEVELS = ['ref', 'summary', 'minimal', 'detail'] as const;

const carries = ({ carries }: PostmanRoute, type: LeveledType, level: Level) =>
  carries.some((carried) => carried.type === type && carried.levels?.includes(level));

/** How the things are read that workspaces hold. */
export const childResources = {
  Collection: collectionResource,
  Environment: environmentResource,
  Mock: mockResource,
} as const satisfies Readonly<Record<ChildType, ChildResource>>;

/** What a list has of a thing of such a type. */
export type SummaryOf<Type extends ChildType> =
  (typeof childResources)[Type] extends ChildResource<infer Summary extends ChildSummary> ? Summary : never;

/** What a single read has of it. */
export type DetailOf<Type extends ChildType> =
  (typeof childResources)[Type] extends ChildResource<SummaryOf<Type>, infer Detail> ? Detail : never;

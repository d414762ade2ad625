import type { ChildResource, ChildSummary } from './child-resource.ts';
import { collectionResource, collectionRoute, collectionsRoute } from './collections.ts';
import { environmentResource, environmentRoute, environmentsRoute } from './environments.ts';
import { globalsRoute } from './globals.ts';
import type { ChildType, Level, LeveledType } from './levels.ts';
import { meRoute } from './me.ts';
import { mockResource, mockRoute, mocksRoute } from './mocks.ts';
import type { PostmanRoute } from './postman-call.ts';
import { workspaceRoute, workspacesRoute } from './workspaces.ts';

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
  const carries = ({ carries }: PostmanRoute, level: Level) =>
    carries.some((carried) => carried.type === type && carried.levels?.includes(level));
  return (['ref', 'summary', 'minimal', 'detail'] as const).filter((level) =>
    routes.some((route) => carries(route, level)),
  );
}

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

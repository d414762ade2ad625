import { collectionRoute, collectionsRoute } from './collections.ts';
import { environmentRoute, environmentsRoute } from './environments.ts';
import { globalsRoute } from './globals.ts';
import { meRoute } from './me.ts';
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
] as const;

/** Template of one of these routes. */
export type RouteTemplate = (typeof routes)[number]['template'];

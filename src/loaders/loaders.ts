/**
 * The loaders: find the fewest calls that serve what resolvers request in one operation.
 *
 * Exports `createLoaders`, whose loaders return parsed objects. The module may import upstream's session, routes and
 * types, but nothing above upstream (graph, dry run, server, configuration). It must not know how calls are made: no
 * HTTP, rate limiter or cache, and no GraphQL.
 *
 * All requests of one tick are planned together (`planner.ts`). A call that is cached, or that the operation has made
 * already, costs nothing. A request is served by the first source that applies:
 *
 * | request | sources |
 * | --- | --- |
 * | object, by uid and name only | 1. a list or workspace that has shown it, also a cached one, 2. as in the next row |
 * | object, from a list or a single read | 1. a list that has shown it, 2. a single read made or needed anyway, |
 * | | 3. a cached list that shows it, 4. the list of everything, if read, 5. a search by name, if made anyway, |
 * | | 6. the cheapest single read |
 * | object, from a list only | 1. a list that has shown it, also a cached one, 2. the list of everything, if read, |
 * | | 3. a search by name |
 * | object, from a single read only | 1. `minimal`, unless `detail` is read or cached anyway, 2. `detail` |
 * | workspace summary | 1. a list that has shown it, 2. a list being read or cached, 3. the workspace itself |
 * | workspace detail | the workspace itself |
 * | children with more than names | 1. refs of a workspace that is read or cached, with items that are known or in the |
 * | | list of everything, 2. their list |
 * | children by name | 1. the workspace itself, if it is read anyway or costs fewer calls, 2. their lists |
 * | user | 1. `GET /me`, if it is cached or read anyway, and the user is the key's owner, 2. `GET /users` |
 * | workspace of an object | 1. a cached lookup, 2. contents of workspaces that are known, 3. one lookup per collection, |
 * | | or one read per workspace |
 *
 * The list of everything is read if it can replace two or more single reads, or is cached. The exact rules are in
 * `child-loader.ts`, `workspace-loaders.ts`, `workspace-rows.ts`, `workspace-finder.ts` and `user-loader.ts`.
 */
import {
  type CollectionDetail,
  collectionCall,
  type CollectionSummary,
  collectionsByNameCall,
} from '../upstream/postman/resources/collections.ts';
import { type ChildType, leveledTypes, toChildRecord } from '../upstream/postman/levels.ts';
import type { Ref } from '../upstream/postman/resources/ref.ts';
import { childResources, type DetailOf, type SummaryOf } from '../upstream/postman/routes.ts';
import type { PostmanSession } from '../upstream/calls/postman-session.ts';
import {
  type WorkspaceFilter,
  type WorkspacePage,
  type WorkspaceSummary,
  workspacesCall,
} from '../upstream/postman/resources/workspaces.ts';
import { type ChildRequest, createChildLoader } from './child-loader.ts';
import { createKnownObjects } from './known-objects.ts';
import { createListed } from './listed.ts';
import { createUpstreamReads } from './reads.ts';
import { createUserLoaders, type UserLoaders } from './user-loader.ts';
import { createWorkspaceFinder, type WorkspaceFinder } from './workspace-finder.ts';
import { createWorkspaceLoaders, type WorkspaceLoaders } from './workspace-loaders.ts';

/** What resolvers read through: loaders that choose between calls, and reads without alternatives. */
export interface Loaders extends WorkspaceLoaders, WorkspaceFinder, UserLoaders {
  /** Makes a call that has no alternative. */
  read: PostmanSession['get'];
  /** Reads a page of workspaces. `cursor`: Postman's cursor, null for the first page. */
  workspacePage(request: { readonly filter: WorkspaceFilter; readonly cursor: string | null }): Promise<WorkspacePage>;
  /** Returns every collection with exactly this name. `workspaceId` null: among all that the key sees. */
  collectionsByName(request: {
    readonly name: string;
    readonly workspaceId: string | null;
  }): Promise<readonly CollectionSummary[]>;
  /** Returns those of the uids whose collection is cached with its tree, so that reading it needs no call. */
  cachedTrees(uids: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * Stops holding a collection that was read by `childByUid` at the level `detail` alone, if the cache has it and
   * nothing else in the operation has read it: a search reads far more than one operation may hold.
   */
  forgetTree(collection: CollectionDetail): Promise<void>;
  /** Returns an object inside workspaces, at one of the requested levels; null if none exists or no list has it. */
  childByUid<Type extends ChildType>(request: ChildRequest<Type>): Promise<SummaryOf<Type> | DetailOf<Type> | null>;
  /**
   * Returns what responses so far, or cached ones, say of an object: at least its uid, and its name if that is needed.
   * undefined: none shows the object. Makes no call.
   */
  knownRef(request: {
    readonly type: ChildType;
    readonly uid: string;
    readonly needsName: boolean;
  }): Promise<Ref | undefined>;
}

/**
 * Creates the loaders of one operation. They remember what they have read, so they must not outlive it.
 *
 * @throws {UpstreamError} From every loader, if the call that serves the request fails. Other requests are unaffected.
 */
export function createLoaders(session: PostmanSession): Loaders {
  const reads = createUpstreamReads(session);
  // Most operations use few of the loaders, and each has maps and closures.
  const workspaces = once(() => createListed<WorkspaceSummary>(({ id }) => id));
  const children = once(() =>
    toChildRecord((type) => ({
      resource: childResources[type],
      listed: createListed<Ref>(({ uid }) => uid),
    })),
  );
  const known = once(() => createKnownObjects(reads));
  const childLoaders = once(() =>
    toChildRecord((type) => once(() => createChildLoader(reads, children()[type], known()))),
  );
  const workspaceLoaders = once(() =>
    createWorkspaceLoaders({ reads, listed: workspaces(), children: children(), known: known() }),
  );
  const userLoaders = once(() => createUserLoaders(reads));
  const workspaceFinder = once(() => createWorkspaceFinder(reads, workspaces(), children()));
  return {
    read: reads.get,
    workspacePage: ({ filter, cursor }) => reads.list(workspaces(), workspacesCall(filter, cursor)),
    async collectionsByName({ name, workspaceId }) {
      const page = await reads.list(children().Collection.listed, collectionsByNameCall(name, workspaceId));
      return page.items;
    },
    async cachedTrees(uids) {
      return new Set(uids.filter((uid) => reads.isCached(collectionCall(uid))));
    },
    async forgetTree(collection) {
      const { readAs } = collection;
      const call = collectionCall(readAs);
      const request = { type: 'Collection', uid: readAs, levels: ['detail'] } as const;
      if (reads.isCached(call) && childLoaders().Collection().forget(request)) reads.forget(call, collection);
    },
    async knownRef({ type, uid, needsName }) {
      const { listed, resource } = children()[type];
      const { list } = leveledTypes[type];
      const isReadSingly = [resource.detailCall(uid), resource.minimalCall?.(uid)].some(
        (call) => call && reads.isCached(call),
      );
      const loading = listed.has(uid) || isReadSingly ? undefined : known().load();
      if (loading) await loading;
      const page = listed.has(uid) ? undefined : known().listWith<Ref>(list, uid);
      // If it is not cached any more, the object is read as others are.
      if (page) await reads.list(listed, page).catch(() => undefined);
      return listed.get(uid) ?? reads.contents.refOf(list, uid, needsName) ?? known().refOf(list, uid, needsName);
    },
    childByUid: <Type extends ChildType>(request: ChildRequest<Type>) =>
      childLoaders()[request.type]()(request) as Promise<SummaryOf<Type> | DetailOf<Type> | null>,
    workspaceById: (request) => workspaceLoaders().workspaceById(request),
    childrenOf: (request) => workspaceLoaders().childrenOf(request),
    keyOwner: () => userLoaders().keyOwner(),
    teamMembers: () => userLoaders().teamMembers(),
    userById: (request) => userLoaders().userById(request),
    workspaceOf: (request) => workspaceFinder().workspaceOf(request),
    isInWorkspace: (request) => workspaceFinder().isInWorkspace(request),
  };
}

/** Makes a function that makes a value with its first call, and returns it with each. */
function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}

import { isJsonObject, toId } from '../../collection-format/syntax/json.ts';
import { listAt, metaOf, objectAt, toMoment, toPlainText, toTeamId, UnexpectedShapeError } from './body.ts';
import { childLists, type ChildListName, childTypes } from '../levels.ts';
import { toMockRefs } from './mocks.ts';
import type { PostmanCall, PostmanRoute, ShownContents } from '../postman-call.ts';
import { checkIsRequested, type Ref, toRefs } from './ref.ts';
import { shownItems, shownObject, shownRefs } from '../subjects.ts';
import { SIMULATED_OWNER, type SimulatedWorld, toSimulatedItems } from '../simulated-world.ts';
import { toSegment, withQuery } from '../target.ts';

/** An item of `GET /workspaces`. */
export interface WorkspaceSummary {
  readonly id: string;
  readonly name: string | null;
  readonly type: string | null;
  readonly visibility: string | null;
  readonly about: string | null;
  readonly createdAt: string | null;
  readonly updatedAt: string | null;
  readonly createdBy: string | null;
  /** As in {@link Ref}. */
  readonly isOnPage?: boolean;
}

/** `GET /workspaces/{id}`: the summary, and fields that only the single read has. */
export interface WorkspaceDetail extends WorkspaceSummary, WorkspaceRefs {
  readonly description: string | null;
  readonly updatedBy: string | null;
  readonly teamId: string | null;
  /** Refs to mock servers that no list has. */
  readonly deactivatedMocks: readonly Ref[];
}

/** The contents of a workspace. null: the response does not carry the uid of each object. */
type WorkspaceRefs = Readonly<Record<ChildListName, readonly Ref[] | null>>;

/** One page of `GET /workspaces`. */
export interface WorkspacePage {
  readonly items: readonly WorkspaceSummary[];
  /** null: this is the last page. */
  readonly nextCursor: string | null;
}

/** The filters of `GET /workspaces`. */
export interface WorkspaceFilter {
  /** Postman's `type` parameter, which filters by visibility. */
  readonly visibility?: string;
  /** User id. */
  readonly createdBy?: string;
}

/** Page size of `GET /workspaces`: the documented maximum. */
const WORKSPACE_PAGE_SIZE = 100;

/** `GET /workspaces`. */
export const workspacesRoute = {
  template: '/workspaces',
  routeClass: 'burst',
  carries: [{ type: 'Workspace', levels: ['summary'] }],
} as const satisfies PostmanRoute;

/** `GET /workspaces/{id}`. */
export const workspaceRoute = {
  template: '/workspaces/{id}',
  routeClass: 'burst',
  carries: [
    { type: 'Workspace', levels: ['detail'] },
    ...childTypes.map((type) => ({ type, levels: ['ref'] as const })),
  ],
} as const satisfies PostmanRoute;

/** `GET /workspaces/{id}/global-variables`. */
export const globalsRoute = {
  template: '/workspaces/{id}/global-variables',
  routeClass: 'general',
  carries: [],
} as const satisfies PostmanRoute;

/** Requests one page of up to 100 workspaces. `cursor`: `nextCursor` of the previous page; null: the first page. */
export const workspacesCall = (
  { visibility, createdBy }: WorkspaceFilter,
  cursor: string | null,
): PostmanCall<WorkspacePage> => ({
  route: workspacesRoute,
  target: withQuery('/workspaces', { type: visibility, createdBy, limit: String(WORKSPACE_PAGE_SIZE), cursor }),
  parse: parseWorkspacePage,
  subjects: toPageSubjects,
  ...(visibility === undefined && createdBy === undefined && cursor === null && { sizes: toWorkspaceSizes }),
  simulate(world) {
    const filter = { ...(visibility !== undefined && { visibility }), ...(createdBy !== undefined && { createdBy }) };
    const { ids, nextCursor } = world.workspacePage(filter, cursor, WORKSPACE_PAGE_SIZE);
    return { items: ids.map((id) => toSimulatedWorkspace(id, world)), nextCursor };
  },
});

/** Requests the workspaces that contain a collection. */
export const workspacesOfCollectionCall = (uid: string): PostmanCall<WorkspacePage, null> => ({
  route: workspacesRoute,
  target: withQuery('/workspaces', { elementType: 'collection', elementId: uid }),
  parse: parseWorkspacePage,
  whenMissing: null,
  subjects: (page) => [...shownRefs('collections', [{ uid }]), ...toPageSubjects(page)],
  simulate: (world) => ({
    items: world.workspacesOf(uid).map((id) => toSimulatedWorkspace(id, world)),
    nextCursor: null,
  }),
});

/** Requests one workspace. */
export const workspaceCall = (id: string): PostmanCall<WorkspaceDetail, null> => ({
  route: workspaceRoute,
  // Postman sends the team and deactivated mock servers only on request. All reads of a workspace share one target, so
  // it is read and cached once.
  target: `/workspaces/${toSegment(id)}?include=team,mocks:deactivated`,
  parse: (body) => parseWorkspaceDetail(body, id),
  whenMissing: null,
  subjects: (workspace) => [
    ...shownObject(id),
    ...childLists.flatMap((list) => [...shownRefs(list, workspace?.[list] ?? [])]),
  ],
  sizes(workspace) {
    const lengths: { [Name in ChildListName]?: number | undefined } = {};
    for (const list of childLists) lengths[list] = workspace[list]?.length;
    return { workspaceId: id, ...lengths };
  },
  contents(workspace) {
    const shown: ShownContents[] = [];
    for (const list of childLists) {
      const items = workspace[list];
      if (items) shown.push({ workspaceId: id, list, items, isComplete: list !== 'mocks' });
    }
    shown.push({ workspaceId: id, list: 'mocks', items: workspace.deactivatedMocks, isComplete: false });
    return shown;
  },
  simulate: (world) => (world.exists ? toSimulatedDetail(id, world) : null),
});

/** Requests the global variables of a workspace, as Postman sent them. */
export const globalsCall = (workspaceId: string): PostmanCall<readonly unknown[], null> => ({
  route: globalsRoute,
  target: `/workspaces/${toSegment(workspaceId)}/global-variables`,
  parse: (body) => listAt(body, 'values'),
  whenMissing: null,
  subjects: () => shownObject(workspaceId),
  simulate: ({ exists, nameOf }) => (exists ? [{ key: nameOf(workspaceId) }] : null),
});

/** Reads one page of `GET /workspaces`. @throws {UnexpectedShapeError} */
function parseWorkspacePage(body: unknown): WorkspacePage {
  return {
    items: listAt(body, 'workspaces').flatMap((item) => toWorkspaceSummary(item) ?? []),
    // Absent, null and "" all mean the end.
    nextCursor: toPlainText(metaOf(body)['nextCursor']) || null,
  };
}

/**
 * Reads `GET /workspaces/{id}`.
 *
 * @param id - The requested id.
 * @throws {UnexpectedShapeError} Also for the response of another workspace.
 */
function parseWorkspaceDetail(body: unknown, id: string): WorkspaceDetail {
  // One documented response lacks the wrapper.
  const workspace = isJsonObject(body) && !Object.hasOwn(body, 'workspace') ? body : objectAt(body, 'workspace');
  const summary = toWorkspaceSummary(workspace);
  if (!summary) throw new UnexpectedShapeError('The workspace has no id.');
  checkIsRequested(summary.id, id);
  return {
    description: toPlainText(workspace['description']),
    updatedBy: toId(workspace['updatedBy']),
    teamId: toTeamId(workspace['team'] ?? workspace['teamId']),
    // Older responses leave empty lists out.
    collections: toRefs(workspace['collections']),
    environments: toRefs(workspace['environments']),
    mocks: toMockRefs(workspace['mocks'], true),
    deactivatedMocks: toMockRefs(workspace['mocks'], false) ?? [],
    ...summary,
  };
}

function toWorkspaceSummary(value: unknown): WorkspaceSummary | null {
  if (!isJsonObject(value)) return null;
  const id = toPlainText(value['id']);
  if (id === null) return null;
  return {
    id,
    name: toPlainText(value['name']),
    type: toPlainText(value['type']),
    visibility: toPlainText(value['visibility']),
    about: toPlainText(value['about']),
    createdAt: toMoment(value['createdAt']),
    updatedAt: toMoment(value['updatedAt']),
    createdBy: toId(value['createdBy']),
  };
}

function toSimulatedWorkspace(id: string, { nameOf, exists, isOnPage }: SimulatedWorld): WorkspaceSummary {
  return {
    id,
    name: nameOf(id),
    type: null,
    visibility: null,
    about: null,
    createdAt: null,
    updatedAt: null,
    createdBy: exists ? SIMULATED_OWNER : null,
    isOnPage,
  };
}

function toSimulatedDetail(id: string, world: SimulatedWorld): WorkspaceDetail {
  const summary = toSimulatedWorkspace(id, world);
  const facts: Omit<WorkspaceDetail, ChildListName> = {
    ...summary,
    description: null,
    updatedBy: summary.createdBy,
    teamId: null,
    deactivatedMocks: [],
  };
  // Lists can be long and are rarely read, so they are built on first use.
  const lists = childLists.map((list) => {
    let refs: readonly Ref[] | undefined;
    const get = () => {
      refs ??= toSimulatedItems(world.uidsIn(list, id), world);
      return refs;
    };
    return [list, { enumerable: true, get }];
  });
  return Object.defineProperties(facts, Object.fromEntries(lists) as PropertyDescriptorMap) as WorkspaceDetail;
}

const toPageSubjects = (page: WorkspacePage | undefined) =>
  shownItems(
    'workspaces',
    page?.items.map(({ id }) => ({ uid: id })),
  );

const toWorkspaceSizes = ({ items, nextCursor }: WorkspacePage) => ({
  workspaces: items.map(({ id, visibility, createdBy }) => ({ id, visibility, createdBy })),
  hasMoreWorkspaces: nextCursor !== null,
});

import { toVariables } from '../upstream/collection-format/variables.ts';
import type { WorkspaceDetail, WorkspaceSummary } from '../upstream/postman/workspaces.ts';
import { builder } from './builder.ts';
import { carriedBy } from './carried-by.ts';
import { CollectionConnection } from './collection.ts';
import { connectionType, pageArgs, parsePageArgs } from './connection.ts';
import type { Context } from './context.ts';
import { EnvironmentConnection } from './environment.ts';
import { CHILDREN_PAGE_SIZE, readCollections, toEnvironmentConnection, toListNeed } from './lists.ts';
import { type WorkspaceNode, WorkspaceRef } from './refs.ts';
import { toNodeSelection, toSelection } from './selection.ts';
import { VariableRef } from './tree/variable.ts';

/** GraphQL enum `WorkspaceVisibility`. */
export const WorkspaceVisibility = builder.enumType('WorkspaceVisibility', {
  description: 'Who can see a workspace.',
  values: {
    PERSONAL: { value: 'personal', description: 'Only its owner.' },
    TEAM: { value: 'team', description: 'Everybody in the team.' },
    PRIVATE: { value: 'private', description: 'Invited members of the team.' },
    PUBLIC: { value: 'public', description: 'Everybody.' },
    PARTNER: { value: 'partner', description: 'Invited members of the team, and partners from outside.' },
    OTHER: { value: 'other', description: 'A visibility this server does not know yet. It cannot be asked for.' },
  } as const,
});

type Visibility = typeof WorkspaceVisibility.$inferType;
const visibilities: readonly string[] = [
  'personal',
  'team',
  'private',
  'public',
  'partner',
] satisfies readonly Visibility[];

/** Answers from the list item the node came with, else from the one call that all such fields share. */
function fromSummary<T>(pick: (summary: WorkspaceSummary) => T | null) {
  return ({ id, summary }: WorkspaceNode, _args: unknown, { loaders }: Context): T | null | Promise<T | null> =>
    summary ? pick(summary) : loaders.workspaceSummaryById(id).then((loaded) => loaded && pick(loaded));
}

function fromDetail<T>(pick: (detail: WorkspaceDetail) => T | null) {
  return async ({ id }: WorkspaceNode, _args: unknown, { loaders }: Context): Promise<T | null> => {
    const detail = await loaders.workspaceDetailById(id);
    return detail && pick(detail);
  };
}

WorkspaceRef.implement({
  description: 'A Postman workspace: the place that holds collections and environments.',
  fields: (t) => ({
    id: t.exposeID('id', {
      nullable: false,
      ...carriedBy('Workspace', ['ref'], 'Id of the workspace, a UUID. Workspaces have no uid.'),
    }),
    name: t.string({
      nullable: true,
      ...carriedBy('Workspace', ['summary', 'detail'], 'Name of the workspace; null when it has none.'),
      resolve: fromSummary(({ name }) => name),
    }),
    type: t.string({
      nullable: true,
      ...carriedBy(
        'Workspace',
        ['summary', 'detail'],
        'Type as Postman names it, usually `personal` or `team`. Who can see it is told by `visibility`. null when Postman does not say.',
      ),
      resolve: fromSummary(({ type }) => type),
    }),
    visibility: t.field({
      type: WorkspaceVisibility,
      nullable: true,
      ...carriedBy('Workspace', ['summary', 'detail'], 'Who can see the workspace; null when Postman does not say.'),
      resolve: fromSummary(({ visibility }): Visibility | null => {
        if (visibility === null) return null;
        return visibilities.includes(visibility) ? (visibility as Visibility) : 'other';
      }),
    }),
    about: t.string({
      nullable: true,
      ...carriedBy('Workspace', ['summary', 'detail'], 'One-line summary of the workspace; null when it has none.'),
      resolve: fromSummary(({ about }) => about),
    }),
    description: t.string({
      nullable: true,
      ...carriedBy('Workspace', ['detail'], 'Description in Markdown; null when it has none.'),
      resolve: fromDetail(({ description }) => description),
    }),
    createdAt: t.field({
      type: 'DateTime',
      nullable: true,
      ...carriedBy('Workspace', ['summary', 'detail'], 'When the workspace was made; null when Postman does not say.'),
      resolve: fromSummary(({ createdAt }) => createdAt),
    }),
    updatedAt: t.field({
      type: 'DateTime',
      nullable: true,
      ...carriedBy(
        'Workspace',
        ['summary', 'detail'],
        'When the workspace was last changed; null when Postman does not say.',
      ),
      resolve: fromSummary(({ updatedAt }) => updatedAt),
    }),
    createdBy: t.id({
      nullable: true,
      ...carriedBy(
        'Workspace',
        ['summary', 'detail'],
        'User id of whoever made the workspace; null when Postman does not say.',
      ),
      resolve: fromSummary(({ createdBy }) => createdBy),
    }),
    updatedBy: t.id({
      nullable: true,
      ...carriedBy(
        'Workspace',
        ['detail'],
        'User id of whoever last changed the workspace; null when Postman does not say.',
      ),
      resolve: fromDetail(({ updatedBy }) => updatedBy),
    }),
    teamId: t.id({
      nullable: true,
      ...carriedBy('Workspace', ['detail'], 'Id of the team the workspace belongs to; null when it belongs to none.'),
      resolve: fromDetail(({ teamId }) => teamId),
    }),
    collections: t.field({
      type: CollectionConnection,
      nullable: true,
      args: pageArgs(CHILDREN_PAGE_SIZE),
      ...carriedBy(
        'Workspace',
        ['own'],
        "Collections of the workspace, in Postman's order; null only when they cannot be read.\n\nCost: one `GET /workspaces/{id}`, shared with everything else of the workspace, as long as only identifiers, names and owners are asked of them; else one `GET /collections` per 99.",
        ['/workspaces/{id}', '/collections'],
      ),
      resolve: ({ id, isNamed = false }, args, context, info) =>
        readCollections(
          context,
          { workspaceId: id, ...toListNeed(toNodeSelection(toSelection(info))), isUnconfirmed: isNamed },
          parsePageArgs(args, CHILDREN_PAGE_SIZE),
        ),
    }),
    environments: t.field({
      type: EnvironmentConnection,
      nullable: true,
      args: pageArgs(CHILDREN_PAGE_SIZE),
      ...carriedBy(
        'Workspace',
        ['own'],
        "Environments of the workspace, in Postman's order; null only when they cannot be read.\n\nCost: nothing beside a `GET /workspaces/{id}` that is made anyway, as long as only identifiers, names and owners are asked of them; else one `GET /environments`.",
        ['/workspaces/{id}', '/environments'],
      ),
      resolve: async ({ id, isNamed = false }, args, { loaders }, info) => {
        const page = parsePageArgs(args, CHILDREN_PAGE_SIZE);
        const need = toListNeed(toNodeSelection(toSelection(info)));
        const list = await loaders.environmentsByWorkspace({ workspaceId: id, ...need, isUnconfirmed: isNamed });
        return list && toEnvironmentConnection(list, page);
      },
    }),
    globals: t.field({
      type: [VariableRef],
      nullable: true,
      ...carriedBy(
        'Workspace',
        ['own'],
        'Global variables of the workspace; null only when they cannot be read.\n\nCost: one `GET /workspaces/{id}/global-variables`.',
        ['/workspaces/{id}/global-variables'],
      ),
      resolve: async ({ id }, _args, { loaders }) => {
        const values = await loaders.globals(id);
        return values && toVariables(values);
      },
    }),
  }),
});

/** GraphQL type `WorkspaceConnection`. */
export const WorkspaceConnection = connectionType('Workspace', WorkspaceRef, 'workspaces');

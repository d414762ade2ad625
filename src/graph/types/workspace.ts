import { toVariables } from '../../upstream/collection-format/fields/variables.ts';
import {
  globalsCall,
  type WorkspaceDetail,
  workspaceRoute,
  type WorkspaceSummary,
} from '../../upstream/postman/resources/workspaces.ts';
import { responseField } from './response-field.ts';
import { builder } from '../builder.ts';
import { createCarriedBy, toGet } from '../planning/carried-by.ts';
import { CollectionConnection } from './collection.ts';
import { connectionType, pageArgs } from '../paging/connection.ts';
import { EnvironmentConnection } from './environment.ts';
import { CHILDREN_PAGE_SIZE, childrenOf } from '../planning/lists.ts';
import { MockConnection } from './mock.ts';
import { type WorkspaceNode, WorkspaceRef } from '../refs.ts';
import { VariableRef } from '../tree/variable.ts';

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

const carriedBy = createCarriedBy('Workspace', {
  'summary detail': `nothing on a listed workspace, else one ${toGet(workspaceRoute)} shared by all such fields`,
  detail: `one ${toGet(workspaceRoute)} per workspace, shared by all such fields`,
});

const inEveryResponse = ['summary', 'detail'] as const;

const fromSummary = responseField<WorkspaceNode, WorkspaceSummary>(
  ({ summary }) => summary,
  ({ id }, { workspaceById }) => workspaceById({ id, level: 'summary' }),
);

const fromDetail = responseField<WorkspaceNode, WorkspaceDetail>(
  () => undefined,
  ({ id }, { workspaceById }) => workspaceById({ id, level: 'detail' }),
);

WorkspaceRef.implement({
  description: 'A Postman workspace: the place that holds collections, environments and mock servers.',
  fields: (t) => ({
    id: t.exposeID('id', {
      nullable: false,
      ...carriedBy(['ref'], 'Id of the workspace, a UUID. Workspaces have no uid.'),
    }),
    name: t.string({
      nullable: true,
      ...carriedBy(inEveryResponse, 'Name of the workspace; null when it has none.'),
      resolve: fromSummary(({ name }) => name),
    }),
    type: t.string({
      nullable: true,
      ...carriedBy(
        inEveryResponse,
        'Type as Postman names it, usually `personal` or `team`. Who can see it is told by `visibility`. null when Postman does not say.',
      ),
      resolve: fromSummary(({ type }) => type),
    }),
    visibility: t.field({
      type: WorkspaceVisibility,
      nullable: true,
      ...carriedBy(inEveryResponse, 'Who can see the workspace; null when Postman does not say.'),
      resolve: fromSummary(({ visibility }): Visibility | null => {
        if (visibility === null) return null;
        return visibilities.includes(visibility) ? (visibility as Visibility) : 'other';
      }),
    }),
    about: t.string({
      nullable: true,
      ...carriedBy(inEveryResponse, 'One-line summary of the workspace; null when it has none.'),
      resolve: fromSummary(({ about }) => about),
    }),
    description: t.string({
      nullable: true,
      ...carriedBy(['detail'], 'Description in Markdown; null when it has none.'),
      resolve: fromDetail(({ description }) => description),
    }),
    createdAt: t.field({
      type: 'DateTime',
      nullable: true,
      ...carriedBy(inEveryResponse, 'When the workspace was made; null when Postman does not say.'),
      resolve: fromSummary(({ createdAt }) => createdAt),
    }),
    updatedAt: t.field({
      type: 'DateTime',
      nullable: true,
      ...carriedBy(inEveryResponse, 'When the workspace was last changed; null when Postman does not say.'),
      resolve: fromSummary(({ updatedAt }) => updatedAt),
    }),
    createdBy: t.id({
      nullable: true,
      ...carriedBy(inEveryResponse, 'User id of whoever made the workspace; null when Postman does not say.'),
      resolve: fromSummary(({ createdBy }) => createdBy),
    }),
    updatedBy: t.id({
      nullable: true,
      ...carriedBy(['detail'], 'User id of whoever last changed the workspace; null when Postman does not say.'),
      resolve: fromDetail(({ updatedBy }) => updatedBy),
    }),
    teamId: t.id({
      nullable: true,
      ...carriedBy(['detail'], 'Id of the team the workspace belongs to; null when it belongs to none.'),
      resolve: fromDetail(({ teamId }) => teamId),
    }),
  }),
});

builder.objectFields(WorkspaceRef, (t) => ({
  collections: t.field({
    type: CollectionConnection,
    nullable: true,
    args: pageArgs(CHILDREN_PAGE_SIZE),
    ...carriedBy(
      ['dedicated'],
      "Collections of the workspace, in Postman's order; null only when they cannot be read.\n\nCost: one `GET /workspaces/{id}`, shared with everything else of the workspace, as long as only identifiers, names and owners are asked of them; else one `GET /collections` per 99.",
      ['/workspaces/{id}', '/collections'],
    ),
    resolve: childrenOf('Collection'),
  }),
  environments: t.field({
    type: EnvironmentConnection,
    nullable: true,
    args: pageArgs(CHILDREN_PAGE_SIZE),
    ...carriedBy(
      ['dedicated'],
      "Environments of the workspace, in Postman's order; null only when they cannot be read.\n\nCost: nothing beside a `GET /workspaces/{id}` that is made anyway, as long as only identifiers, names and owners are asked of them; else one `GET /environments`.",
      ['/workspaces/{id}', '/environments'],
    ),
    resolve: childrenOf('Environment'),
  }),
  mocks: t.field({
    type: MockConnection,
    nullable: true,
    args: pageArgs(CHILDREN_PAGE_SIZE),
    ...carriedBy(
      ['dedicated'],
      "Mock servers of the workspace that are active, in Postman's order; null only when they cannot be read.\n\nCost: nothing beside a `GET /workspaces/{id}` that is made anyway, as long as only identifiers, names, owners and `isActive` are asked of them; else one `GET /mocks?workspace=`.",
      ['/workspaces/{id}', '/mocks'],
    ),
    resolve: childrenOf('Mock'),
  }),
  globals: t.field({
    type: [VariableRef],
    nullable: true,
    ...carriedBy(
      ['dedicated'],
      'Global variables of the workspace; null only when they cannot be read.\n\nCost: one `GET /workspaces/{id}/global-variables`.',
      ['/workspaces/{id}/global-variables'],
    ),
    resolve: async ({ id }, _args, { loaders }) => {
      const values = await loaders.read(globalsCall(id));
      return values && toVariables(values);
    },
  }),
}));

/** GraphQL type `WorkspaceConnection`. */
export const WorkspaceConnection = connectionType('Workspace', WorkspaceRef, 'workspaces');

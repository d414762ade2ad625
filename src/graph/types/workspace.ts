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
import { CollectionConnection, CollectionOrder } from './collection.ts';
import { connectionType, pageArgs } from '../paging/connection.ts';
import { EnvironmentConnection, EnvironmentOrder } from './environment.ts';
import { CHILDREN_PAGE_SIZE, childrenOf } from '../planning/lists.ts';
import { orderArgs, orderInput } from '../paging/list-order.ts';
import { MockConnection, MockOrder } from './mock.ts';
import { type WorkspaceNode, WorkspaceRef, NodeRef, UserRef } from '../refs.ts';
import { VariableRef } from '../tree/variable.ts';
import { toUser } from './user.ts';

/** GraphQL enum `WorkspaceVisibility`. */
export const WorkspaceVisibility = builder.enumType('WorkspaceVisibility', {
  description: 'Who can see a workspace.',
  values: {
    PERSONAL: { value: 'personal', description: 'Only its owner.' },
    TEAM: { value: 'team', description: 'Everyone in the team.' },
    PRIVATE: { value: 'private', description: 'Invited members of the team.' },
    PUBLIC: { value: 'public', description: 'Everyone.' },
    PARTNER: { value: 'partner', description: 'Invited members of the team, and invited partners outside it.' },
    OTHER: {
      value: 'other',
      description: 'A visibility this server does not know yet. It cannot be used as a filter.',
    },
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
  'summary detail': `nothing on a workspace from a list, else one ${toGet(workspaceRoute)} shared by all such fields`,
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
  description: 'A Postman workspace, which holds collections, environments and mock servers.',
  interfaces: [NodeRef],
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
        'Type as Postman names it, usually `personal` or `team`; null when Postman does not say. `visibility` ' +
          'says who can see the workspace.',
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
      ...carriedBy(['detail'], 'Description in Markdown; null when the workspace has none.'),
      resolve: fromDetail(({ description }) => description),
    }),
    createdAt: t.field({
      type: 'DateTime',
      nullable: true,
      ...carriedBy(inEveryResponse, 'When the workspace was created; null when Postman does not say.'),
      resolve: fromSummary(({ createdAt }) => createdAt),
    }),
    updatedAt: t.field({
      type: 'DateTime',
      nullable: true,
      ...carriedBy(inEveryResponse, 'When the workspace was last changed; null when Postman does not say.'),
      resolve: fromSummary(({ updatedAt }) => updatedAt),
    }),
    creatorId: t.id({
      nullable: true,
      ...carriedBy(inEveryResponse, 'Id of the user who created the workspace; null when Postman does not say.'),
      resolve: fromSummary(({ createdBy }) => createdBy),
    }),
    creator: t.field({
      type: UserRef,
      nullable: true,
      ...carriedBy(inEveryResponse, 'The user who created the workspace; null when Postman does not say.'),
      resolve: fromSummary(({ createdBy }) => toUser(createdBy)),
    }),
    updaterId: t.id({
      nullable: true,
      ...carriedBy(['detail'], 'Id of the user who last changed the workspace; null when Postman does not say.'),
      resolve: fromDetail(({ updatedBy }) => updatedBy),
    }),
    updater: t.field({
      type: UserRef,
      nullable: true,
      ...carriedBy(['detail'], 'The user who last changed the workspace; null when Postman does not say.'),
      resolve: fromDetail(({ updatedBy }) => toUser(updatedBy)),
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
    args: {
      ...orderArgs(
        CollectionOrder,
        'collections',
        'one `GET /collections` for every 99, or by name one `GET /workspaces/{id}`',
      ),
      ...pageArgs(CHILDREN_PAGE_SIZE),
    },
    ...carriedBy(
      ['dedicated'],
      "Collections of the workspace, in Postman's order unless `orderBy` is given; null only when they cannot be read.\n" +
        'Cost: one `GET /workspaces/{id}`, shared with all other fields of the workspace, if only identifiers, ' +
        'names and owners are selected on the collections; otherwise one `GET /collections` for every 99.',
      ['/workspaces/{id}', '/collections'],
    ),
    resolve: childrenOf('Collection'),
  }),
  environments: t.field({
    type: EnvironmentConnection,
    nullable: true,
    args: {
      ...orderArgs(EnvironmentOrder, 'environments', 'one `GET /environments`, or by name one `GET /workspaces/{id}`'),
      ...pageArgs(CHILDREN_PAGE_SIZE),
    },
    ...carriedBy(
      ['dedicated'],
      "Environments of the workspace, in Postman's order unless `orderBy` is given; null only when they cannot be read.\n" +
        'Cost: one `GET /workspaces/{id}`, shared with all other fields of the workspace, if only identifiers, ' +
        'names and owners are selected on the environments; otherwise one `GET /environments`.',
      ['/workspaces/{id}', '/environments'],
    ),
    resolve: childrenOf('Environment'),
  }),
  mocks: t.field({
    type: MockConnection,
    nullable: true,
    args: {
      ...orderArgs(MockOrder, 'mock servers', 'one `GET /mocks?workspace=`, or by name one `GET /workspaces/{id}`'),
      ...pageArgs(CHILDREN_PAGE_SIZE),
    },
    ...carriedBy(
      ['dedicated'],
      "Active mock servers of the workspace, in Postman's order unless `orderBy` is given; null only when they cannot be read.\n" +
        'Cost: one `GET /workspaces/{id}`, shared with all other fields of the workspace, if only identifiers, ' +
        'names, owners and `isActive` are selected on the mock servers; otherwise one `GET /mocks?workspace=`.',
      ['/workspaces/{id}', '/mocks'],
    ),
    resolve: childrenOf('Mock'),
  }),
  globals: t.field({
    type: [VariableRef],
    nullable: true,
    ...carriedBy(
      ['dedicated'],
      'Global variables of the workspace; null only when they cannot be read.\n' +
        'Cost: one `GET /workspaces/{id}/global-variables`.',
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

/** GraphQL input `WorkspaceOrder`. */
export const WorkspaceOrder = orderInput('Workspace', 'workspaces');

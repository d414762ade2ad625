import type { GraphQLResolveInfo } from 'graphql';
import { badUserInput } from '../errors/bad-user-input.ts';
import { builder } from '../builder.ts';
import type { Context } from '../context.ts';
import { CollectionConnection, CollectionOrder } from './collection.ts';
import { pageArgs } from '../paging/connection.ts';
import { EnvironmentConnection, EnvironmentOrder } from './environment.ts';
import { parseIdentifier } from '../planning/identifiers.ts';
import { type ListArgs, orderArgs, parseListArgs } from '../paging/list-order.ts';
import { toListPage } from '../paging/ordered-page.ts';
import { readChildren, toNodes } from '../planning/lists.ts';
import { lookUpWorkspace, toLookupRequest } from '../planning/lookup.ts';
import { RATE_LIMIT_DESCRIPTION, RateLimitRef } from './rate-limit.ts';
import { declareRoutes } from '../planning/declare-routes.ts';
import { WorkspaceRef } from '../refs.ts';
import { WorkspaceConnection, WorkspaceOrder, WorkspaceVisibility } from './workspace.ts';
import { readWorkspaces } from '../paging/workspace-list.ts';

const ROOT_PAGE_SIZE = 20;
const MAX_NAME_LENGTH = 1_000;

const optionalIdentifier = (value: string | null | undefined, argument: string) =>
  value == null ? null : parseIdentifier(value, argument);

builder.queryType({
  description: 'The Postman account of the API key in use.',
  fields: (t) => ({
    workspaces: t.field({
      type: WorkspaceConnection,
      nullable: true,
      description:
        'Workspaces the key can see; null only when the call fails.\n' +
        'Cost: one `GET /workspaces` for every 100 workspaces.',
      ...declareRoutes('/workspaces'),
      args: {
        visibility: t.arg({ type: WorkspaceVisibility, description: 'Only workspaces of this visibility.' }),
        creatorId: t.arg.id({ description: 'Only workspaces created by the user with this id.' }),
        ...orderArgs(WorkspaceOrder, 'workspaces', 'one `GET /workspaces` for every 100 workspaces'),
        ...pageArgs(ROOT_PAGE_SIZE),
      },
      resolve: (_root, { visibility, creatorId, ...args }, context) => {
        if (visibility === 'other') throw badUserInput('"visibility" cannot be OTHER: choose one of the named values.');
        const createdBy = optionalIdentifier(creatorId, 'creatorId');
        const filter = { ...(visibility && { visibility }), ...(createdBy !== null && { createdBy }) };
        return readWorkspaces(context, filter, parseListArgs(args, ROOT_PAGE_SIZE));
      },
    }),
    workspace: t.field({
      type: WorkspaceRef,
      nullable: true,
      description:
        'One workspace; null when no workspace has this id or the key may not see it.\n' +
        'Cost: usually one `GET /workspaces/{id}`, whose response also names the collections and environments.',
      ...declareRoutes('/workspaces/{id}'),
      args: { id: t.arg.id({ required: true, description: 'Id of the workspace.' }) },
      resolve: (_root, { id }, context, info) =>
        lookUpWorkspace(context, parseIdentifier(id, 'id'), toLookupRequest(info)),
    }),
    collections: t.field({
      type: CollectionConnection,
      nullable: true,
      description:
        'Collections the key can see, in all workspaces or in one; null when that workspace does not ' +
        'exist.\n' +
        'Cost: one `GET /collections` for every 99 collections; one `GET /workspaces/{id}` if only names in ' +
        'one workspace are selected.',
      ...declareRoutes('/collections', '/workspaces/{id}'),
      args: {
        workspaceId: t.arg.id({ description: 'Id of a workspace: only its collections.' }),
        name: t.arg.string({
          description: `Only collections with exactly this name, of at most ${MAX_NAME_LENGTH} characters.`,
        }),
        ...orderArgs(CollectionOrder, 'collections', 'one `GET /collections` for every 99 collections'),
        ...pageArgs(ROOT_PAGE_SIZE),
      },
      resolve: (_root, args, context, info) => readCollections(args, context, info),
    }),
    environments: t.field({
      type: EnvironmentConnection,
      nullable: true,
      description:
        'Environments the key can see, in all workspaces or in one; null when that workspace does not ' +
        'exist.\nCost: one `GET /environments`.',
      ...declareRoutes('/environments', '/workspaces/{id}'),
      args: {
        workspaceId: t.arg.id({ description: 'Id of a workspace: only its environments.' }),
        ...orderArgs(EnvironmentOrder, 'environments', 'one `GET /environments`'),
        ...pageArgs(ROOT_PAGE_SIZE),
      },
      resolve: (_root, { workspaceId, ...args }, context, info) => {
        const workspace = optionalIdentifier(workspaceId, 'workspaceId');
        const list = { type: 'Environment', workspaceId: workspace, mustConfirm: true } as const;
        return readChildren(context, list, parseListArgs(args, ROOT_PAGE_SIZE), info);
      },
    }),
    rateLimit: t.field({
      type: RateLimitRef,
      nullable: true,
      description: RATE_LIMIT_DESCRIPTION,
      ...declareRoutes(),
      args: {
        dryRun: t.arg.boolean({
          defaultValue: false,
          description: 'true: nothing is sent to Postman, and every other root field is left out of the response.',
        }),
      },
      resolve: (_root, { dryRun }, { budget }) => {
        const snapshot = budget();
        return snapshot && { ...snapshot, isDryRun: dryRun === true };
      },
    }),
  }),
});

interface CollectionsArgs extends ListArgs {
  readonly workspaceId?: string | null | undefined;
  readonly name?: string | null | undefined;
}

async function readCollections(
  { workspaceId, name, ...args }: CollectionsArgs,
  context: Context,
  info: GraphQLResolveInfo,
) {
  const page = parseListArgs(args, ROOT_PAGE_SIZE);
  const workspace = optionalIdentifier(workspaceId, 'workspaceId');
  if (name == null) {
    const list = { type: 'Collection', workspaceId: workspace, mustConfirm: true } as const;
    return readChildren(context, list, page, info);
  }
  if (name.length > MAX_NAME_LENGTH) throw badUserInput(`"name" is longer than ${MAX_NAME_LENGTH} characters.`);
  const { loaders, readAhead, resultSize } = context;
  const found = await loaders.collectionsByName({ name, workspaceId: workspace });
  // Postman also returns an empty list for a workspace that does not exist.
  if (found.length === 0 && workspace !== null) {
    if (!(await readAhead.workspaceById({ id: workspace, level: 'summary' }))) return null;
  }
  return toNodes(toListPage(found, page, ({ uid }) => uid, resultSize.search));
}

import { builder } from '../builder.ts';
import type { Context } from '../context.ts';
import {
  connectionType,
  mapNodes,
  pageArgs,
  type PageRequest,
  parsePageArgs,
  toConnection,
} from '../paging/connection.ts';
import { declareRoutes } from '../planning/declare-routes.ts';
import { parseIdentifier } from '../planning/identifiers.ts';
import { lookUpUser, needsOwner, reportingError } from '../planning/lookup-user.ts';
import { toSelection } from '../planning/selection.ts';
import { UserRef } from '../refs.ts';

const USERS_PAGE_SIZE = 20;

const UserConnection = connectionType('User', UserRef, 'users');

builder.queryFields((t) => ({
  me: t.field({
    type: UserRef,
    nullable: true,
    description: 'The user the API key belongs to; null only when the call fails.\nCost: one `GET /me`.',
    ...declareRoutes('/me'),
    resolve: async (_root, _args, { loaders }) => ({ id: (await loaders.keyOwner()).id }),
  }),
  user: t.field({
    type: UserRef,
    nullable: true,
    description:
      'One user: the owner of the API key, or a member of their team. null when nobody of the team has this id; ' +
      'null with an error when the key may not list the team.\n' +
      'Cost: nothing for the owner of the API key if `GET /me` is made anyway; otherwise one `GET /users`, shared ' +
      'by all users in the operation.',
    ...declareRoutes('/users', '/me'),
    args: { id: t.arg.id({ required: true, description: 'Id of the user, a number.' }) },
    resolve: (_root, { id }, context, info) =>
      lookUpUser(context, parseIdentifier(id, 'id'), needsOwner(toSelection(info))),
  }),
  users: t.field({
    type: UserConnection,
    nullable: true,
    description:
      "Members of the team, in Postman's order; null with an error when the key may not list them.\n" +
      'Cost: one `GET /users`, shared by all users in the operation.',
    ...declareRoutes('/users'),
    args: pageArgs(USERS_PAGE_SIZE),
    resolve: (_root, args, context) => readTeam(context, parsePageArgs(args, USERS_PAGE_SIZE)),
  }),
}));

/**
 * Reads one page of the members of the team.
 *
 * @throws {UpstreamError} Also if the key may not list them.
 */
function readTeam(context: Context, page: PageRequest) {
  return reportingError(context, async ({ loaders }) => {
    const members = toConnection(await loaders.teamMembers(), page, ({ id }) => id);
    return mapNodes(members, ({ id }) => ({ id }));
  });
}

import type { User } from '../../upstream/postman/resources/me.ts';
import { builder } from '../builder.ts';
import { NodeRef } from '../refs.ts';

/** GraphQL type `User`. */
export const UserRef = builder.objectRef<User>('User').implement({
  description: 'The person an API key belongs to.',
  interfaces: [NodeRef],
  fields: (t) => ({
    id: t.exposeID('id', {
      nullable: false,
      description: 'Id of the user, the same as in `ownerId`, `creatorId` and `updaterId` of other types.',
    }),
    username: t.exposeString('username', { nullable: true, description: 'User name; null when Postman does not say.' }),
    fullName: t.exposeString('fullName', { nullable: true, description: 'Full name; null when Postman does not say.' }),
    email: t.exposeString('email', { nullable: true, description: 'E-mail address; null when Postman does not say.' }),
    avatarUrl: t.exposeString('avatarUrl', {
      nullable: true,
      description: 'URL of the profile picture; null when there is none.',
    }),
    teamId: t.exposeID('teamId', { nullable: true, description: 'Id of the team; null for a user without a team.' }),
    teamName: t.exposeString('teamName', {
      nullable: true,
      description: 'Name of the team; null for a user without a team.',
    }),
    roles: t.stringList({
      nullable: true,
      description: 'Roles in the team, for example `admin`; null when Postman does not say.',
      resolve: ({ roles }) => roles && [...roles],
    }),
  }),
});
